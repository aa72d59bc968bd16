"""Every endpoint as the contract has it: status, headers, fields; and what is answered to a wrong request."""
import gzip
import re

import pytest

from kit.agent import Agent
from kit.shape import ALERT, ALERTS, CLUSTER, ERROR, HEALTH, METRICS, NUMBER, RESULT, expect, instant, or_null, status

pytestmark = pytest.mark.simulator


@pytest.fixture(scope="module")
def watching(build, tmp_path_factory):
    """One agent on a simulated cluster; the tests of this file only read from it."""
    one = Agent(build, tmp_path_factory.mktemp("watching"), arguments=["--simulate"],
                environment={"ALERT_CHECK_INTERVAL": "1s"}).start()
    one.wait_for_check("kafka", "healthy")
    yield one
    one.stop()



INFO = {"service": "kafka-ops-agent", "version": str, "revision": str, "platform": str, "hostname": str, "pid": int,
        "uptime_seconds": NUMBER, "timestamp": instant,
        "components": {"health_checks": [str], "alert_manager_active": bool, "metrics_collector_active": bool}}
ENDPOINTS = {
    "/health": HEALTH,
    "/health/ready": {"status": "ready", "reason": str, "timestamp": instant},
    "/health/live": {"status": "alive", "timestamp": instant},
    "/health/checks": {"checks": [RESULT], "total_count": int, "timestamp": instant},
    "/health/checks/memory": RESULT,
    "/health/checks/memory?cached=1": RESULT,
    "/health/history": {"history": [HEALTH], "count": int, "timestamp": instant},
    "/metrics": METRICS,
    "/metrics/history": {"history": [METRICS], "count": int, "timestamp": instant},
    "/metrics/history?name=kafka_brokers": {
        "name": "kafka_brokers", "step_seconds": NUMBER, "series": [{"labels": dict, "points": list}], "timestamp": instant},
    "/alerts": ALERTS,
    "/alerts/history": {"history": [ALERT], "count": int, "timestamp": instant},
    "/status": {"overall_status": status, "health": HEALTH, "alerts": ALERTS, "timestamp": instant, "metrics_summary": {
        "counters_count": int, "gauges_count": int, "histograms_count": int, "timers_count": int,
        "last_updated": or_null(instant)}},
    "/info": INFO,
    "/": {"service": "kafka-ops-agent", "version": str, "timestamp": instant,
          "endpoints": [{"path": str, "methods": [str], "description": str, "scope": str}]},
    "/clusters": {"clusters": [CLUSTER], "count": int, "timestamp": instant},
    "/clusters/default": CLUSTER,
    "/clusters/default/brokers": {"count": int, "timestamp": instant, "brokers": [
        {"id": int, "host": str, "port": int, "rack": or_null(str), "is_controller": bool, "up": bool,
         "age_seconds": NUMBER, "leaders": int, "replicas": int, "error": or_null(str),
         "log_dirs": [{"path": str, "error": or_null(str), "size_bytes": int, "total_bytes": or_null(int),
                       "usable_bytes": or_null(int), "age_seconds": NUMBER}]}]},
    "/clusters/default/topics": {"topics": [
        {"name": str, "is_internal": bool, "partitions": int, "leaderless": int, "under_replicated": int,
         "offline_replicas": int, "min_isr": or_null(int), "under_min_isr": or_null(int), "at_min_isr": or_null(int),
         "reassigning": or_null(int), "non_preferred_leaders": int, "log_bytes": or_null(int)}], "count": int, "timestamp": instant},
    "/clusters/default/groups": {"groups": list, "count": int, "total_count": int, "next": or_null(str),
                                 "snapshot_age_seconds": or_null(NUMBER), "timestamp": instant},
    "/rules": {"count": int, "timestamp": instant, "rules": [
        {"name": str, "type": str, "severity": str, "state": str, "last_evaluation": or_null(instant),
         "last_duration_ms": or_null(NUMBER), "last_error": or_null(str), "active": list}]},
}


@pytest.mark.parametrize("path", ENDPOINTS)
def test_an_endpoint_answers_its_fields(watching, path):
    answer = watching.get(path)
    assert answer.status == 200
    expect(answer.json, ENDPOINTS[path])


@pytest.mark.parametrize("path", [*ENDPOINTS, "/metrics/prometheus", "/nowhere"])
def test_every_answer_carries_the_common_headers(watching, path):
    answer = watching.get(path)
    kind = "text/plain; version=0.0.4; charset=utf-8" if path == "/metrics/prometheus" else "application/json"
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Content-Length" in answer.headers or answer.headers["Transfer-Encoding"] == "chunked"


@pytest.mark.parametrize("path", [*ENDPOINTS, "/metrics/prometheus"])
def test_head_answers_like_get_without_a_body(watching, path):
    answer = watching.request("HEAD", path)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Type"] == watching.get(path).headers["Content-Type"]


