"""Alerts from pending to resolved, across kill -9, and to receivers good and bad."""
import hashlib
import hmac
import json
import time

import pytest

from kit.base import wait_until

pytestmark = pytest.mark.simulator


def config(flag, hold="0s", extra=""):
    return f"""
checks:
  - {{name: flag, type: exec, command: [/bin/sh, -c, "test -e {flag} || exit 2"], interval: 1s}}
alerting:
  interval: 1s
  rules:
    - {{name: flag_down, type: health_status, check: flag, status: unhealthy, for: {hold}, severity: critical,
        labels: {{team: ops}}, annotations: {{summary: "flag is {{{{value}}}}"}}}}
{extra}"""


def rule(agent, name):
    return next(one for one in agent.get("/rules").json["rules"] if one["name"] == name)


def test_a_failure_fires_and_resolves(agent, tmp_path):
    flag = tmp_path / "flag"
    flag.write_text("")
    one = agent(config(flag))
    one.wait_for_check("flag", "healthy")
    flag.unlink()
    alert = wait_until(lambda: one.alert("flag_down"), 15, "the alert firing")
    assert alert["severity"] == "critical" and alert["state"] == "firing" and alert["ends_at"] is None
    assert alert["labels"]["team"] == "ops" and "unhealthy" in alert["message"]
    status = one.get("/status")
    assert status.status == 503 and status.json["overall_status"] == "unhealthy"
    assert one.get("/alerts").json["severity_counts"]["critical"] >= 1
    fingerprint = rule(one, "flag_down")["active"][0]["fingerprint"]
    explained = one.get(f"/alerts/{fingerprint}").json
    assert explained["rule"] == "flag_down" and explained["transitions"][-1]["state"] == "firing"
    flag.write_text("")
    wait_until(lambda: one.alert("flag_down") is None, 15, "the alert resolving")
    history = [entry for entry in one.get("/alerts/history").json["history"] if entry["name"] == "flag_down"]
    assert [entry["state"] for entry in history] == ["firing", "resolved"] and history[-1]["ends_at"]
    one.stop()


def test_pending_and_firing_alerts_survive_kill_9(agent, tmp_path):
    flag = tmp_path / "flag"
    one = agent(config(flag, hold="6s"))
    wait_until(lambda: rule(one, "flag_down")["state"] == "pending", 10, "the alert pending")
    time.sleep(3)
    one.kill()
    time.sleep(4)  # downtime does not count towards `for`
    one.start()
    assert wait_until(lambda: rule(one, "flag_down")["state"] == "pending", 5, "still pending after the restart")
    alert = wait_until(lambda: one.alert("flag_down"), 10, "the alert firing after what was left of its hold time")
    time.sleep(1)  # an alert is shown before it is on disk; writes are committed in groups
    one.kill()
    one.start()
    again = wait_until(lambda: one.alert("flag_down"), 10, "the alert firing after kill -9")
    assert again["starts_at"] == alert["starts_at"]
    history = [entry["state"] for entry in one.get("/alerts/history").json["history"] if entry["name"] == "flag_down"]
    assert history.count("firing") == 1, history
    one.stop()


def test_metric_threshold_and_error_rate(agent):
    one = agent("""
alerting:
  interval: 1s
  rules:
    - {name: has_brokers, type: metric_threshold, metric: kafka_brokers, operator: ">=", threshold: 3, severity: info}
    - {name: busy_endpoint, type: metric_threshold, metric: kafka_ops_requests_total, match: {endpoint: "/inf.*"},
       function: increase, window: 10s, aggregate: sum, operator: greater_than, threshold: 15.0, severity: warning}
    - {name: not_found, type: error_rate, errors: kafka_ops_requests_total, errors_match: {status: "404"},
       requests: kafka_ops_requests_total, window: 10s, threshold: 0.05, min_events: 20}
""", arguments=["--simulate"])
    assert wait_until(lambda: one.alert("has_brokers"), 10, "has_brokers")["severity"] == "info"

    def load():
        for _ in range(10):
            one.get("/info")
            one.get("/nope")
        return one.alert("busy_endpoint") and one.alert("not_found")

    wait_until(load, 20, "both alerts", every=0.3)
    assert "15.0" in one.alert("busy_endpoint")["message"]
    assert "%" in one.alert("not_found")["message"]
    one.stop()


def hook_config(flag, url, more=""):
    return config(flag, extra=f"""
  notifiers:
    - {{name: hook, type: webhook, url: "{url}", timeout: 2s {more}}}
""")


