"""The end-to-end probe and what changes slowly, on real brokers."""
import pytest

from kit.base import wait_until
from kit.kafka import NEW, OLD, KafkaCluster

pytestmark = pytest.mark.kafka


def config(bootstrap):
    return f"""
clusters:
  - name: default
    bootstrap_servers: [{bootstrap}]
    interval: 2s
    request_timeout: 1500ms
    slow_interval: 2s
    probe: {{enabled: true, interval: 200ms}}
checks:
  - {{name: kafka, type: kafka, interval: 1s, timeout: 10s}}
  - {{name: probe, type: probe, interval: 1s, for: 3s}}
  - {{name: log_dirs, type: log_dir_usage, interval: 1s, warning: 0.999, critical: 1}}
  - {{name: min_isr, type: under_min_isr, interval: 1s}}
"""


def total(one, family):
    return sum(value for labels, value in one.series(f"kafka_ops_probe_{family}_total"))


@pytest.mark.parametrize("version", [OLD, NEW])
def test_messages_come_back(agent, kafka, version):
    cluster = kafka(version)
    one = agent(config(cluster.bootstrap))
    one.wait_for_check("probe", "healthy", 30)
    wait_until(lambda: total(one, "received") >= 10, 15, "ten messages having come back")
    assert total(one, "lost") == 0
    assert total(one, "duplicated") == 0
    row = one.check("probe")
    assert row["details"]["partitions"] == 1
    assert 0 < row["details"]["max_round_trip_seconds"] < 5
    one.wait_for_check("log_dirs", "healthy", 15)
    wait_until(lambda: one.check("log_dirs")["details"]["log_dirs"][0]["size_bytes"] > 0, 15,
               "a slow cycle that sees the messages")
    details = one.check("log_dirs")["details"]
    assert details["log_dir_count"] == 1
    assert 0 < details["max_usage_percent"] < 100
    one.wait_for_check("min_isr", "healthy", 15)


def test_a_dead_broker_fails_its_own_messages(agent, tmp_path):
    cluster = KafkaCluster(NEW, tmp_path / "kafka", 3)
    try:
        cluster.start()
        one = agent(config(cluster.bootstrap))
        one.wait_for_check("probe", "healthy", 30)
        assert one.check("probe")["details"]["partitions"] == 3
        node = cluster.nodes[2]
        node.freeze()
        wait_until(lambda: total(one, "failed") >= 1, 15, "a message to the frozen broker having failed")
        # The cluster moves its partition to another broker: messages get through again.
        before = total(one, "received")
        wait_until(lambda: total(one, "received") >= before + 10, 30, "messages coming back from the others")
        one.wait_for_check("probe", "healthy", 30)
        assert total(one, "lost") == 0
        node.thaw()
    finally:
        cluster.stop()
