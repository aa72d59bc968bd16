"""Consumer groups on real Apache Kafka: lag, commit and log end as Kafka's own tools print them, and through faults."""
import re
import signal
import statistics
import time
import urllib.parse

import pytest

from kit import kafka_changes as changes
from kit.base import SLOWNESS, wait_until
from kit.kafka import NEW, OLD, ZOOKEEPER_ONLY, KafkaCluster

INTERVAL_S, REQUEST_TIMEOUT_S = 1, 1.5
# A cycle is due, and may wait for one silent broker; then it is published.
NOTICED_WITHIN_S = INTERVAL_S + REQUEST_TIMEOUT_S + 1.5
needs_kafka = pytest.mark.kafka
# Bytes that are no UTF-8 are U+FFFD to a broker; NUL is not shown as it is.
STRANGE = ["a b/c?d=e&f%20#g", 'quo"te\\', "snow\N{SNOWMAN}-\N{CYRILLIC SMALL LETTER ZHE}", b"bad\xff\xfename", "nul\0name",
           ".."]
CONSUMER = {ZOOKEEPER_ONLY: "kafka.tools.ConsoleConsumer"}
COMMAND = {ZOOKEEPER_ONLY: "kafka.admin.ConsumerGroupCommand"}


def config(bootstrap):
    return f"""
clusters:
  - name: default
    bootstrap_servers: [{bootstrap}]
    interval: {INTERVAL_S}s
    request_timeout: 1500ms
    slow_interval: 1s
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


def seen(one, types):
    """{(group, topic, partition): (commit, end, lag)} of what has a commit."""
    rows = {}
    for name, row in groups(one).items():
        for topic in group(one, name)["topic_list"] if row["type"] in types else ():
            for item in topic["partition_list"]:
                rows[name, topic["name"], item["id"]] = (item["committed"], item["end_offset"], item["lag"])
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


def wait_for_same(one, expected, types=("classic", "consumer")):
    def same():
        found = seen(one, types)
        assert found == expected, {key: (found.get(key), expected.get(key)) for key in found.keys() | expected.keys()
                                   if found.get(key) != expected.get(key)}
        return True
    wait_until(same, 15, "the agent's rows equal to those of Kafka's tool", every=0.3)


class Scene:
    """One broker with a group of every kind."""

    def __init__(self, version, folder):
        self.version = version
        self.cluster = KafkaCluster(version, folder)

    def start(self):
        cluster = self.cluster.start()
        cluster.create_topics({"orders": 3, "clicks": 2, "ledger": 1, "doomed": 1})
        for topic, index, count in (("orders", 0, 12), ("orders", 1, 5), ("clicks", 0, 7), ("clicks", 1, 3),
                                    ("ledger", 0, 5), ("doomed", 0, 4)):
            cluster.produce(topic, index, count)
        changes.commit(cluster, "live", {"orders": {0: 2, 1: 5}})
        self.consumers = {"live": self.consume("live", "orders", "group.protocol=classic")}
        if self.version == NEW:
            changes.commit(cluster, "modern", {"clicks": {0: 6}})
            self.consumers["modern"] = self.consume("modern", "clicks", "group.protocol=consumer")
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
        if self.version == NEW:
            properties.append(protocol)
        return self.cluster.start_tool(
            CONSUMER.get(self.version, "org.apache.kafka.tools.consumer.ConsoleConsumer"), "--bootstrap-server",
            self.cluster.bootstrap, "--topic", topic, *(word for row in properties for word in ("--consumer-property", row)))

    def wait_for_members(self, one):
        for name in self.consumers:
            wait_until(lambda: (row := groups(one).get(name)) and row["members"] == 1 and row["idle_members"] == 0, 30,
                       f"the member of {name}")


@pytest.fixture(scope="module", params=[ZOOKEEPER_ONLY, OLD, NEW])
def scene(request, tmp_path_factory):
    one = Scene(request.param, tmp_path_factory.mktemp("scene") / "kafka")
    try:
        yield one.start()
    finally:
        one.cluster.stop()


@needs_kafka
def test_every_number_is_that_of_kafkas_own_tool(agent, scene):
    one = agent(config(scene.cluster.bootstrap))
    scene.wait_for_members(one)
    rows, without = told(scene.cluster)
    names = {"live", "simple", "late", "mourner", "widow"} | set(map(shown, STRANGE))
    names |= {"modern"} if scene.version == NEW else set()
    assert {name for name, _, _ in rows} == names
    assert rows["live", "orders", 0] == (2, 12, 10) and rows["simple", "clicks", 0] == (9, 7, 0)
    assert ("live", "orders", 2) in without
    wait_for_same(one, rows)
    kinds = {name: (row["type"], row["state"], row["members"]) for name, row in groups(one).items()}
    assert kinds["live"] == ("classic", "Stable", 1) and kinds["simple"] == ("classic", "Empty", 0)
    live = group(one, "live")["topic_list"]
    assert [(row["name"], row["assigned_partitions"], row["conditions"]) for row in live] == [
        ("orders", 3, {"no_commit": 1})]
    assert partition(one, "simple", "clicks", 0)["conditions"] == ["above_log_end"]
    assert partition(one, "late", "clicks", 1)["conditions"] == ["below_log_start"]
    if scene.version == NEW:
        assert kinds["modern"] == ("consumer", "Stable", 1)
        assert group(one, "modern")["protocol"] == "uniform" and group(one, "live")["protocol"] == "range"
    one.stop()


@needs_kafka
@pytest.mark.parametrize("scene", [NEW], indirect=True, scope="module")
def test_a_share_groups_numbers_are_those_of_kafkas_own_tool(agent, scene):
    one = agent(config(scene.cluster.bootstrap))
    scene.wait_for_members(one)
    for index in (0, 1):
        scene.cluster.produce("clicks", index, 4)
    wait_until(lambda: len(group(one, "sharers")["topic_list"][0]["partition_list"]) == 2, 20, "both start offsets")

    def same():
        printed = scene.cluster.java("org.apache.kafka.tools.consumer.group.ShareGroupCommand", "--bootstrap-server",
                                     scene.cluster.bootstrap, "--describe", "--group", "sharers", "--offsets")
        lines = [line.split() for line in printed.splitlines() if line.strip()]
        header = lines.index(next(line for line in lines if "START-OFFSET" in line))
        at = lines[header].index
        rows = {("sharers", line[at("TOPIC")], int(line[at("PARTITION")])): (line[at("START-OFFSET")], line[at("LAG")])
                for line in lines[header + 1:]}
        found = {key: (str(commit), str(lag)) for key, (commit, _, lag) in seen(one, ("share",)).items()}
        assert found == rows and len(rows) == 2, (found, rows)
        return True

    wait_until(same, 30, "the share group's offsets equal to those of Kafka's tool", every=1)
    assert groups(one)["sharers"]["type"] == "share" and groups(one)["sharers"]["state"] == "Stable"
    one.stop()


@needs_kafka
def test_transactions_open_and_ended(agent, scene):
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
    one.stop()


@needs_kafka
def test_what_is_deleted_is_gone(agent, scene):
    one = agent(config(scene.cluster.bootstrap))
    wait_until(lambda: {"mourner", "widow", "late"} <= groups(one).keys(), 10, "the groups")
    changes.delete_group(scene.cluster, "late")
    changes.delete_topic(scene.cluster, "doomed")
    wait_until(lambda: group(one, "late") is None and "late" not in groups(one), 10, "the deleted group being gone")
    if scene.version == NEW:
        scene.consumers["modern"].send_signal(signal.SIGTERM)
    scene.consumers["live"].send_signal(signal.SIGTERM)
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
def module_trio(tmp_path_factory):
    """Three brokers, every internal topic on all; a silent one is taken for dead after 6 s."""
    cluster = KafkaCluster(NEW, tmp_path_factory.mktemp("trio") / "kafka", 3,
                           {"broker.session.timeout.ms": 6000, "offsets.topic.num.partitions": 6})
    try:
        cluster.start()
        cluster.create_topics({"copied": 2}, replication=3)
        cluster.create_topics({"alone": 6})
        for index in range(6):
            cluster.produce("alone", index, 20)
        for number in range(12):
            changes.commit(cluster, f"group-{number}", {"alone": dict.fromkeys(range(6), number), "copied": {0: 0, 1: 0}})
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def trio(module_trio):
    """All well again after the test."""
    yield module_trio
    for node in module_trio.nodes:
        if node.process.poll() is None:
            node.thaw()
        else:
            node.start()
    for node in module_trio.nodes:
        module_trio.wait_for(node)


@needs_kafka
def test_three_brokers_groups_are_those_of_kafkas_own_tool(agent, trio):
    one = agent(config(trio.bootstrap))
    rows, _ = told(trio)
    assert len(rows) == 12 * 8
    wait_for_same(one, rows)
    where = {name: row["coordinator"] for name, row in groups(one).items()}
    assert where == {name: changes.coordinator(trio, name).id for name in where} and len(set(where.values())) > 1
    one.stop()


def scrape_ms(one, count=15):
    took = []
    for _ in range(count):
        began = time.monotonic()
        assert one.get("/metrics/prometheus").status == 200
        took.append((time.monotonic() - began) * 1000)
    return statistics.median(took)


@needs_kafka
@pytest.mark.parametrize("how", ["freeze", "kill"])
def test_a_coordinator_that_is_silent_delays_no_other_group(agent, trio, how):
    one = agent(config(trio.bootstrap))
    wait_until(lambda: len(groups(one)) == 12 and not any(row["is_stale"] for row in groups(one).values()), 15, "the groups")
    where = {name: row["coordinator"] for name, row in groups(one).items()}
    victim = next(node for node in trio.nodes if node.id == where["group-0"])
    theirs = [name for name, node in where.items() if node == victim.id]
    others = [name for name, node in where.items() if node != victim.id]
    with trio.connect() as connection:
        leaders = connection.leaders("alone")[1]
    index = next(index for index, leader in leaders.items() if leader != victim.id)
    calm_ms = scrape_ms(one)
    before = partition(one, others[0], "alone", index)["end_offset"]
    getattr(victim, how)()

    def only_theirs_are_stale():
        rows = groups(one)
        assert {name for name, row in rows.items() if row["is_stale"]} == set(theirs), rows
        return rows

    rows = wait_until(only_theirs_are_stale, NOTICED_WITHIN_S + 1, "the silent coordinator's groups being stale")
    # Log ends of the others move, and their groups' lag with them; what the silent one owed keeps its age.
    trio.produce("alone", index, 3)
    wait_until(lambda: all(partition(one, name, "alone", index)["end_offset"] == before + 3 for name in others),
               NOTICED_WITHIN_S, "the other groups' lag having moved")
    assert scrape_ms(one) <= 3 * calm_ms + 20 * SLOWNESS
    if all(groups(one)[name]["is_stale"] for name in theirs):
        assert all(groups(one)[name]["age_seconds"] > rows[name]["age_seconds"] for name in theirs)
        assert all(partition(one, name, "alone", index)["committed"] == int(name[6:]) for name in theirs)
    # Then the cluster gives them another coordinator, which takes commits.
    wait_until(lambda: not any(row["is_stale"] or row["coordinator"] == victim.id for row in groups(one).values()), 40,
               "another coordinator for every group", every=0.3)
    offset = 7 if how == "freeze" else 8
    for name in (theirs[0], others[0]):
        changes.commit(trio, name, {"copied": {0: offset}})
        wait_until(lambda: partition(one, name, "copied", 0)["committed"] == offset, NOTICED_WITHIN_S, f"a commit of {name}")
    one.stop()