def test_the_webhook_is_signed_and_told_of_both_ends(agent, receiver, tmp_path):
    flag, hook = tmp_path / "flag", receiver()
    key = tmp_path / "key"
    key.write_text("webhook-s3cret-key\n")
    one = agent(hook_config(flag, hook.url, f', hmac_key_file: "{key}", headers: {{X-Team: kafka}}'))
    mine = lambda: [body for body in hook.bodies() if body["alert"]["name"] == "flag_down"]
    wait_until(mine, 15, "the firing notification")
    flag.write_text("")
    wait_until(lambda: len(mine()) == 2, 15, "the resolved notification")
    assert [body["alert"]["state"] for body in mine()] == ["firing", "resolved"]
    assert {"fingerprint", "rule", "value", "threshold"} <= mine()[0]["alert"].keys()
    for headers, body, _ in hook.requests:
        signed = headers["X-Koa-Timestamp"].encode() + b"." + body
        wanted = "v1=" + hmac.new(b"webhook-s3cret-key", signed, hashlib.sha256).hexdigest()
        assert headers["X-Koa-Signature"] == wanted
        assert headers["Content-Type"] == "application/json" and headers["X-Team"] == "kafka"
    keys = [headers["Idempotency-Key"] for headers, _, _ in hook.requests]
    assert len(set(keys)) == len(keys)
    assert "webhook-s3cret-key" not in one.log
    one.stop()


def test_a_webhook_to_a_metadata_service_is_refused_unless_allowed(agent, tmp_path):
    one = agent(hook_config(tmp_path / "flag", "http://169.254.169.254/latest/"))
    one.wait_for_log("allow_link_local", 15)
    assert one.metric('kafka_ops_notifications_total{notifier="hook",outcome="delivered"}') in (None, 0)
    one.stop()


def test_a_failing_receiver_is_tried_again_with_the_same_key(agent, receiver, tmp_path):
    hook = receiver((503, {"Retry-After": "1"}), (500, {}), (200, {}))
    one = agent(hook_config(tmp_path / "flag", hook.url, ", min_severity: critical"))
    wait_until(lambda: len(hook.requests) >= 3, 30, "three attempts")
    first = hook.requests[0][0]["Idempotency-Key"]
    assert sum(1 for headers, _, _ in hook.requests if headers["Idempotency-Key"] == first) >= 2
    wait_until(lambda: one.metric('kafka_ops_notifications_total{notifier="hook",outcome="delivered"}'), 15)
    one.stop()


def test_a_receiver_that_refuses_for_good_is_a_dead_letter(agent, receiver, tmp_path):
    hook = receiver((400, {}))
    one = agent(hook_config(tmp_path / "flag", hook.url, ", min_severity: critical"))
    wait_until(lambda: one.metric('kafka_ops_notification_dead_letters_total{notifier="hook"}'), 15, "a dead letter")
    one.stop()


def test_the_alertmanager_format(agent, receiver, tmp_path):
    hook = receiver()
    one = agent(hook_config(tmp_path / "flag", hook.url, ", format: alertmanager"))
    body = wait_until(lambda: next((b for b in hook.bodies() if b["alerts"][0]["labels"]["alertname"] == "flag_down"),
                                   None), 15, "the notification")
    assert body["version"] == "4" and body["status"] == "firing"
    assert body["alerts"][0]["labels"]["team"] == "ops"
    assert body["alerts"][0]["endsAt"] == "0001-01-01T00:00:00Z"
    one.stop()


def test_a_deaf_receiver_delays_only_itself(agent, receiver, deaf, tmp_path):
    hook = receiver()
    one = agent(config(tmp_path / "flag", extra=f"""
  notifiers:
    - {{name: deaf, type: webhook, url: "http://127.0.0.1:{deaf.port}/", timeout: 2s}}
    - {{name: hook, type: webhook, url: "{hook.url}"}}
"""))
    wait_until(lambda: hook.requests, 15, "the good receiver being told")
    assert one.get("/health/live").status == 200
    one.stop()


def test_the_log_notifier_tells(agent, tmp_path):
    one = agent(config(tmp_path / "flag"))
    wait_until(lambda: "flag_down" in one.log and "firing" in one.log, 15, "the alert in the log")
    one.stop()


def test_json_log_lines_are_json(agent, tmp_path):
    one = agent(config(tmp_path / "flag") + "log: {format: json}\n")
    one.wait_for_log("flag_down", 15)
    for line in one.log.splitlines():
        assert {"timestamp", "level", "component", "event", "message"} <= json.loads(line).keys()
    one.stop()
