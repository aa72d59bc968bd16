"""`simulate` as Kafka's own tools and the agent see it, and `demo` as a reader drives it."""
import json
import os
import re
import select
import signal
import subprocess
import time

import pytest

from kit import kafka_wire
from kit.agent import BARE, run
from kit.base import SLOWNESS, end, free_ports, spawn, wait_until
from kit.kafka import NEW, OLD, KafkaCluster

pytestmark = pytest.mark.simulator


class Program:
    """`kafka-ops-agent COMMAND` with pipes to talk over."""

    def __init__(self, build, *arguments):
        self.process = spawn([build / "kafka-ops-agent", *arguments], env=BARE, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.said = ""

    def read_until(self, text, deadline=20):
        """What comes next, up to and with `text`."""
        limit = time.monotonic() + deadline * SLOWNESS
        while text not in self.said:
            ready = select.select([self.process.stdout], [], [], max(0, limit - time.monotonic()))[0]
            part = os.read(self.process.stdout.fileno(), 65536).decode() if ready else ""
            assert part, f"'{text}' did not come; so far: {self.said!r}"
            self.said += part
        until = self.said.index(text) + len(text)
        found, self.said = self.said[:until], self.said[until:]
        return found

    def ask(self, line):
        """The demo's answer to one command."""
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self.read_until("> ")

    def close(self):
        """Gives what was not read yet, once it has ended by itself."""
        self.process.wait(15 * SLOWNESS)
        rest = self.said + self.process.stdout.read().decode()
        assert "Sanitizer" not in rest, rest
        return rest


@pytest.fixture
def program(build):
    made = []

    def make(*arguments):
        made.append(Program(build, *arguments))
        return made[-1]

    yield make
    for one in made:
        end(one.process, signal.SIGKILL)
        one.process.stdin.close()
        one.process.stdout.close()


@pytest.fixture
def simulate(program):
    """(the program, its bootstrap servers) of one more simulated cluster."""
    def make(*arguments):
        one = program("simulate", *arguments)
        key, servers = one.read_until("\n").strip().split("=", 1)
        assert key == "bootstrap.servers"
        return one, servers
    return make


def look(agent, servers):
    """An agent that has seen the cluster of `servers`."""
    one = agent(arguments=["--bootstrap", servers])
    one.wait_for_check("kafka", "healthy", 15)
    return one


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_first_line_names_the_brokers_and_a_signal_ends_it(simulate, how):
    port = free_ports(4)
    one, servers = simulate("--brokers", 4, "--listen", f"127.0.0.1:{port}")
    assert servers == ",".join(f"127.0.0.1:{port + index}" for index in range(4))
    for index in range(4):
        with kafka_wire.Connection("127.0.0.1", port + index) as connection:
            assert connection.brokers() == {id: ("127.0.0.1", port + id - 1) for id in range(1, 5)}
    one.process.send_signal(how)
    assert one.close() == "" and one.process.returncode == 0


def test_agent_and_cluster_go_on_after_a_stop(agent, simulate):
    simulated, servers = simulate()
    one = look(agent, servers)
    for process in (simulated.process, one.process):
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: "T (stopped)" in open(f"/proc/{process.pid}/status").read(), 5, "the process being stopped")
        process.send_signal(signal.SIGCONT)
    assert one.check("kafka", cached=False)["status"] == "healthy"
    assert simulated.process.poll() is None and one.process.poll() is None


def test_an_agent_watches_it(agent, simulate):
    simulated, servers = simulate("--brokers", 5, "--topics", 7, "--partitions", 40)
    one = look(agent, servers)
    result = one.check("kafka")
    assert result["message"] == "Kafka cluster accessible with 5 brokers"
    assert result["details"]["topic_count"] == 7
    ends, starts = one.of_partitions(), one.of_partitions("oldest_offset")
    assert len(ends) == 40 and starts.keys() == ends.keys()
    assert all(0 <= starts[key] <= ends[key] for key in ends)
    time.sleep(1.5)  # the brokers go on writing
    assert one.check("kafka", cached=False)["status"] == "healthy"
    later = one.of_partitions()
    assert all(later[key] >= ends[key] for key in ends) and sum(later.values()) > sum(ends.values())
    simulated.process.send_signal(signal.SIGTERM)
    assert simulated.process.wait(15 * SLOWNESS) == 0
    # A run asked for within a second of the last one is answered by that one.
    wait_until(lambda: one.check("kafka", cached=False)["message"].startswith("No Kafka brokers available"), 5)
    one.stop()


