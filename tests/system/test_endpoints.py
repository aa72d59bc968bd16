"""Every endpoint of the contract, against an agent on the simulated cluster."""
import gzip
import json
import re
import subprocess

import pytest

from kit.agent import run
from kit.base import wait_until

pytestmark = pytest.mark.simulator
INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
CONFIG = """
alerting: {interval: 1s}
metrics: {resolution: 1s}
"""


@pytest.fixture
def simulated(agent):
    one = agent(CONFIG, arguments=["--simulate", "--sim-partitions", "40"])
    wait_until(lambda: one.get("/health").json["summary"]["healthy"] == 4, 10, "four healthy checks")
    return one


def test_verify_passes_on_a_running_agent_and_fails_without_one(build, simulated):
    done = run(build, "verify", "--url", simulated.url)
    assert done.returncode == 0, done.stdout
    assert "0 failed" in done.stdout
    assert run(build, "verify", "--url", simulated.url + "//").returncode == 0
    simulated.stop()
    done = run(build, "verify", "--url", simulated.url)
    assert done.returncode == 1
    assert "0 passed" in done.stdout and "given up: 3 requests in a row had no answer" in done.stdout


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://127.0.0.1", "http://", ""])
def test_verify_needs_a_url(build, url):
    done = run(build, "verify", "--url", url)
    assert done.returncode == 2 and f"'{url}' is not an http:// or https:// URL" in done.stderr


def test_health_has_the_contract_s_fields(simulated):
    answer = simulated.get("/health")
    body = answer.json
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert body["overall_status"] == "healthy"
    assert body["summary"] == {"healthy": 4, "degraded": 0, "unhealthy": 0, "unknown": 0, "total": 4}
    assert {check["name"] for check in body["checks"]} == {"database", "kafka", "disk_space", "memory"}
    for check in body["checks"]:
        assert {"name", "status", "message", "details", "timestamp", "duration_ms"} <= check.keys()
        assert INSTANT.match(check["timestamp"])
    assert INSTANT.match(body["timestamp"])


def test_the_texts_that_clients_look_for(simulated):
    texts = {check["name"]: check["message"] for check in simulated.get("/health").json["checks"]}
    assert texts["database"] == "Database connection successful"
    assert texts["kafka"] == "Kafka cluster accessible with 3 brokers"
    assert re.match(r"^Disk usage OK \(max: \d+\.\d%\)$", texts["disk_space"])
    assert re.match(r"^Memory usage OK: \d+\.\d%$", texts["memory"])
    details = simulated.check("kafka")["details"]
    assert details["broker_count"] == 3 and details["topic_count"] == 20 and len(details["cluster_id"]) == 22


def test_probes(simulated):
    assert simulated.get("/health/live").json["status"] == "alive"
    assert simulated.get("/health/ready").json["status"] == "ready"


def test_a_check_by_name_is_run_now_or_answered_from_the_last_run(simulated):
    before = simulated.check("memory")["timestamp"]
    after = wait_until(lambda: (now := simulated.check("memory", cached=False))["timestamp"] > before and now, 5)
    assert simulated.check("memory")["timestamp"] >= after["timestamp"]
    missing = simulated.get("/health/checks/nope")
    assert missing.status == 404
    assert missing.json["error"] == "Health check nope not found"


def test_histories_end_with_the_newest(simulated):
    wait_until(lambda: simulated.get("/metrics/history?limit=3").json["count"] == 3, 10, "three points")
    points = simulated.get("/metrics/history?limit=3").json["history"]
    assert [point["timestamp"] for point in points] == sorted(point["timestamp"] for point in points)
    assert {"counters", "gauges", "histograms", "timers"} <= points[0].keys()
    boards = simulated.get("/health/history?limit=0").json
    assert boards["count"] == len(boards["history"]) >= 1


def test_one_family_s_history_as_series(simulated):
    def series():
        found = simulated.get("/metrics/history?name=kafka_brokers&label.cluster=default&step=1s").json
        return found["series"] and len(found["series"][0]["points"]) >= 2 and found

    found = wait_until(series, 10, "two points of kafka_brokers")
    assert found["name"] == "kafka_brokers" and found["step_seconds"] == 1
    assert found["series"][0]["labels"] == {"cluster": "default"}
    assert found["series"][0]["points"][0][1] == 3
    assert simulated.get("/metrics/history?name=kafka_brokers&label.cluster=other").json["series"] == []
    assert simulated.get("/metrics/history?name=x&step=soon").status == 400


def test_metrics_in_all_formats(simulated, tmp_path):
    text = simulated.get("/metrics/prometheus")
    assert text.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'kafka_brokers{cluster="default"} 3' in text.text
    openmetrics = simulated.get("/metrics/prometheus", Accept="application/openmetrics-text; version=1.0.0")
    assert openmetrics.headers["Content-Type"].startswith("application/openmetrics-text")
    assert openmetrics.text.endswith("# EOF\n")
    zipped = simulated.get("/metrics/prometheus", Accept_Encoding="gzip")
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert b"kafka_brokers" in gzip.decompress(zipped.body)
    as_json = simulated.get("/metrics").json
    assert as_json["gauges"]["kafka_brokers{cluster=default}"] == 3
    assert simulated.get("/metrics", Accept="text/plain").text.startswith("# HELP")


