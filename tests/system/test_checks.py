"""Checks that hang, fail, flood and recover; one never delays another."""
import http.server
import threading
import time

import pytest

from kit.base import SLOWNESS, wait_until

pytestmark = pytest.mark.simulator


def script(folder, name, text):
    path = folder / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def test_a_hung_check_is_reported_at_its_deadline_and_delays_nobody(agent, tmp_path):
    hung = script(tmp_path, "hung", "trap '' TERM; sleep 600\n")
    one = agent(f"""
checks:
  - {{name: hung, type: exec, command: ["{hung}"], timeout: 1s, interval: 2s}}
  - {{name: quick, type: exec, command: [/bin/echo, fine], interval: 1s}}
""")
    result = one.wait_for_check("hung", "unhealthy")
    assert result["message"] == "Health check timed out after 1.0s"
    first = one.wait_for_check("quick", "healthy")["timestamp"]
    wait_until(lambda: one.check("quick")["timestamp"] > first, 5, "the quick check going on")
    assert one.get("/health").status == 503
    one.stop()


def test_plugins_speak_the_nagios_language(agent, tmp_path):
    rows = {"ok": (0, "healthy"), "warn": (1, "degraded"), "crit": (2, "unhealthy"), "unknown": (3, "unknown"),
            "odd": (77, "unhealthy")}
    checks = "".join(
        f"  - {{name: p_{name}, type: exec, command: [\"{script(tmp_path, name, f'echo said {name}; exit {code}')}\"]}}\n"
        for name, (code, _) in rows.items())
    one = agent("checks:\n" + checks)
    for name, (_, status) in rows.items():
        result = wait_until(lambda: (r := one.check(f"p_{name}"))["message"] != "has not run yet" and r, 10, f"{name} run")
        assert (result["status"], f"said {name}" in result["message"]) == (status, True), result
    one.stop()


def test_a_plugin_that_floods_is_cut(agent, tmp_path):
    flood = script(tmp_path, "flood", "echo first line; head -c 50000000 /dev/zero | tr '\\0' x; exit 0\n")
    one = agent(f'checks: [{{name: flood, type: exec, command: ["{flood}"], timeout: 30s}}]')
    assert "first line" in one.wait_for_check("flood", "healthy", 30)["message"]
    one.stop()


def test_many_checks_of_one_program_all_run(agent):
    """They begin at the same moment, and none is turned away."""
    rows = "".join(f"  - {{name: e{number}, type: exec, interval: 1s, command: [/bin/sh, -c, exit 0]}}\n" for number in range(100))
    one = agent(f"checks:\n{rows}")
    runs = 'kafka_ops_health_check_runs_total{check="e%d",status="%s"}'
    wait_until(lambda: all((one.metric(runs % (number, "healthy")) or 0) >= 3 for number in (0, 50, 99)), 15, "three runs")
    metrics = one.get("/metrics/prometheus").text
    assert [number for number in range(100) if runs % (number, "unhealthy") + " 0" not in metrics.splitlines()] == []


def test_a_missing_program_says_so(agent):
    one = agent("checks: [{name: gone, type: exec, command: [/no/such/plugin]}]")
    told = wait_until(lambda: "/no/such/plugin" in (now := one.check("gone"))["message"] and now, 10, "the program's name")
    assert told["status"] == "unknown"  # it could not look
    one.stop()