def test_the_seed_decides_the_cluster(agent, simulate):
    def seen(seed):
        one = look(agent, simulate("--seed", seed, "--topics", 9)[1])
        what = (one.get("/clusters/default").json["cluster_id"], one.of_partitions("leader"))
        one.stop()
        return what

    first = seen(7)
    assert first == seen(7) != seen(8)


def test_a_taken_port_stops_the_start(build, simulate):
    port = free_ports(6)
    simulate("--brokers", 3, "--listen", f"127.0.0.1:{port + 2}")
    done = run(build, "simulate", "--brokers", 3, "--listen", f"127.0.0.1:{port}")
    assert done.returncode == 2 and done.stdout == ""
    assert "did not start" in done.stderr and f"{port + 2}" in done.stderr and "in use" in done.stderr


@pytest.mark.kafka
@pytest.mark.parametrize("version", [OLD, NEW])
def test_tools_of_kafka_list_describe_and_read_offsets(agent, simulate, tmp_path, version):
    servers = simulate("--topics", 6, "--partitions", 15)[1]
    tools = KafkaCluster(version, tmp_path, 0)
    one = look(agent, servers)
    partitions = one.of_partitions("leader")
    topics = {topic for topic, _ in partitions}
    assert (len(topics), len(partitions)) == (6, 15)

    command = ("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", servers)
    assert set(tools.java(*command, "--list").split()) == topics
    described = tools.java(*command, "--describe")
    rows = re.findall(r"Topic: (\S+)\s+Partition: (\d+)\s+Leader: (\d+)\s+Replicas: (\S+)\s+Isr: (\S+)", described)
    assert {(topic, int(partition)): int(leader) for topic, partition, leader, _, _ in rows} == partitions
    assert all(sorted(replicas.split(",")) == sorted(in_sync.split(",")) == ["1", "2", "3"]
               for _, _, _, replicas, in_sync in rows)

    before = one.of_partitions()
    printed = tools.shell_offsets(servers)
    one.check("kafka", cached=False)
    after = one.of_partitions()
    assert printed.keys() == before.keys() == after.keys()
    assert all(before[key] <= printed[key] <= after[key] for key in printed)
    one.stop()


# Nothing is written; what is left of one topic has holes, which lag as Kafka's own tool counts.
STILL = """
scenario:
  - {at: 0s, do: write, rate: 0}
  - {at: 1s, do: compact, topic: orders, keep: 0.05}
"""


def groups_told(printed):
    """{(group, topic, partition): (commit, end, lag)} as ConsumerGroupCommand --describe prints them."""
    rows = re.findall(r"^(\S+) +(\S+) +(\d+) +(\d+) +(\d+) +(-?\d+) ", printed, re.MULTILINE)
    return {(group, topic, int(index)): (int(commit), int(end), int(lag)) for group, topic, index, commit, end, lag in rows}


def groups_seen(one):
    found = {}
    for row in one.get("/clusters/default/groups?limit=0").json["groups"]:
        if row["type"] not in ("classic", "consumer"):
            continue
        for topic in one.get(f"/clusters/default/groups/{row['name']}?limit=0").json["topic_list"]:
            for item in topic["partition_list"]:
                if item["committed"] is not None:
                    found[row["name"], topic["name"], item["id"]] = (item["committed"], item["end_offset"], item["lag"])
    return found


