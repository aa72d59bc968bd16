"""The agent against real Apache Kafka: what it says of healthy, dying, frozen and absent brokers."""
import json
import time

import pytest

from kit.base import SLOWNESS, free_ports, wait_until
from kit.kafka import NEW, OLD, KafkaCluster

INTERVAL_S, REQUEST_TIMEOUT_S, CHECK_INTERVAL_S = 2, 1.5, 1
# A broker that is silent may cost one request for metadata and one for offsets; then the check looks.
NOTICED_WITHIN_S = INTERVAL_S + 2 * REQUEST_TIMEOUT_S + CHECK_INTERVAL_S + 2
needs_kafka = pytest.mark.kafka


def config(bootstrap, interval="2s", check_interval="1s", topics="{}"):
    return f"""
clusters:
  - name: default
    bootstrap_servers: [{bootstrap}]
    interval: {interval}
    request_timeout: 1500ms
    slow_interval: 1s
    topics: {topics}
checks:
  - {{name: kafka, type: kafka, interval: {check_interval}, timeout: 10s}}
"""


@pytest.fixture(scope="module")
def module_trio(tmp_path_factory):
    cluster = KafkaCluster(NEW, tmp_path_factory.mktemp("trio") / "kafka", 3)
    try:
        cluster.start()
        cluster.create_topics({"orders": 3, "orders-internal": 1, "clicks": 2})
        cluster.create_topics({"copied": 1}, replication=3)
        yield cluster
    finally:
        cluster.stop()


def repair(cluster):
    for node in cluster.nodes:
        if node.process.poll() is None:
            node.thaw()
        else:
            node.start()
    for node in cluster.nodes:
        cluster.wait_for(node)


@pytest.fixture
def trio(module_trio):
    """Three brokers, all well again after the test."""
    yield module_trio
    repair(module_trio)


def leaders(cluster, topic):
    with cluster.connect() as connection:
        return connection.leaders(topic)[1]


def brokers(one):
    return {row["id"]: row for row in one.get("/clusters/default/brokers").json["brokers"]}


def produce_elsewhere(cluster, one, broken):
    """Adds records to a partition that a broker other than `broken` leads, and waits until the agent shows them."""
    partition = next(p for p, leader in leaders(cluster, "orders").items() if leader not in (broken.id, -1))
    before = one.of_partitions()["orders", partition]
    cluster.produce("orders", partition, 3)
    wait_until(lambda: one.of_partitions()["orders", partition] == before + 3, NOTICED_WITHIN_S,
               f"orders-{partition} having moved from {before} to {before + 3}")


@needs_kafka
@pytest.mark.parametrize("version", [OLD, pytest.param(NEW, marks=pytest.mark.smoke)])
def test_one_broker(agent, kafka, version):
    cluster = kafka(version)
    cluster.create_topics({"orders": 3, "quiet": 1})
    cluster.produce("orders", 0, 12)
    cluster.produce("orders", 1, 5)
    to_delete = cluster.folder / "delete.json"
    to_delete.write_text(json.dumps({"version": 1, "partitions": [{"topic": "orders", "partition": 0, "offset": 10}]}))
    cluster.java("org.apache.kafka.tools.DeleteRecordsCommand", "--bootstrap-server", cluster.bootstrap,
                 "--offset-json-file", to_delete)
    one = agent(config(cluster.bootstrap))
    result = one.wait_for_check("kafka", "healthy", 15)
    assert result["message"] == "Kafka cluster accessible with 1 brokers"
    details = result["details"]
    assert (details["broker_count"], details["brokers_missing"], details["topic_count"]) == (1, 0, 2)
    assert details["cluster_id"] == cluster.cluster_id and details["cluster"] == "default"
    assert one.metric('kafka_brokers{cluster="default"}') == 1
    assert dict((labels["topic"], value) for labels, value in one.series("kafka_topic_partitions")) == {
        "orders": 3, "quiet": 1}
    ends = {("orders", 0): 12, ("orders", 1): 5, ("orders", 2): 0, ("quiet", 0): 0}
    assert one.of_partitions() == ends == cluster.shell_offsets()
    assert one.of_partitions("oldest_offset") == {**dict.fromkeys(ends, 0), ("orders", 0): 10}
    assert set(one.of_partitions("leader").values()) == {1}
    cluster.produce("orders", 1, 7)
    wait_until(lambda: one.of_partitions()["orders", 1] == 12, 10, "the new records being seen")
    # A single replica takes writes with acks=all whatever is asked for: brokers cap the setting.
    command = "kafka.admin.ConfigCommand" if version == OLD else "org.apache.kafka.tools.ConfigCommand"
    cluster.java(command, "--bootstrap-server", cluster.bootstrap, "--alter", "--entity-type", "topics",
                 "--entity-name", "quiet", "--add-config", "min.insync.replicas=2")
    cluster.produce("quiet", 0, 1)
    quiet = wait_until(lambda: (row := one.get("/clusters/default/topics/quiet").json)["min_isr"] == 2 and row, 10)
    assert (quiet["under_min_isr"], quiet["at_min_isr"]) == (0, 0)
    assert one.check("kafka", cached=False)["status"] == "healthy"
    one.stop()


