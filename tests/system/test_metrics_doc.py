"""docs/metrics.md and what an agent exports are the same families, with the same type, help and labels."""
import re

import pytest

from kit.base import ROOT, free_ports, wait_until

pytestmark = pytest.mark.simulator
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| \w* \| (.*?) \| (.*?) \|$", re.M)
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


def test_what_has_not_happened_is_counted_as_zero(agent):
    """`increase()` over the first event is nothing unless a scrape before it has seen 0."""
    config = CONFIG.format(port=free_ports()).replace("interval: 1s", "interval: 1h")
    one = agent(config, arguments=["--simulate"])
    cluster = wait_until(lambda: [labels for labels, _ in one.series("kafka_ops_collector_up")], 10, "a cycle")[0]
    text = one.get("/metrics/prometheus").text
    zeros = {row.rsplit(" ", 1)[0] for row in text.splitlines() if row.endswith("_total 0") or row.endswith("} 0")}
    name = cluster["cluster"]
    for series in ('kafka_ops_errors_total{component="http",type="500"}',
                   'kafka_ops_http_rejected_requests_total{reason="credentials"}',
                   'kafka_ops_notifications_total{notifier="nobody",outcome="given_up"}',
                   'kafka_ops_notification_dead_letters_total{notifier="nobody"}',
                   'kafka_ops_health_check_runs_total{check="gone",status="degraded"}',
                   'kafka_ops_alert_evaluations_total{result="limited",rule="high_error_rate"}',
                   f'kafka_ops_collector_overruns_total{{cluster="{name}"}}',
                   f'kafka_ops_kafka_reconnects_total{{broker="bootstrap",cluster="{name}"}}',
                   f'kafka_ops_kafka_throttle_seconds_total{{broker="1",cluster="{name}"}}'):
        assert series in zeros, text
    counters = one.get("/metrics").json["counters"]
    assert counters['kafka_ops_notification_dead_letters_total{notifier=nobody}'] == 0
    assert one.metric('kafka_ops_queue_dropped_total{queue="metrics_series"}') == 0, "no start was refused"
    one.stop()


def test_every_family_is_documented_and_every_documented_one_is_exported(agent):
    one = agent(CONFIG.format(port=free_ports()), arguments=["--simulate"])
    one.request("GET", "/health", headers={"Host": "two hosts"})  # refused and counted
    rows, found = documented(), {}

    def missing():
        return sorted(name for name in rows.keys() - found.keys() if not name.startswith(PROBE))

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