@pytest.mark.kafka
@pytest.mark.parametrize("version", [OLD, NEW])
def test_tools_of_kafka_read_groups_disks_configs_and_quorum(agent, simulate, tmp_path, version):
    scenario = tmp_path / "still.yaml"
    scenario.write_text(STILL)
    servers = simulate("--scenario", scenario, "--kafka-version", {OLD: "3.9", NEW: "4.x"}[version])[1]
    tools = KafkaCluster(version, tmp_path, 0)
    groups = ("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--bootstrap-server", servers)

    # Nothing is written, so after a while nobody lags but who stands still, and every look gives the same.
    one = look(agent, servers)
    wait_until(lambda: all(lag == 0 for (group, _, _), (_, _, lag) in groups_seen(one).items() if group == "billing"), 30)
    told = groups_told(tools.java(*groups, "--describe", "--all-groups"))
    assert len(told) >= 70 and any(lag > 0 for _, _, lag in told.values())
    wait_until(lambda: groups_seen(one).items() >= {key: row for key, row in told.items()
                                                    if key[0] in ("billing", "email-sender", "nightly-export")}.items(), 20)

    listed = dict(re.findall(r"^(\S+) +(Stable|Empty) *$", tools.java(*groups, "--list", "--state"), re.MULTILINE))
    assert listed["billing"] == "Stable" and listed["nightly-export"] == listed["backup-tool"] == "Empty"
    assert set(listed) == {group for group, _, _ in told}
    members = tools.java(*groups, "--describe", "--members", "--verbose", "--group", "search-indexer")
    assert len(re.findall(r"^search-indexer +search-indexer-\d-\S+ +/10\.", members, re.MULTILINE)) == 3

    disks = tools.java("org.apache.kafka.tools.LogDirsCommand", "--bootstrap-server", servers, "--describe")
    brokers = json.loads(disks[disks.index("{"):])["brokers"]
    assert [sum(len(folder["partitions"]) for folder in broker["logDirs"]) for broker in brokers] == [100, 100, 100]

    command = {OLD: "kafka.admin.ConfigCommand", NEW: "org.apache.kafka.tools.ConfigCommand"}[version]
    configs = tools.java(command, "--bootstrap-server", servers, "--describe", "--entity-type", "topics",
                         "--entity-name", "orders", "--all")
    assert "min.insync.replicas=2" in configs and "retention.ms=3600000" in configs
    quorum = tools.java("org.apache.kafka.tools.MetadataQuorumCommand", "--bootstrap-server", servers, "describe", "--status")
    assert re.search(r"LeaderId: +1\n", quorum) and re.search(r"MaxFollowerLag: +0\n", quorum)
    one.stop()


@pytest.mark.kafka
def test_tools_of_kafka_read_share_and_streams_groups(simulate, tmp_path):
    servers = simulate()[1]
    tools = KafkaCluster(NEW, tmp_path, 0)
    share = ("org.apache.kafka.tools.consumer.group.ShareGroupCommand", "--bootstrap-server", servers)
    rows = re.findall(r"^notifications +(\S+) +(\d+) +(\d+) +(\d+) *$",
                      tools.java(*share, "--describe", "--group", "notifications"), re.MULTILINE)
    assert len(rows) == 10 and all(int(start) > 0 for _, _, start, _ in rows)
    assert "notifications" in tools.java(*share, "--list")
    members = tools.java(*share, "--describe", "--members", "--group", "notifications")
    assert len(re.findall(r"^notifications +notifications-\d-\S+ +/10\.", members, re.MULTILINE)) == 3
    streams = tools.java("org.apache.kafka.tools.streams.StreamsGroupCommand", "--bootstrap-server", servers,
                         "--describe", "--group", "sessionizer")
    assert len(re.findall(r"^sessionizer +\S+ +\d+ +\d+ *$", streams, re.MULTILINE)) == 10


def answered_in(connection, requests):
    """Seconds until each of so many requests, sent at once, has its answer."""
    body = kafka_wire.api_versions(0)
    start = time.monotonic()
    for number in range(requests):
        connection.socket.sendall(kafka_wire.frame(kafka_wire.API_VERSIONS, 0, number, body))
    return [(connection._read(int.from_bytes(connection._read(4), "big")), time.monotonic() - start)[1]
            for _ in range(requests)]


