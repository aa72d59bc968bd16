"""Start, reload and stop: what an operator and a service manager do to a running agent."""
import http.client
import json
import os
import signal
import socket
import threading
import time

import pytest

from kit.agent import run
from kit.base import SLOWNESS, spawn, wait_until

pytestmark = pytest.mark.simulator
SLOW_CHECK = """
checks:
  - {name: slow, type: exec, command: [/bin/sleep, "30"], timeout: 60s, initial_delay: 1h}
"""


def test_defaults_work_without_a_file(agent):
    one = agent()
    # Unknown before its first run too, for another reason.
    wait_until(lambda: "KAFKA_BOOTSTRAP_SERVERS" in one.check("kafka")["message"], 10, "what to set for a cluster")
    assert one.check("kafka")["status"] == "unknown"
    wait_until(lambda: one.get("/health").json["overall_status"] == "healthy", 10, "healthy without a cluster")
    one.wait_for_log("no Kafka cluster is watched")
    one.stop()


@pytest.mark.parametrize("text, message", [
    ("web: {prot: 1}", "koa.yaml:1:7: web.prot: unknown key 'prot'"),
    ("metrics: {max_series_per_family: 0}", "koa.yaml:1:34: metrics.max_series_per_family: must be a whole number from 1 to "),
    ("checks: [{name: x, type: memroy}]", "did you mean 'memory'?"),
    ("checks: [{name: x, type: service, url: 'ftp://x'}]", "checks[0]"),
    ("alerting: {rules: [{name: r, type: metric_threshold}]}", "alerting.rules[0]"),
    ("checks: [{type: service, service: a, url: 'http://h:port/'}]", "koa.yaml:1:43: checks[0].url: must be a URL of http, https "
                                                                      "or tcp://host:port, with a port from 1 to 65535"),
    ("checks: [{type: service, service: a, url: 'https://h:65536/'}]", "koa.yaml:1:43: checks[0].url: must be "),
    ("checks: [{type: service, service: a, url: 'http://h:0/'}]", "koa.yaml:1:43: checks[0].url: must be "),
    ("checks: [{type: service, service: a, url: 'tcp://h'}]", "koa.yaml:1:43: checks[0].url: must be "),
    ("checks: [{type: service, service: a, url: 'tcp://h:99999'}]", "koa.yaml:1:43: checks[0].url: must be "),
    ("checks: [{type: database, url: 'postgresql://u@h:99999/d'}]",
     "koa.yaml:1:10: checks[0]: url: a port is a number from 1 to 65535, not '99999'"),
    ("checks: [{type: database, url: 'postgresql://u@h:5432,i:x/d'}]", "a port is a number from 1 to 65535, not 'x'"),
    ("alerting: {notifiers: [{name: n, type: webhook, url: 'http://h:99999/s3cret'}]}",
     "koa.yaml:1:54: alerting.notifiers[0].url: must be an http:// or https:// URL, with a port from 1 to 65535"),
    ("checks: [{type: memory, critical: maybe}]", "koa.yaml:1:35: checks[0].critical: must be a number from 0 to 1, or true or "
                                                  "false, the flag of every check, not 'maybe'"),
    ("checks: [{type: disk_space, critical: 2}]", "koa.yaml:1:39: checks[0].critical: must be a number from 0 to 1, or true or "
                                                  "false, the flag of every check, not '2'"),
    ("checks: [{type: exec, command: [/bin/true], critical: maybe}]", "checks[0].critical: must be true or false, not 'maybe'"),
    ("clusters:\n  - {name: a, bootstrap_servers: 'h:1'}\n  - {name: a, bootstrap_servers: 'h:1'}",
     "koa.yaml:3:5: clusters: two are named 'a'"),
    ("web: {tls: {cert_file: /x}}", "koa.yaml:1:12: web.tls: cert_file and key_file must be set together"),
    ("a: [", "not YAML"),
])
def test_a_bad_file_stops_the_start_and_says_where(agent, text, message):
    one = agent(text, start=False).start(wait=False)
    assert one.process.wait(10 * SLOWNESS) == 2
    assert message in one.log


