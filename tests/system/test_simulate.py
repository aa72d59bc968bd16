"""`simulate` as Kafka's own tools and the agent see it, and `demo` as a reader drives it."""
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