def test_latency_delays_each_answer_and_blocks_nobody(simulate):
    servers = simulate("--latency", "400ms", "--brokers", 1)[1]
    with kafka_wire.Connection("127.0.0.1", int(servers.rsplit(":", 1)[1])) as connection:
        times = answered_in(connection, 10)
    assert min(times) >= 0.4 and max(times) < 0.8 * SLOWNESS, times


def is_answered(port, timeout):
    try:
        with kafka_wire.Connection("127.0.0.1", port, timeout=timeout) as connection:
            return bool(connection.brokers())
    except TimeoutError:
        return "silent"
    except OSError:
        return "refused"


def test_brokers_freeze_and_die_as_the_scenario_says(simulate, tmp_path):
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("""
scenario:
  - {at: 1s, do: freeze_broker, broker: 2, failover: 1h}
  - {at: 1s, do: kill_broker, broker: 3, failover: 0s}
  - {at: 6s, do: thaw_broker, broker: 2}
  - {at: 6s, do: restart_broker, broker: 3}
  - {at: 6s, do: delete_topic, topic: nope}
""")
    one, servers = simulate("--scenario", scenario)
    ports = [int(server.rsplit(":", 1)[1]) for server in servers.split(",")]
    with kafka_wire.Connection("127.0.0.1", ports[1]) as before:
        assert set(before.brokers()) == {1, 2, 3}
        wait_until(lambda: is_answered(ports[2], 1) == "refused", 5, "broker 3 being dead")
        assert is_answered(ports[1], 0.5) == "silent"
        with kafka_wire.Connection("127.0.0.1", ports[0]) as connection:
            assert set(connection.brokers()) == {1, 2}
        # What was asked of a frozen broker is answered when it goes on.
        assert set(before.brokers()) == {1, 2, 3}
    wait_until(lambda: is_answered(ports[2], 1) is True, 5, "broker 3 being back")
    one.process.send_signal(signal.SIGTERM)
    assert "delete_topic at 6000 ms: there is no topic 'nope'; it is left out" in one.close()
    assert one.process.returncode == 0


def test_an_operator_sees_what_is_wrong(agent, simulate, tmp_path):
    """In-sync replicas shrink, a disk fails, a transaction stays open, a broker dies: who asks is told so."""
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("""
scenario:
  - {at: 6s, do: elect_preferred}
  - {at: 6s, do: shrink_isr, topic: orders, broker: 2}
  - {at: 6s, do: shrink_isr, topic: orders, broker: 3}
  - {at: 6s, do: fail_log_dir, broker: 1, dir: 1}
  - {at: 6s, do: fill_log_dir, broker: 2, dir: 0, share: 0.97}
  - {at: 6s, do: begin_transaction, topic: payments, partition: 0}
  - {at: 16s, do: kill_broker, broker: 3, failover: 2s}
""")
    servers = simulate("--scenario", scenario)[1]
    one = agent(f"""
clusters: [{{name: default, bootstrap_servers: [{servers}], interval: 1s, request_timeout: 1s, slow_interval: 1s}}]
checks:
  - {{name: kafka, type: kafka, interval: 1s, timeout: 5s}}
  - {{name: strict, type: kafka, interval: 1s, timeout: 5s, unhealthy_when: [offline_log_dirs, lagging_voters]}}
""")
    assert one.wait_for_check("kafka", "healthy", 5)["details"]["quorum_lagging_voters"] == 0

    def cluster():
        return one.get("/clusters/default").json

    one.wait_for_check("strict", "unhealthy", 15)
    wait_until(lambda: cluster()["partitions_under_min_isr"], 10, "partitions under min.insync.replicas")
    result = one.wait_for_check("kafka", "degraded", 5)
    assert "are below min.insync.replicas" in result["message"] and "data-1 of broker 1" in result["message"]
    seen = cluster()
    assert (seen["status"], seen["log_dirs_offline"], seen["log_dirs_max_usage_percent"]) == ("degraded", 1, 97)
    assert seen["mode"] == "kraft" and seen["quorum"]["leader"] == seen["controller_id"]
    worst = one.get("/clusters/default/topics?limit=1").json["topics"][0]
    assert worst["name"] == "orders" and worst["min_isr"] == 2
    assert 0 < worst["under_min_isr"] == seen["partitions_under_min_isr"]
    dirs = {row["id"]: row["log_dirs"] for row in one.get("/clusters/default/brokers").json["brokers"]}
    assert [row["error"] for row in dirs[1]] == [None, "KAFKA_STORAGE_ERROR"] and len(dirs) == 3
    row = one.get("/clusters/default/topics/payments").json["partition_list"][0]
    assert row["has_open_transaction"] and row["last_stable_offset"] < row["end_offset"]
    assert len(row["replica_ids"]) == row["replicas"] == 3
    assert row["is_leader_preferred"] == (row["leader"] == row["replica_ids"][0])

    wait_until(lambda: cluster()["partitions_with_non_preferred_leader"], 20, "leaders having moved")
    assert cluster()["stale_brokers"] == [3]
    wait_until(lambda: [row["id"] for row in cluster()["quorum"]["voters"] if row["is_lagging"]] == [3], 20,
               "the dead voter being silent")
    details = one.wait_for_check("kafka", "degraded", 5)["details"]
    assert details["brokers_missing"] == 1 and details["partitions_with_offline_replicas"] > 0
    one.stop()