class Service:
    """An HTTP service with a status that can change and a gate that can hold it."""

    def __init__(self):
        self.status, self.body, self.gate = 200, b"all is well", threading.Event()
        self.gate.set()
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                service.gate.wait(60)
                self.send_response(service.status)
                self.send_header("Content-Length", str(len(service.body)))
                self.end_headers()
                self.wfile.write(service.body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/health"

    def close(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def service():
    one = Service()
    yield one
    one.close()


def test_a_service_fails_hangs_and_recovers(agent, service):
    one = agent(f"""
checks:
  - {{type: service, service: api, url: "{service.url}", expect_body: well, interval: 1s, timeout: 1s}}
""")
    assert one.wait_for_check("service_api", "healthy")["message"] == "api is healthy"
    service.status = 500
    assert one.wait_for_check("service_api", "unhealthy")["message"].startswith("api is unhealthy")
    service.status, service.body = 200, b"all is bad"
    assert "well" in wait_until(lambda: (r := one.check("service_api"))["status"] == "unhealthy" and "well" in r["message"]
                                and r, 10)["message"]
    service.body = b"all is well"
    one.wait_for_check("service_api", "healthy")
    service.gate.clear()
    one.wait_for_check("service_api", "unhealthy")
    service.gate.set()
    one.wait_for_check("service_api", "healthy")
    one.stop()


def test_tcp_services(agent, service):
    one = agent(f"""
checks:
  - {{type: service, service: open, url: "tcp://127.0.0.1:{service.server.server_port}"}}
  - {{type: service, service: shut, url: "tcp://127.0.0.1:1"}}
""")
    one.wait_for_check("service_open", "healthy")
    assert "refused" in one.wait_for_check("service_shut", "unhealthy")["message"]
    one.stop()


def test_services_at_link_local_addresses_are_refused_unless_allowed(agent):
    """Numbers, however written: whatever a name resolves to takes the same way."""
    urls = ("http://169.254.169.254/latest/meta-data/", "http://0xa9fea9fe/", "http://[fe80::1]/", "tcp://169.254.169.254:80",
            "tcp://0xa9fea9fe:80", "http://[fd00:ec2::254]/", "http://[::ffff:169.254.169.254]/")
    checks = "".join(f"  - {{type: service, service: s{i}, url: '{url}'}}\n" for i, url in enumerate(urls))
    one = agent(f"checks:\n{checks}  - {{type: service, service: allowed, url: 'tcp://169.254.1.1:1', timeout: 300ms, "
                "allow_link_local: true}\n")
    for i, _ in enumerate(urls):
        result = one.wait_for_check(f"service_s{i}", "unhealthy")
        assert "link-local" in result["message"] and "allow_link_local" in result["message"], result
    # Whatever this machine's network makes of it.
    assert "allow_link_local" not in one.check("service_allowed", cached=False)["message"]
    one.stop()


def test_callers_of_run_now_share_one_run(agent, tmp_path):
    count = tmp_path / "count"
    slow = script(tmp_path, "slow", f"echo x >> {count}; sleep 1; echo done\n")
    one = agent(f'checks: [{{name: slow, type: exec, command: ["{slow}"], initial_delay: 1h}}]')
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(one.get("/health/checks/slow").json["status"]))
               for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["healthy"] * 5
    assert count.read_text().count("x") <= 2
    one.stop()


def test_thresholds_and_criticality(agent, tmp_path):
    flag = tmp_path / "flag"
    flag.write_text("")
    flaky = script(tmp_path, "flaky", f"test -e {flag} || exit 2\n")
    one = agent(f"""
checks:
  - {{name: flaky, type: exec, command: ["{flaky}"], interval: 1s, failure_threshold: 3, critical: false}}
""")
    one.wait_for_check("flaky", "healthy")
    wait_until(lambda: one.get("/health").json["overall_status"] == "healthy", 10)
    began = time.monotonic()
    flag.unlink()
    one.wait_for_check("flaky", "unhealthy", 15)
    assert time.monotonic() - began >= 1.5, "three failures in a row are needed"
    answer = one.get("/health")
    assert (answer.status, answer.json["overall_status"]) == (200, "degraded")
    one.stop()


def test_an_unwritable_state_directory_degrades_the_database_check(agent, tmp_path):
    (tmp_path / "file").write_text("")
    one = agent("{}", start=False)
    one.arguments[one.arguments.index("--state-dir") + 1] = tmp_path / "file" / "below"
    one.start()
    assert "memory" in one.wait_for_check("database", "degraded")["message"]
    one.stop()


def test_the_readiness_group_decides_readiness(agent):
    one = agent("""
checks:
  - {name: needed, type: exec, command: [/bin/sh, -c, 'exit 2'], groups: [readiness]}
""")
    answer = wait_until(lambda: (a := one.get("/health/ready")).status == 503 and "needed" in a.json["reason"] and a, 10)
    assert answer.json["status"] == "not_ready"
    assert one.get("/health/live").status == 200
    one.stop()
