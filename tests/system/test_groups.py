"""Consumer groups on real Apache Kafka: lag, commit and log end as Kafka's own tools print them, and through faults."""
import collections
import json
import re
import signal
import statistics
import time
import urllib.parse

import pytest

from kit import kafka_changes as changes
from kit.agent import run
from kit.base import SLOWNESS, end, free_ports, wait_until
from kit.kafka import NEW, OLD, ZOOKEEPER_ONLY, KafkaCluster
from kit.relay import Relay

INTERVAL_S, REQUEST_TIMEOUT_S = 1, 1.5
SLOW_S = 0.2  # of each answer; a cycle has four phases
# A cycle is due, and may wait for one silent broker; then it is published.
NOTICED_WITHIN_S = INTERVAL_S + REQUEST_TIMEOUT_S + 1.5
needs_kafka = pytest.mark.kafka
# Bytes that are no UTF-8 are U+FFFD to a broker; NUL is not shown as it is.
STRANGE = ["a b/c?d=e&f%20#g", 'quo"te\\', "snow\N{SNOWMAN}-\N{CYRILLIC SMALL LETTER ZHE}", b"bad\xff\xfename", "nul\0name",
           ".."]
CONSUMER = {ZOOKEEPER_ONLY: "kafka.tools.ConsoleConsumer"}
COMMAND = {ZOOKEEPER_ONLY: "kafka.admin.ConsumerGroupCommand"}


def config(bootstrap, slow_interval="1s", batch=500):
    return f"""
clusters:
  - name: default
    bootstrap_servers: [{bootstrap}]
    interval: {INTERVAL_S}s
    request_timeout: 1500ms
    slow_interval: {slow_interval}
    batch: {batch}
checks:
  - {{name: kafka, type: kafka, interval: 1s, timeout: 5s}}
"""


def shown(name):
    """A group's name as the agent writes it."""
    name = name.decode("utf-8", "replace") if isinstance(name, bytes) else name
    if "\0" not in name:
        return name
    return "".join(chr(byte) if 0x20 <= byte < 0x7f else f"\\x{byte:02x}" for byte in name.encode())


def group(one, name):
    answer = one.get(f"/clusters/default/groups/{urllib.parse.quote(shown(name), safe='')}?limit=0")
    return answer.json if answer.status == 200 else None


def groups(one):
    """{name: row}"""
    return {row["name"]: row for row in one.get("/clusters/default/groups?limit=0").json["groups"]}


def partition(one, name, topic, index):
    """LookupError while it is not there."""
    topics = {row["name"]: row["partition_list"] for row in (group(one, name) or {}).get("topic_list", [])}
    return {row["id"]: row for row in topics[topic]}[index]


def rows_of(row):
    """{(group, topic, partition): (commit, end, lag)} of one group's commits."""
    return {(row["name"], topic["name"], item["id"]): (item["committed"], item["end_offset"], item["lag"])
            for topic in row["topic_list"] for item in topic["partition_list"] if "no_commit" not in item["conditions"]}


def seen(one, types):
    rows = {}
    for name, row in groups(one).items():
        rows |= rows_of(group(one, name)) if row["type"] in types else {}
    return rows


def looked_up(build, cluster, types=("classic", "consumer")):
    """The same by `lag`, which needs no agent."""
    done = run(build, "lag", "--bootstrap", cluster.bootstrap, "--json")
    assert (done.returncode, done.stderr) == (0, ""), done
    rows = {}
    for row in json.loads(done.stdout)["groups"]:
        rows |= rows_of(row) if row["type"] in types else {}
    return rows


def told(cluster):
    """The same by Kafka's own tool; and the rows of assigned partitions that have no commit."""
    printed = cluster.java(COMMAND.get(cluster.version, "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"),
                           "--bootstrap-server", cluster.bootstrap, "--describe", "--all-groups")
    rows, without = {}, set()
    for line in printed.splitlines():
        found = re.fullmatch(r"(.+?) +(\S+) +(\d+) +(\d+|-) +(\d+|-) +(-?\d+|-) +\S+ +\S+ +\S+ *", line)
        if not found:
            continue
        name, topic, index, offset, end, lag = found.groups()
        key = shown(name), topic, int(index)
        if offset == "-":
            without.add(key)
        else:
            # Behind the log end Kafka's tool counts below zero.
            rows[key] = (int(offset), int(end), max(0, int(lag)))
    return rows, without


def expect_same(found, expected):
    assert found == expected, {key: (found.get(key), expected.get(key)) for key in found.keys() | expected.keys()
                               if found.get(key) != expected.get(key)}
    return True