@pytest.mark.parametrize("version", ["2.8", "3.9", "4.0", "4.x"])
def test_an_agent_understands_each_version(agent, simulate, version):
    servers = simulate("--kafka-version", version, "--groups", 40)[1]
    with kafka_wire.Connection("127.0.0.1", int(servers.rsplit(":", 1)[1])) as connection:
        assert connection.version_ranges()[kafka_wire.OFFSET_FETCH][1] == {"2.8": 7, "4.x": 10}.get(version, 9)
    one = look(agent, servers)
    groups = wait_until(lambda: len(rows := one.get("/clusters/default/groups?limit=0").json["groups"]) == 40 and rows, 20)
    types = {row["type"] for row in groups}
    assert types == {"2.8": {"classic"}, "3.9": {"classic", "consumer"}, "4.0": {"classic", "consumer"},
                     "4.x": {"classic", "consumer", "share", "streams"}}[version]
    one.stop()


@pytest.mark.parametrize("fault", ["answer_garbage", "answer_length", "answer_close", "answer_nothing"])
def test_an_agent_outlives_wrong_answers(agent, simulate, tmp_path, fault):
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(f"scenario: [{{at: 3s, do: {fault}}}, {{at: 9s, do: answer_well}}]\n")
    servers = simulate("--scenario", scenario)[1]
    one = agent(f"""
clusters: [{{name: default, bootstrap_servers: [{servers}], interval: 1s, request_timeout: 1s}}]
checks: [{{name: kafka, type: kafka, interval: 1s, timeout: 5s}}]
""")
    one.wait_for_check("kafka", "healthy", 15)
    before = one.of_partitions()
    wait_until(lambda: one.check("kafka")["status"] != "healthy", 20, "the trouble being seen")
    one.wait_for_check("kafka", "healthy", 30)
    wait_until(lambda: sum(one.of_partitions().values()) > sum(before.values()), 10, "the offsets going on")
    one.stop()


def test_a_scenario_says_how_large_the_cluster_is_and_flags_win(agent, simulate, tmp_path):
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("cluster: {brokers: 2, topics: 5, partitions: 30, groups: 0, seed: 9, kafka_version: 3.9}\n")
    one = look(agent, simulate("--scenario", scenario, "--topics", 6)[1])
    result = one.check("kafka")
    assert result["message"] == "Kafka cluster accessible with 2 brokers" and result["details"]["topic_count"] == 6
    assert len(one.of_partitions()) == 30 and one.get("/clusters/default/groups?limit=0").json["groups"] == []
    one.stop()