def test_promtool_reports_nothing_but_the_four_documented_names(simulated):
    allowed = {"kafka_ops_topics_total", "kafka_ops_clusters_total", "kafka_consumergroup_lag_sum",
               "kafka_consumergroup_current_offset_sum"}
    done = subprocess.run(["promtool", "check", "metrics"], input=simulated.get("/metrics/prometheus").text, text=True,
                          capture_output=True)
    reported = {line.split()[0] for line in (done.stdout + done.stderr).splitlines() if line.strip()}
    assert reported == allowed, done.stdout + done.stderr


def test_offsets_move(simulated):
    line = 'kafka_topic_partition_current_offset{cluster="default",topic="orders",partition="0"}'
    names = [row for row in simulated.get("/metrics/prometheus").text.splitlines()
             if row.startswith("kafka_topic_partition_current_offset{")]
    assert len(names) == 40, line
    assert all(float(row.rsplit(" ", 1)[1]) >= 0 for row in names)


def test_clusters(simulated):
    listed = simulated.get("/clusters").json
    assert listed["count"] == 1
    cluster = simulated.get("/clusters/default").json
    assert cluster["status"] == "healthy" and cluster["brokers_online"] == cluster["brokers_known"] == 3
    assert cluster["topics"] == 20 and cluster["partitions"] == 40 and cluster["stale_brokers"] == []
    brokers = simulated.get("/clusters/default/brokers").json
    assert [broker["id"] for broker in brokers["brokers"]] == [1, 2, 3]
    assert all(broker["up"] and broker["error"] is None for broker in brokers["brokers"])
    assert sum(broker["leaders"] for broker in brokers["brokers"]) == 40
    topics = simulated.get("/clusters/default/topics?limit=5&sort=name").json
    assert topics["count"] == 5 and topics["total_count"] == 20
    following = simulated.get(f"/clusters/default/topics?limit=5&sort=name&after={topics['next']}").json
    assert following["topics"][0]["name"] > topics["topics"][-1]["name"]
    topic = simulated.get("/clusters/default/topics/orders").json
    assert topic["partitions"] == len(topic["partition_list"])
    for path in ("/clusters/nope", "/clusters/nope/brokers", "/clusters/default/topics/nope",
                 "/clusters/default/groups/nope", "/clusters/nope/groups"):
        assert simulated.get(path).status == 404


def test_alerts_rules_status_info(simulated):
    assert simulated.get("/alerts").json["total_rules"] == 4
    assert {rule["name"] for rule in simulated.get("/rules").json["rules"]} == {
        "system_unhealthy", "system_degraded", "high_error_rate", "high_request_count"}
    status = simulated.get("/status").json
    assert {"overall_status", "health", "metrics_summary", "alerts"} <= status.keys()
    info = simulated.get("/info").json
    assert info["service"] == "kafka-ops-agent" and info["pid"] == simulated.process.pid
    assert set(info["components"]["health_checks"]) == {"database", "kafka", "disk_space", "memory"}


def test_errors_are_json(simulated):
    for path, status, error in (("/nope", 404, "Endpoint not found"), ("/health/", 404, "Endpoint not found"),
                                ("/health/history?limit=-1", 400, "Invalid parameter"),
                                ("/health/history?limit=1.5", 400, "Invalid parameter"),
                                ("/alerts/history?limit=100001", 400, "Invalid parameter")):
        answer = simulated.get(path)
        assert (answer.status, answer.json["error"]) == (status, error), path
        assert INSTANT.match(answer.json["timestamp"])
    assert simulated.get("/health/history?limit=").status == 200
    wrong = simulated.post("/health")
    assert wrong.status == 405 and "GET" in wrong.headers["Allow"] and "HEAD" in wrong.headers["Allow"]
    assert simulated.request("HEAD", "/health").body == b""


def test_every_listed_endpoint_answers(simulated):
    for endpoint in simulated.get("/").json["endpoints"]:
        if "GET" in endpoint["methods"] and "{" not in endpoint["path"]:
            assert simulated.get(endpoint["path"]).status == 200, endpoint
    page = simulated.get("/", Accept="text/html")
    assert page.headers["Content-Type"].startswith("text/html") and "<!DOCTYPE html>" in page.text


def test_log_levels_change_at_run_time(simulated):
    assert simulated.post("/-/log-level", {"level": "debug", "component": "httpserver"}).json["levels"]["httpserver"] == "debug"
    simulated.get("/info")
    simulated.wait_for_log("GET /info 200")
    assert simulated.post("/-/log-level", {"level": "loud"}).status == 400
    refused = simulated.post("/-/log-level", {"level": "info", "component": "nope"})
    levels = simulated.post("/-/log-level", {"level": "info"}).json["levels"]
    assert refused.status == 400 and ", ".join(levels) in refused.json["message"]
    for component in levels:
        now = simulated.post("/-/log-level", {"level": "warning", "component": component}).json["levels"]
        assert now == {**levels, component: "warning"}
        assert simulated.post("/-/log-level", {"level": "info", "component": component}).json["levels"] == levels
    assert simulated.request("POST", "/-/log-level", b"{", {}).status == 400


def test_changing_calls_refuse_a_foreign_page(simulated):
    refused = simulated.post("/-/reload", headers={"Origin": "http://evil.example"})
    assert refused.status == 403 and json.loads(refused.body)["error"]
    assert simulated.post("/-/reload", headers={"Sec-Fetch-Site": "cross-site"}).status == 403