def test_flags_of_a_simulated_cluster_need_one(build):
    for flag, value in (("--sim-brokers", "3"), ("--sim-listen", "127.0.0.1:0"), ("--sim-seed", "1")):
        done = run(build, "serve", "--port", "0", flag, value)
        assert done.returncode == 2 and f"{flag} needs --simulate" in done.stderr, done.stderr


def test_a_timeout_that_may_hide_a_missing_broker_is_a_warning(agent, build, tmp_path):
    text = "clusters: [{name: a, bootstrap_servers: 'h:1', interval: 5s, request_timeout: 5s}]"
    warning = "koa.yaml:1:79: clusters[0].request_timeout: is not below the interval"
    one = agent(text)
    one.wait_for_log(warning)
    done = run(build, "check-config", one.config_file)
    assert done.returncode == 0 and warning in done.stderr and "request_timeout: 5s" in done.stdout
    one.write_config(text.replace("request_timeout: 5s", "request_timeout: 4s"))
    assert one.post("/-/reload").status == 200
    done = run(build, "check-config", one.config_file)
    assert done.returncode == 0 and done.stderr == ""
    one.stop()
    assert one.log.count(warning) == 1


def test_all_errors_of_a_file_come_together(build, tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text("web: {port: x}\nmetrics: {retention: soon}\nchecks: [{name: a, type: b}]\n")
    done = run(build, "check-config", file)
    assert done.returncode == 2
    assert "bad.yaml:1:13: web.port:" in done.stderr and "bad.yaml:2:22: metrics.retention:" in done.stderr


def test_check_config_prints_effective_settings_and_masks_secrets(build, tmp_path):
    file = tmp_path / "good.yaml"
    file.write_text("web: {tokens: [{name: a, token: tok-s3cret-value}]}\n"
                    "checks: [{name: db, type: database, url: 'postgresql://u:pw-s3cret@h/x'}]\n")
    done = run(build, "check-config", file)
    assert done.returncode == 0, done.stderr
    assert "port: 8080" in done.stdout and "interval: 15s" in done.stdout
    assert "s3cret" not in done.stdout + done.stderr


@pytest.mark.parametrize("name, value", [("METRICS_RETENTION_HOURS", "soon"), ("MONITORING_PORT", "http"),
                                         ("KOA_LOG_LEVEL", "loud"), ("HEALTH_CHECK_TIMEOUT", "-1"),
                                         ("MONITORING_HOST", "my-host"), ("KAFKA_BOOTSTRAP_SERVERS", "kafka")])
def test_an_environment_variable_that_cannot_be_read_stops_the_start(build, name, value):
    done = run(build, "serve", environment={name: value})
    assert done.returncode == 2
    assert done.stderr.startswith(f"{name}: ") and f"'{value}'" in done.stderr
    assert "must be" in done.stderr or "allowed" in done.stderr


@pytest.mark.parametrize("command, flag, value", [
    ("serve", "--port", "abc"), ("serve", "--port", "65536"), ("serve", "--host", "my-host"), ("serve", "--log-level", "loud"),
    ("serve", "--log-format", "xml"), ("serve", "--bootstrap", "kafka"), ("demo", "--port", "abc"),
    ("lag", "--bootstrap", "kafka"), ("doctor", "--bootstrap", "kafka:0")])
def test_a_flag_that_cannot_be_read_is_named(build, command, flag, value):
    done = run(build, command, flag, value)
    assert done.returncode == 2 and f"{flag}: " in done.stderr and f"'{value}'" in done.stderr, done.stderr
    assert "must be" in done.stderr or "allowed" in done.stderr


def test_usage_errors(build):
    for arguments in (["serve", "--prot", "1"], ["nope"], ["serve", "stray"], ["check-config"],
                      ["simulate", "--brokers", "0"]):
        assert run(build, *arguments).returncode == 2, arguments
    assert "did you mean 'verify'?" in run(build, "verfy").stderr
    for command in ("serve", "verify", "demo", "simulate", "check-config", "doctor"):
        done = run(build, command, "--help")
        assert done.returncode == 0 and "Exit codes" in done.stdout, command


def test_a_taken_port_is_named(agent):
    first = agent()
    second = agent(start=False)
    second.arguments[second.arguments.index("--port") + 1] = first.port
    second.start(wait=False)
    assert second.process.wait(10 * SLOWNESS) == 1
    assert f"cannot listen on 127.0.0.1:{first.port}: Address already in use; another process listens there: " in second.log
    assert "--port, web.port or MONITORING_PORT" in second.log
    assert len(second.log.splitlines()) == 1, "told once, and nothing that has not begun is stopped"


def test_the_start_says_where_it_listens_and_where_it_is_reached(agent):
    for host in ("127.0.0.1", "0.0.0.0"):
        one = agent(arguments=["--host", host])
        one.wait_for_log(f"listens on {host}:{one.port}; from this machine: http://127.0.0.1:{one.port}\n")
        one.stop()


def test_standard_error_holds_json_only_once_the_log_has_begun(agent):
    one = agent("log: {format: json}\nchecks: [{name: first, type: exec, command: [/bin/true]}]")
    one.write_config("log: {format: json}\nmetrics: {retention: x}\nchecks: [{name: first, type: exec}]")
    one.signal(signal.SIGHUP)
    one.wait_for_log("the configuration in force stays")
    second = agent("log: {format: json}", start=False)
    second.arguments[second.arguments.index("--port") + 1] = one.port
    second.start(wait=False)
    assert second.process.wait(10 * SLOWNESS) == 1
    third = agent("log: {format: json}", start=False)
    third.arguments[third.arguments.index("--state-dir") + 1] = one.state
    third.start(wait=False)
    assert third.process.wait(10 * SLOWNESS) == 1
    one.stop()
    lines = [json.loads(line) for line in one.log.splitlines()]
    refused = [line["message"] for line in lines if line["event"] in ("config.error", "config.reload")]
    assert len(refused) == 3, refused
    assert "koa.yaml:2:22: metrics.retention: must be " in refused[0] and "koa.yaml:3:" in refused[1]
    assert refused[2].startswith("not reloaded: ") and "(and 1 more)" in refused[2]
    assert [json.loads(line)["event"] for line in second.log.splitlines()] == ["agent.start"]
    assert [json.loads(line)["event"] for line in third.log.splitlines()] == ["agent.start"]


def test_a_second_agent_on_the_same_state_is_refused(agent):
    first = agent()
    second = agent(start=False)
    second.arguments[second.arguments.index("--state-dir") + 1] = first.state
    second.start(wait=False)
    assert second.process.wait(10 * SLOWNESS) == 1
    assert str(first.process.pid) in second.log


def test_an_unusable_state_directory_costs_one_warning(agent):
    one = agent(start=False)
    one.state.write_text("a file, no directory")
    one.start()
    assert "state lives in memory" in one.wait_for_check("database", "degraded")["message"]
    one.stop()
    warnings = [line for line in one.log.splitlines() if " warning " in line and "state lives in memory" in line]
    assert len(warnings) == 1, warnings


def test_reload_takes_new_settings(agent):
    one = agent("checks: [{name: first, type: exec, command: [/bin/true]}]")
    one.wait_for_check("first", "healthy")
    one.write_config("checks: [{name: second, type: exec, command: [/bin/true]}]\nlog: {level: debug}")
    answer = one.post("/-/reload")
    assert answer.status == 200 and answer.json["reloaded"] is True, answer.body
    assert {"checks", "log"} <= set(answer.json["changed"])
    one.wait_for_check("second", "healthy")
    assert one.get("/health/checks/first?cached=1").status == 404
    assert one.metric("kafka_ops_config_last_reload_success") == 1
    one.stop()


def test_a_reload_takes_limits_too(agent):
    one = agent("checks: [{name: ticks, type: exec, command: [/bin/true], interval: 1100ms}]")
    wait_until(lambda: one.get("/health/history?limit=0").json["count"] >= 4, 15, "four boards in the history")
    one.write_config("checks: [{name: ticks, type: exec, command: [/bin/true], interval: 1100ms}]\n"
                     "health: {history: 2}\nmetrics: {max_series_per_family: 3}")
    newest = one.get("/health/history?limit=1").json["history"][0]["timestamp"]
    assert one.post("/-/reload").status == 200
    history = one.get("/health/history?limit=0").json["history"]
    assert len(history) == 2 and history[-1]["timestamp"] >= newest, "the oldest go, the newest stay"
    for number in range(6):
        one.request("GET" if number % 2 else "POST", "/no-such-path", headers={"X": "y"})
        one.get(("/info", "/status", "/rules", "/alerts", "/health", "/metrics")[number])
    assert len(one.series("kafka_ops_requests_total")) <= 3
    assert one.metric('kafka_ops_series_dropped_total{family="kafka_ops_requests_total",reason="limit"}') >= 1
    one.stop()


def test_every_limit_shows_how_full_it_is_and_what_it_refused(agent):
    one = agent("metrics: {max_series_per_family: 20, resolution: 1s}", arguments=["--simulate"])
    queues = {"engine_mailbox", "kafka_mailbox", "worker_threads", "store_rows", "metrics_history", "metrics_series",
              "health_history", "log_buffer_bytes", "http_connections"}

    def names(family):
        return {labels["queue"] for labels, _ in one.series(family)}

    # A scrape may come in the middle of the first look: the filter is looked at last.
    wait_until(lambda: "metrics_filter" in names("kafka_ops_queue_dropped_total"), 10, "the first look at the limits")
    assert names("kafka_ops_queue_length") == names("kafka_ops_queue_limit") == queues
    assert names("kafka_ops_queue_dropped_total") == queues | {"metrics_filter"}

    def memory():
        return {labels["part"]: value for labels, value in one.series("kafka_ops_memory_bytes")}

    wait_until(lambda: memory().get("snapshots"), 10, "the memory of the first snapshot")
    assert set(memory()) == {"metrics", "history", "snapshots"} and all(value > 1000 for value in memory().values())
    # The simulated cluster has more partitions than that.
    dropped = 'kafka_ops_queue_dropped_total{queue="metrics_filter"}'
    before = wait_until(lambda: one.metric(dropped), 10, "series that the limit keeps out")
    one.write_config("metrics: {max_series_per_family: 21, resolution: 1s}")
    assert one.post("/-/reload").status == 200
    wait_until(lambda: one.metric(dropped) > before, 10, "counting to go on after a reload made a new filter")
    one.stop()


def test_a_bad_reload_changes_nothing_and_says_what(agent):
    one = agent("checks: [{name: first, type: exec, command: [/bin/true]}]")
    one.wait_for_check("first", "healthy")
    one.write_config("checks:\n  - {name: second, type: exec, command: [/bin/true], interval: x}\n")
    answer = one.post("/-/reload")
    assert answer.status == 400 and answer.json["error"] == "Invalid configuration"
    error = answer.json["errors"][0]
    assert error["line"] == 2 and error["path"] == "checks[0].interval" and error["file"].endswith("koa.yaml")
    assert one.check("first")["status"] == "healthy"
    assert one.metric("kafka_ops_config_last_reload_success") == 0
    one.signal(signal.SIGHUP)
    wait_until(lambda: one.log.count("the configuration in force stays") == 2, 5, "the refusal of SIGHUP in the log")
    one.stop()


def test_reload_by_signal(agent):
    one = agent("checks: [{name: first, type: exec, command: [/bin/true]}]")
    one.write_config("checks: [{name: second, type: exec, command: [/bin/true]}]")
    one.signal(signal.SIGHUP)
    wait_until(lambda: one.get("/health/checks/second?cached=1").status != 404, 10, "the new check")
    one.signal(signal.SIGUSR1)
    one.wait_for_log(" debug ", 10)
    one.stop()


def test_stop_under_load(agent):
    one = agent(arguments=["--simulate"])
    ended, failures = threading.Event(), []

    def load():
        while not ended.is_set():
            try:
                if one.get("/metrics/prometheus").status != 200:
                    failures.append("status")
            except (OSError, http.client.HTTPException):
                return  # the listener is gone: that is the stop

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    one.stop()
    ended.set()
    for thread in threads:
        thread.join()
    assert not failures


def test_stop_during_a_hung_run_now(agent):
    one = agent(SLOW_CHECK)
    answers = []

    def ask():
        try:
            answers.append(one.request("GET", "/health/checks/slow", timeout=60).status)
        except (OSError, http.client.HTTPException) as error:
            answers.append(repr(error))

    asker = threading.Thread(target=ask)
    asker.start()
    wait_until(lambda: one.metric("kafka_ops_active_connections") is not None
               and one.metric("kafka_ops_active_connections") >= 2, 5, "the hung request")
    one.stop()
    asker.join(20)
    assert answers and answers[0] in (200, 503), answers


def test_stop_during_an_open_stream(agent):
    one = agent(arguments=["--simulate", "--sim-partitions", "20000", "--sim-topics", "2000"])
    wait_until(lambda: one.get("/clusters/default").json["partitions"] == 20000, 20, "the big cluster")
    reader = socket.create_connection(("127.0.0.1", one.port))
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.sendall(b"GET /metrics/prometheus HTTP/1.1\r\nHost: x\r\n\r\n")
    assert reader.recv(100)
    one.stop()
    reader.close()


def test_readiness_fails_while_it_drains(agent, receiver):
    hook = receiver()
    hook.hang()
    one = agent(f"""
alerting:
  interval: 1s
  rules: [{{name: always, type: health_status, status: [healthy, unhealthy, degraded, unknown]}}]
  notifiers: [{{name: hook, type: webhook, url: "{hook.url}", min_severity: info}}]
""")
    wait_until(lambda: hook.requests, 15, "the webhook being called")
    keep = http.client.HTTPConnection("127.0.0.1", one.port, timeout=10 * SLOWNESS)
    keep.request("GET", "/health/ready")
    assert keep.getresponse().read()
    one.signal(signal.SIGTERM)

    def not_ready():
        """503 on a connection that was open; or it was idle and has been closed, which no balancer takes for ready."""
        try:
            keep.request("GET", "/health/ready")
            answer = keep.getresponse()
            answer.read()
        except (ConnectionError, http.client.HTTPException):
            return one.process.poll() is None
        return answer.status == 503

    try:
        wait_until(not_ready, 5, "readiness to fail")
    finally:
        hook.gate.set()
    assert one.process.wait(15 * SLOWNESS) == 0


def test_a_full_log_pipe_stalls_nothing(build, tmp_path):
    """Nobody reads standard error: its pipe fills, and the agent goes on."""
    import subprocess
    from kit.agent import BARE
    from kit.base import free_ports
    port = free_ports()
    process = subprocess.Popen([str(build / "kafka-ops-agent"), "serve", "--port", str(port), "--host", "127.0.0.1",
                                "--state-dir", str(tmp_path / "s"), "--log-level", "debug"], env=BARE,
                               stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        def alive():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3 * SLOWNESS)
            connection.request("GET", "/health/live")
            status = connection.getresponse().status
            connection.close()
            return status == 200
        wait_until(alive, 10, "the agent")
        for _ in range(1500):
            assert alive()
        process.stderr.close()  # and now it is closed
        for _ in range(100):
            assert alive()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15 * SLOWNESS) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("closed, numbers", [("2>&-", [2]), ("<&- >&- 2>&-", [0, 1, 2])])