@needs_kafka
def test_three_brokers(agent, trio):
    one = agent(config(trio.bootstrap))
    assert one.wait_for_check("kafka", "healthy", 15)["message"] == "Kafka cluster accessible with 3 brokers"
    assert one.metric('kafka_brokers{cluster="default"}') == 3
    rows = brokers(one)
    assert {key: (row["host"], row["port"], row["rack"], row["up"], row["error"]) for key, row in rows.items()} == {
        node.id: ("127.0.0.1", node.port, f"rack-{node.id}", True, None) for node in trio.nodes}
    assert sum(row["is_controller"] for row in rows.values()) == 1
    assert one.of_partitions("in_sync_replica")["copied", 0] == 3
    assert one.of_partitions("leader") == {
        (topic, partition): leader for topic in ("orders", "orders-internal", "clicks", "copied")
        for partition, leader in leaders(trio, topic).items()}
    ids = [node.id for node in trio.nodes]
    seen = wait_until(lambda: (row := one.get("/clusters/default").json)["quorum"] and row, 10, "the quorum being known")
    assert seen["status"] == "healthy" and seen["mode"] == "kraft" and seen["quorum"]["leader"] in ids
    assert [row["id"] for row in seen["quorum"]["voters"] if not row["is_lagging"]] == ids
    assert (seen["log_dirs_offline"], seen["partitions_reassigning"], seen["partitions_under_min_isr"]) == (0, 0, 0)
    for row in brokers(one).values():
        assert row["log_dirs"] and all(place["error"] is None and 0 < place["usable_bytes"] < place["total_bytes"]
                                       for place in row["log_dirs"])
    copied = one.get("/clusters/default/topics/copied").json
    assert copied["min_isr"] == 1 and copied["log_bytes"] >= 0 and copied["offline_replicas"] == 0
    row = copied["partition_list"][0]
    assert sorted(row["in_sync_ids"]) == ids
    assert sorted(row["replica_ids"]) == ids and row["is_leader_preferred"] == (row["leader"] == row["replica_ids"][0])
    one.stop()


@needs_kafka
def test_topics_are_filtered(agent, trio):
    one = agent(config(trio.bootstrap, topics='{include: ["orders.*", copied], exclude: [".*-internal"]}'))
    assert one.wait_for_check("kafka", "healthy", 15)["details"]["topic_count"] == 2
    assert {topic for topic, _ in one.of_partitions()} == {"orders", "copied"}
    assert {row["name"] for row in one.get("/clusters/default/topics").json["topics"]} == {"orders", "copied"}
    one.stop()


@needs_kafka
def test_run_now_asks_kafka(agent, trio):
    """With an interval of an hour, only the call can have brought the news."""
    one = agent(config(trio.bootstrap, interval="1h", check_interval="1h"))
    one.wait_for_check("kafka", "healthy", 15)
    before = one.of_partitions()["clicks", 0]
    trio.produce("clicks", 0, 4)
    time.sleep(1.5)  # a run asked for within a second of the last one would be answered by that one
    assert one.of_partitions()["clicks", 0] == before
    answer = one.get("/health/checks/kafka")
    assert (answer.status, answer.json["status"]) == (200, "healthy")
    assert one.of_partitions()["clicks", 0] == before + 4
    one.stop()