def test_brokers_at_an_ipv6_address_are_named_as_clients_take_them(agent, simulate):
    servers = simulate("--listen", "[::1]:0")[1]
    assert re.fullmatch(r"(\[::1\]:\d+,?){3}", servers)
    assert look(agent, servers).check("kafka")["message"] == "Kafka cluster accessible with 3 brokers"
    one = agent(arguments=["--simulate", "--sim-listen", "[::1]:0"])
    one.wait_for_check("kafka", "healthy")
    one.stop()


@pytest.mark.parametrize("flags, said", [
    (("--kafka-version", "3.1"), "one of 2.8, 3.9, 4.0, 4.x"),
    (("--latency", "2m"), "a duration up to 60s"),
    (("--groups", "-1"), "a whole number from 0"),
    (("--listen", "127.0.0.1:65535"), "port 65535 leaves no room for 3 brokers"),
    (("--scenario", "/nonexistent.yaml"), "/nonexistent.yaml"),
])
def test_flags_that_are_not_right_stop_the_start(build, flags, said):
    done = run(build, "simulate", *flags)
    assert done.returncode == 2 and done.stdout == "" and said in done.stderr


def test_a_scenario_that_is_not_right_is_told_with_its_place(build, tmp_path):
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("scenario:\n  - {at: 1s, do: kill_broker, broker: 1}\n  - {at: 1s, do: freze_broker, broker: 1}\n")
    done = run(build, "simulate", "--scenario", scenario)
    assert done.returncode == 2 and f"{scenario}:3:" in done.stderr and "freeze_broker" in done.stderr


def test_the_demo_obeys_commands(program):
    demo = program("demo", "--interactive", "--port", 0)
    assert "The demo runs at http://127.0.0.1:" in demo.read_until("> ")
    wait_until(lambda: re.search(r"service_api +healthy", demo.ask("health")), 10, "the service being healthy")
    assert "api fails now" in demo.ask("fail api")
    wait_until(lambda: re.search(r"service_api +unhealthy", demo.ask("health")), 10, "the service being unhealthy")
    wait_until(lambda: re.search(r"warning +firing +api_unhealthy", demo.ask("alerts")), 10, "the alert", every=0.3)
    status = demo.ask("status")
    assert "overall: unhealthy" in status and "api_unhealthy" in status
    assert "api is fixed" in demo.ask("fix api")
    wait_until(lambda: re.search(r"service_api +healthy", demo.ask("health")), 10, "the service being well again")
    wait_until(lambda: "api_unhealthy" not in demo.ask("status"), 10, "the alert being over", every=0.3)
    assert "demo_requests_total" in demo.ask("load")
    assert re.search(r"counters +[1-9]\d* series", demo.ask("metrics"))
    assert "no service 'apy'" in demo.ask("fail apy")
    assert "unknown command 'frob'" in demo.ask("frob")
    demo.process.stdin.write(b"quit\n")
    demo.process.stdin.flush()
    assert demo.close().endswith("The demo has ended.\n")
    assert demo.process.returncode == 0


def test_the_demo_is_driven_by_a_script(build):
    """Each command's effect is there when the next one is obeyed."""
    done = run(build, "demo", "--interactive", "--port", 0,
               stdin="fail cache\nhealth\nalerts\nfix cache\nhealth\nalerts\nquit\n")
    failed, fixed = done.stdout.split("cache is fixed")
    assert re.search(r"service_cache +unhealthy", failed) and re.search(r"warning +firing +cache_unhealthy", failed)
    assert re.search(r"service_cache +healthy", fixed) and "no active alerts" in fixed


@pytest.mark.parametrize("typed", ["", "health\n", "health\nstatus"])
def test_the_demo_leaves_at_the_end_of_input(build, typed):
    done = run(build, "demo", "--interactive", "--port", 0, stdin=typed)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("overall: ") == len(typed.split())
    assert done.stdout.endswith("The demo has ended.\n")


def test_the_unattended_demo_ends_by_a_signal(program):
    demo = program("demo", "--port", 0)
    demo.read_until("overall: ")
    demo.process.send_signal(signal.SIGTERM)
    assert demo.close().endswith("The demo has ended.\n")
    assert demo.process.returncode == 0