def test_standard_files_that_are_closed_at_the_start_harm_nothing(agent, closed, numbers):
    """Whatever is opened next would get their numbers, and the log would be written there."""
    one = agent("log: {level: debug}\nalerting: {interval: 1s}\n", start=False)
    one.process = spawn(["/bin/sh", "-c", f'exec "$@" {closed}', "sh", one.program, *one.arguments], env=one.environment)
    wait_until(one.is_alive, 10, "the agent answering")
    for number in numbers:
        assert os.readlink(f"/proc/{one.process.pid}/fd/{number}") == "/dev/null"
    for _ in range(100):
        assert one.get("/health").status == 200
    one.signal(signal.SIGHUP)
    one.signal(signal.SIGUSR1)
    one.stop()


def test_systemd_is_told(agent, tmp_path):
    path = tmp_path / "notify"
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(path))
    manager.settimeout(10 * SLOWNESS)
    one = agent("{}", environment={"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "400000"})
    seen = [manager.recv(512).decode().split("\n")[0] for _ in range(3)]
    assert seen == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]
    one.signal(signal.SIGHUP)
    told = [manager.recv(512).decode() for _ in range(3)]
    assert any(text.startswith("RELOADING=1\nMONOTONIC_USEC=") for text in told)
    one.stop()
    manager.settimeout(0.1)
    rest = []
    try:
        while True:
            rest.append(manager.recv(512).decode().split("\n")[0])
    except TimeoutError:
        pass
    assert rest[-1] == "STOPPING=1"
    manager.close()