@needs_kafka
def test_a_killed_broker_degrades_and_its_return_heals(agent, trio):
    one = agent(config(trio.bootstrap))
    one.wait_for_check("kafka", "healthy", 15)
    victim = trio.nodes[0]
    victim.kill()
    result = one.wait_for_check("kafka", "degraded", NOTICED_WITHIN_S)
    assert result["message"].startswith("Kafka cluster accessible with 2 brokers"), result["message"]
    assert f"broker {victim.id}" in result["message"] and result["details"]["brokers_missing"] == 1
    rows = brokers(one)
    assert [row["id"] for row in rows.values() if not row["up"]] == [victim.id]
    assert rows[victim.id]["error"] and all(rows[node.id]["error"] is None for node in trio.nodes[1:])
    assert one.get("/clusters/default").json["stale_brokers"] == [victim.id]
    produce_elsewhere(trio, one, victim)
    wait_until(lambda: one.of_partitions("in_sync_replica")["copied", 0] == 2, 20, "the missing replica being seen")
    seen = one.get("/clusters/default").json
    assert seen["status"] == "degraded" and seen["partitions_under_replicated"] > 0
    assert seen["partitions_with_offline_replicas"] > 0
    wait_until(lambda: [row["id"] for row in one.get("/clusters/default").json["quorum"]["voters"] if row["is_lagging"]]
               == [victim.id], 40, "the killed voter being silent")
    assert one.check("kafka")["details"]["quorum_lagging_voters"] == 1
    one.wait_for_log("is not listed by its cluster any more", 20)
    victim.start()
    assert one.wait_for_check("kafka", "healthy", 60)["message"] == "Kafka cluster accessible with 3 brokers"
    assert brokers(one)[victim.id]["error"] is None
    one.wait_for_log("is listed by its cluster now")
    one.stop()


@needs_kafka
@pytest.mark.parametrize("index", [0, 2])
def test_a_frozen_broker_degrades_and_delays_no_answer(agent, trio, index):
    one = agent(config(trio.bootstrap))
    one.wait_for_check("kafka", "healthy", 15)
    victim = trio.nodes[index]
    victim.freeze()
    end = time.monotonic() + NOTICED_WITHIN_S * SLOWNESS
    while (result := one.check("kafka"))["status"] == "healthy":
        assert time.monotonic() < end, "a frozen broker was not noticed in time"
        for path in ("/health/live", "/metrics/prometheus"):
            began = time.monotonic()
            assert one.get(path).status == 200
            assert time.monotonic() - began <= 1 * SLOWNESS, path
        time.sleep(0.05)
    assert result["status"] == "degraded", result
    assert f"broker {victim.id}" in result["message"]
    assert brokers(one)[victim.id]["error"]
    produce_elsewhere(trio, one, victim)
    assert one.check("kafka")["status"] == "degraded"
    victim.thaw()
    one.wait_for_check("kafka", "healthy", 40)
    one.stop()


@needs_kafka
def test_all_brokers_down_and_back(agent, trio):
    one = agent(config(trio.bootstrap))
    one.wait_for_check("kafka", "healthy", 15)
    for node in trio.nodes:
        node.kill()
    result = one.wait_for_check("kafka", "unhealthy", NOTICED_WITHIN_S)
    assert result["message"].startswith("No Kafka brokers available"), result["message"]
    assert one.metric('kafka_brokers{cluster="default"}') == 0
    assert one.get("/health").status == 503 and one.get("/health/live").status == 200
    repair(trio)
    one.wait_for_check("kafka", "healthy", 30)
    one.stop()


@pytest.mark.simulator
@pytest.mark.parametrize("host, reason", [("127.0.0.1", "refused"), ("no-such-host.invalid", "no-such-host.invalid")])
def test_a_cluster_that_was_never_there(agent, host, reason):
    one = agent(config(f"{host}:{free_ports()}"))
    result = one.wait_for_check("kafka", "unhealthy", 15)
    assert result["message"].startswith("No Kafka brokers available") and reason in result["message"], result["message"]
    assert result["details"]["broker_count"] == 0
    assert one.of_partitions() == {}
    one.stop()
