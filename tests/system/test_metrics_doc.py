"""docs/metrics.md and what an agent exports are the same families, with the same type, help and labels."""
import re

import pytest

from kit.base import ROOT, free_ports, wait_until

pytestmark = pytest.mark.simulator
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| \w* \| (.*?) \| (.*?) \|$", re.M)
# What has not happened has no series. These count events that this run does not bring about.
EVENTS = {"kafka_ops_collector_overruns_total", "kafka_ops_errors_total", "kafka_ops_kafka_reconnects_total",
          "kafka_ops_kafka_throttle_seconds_total", "kafka_ops_series_dropped_total"}
PROBE = "kafka_ops_probe_"  # it writes to the cluster, and is off unless told
CONFIG = """
metrics: {{resolution: 1s}}
checks:
  - {{name: gone, type: service, service: gone, url: "http://127.0.0.1:{port}/", interval: 1s}}
alerting:
  interval: 1s
  rules: [{{name: gone, type: health_status, check: gone, status: unhealthy}}]
  notifiers: [{{name: nobody, type: webhook, url: "http://127.0.0.1:{port}/", max_attempts: 1}}]
"""


def documented():
    text = (ROOT / "docs" / "metrics.md").read_text()
    return {name: (kind, help_text, frozenset(re.findall(r"`(\w+)`", labels)))
            for name, kind, labels, help_text in ROW.findall(text)}


def exported(text):
    """{family: (type, help, {label names of each series})}; `le` belongs to a histogram's lines, not to its series."""
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    helps = dict(re.findall(r"^# HELP (\S+) (.*)$", text, re.M))
    labels = {name: set() for name in kinds}
    for name, inside in re.findall(r"^(\w+)(?:{(.*)})? \S+$", text, re.M):
        family = name if name in kinds else re.sub(r"_(bucket|sum|count)$", "", name)
        labels[family].add(frozenset(re.findall(r'(\w+)="', inside)) - {"le"})
    return {name: (kind, helps[name], labels[name]) for name, kind in kinds.items()}


def test_every_family_is_documented_and_every_documented_one_is_exported(agent):
    one = agent(CONFIG.format(port=free_ports()), arguments=["--simulate"])
    one.request("GET", "/health", headers={"Host": "two hosts"})  # refused and counted
    rows, found = documented(), {}

    def missing():
        return sorted(name for name in rows.keys() - found.keys() - EVENTS if not name.startswith(PROBE))

    def is_whole():
        found.update(exported(one.get("/metrics/prometheus").text))
        return not missing()

    try:
        wait_until(is_whole, 30, "every documented family")
    except AssertionError:
        assert missing() == [], "documented, but not exported"
    assert sorted(found.keys() - rows.keys()) == [], "exported, but not documented"
    for name, (kind, help_text, labels) in found.items():
        assert (kind, help_text) == rows[name][:2], name
        assert labels == {rows[name][2]}, name
    one.stop()