def wait_for_same(one, expected):
    wait_until(lambda: expect_same(seen(one, ("classic", "consumer")), expected), 15,
               "the agent's rows equal to those of Kafka's tool", every=0.3)


class Scene:
    """A group of every kind on one cluster."""

    def __init__(self, cluster):
        self.cluster, self.version, self.consumers = cluster, cluster.version, {}
        self.has_new_protocol = self.version != ZOOKEEPER_ONLY

    def start(self):
        cluster = self.cluster
        cluster.create_topics({"orders": 3, "clicks": 2, "ledger": 1, "doomed": 1})
        for topic, index, count in (("orders", 0, 12), ("orders", 1, 5), ("clicks", 0, 7), ("clicks", 1, 3),
                                    ("ledger", 0, 5), ("doomed", 0, 4)):
            cluster.produce(topic, index, count)
        changes.commit(cluster, "live", {"orders": {0: 2, 1: 5}})
        self.consumers["live"] = self.consume("live", "orders", "group.protocol=classic")
        if self.has_new_protocol:
            changes.commit(cluster, "modern", {"clicks": {0: 6}})
            self.consumers["modern"] = self.consume("modern", "clicks", "group.protocol=consumer")
        if self.version == NEW:
            self.consumers["sharers"] = cluster.start_tool(
                "org.apache.kafka.tools.consumer.ConsoleShareConsumer", "--bootstrap-server", cluster.bootstrap,
                "--topic", "clicks", "--group", "sharers")
        changes.delete_records(cluster, "clicks", 1, 2)
        changes.commit(cluster, "simple", {"orders": {0: 10, 1: 5}, "clicks": {0: 9}})
        changes.commit(cluster, "late", {"clicks": {1: 1}})
        changes.commit(cluster, "mourner", {"doomed": {0: 1}, "clicks": {0: 1}})
        changes.commit(cluster, "widow", {"doomed": {0: 3}})
        for index, name in enumerate(STRANGE):
            changes.commit(cluster, name, {"orders": {0: index}})
        return self

    def consume(self, name, topic, protocol):
        """A console consumer that reads and commits nothing, so that what was committed stays."""
        properties = [f"group.id={name}", "enable.auto.commit=false"]
        if self.has_new_protocol:
            properties.append(protocol)
        return self.cluster.start_tool(
            CONSUMER.get(self.version, "org.apache.kafka.tools.consumer.ConsoleConsumer"), "--bootstrap-server",
            self.cluster.bootstrap, "--topic", topic, *(word for row in properties for word in ("--consumer-property", row)))

    def wait_for_members(self, one):
        for name in self.consumers:
            wait_until(lambda: (row := groups(one).get(name)) and row["members"] == 1 and row["idle_members"] == 0, 30,
                       f"the member of {name}")


@pytest.fixture(scope="module")
def module_trio(tmp_path_factory):
    """Three brokers, every internal topic on all; a silent one is taken for dead after 9 s. Behind relays: a second listener."""
    ports = {node: free_ports() for node in (1, 2, 3)}
    relays = {node: Relay(free_ports(), port) for node, port in ports.items()}
    cluster = KafkaCluster(NEW, tmp_path_factory.mktemp("trio") / "kafka", 3, {
        "broker.session.timeout.ms": 9000, "offsets.topic.num.partitions": 6,
        "listeners": lambda node: f"PLAINTEXT://127.0.0.1:{node.port},CONTROLLER://127.0.0.1:{node.port + 1},"
                                  f"RELAYED://127.0.0.1:{ports[node.id]}",
        "advertised.listeners": lambda node: f"PLAINTEXT://127.0.0.1:{node.port},RELAYED://127.0.0.1:{relays[node.id].port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,RELAYED:PLAINTEXT"})
    cluster.relays = relays
    try:
        yield cluster.start()
    finally:
        cluster.stop()
        for relay in relays.values():
            relay.close()


SCENES = [(ZOOKEEPER_ONLY, 1), (OLD, 1), (NEW, 1), (OLD, 3), (NEW, 3)]


@pytest.fixture(scope="module", params=SCENES, ids=[f"{version}-{count}" for version, count in SCENES])
def scene(request, tmp_path_factory):
    version, count = request.param
    is_trio = request.param == (NEW, 3)
    # KIP-848 is for the asking in 3.9.
    settings = {"group.coordinator.rebalance.protocols": "classic,consumer"} if version == OLD else {}
    cluster = request.getfixturevalue("module_trio") if is_trio else KafkaCluster(
        version, tmp_path_factory.mktemp("scene") / "kafka", count, settings)
    one = Scene(cluster)
    try:
        if not is_trio:
            cluster.start()
        yield one.start()
    finally:
        if is_trio:
            for consumer in one.consumers.values():
                end(consumer, signal.SIGKILL)
        else:
            cluster.stop()