def test_the_list_at_the_root_names_every_endpoint_and_each_is_there(watching):
    listed = {row["path"] for row in watching.get("/").json["endpoints"]}
    for path in ("/health", "/health/ready", "/health/live", "/health/checks", "/health/checks/{name}", "/health/history",
                 "/metrics", "/metrics/prometheus", "/metrics/history", "/alerts", "/alerts/history", "/status", "/info",
                 "/clusters", "/clusters/{c}", "/clusters/{c}/brokers", "/clusters/{c}/topics",
                 "/clusters/{c}/groups", "/clusters/{c}/groups/{g}", "/rules",
                 "/alerts/{fingerprint}", "/-/reload", "/-/log-level"):
        assert any(re.sub(r"{\w+}", "{}", row) == re.sub(r"{\w+}", "{}", path) for row in listed), path


def test_the_root_is_a_page_for_browsers(watching):
    answer = watching.get("/", Accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/html")
    assert "<title>" in answer.text and "/health" in answer.text


def test_the_health_summary_counts_its_checks(watching):
    health = watching.get("/health").json
    for word in ("healthy", "degraded", "unhealthy", "unknown"):
        assert health["summary"][word] == sum(check["status"] == word for check in health["checks"])
    assert health["summary"]["total"] == len(health["checks"])


@pytest.mark.parametrize("path, error", [
    ("/nowhere", "Endpoint not found"),
    ("/health/", "Endpoint not found"),
    ("/metrics/prometheus/", "Endpoint not found"),
    ("/silences", "Endpoint not found"),
    ("/health/checks/nobody", "Health check nobody not found"),
    ("/clusters/nobody", "Cluster nobody not found"),
    ("/clusters/nobody/brokers", "Cluster nobody not found"),
    ("/clusters/default/topics/no-such-topic", None),
    ("/clusters/default/groups/no%2Fsuch%20group", "Group no/such group not found"),
    ("/alerts/0123456789abcdef", None),
])
def test_what_is_not_there_is_404_json(watching, path, error):
    answer = watching.get(path)
    assert answer.status == 404
    expect(answer.json, ERROR)
    assert error is None or answer.json["error"] == error


@pytest.mark.parametrize("path, method, allow", [
    ("/health", "POST", {"GET", "HEAD"}),
    ("/metrics/prometheus", "DELETE", {"GET", "HEAD"}),
    ("/health/checks/memory", "PUT", {"GET", "HEAD"}),
    ("/-/reload", "GET", {"POST"}),
])
def test_a_wrong_method_is_405_with_what_is_allowed(watching, path, method, allow):
    answer = watching.request(method, path)
    assert answer.status == 405
    assert {word.strip() for word in answer.headers["Allow"].split(",")} == allow
    expect(answer.json, ERROR)


@pytest.mark.parametrize("path", ["/health/history", "/metrics/history", "/alerts/history"])
@pytest.mark.parametrize("limit", ["-1", "abc", "100001", "1.5", "1e3", "0x10", "%2b5", "99999999999999999999"])
def test_a_bad_limit_is_400(watching, path, limit):
    answer = watching.get(f"{path}?limit={limit}")
    assert answer.status == 400
    expect(answer.json, ERROR | {"error": "Invalid parameter"})


@pytest.mark.parametrize("path", ["/health/history", "/metrics/history", "/alerts/history"])
@pytest.mark.parametrize("query", ["", "?limit=", "?limit=0", "?limit=100000", "?limit=1"])
def test_a_missing_or_right_limit_is_200(watching, path, query):
    answer = watching.get(path + query)
    assert answer.status == 200
    assert answer.json["count"] == len(answer.json["history"])
    if query == "?limit=1":
        assert answer.json["count"] <= 1


def test_prometheus_openmetrics_and_json_by_accept(watching):
    kinds = {"text/plain;version=0.0.4": "text/plain; version=0.0.4; charset=utf-8",
             "application/openmetrics-text;version=1.0.0": "application/openmetrics-text; version=1.0.0; charset=utf-8",
             "application/json": "application/json", "*/*": "application/json"}
    for accept, kind in kinds.items():
        assert watching.get("/metrics", Accept=accept).headers["Content-Type"] == kind, accept
    assert watching.get("/metrics", Accept="application/openmetrics-text;version=1.0.0").text.endswith("\n# EOF\n")
    assert "\n# EOF\n" not in watching.get("/metrics/prometheus").text


def test_gzip_when_asked_and_only_then(watching):
    packed = watching.get("/metrics/prometheus", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body).startswith(b"# HELP ")
    for refused in ("identity", "gzip;q=0", "br"):
        plain = watching.get("/metrics/prometheus", Accept_Encoding=refused)
        assert plain.headers["Content-Encoding"] is None and plain.body.startswith(b"# HELP ")


def test_labels_are_sorted_and_each_family_is_one_block(watching):
    text = watching.get("/metrics/prometheus").text
    assert 'kafka_ops_health_status{check="kafka",status="healthy"} 1' in text
    assert 'kafka_ops_cluster_topics{cluster="default"} 20' in text
    families = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(families) == len(set(families)), "a family stands in one block"


def test_requests_are_counted_by_route_not_by_path(watching):
    watching.get("/health/checks/memory")
    watching.get("/some/random/path")
    text = watching.get("/metrics/prometheus").text
    assert 'endpoint="/health/checks/{name}"' in text
    assert "/some/random/path" not in text and "checks/memory" not in text