def share_rows(cluster):
    """{(group, topic, partition): (start offset, lag)} by Kafka's own tool, as text."""
    printed = cluster.java("org.apache.kafka.tools.consumer.group.ShareGroupCommand", "--bootstrap-server",
                           cluster.bootstrap, "--describe", "--group", "sharers", "--offsets")
    lines = [line.split() for line in printed.splitlines() if line.strip()]
    header = lines.index(next(line for line in lines if "START-OFFSET" in line))
    at = lines[header].index
    return {("sharers", line[at("TOPIC")], int(line[at("PARTITION")])): (line[at("START-OFFSET")], line[at("LAG")])
            for line in lines[header + 1:]}


def expect_share_group(build, one, scene):
    for index in (0, 1):
        scene.cluster.produce("clicks", index, 4)
    wait_until(lambda: len(group(one, "sharers")["topic_list"][0]["partition_list"]) == 2, 20, "both start offsets")

    def same():
        rows = share_rows(scene.cluster)
        for found in seen(one, ("share",)), looked_up(build, scene.cluster, ("share",)):
            found = {key: (str(commit), str(lag)) for key, (commit, _, lag) in found.items()}
            assert found == rows and len(rows) == 2, (found, rows)
        return True

    wait_until(same, 30, "the share group's offsets equal to those of Kafka's tool", every=1)
    assert groups(one)["sharers"]["type"] == "share" and groups(one)["sharers"]["state"] == "Stable"


@needs_kafka
def test_every_number_is_that_of_kafkas_own_tool(build, agent, scene):
    one = agent(config(scene.cluster.bootstrap))
    scene.wait_for_members(one)
    rows, without = told(scene.cluster)
    names = {"live", "simple", "late", "mourner", "widow"} | set(map(shown, STRANGE))
    names |= {"modern"} if scene.has_new_protocol else set()
    assert {name for name, _, _ in rows} == names
    assert rows["live", "orders", 0] == (2, 12, 10) and rows["simple", "clicks", 0] == (9, 7, 0)
    assert ("live", "orders", 2) in without
    wait_for_same(one, rows)
    expect_same(looked_up(build, scene.cluster), rows)
    rows_now = groups(one)
    kinds = {name: (row["type"], row["state"], row["members"]) for name, row in rows_now.items()}
    assert kinds["live"] == ("classic", "Stable", 1) and kinds["simple"] == ("classic", "Empty", 0)
    where = {name: rows_now[name]["coordinator"] for name in ("live", "simple", "late", "mourner", "widow")}
    assert where == {name: changes.coordinator(scene.cluster, name).id for name in where}
    live = group(one, "live")["topic_list"]
    assert [(row["name"], row["assigned_partitions"], row["conditions"]) for row in live] == [
        ("orders", 3, {"no_commit": 1})]
    assert partition(one, "simple", "clicks", 0)["conditions"] == ["above_log_end"]
    assert partition(one, "late", "clicks", 1)["conditions"] == ["below_log_start"]
    if scene.has_new_protocol:
        assert kinds["modern"] == ("consumer", "Stable", 1)
        assert group(one, "modern")["protocol"] == "uniform" and group(one, "live")["protocol"] == "range"
    if scene.version == NEW:
        expect_share_group(build, one, scene)
    one.stop()


@needs_kafka
def test_transactions_open_and_ended(build, agent, scene):
    one = agent(config(scene.cluster.bootstrap))
    changes.commit(scene.cluster, "payments", {"ledger": {0: 5}})
    opened = changes.Transaction(scene.cluster, "transfer", "ledger", 0, 3)
    wait_until(lambda: (row := partition(one, "payments", "ledger", 0))["lag"] == 3 and
               row["conditions"] == ["open_transaction"], 10, "the open transaction")
    changes.commit(scene.cluster, "ahead", {"ledger": {0: 2}})
    wait_until(lambda: (row := partition(one, "ahead", "ledger", 0))["lag"] == 6 and not row["conditions"], 10,
               "a group with something to read before the transaction")
    opened.end()
    changes.commit(scene.cluster, "payments", {"ledger": {0: 8}})
    # The marker is an offset that nobody can read, and Kafka's tool counts it.
    wait_until(lambda: (row := partition(one, "payments", "ledger", 0))["lag"] == 1 and row["end_offset"] == 9 and
               "open_transaction" not in row["conditions"], 10, "the transaction's marker")
    rows, _ = told(scene.cluster)
    assert rows["payments", "ledger", 0] == (8, 9, 1)
    wait_for_same(one, rows)
    expect_same(looked_up(build, scene.cluster), rows)
    one.stop()


@needs_kafka
def test_what_is_deleted_is_gone(agent, scene):
    one = agent(config(scene.cluster.bootstrap))
    wait_until(lambda: {"mourner", "widow", "late"} <= groups(one).keys(), 10, "the groups")
    changes.delete_group(scene.cluster, "late")
    changes.delete_topic(scene.cluster, "doomed")
    wait_until(lambda: group(one, "late") is None and "late" not in groups(one), 10, "the deleted group being gone")
    for name in scene.consumers.keys() & {"live", "modern"}:
        scene.consumers[name].send_signal(signal.SIGTERM)
    wait_until(lambda: (row := groups(one)["live"])["state"] == "Empty" and row["members"] == 0, 20, "the member's leave")

    def settled():
        """Brokers drop a deleted topic's commits in their own time."""
        rows, _ = told(scene.cluster)
        return not any(topic == "doomed" for _, topic, _ in rows) and rows

    rows = wait_until(settled, 30, "Kafka forgetting the commits of a deleted topic", every=1)
    assert ("mourner", "clicks", 0) in rows and ("live", "orders", 0) in rows
    wait_for_same(one, rows)
    one.stop()


@pytest.fixture(scope="module")
def filled_trio(module_trio):
    module_trio.create_topics({"copied": 2}, replication=3)
    module_trio.create_topics({"alone": 6})
    for index in range(6):
        module_trio.produce("alone", index, 20)
    for name in OWN:
        changes.commit(module_trio, name, {"alone": dict.fromkeys(range(6), int(name[6:])), "copied": {0: 0, 1: 0}})
    return module_trio


def mend(cluster):
    for node in cluster.nodes:
        cluster.relays[node.id].delay_s = 0
        if node.process.poll() is None:
            node.thaw()
        else:
            node.start()
    for node in cluster.nodes:
        cluster.wait_for(node)


@pytest.fixture
def trio(filled_trio):
    """All well again after the test."""
    yield filled_trio
    mend(filled_trio)


OWN = [f"group-{number}" for number in range(12)]


class Look:
    """What an agent says of one broker, the victim, and of the others."""

    def __init__(self, one, cluster):
        self.one, self.cluster = one, cluster
        wait_until(lambda: set(OWN) <= groups(one).keys() and not any(row["is_stale"] for row in groups(one).values()), 15,
                   "the groups")
        where = {name: row["coordinator"] for name, row in self.groups().items()}
        assert where == {name: changes.coordinator(cluster, name).id for name in OWN}
        self.victim = next(node for node in cluster.nodes if node.id == where["group-0"])
        self.theirs = {name for name in OWN if where[name] == self.victim.id}
        self.others = sorted(set(OWN) - self.theirs)
        with cluster.connect() as connection:
            leaders = connection.leaders("alone")[1]
        self.owed = {index for index, leader in leaders.items() if leader == self.victim.id}
        self.index = min(leaders.keys() - self.owed)
        assert self.others and self.owed

    def groups(self):
        rows = groups(self.one)
        return {name: rows[name] for name in OWN}

    def partitions(self):
        """{index: row} of the topic whose partitions have one replica."""
        return {row["id"]: row for row in self.one.get("/clusters/default/topics/alone").json["partition_list"]}

    def stale(self):
        """The groups and partitions that are marked."""
        return ({name for name, row in self.groups().items() if row["is_stale"]},
                {index for index, row in self.partitions().items() if row["is_stale"]})

    def wait_for_stale(self):
        """Exactly what the victim owes, with an age that grows."""
        wait_until(lambda: expect_same(dict(enumerate(self.stale())), {0: self.theirs, 1: self.owed}), NOTICED_WITHIN_S + 1,
                   "what the broker owes being stale, and nothing else")
        rows, partitions = self.groups(), self.partitions()
        wait_until(lambda: all(self.groups()[name]["age_seconds"] > rows[name]["age_seconds"] > 0 for name in self.theirs) and
                   all(self.partitions()[index]["offset_age_seconds"] > partitions[index]["offset_age_seconds"] > 0
                       for index in self.owed), NOTICED_WITHIN_S, "the age of what is stale")
        assert self.stale() == (self.theirs, self.owed)
        for name in self.theirs:
            assert partition(self.one, name, "alone", self.index)["committed"] == int(name[6:])

    def wait_for_move(self, index, names):
        """Records are produced; the log end and the lag of these groups must show them on time."""
        before = {name: partition(self.one, name, "alone", index) for name in names}
        end_offset = self.partitions()[index]["end_offset"] + 3
        self.cluster.produce("alone", index, 3)
        wait_until(lambda: self.partitions()[index]["end_offset"] == end_offset and all(
            (row := partition(self.one, name, "alone", index))["end_offset"] == end_offset and
            row["lag"] == before[name]["lag"] + 3 for name in names), NOTICED_WITHIN_S,
            f"alone-{index} and the lag of its groups having moved to {end_offset}")

    def wait_until_well(self):
        wait_until(lambda: self.stale() == (set(), set()) and self.one.get("/clusters/default").json["stale_brokers"] == [],
                   40, "everything being fresh again", every=0.3)

    def answers_ms(self):
        """{path: median} over more than a cycle that waits for a silent broker."""
        took = {"/metrics/prometheus": [], "/health/live": [], "/health": []}
        for _ in range(25):
            for path, rows in took.items():
                began = time.monotonic()
                assert self.one.get(path).status == 200, path
                rows.append((time.monotonic() - began) * 1000)
            time.sleep(0.1)
        return {path: statistics.median(rows) for path, rows in took.items()}

    def expect_answers(self, calm_ms):
        now_ms = self.answers_ms()
        assert all(now_ms[path] <= 3 * calm_ms[path] + 20 * SLOWNESS for path in calm_ms), (calm_ms, now_ms)


@needs_kafka
@pytest.mark.parametrize("how", ["freeze", "kill"])
def test_a_coordinator_that_is_silent_delays_no_other_group(agent, trio, how):
    look = Look(agent(config(trio.bootstrap)), trio)
    victim, one = look.victim, look.one
    calm_ms = look.answers_ms()
    getattr(victim, how)()
    look.wait_for_stale()
    look.wait_for_move(look.index, look.others)
    look.expect_answers(calm_ms)
    # Then the cluster gives their groups another coordinator, which takes commits.
    wait_until(lambda: not any(row["is_stale"] or row["coordinator"] == victim.id for row in look.groups().values()), 40,
               "another coordinator for every group", every=0.3)
    offset = 7 if how == "freeze" else 8
    for name in (min(look.theirs), look.others[0]):
        changes.commit(trio, name, {"copied": {0: offset}})
        wait_until(lambda: partition(one, name, "copied", 0)["committed"] == offset, NOTICED_WITHIN_S, f"a commit of {name}")
    # The broker comes back; what only it leads moves again.
    mend(trio)
    look.wait_until_well()
    look.wait_for_move(min(look.owed), OWN)
    one.stop()


@needs_kafka
def test_a_broker_that_is_slow_delays_no_other(agent, trio):
    """First within the deadline of a request, then beyond it."""
    relays = trio.relays
    look = Look(agent(config(",".join(f"127.0.0.1:{relay.port}" for relay in relays.values()))), trio)
    relay = relays[look.victim.id]
    calm_ms = look.answers_ms()
    relay.delay_s = SLOW_S
    look.wait_for_move(look.index, look.others)
    look.wait_for_move(min(look.owed), OWN)
    look.expect_answers(calm_ms)
    assert look.stale() == (set(), set())
    relay.delay_s = 2 * REQUEST_TIMEOUT_S
    look.wait_for_stale()
    look.wait_for_move(look.index, look.others)
    look.expect_answers(calm_ms)
    assert look.stale() == (look.theirs, look.owed)
    relay.delay_s = 0
    look.wait_until_well()
    look.wait_for_move(min(look.owed), OWN)
    look.one.stop()


@needs_kafka
def test_a_cycle_asks_no_more_than_it_must(agent, trio):
    """Metadata and DescribeCluster once, each broker for its groups and log ends, each coordinator in batches."""
    batch = 2
    look = Look(agent(config(trio.bootstrap, slow_interval="1h", batch=batch)), trio)
    counts = collections.Counter((row["coordinator"], row["type"]) for row in groups(look.one).values())
    assert max(counts.values()) > batch
    limit = 2 + 2 * len(trio.nodes) + 2 * sum(-(-count // batch) for count in counts.values())

    def most():
        """Of a few cycles."""
        asked, until = [], time.monotonic() + 4 * INTERVAL_S
        while time.monotonic() < until:
            cycle = look.one.get("/clusters/default").json["cycle"]
            assert cycle["errors"] == 0, cycle
            asked.append(cycle["requests"])
            time.sleep(0.1)
        return max(asked)

    # At first come the slow questions, and a few cycles long one more for each leader: when was what groups wait for written?
    assert wait_until(lambda: (count := most()) <= limit and count, 40, f"cycles of at most {limit} requests") > 2
    look.one.stop()
