"""The program under test as an operator runs it: a process with a configuration, answered over HTTP."""
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import urllib.parse

from .base import SLOWNESS, free_ports, spawn, wait_until

# Nothing of the machine's own environment decides about a test.
BARE = {key: os.environ[key] for key in ("PATH", "HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS")
        if key in os.environ}
STOP_DEADLINE_S = 15


class Answer:
    """Status, headers and body of one response."""

    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()


class Agent:
    """`kafka-ops-agent COMMAND`; `config` is YAML text. Its port is chosen here."""

    def __init__(self, build, folder, config=None, arguments=(), environment=None, command="serve", preload=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_ports()
        self.program = build / "kafka-ops-agent"
        self.state = self.folder / "state"
        self.config_file = self.folder / "koa.yaml"
        self.arguments = [command, "--port", self.port, "--host", "127.0.0.1", "--state-dir", self.state, *arguments]
        if config is not None:
            self.write_config(config)
            self.arguments += ["--config", self.config_file]
        self.environment = {**BARE, **(environment or {})}
        if preload:
            self.environment["LD_PRELOAD"] = str(preload)
        self.log_file = self.folder / "agent.log"
        self.process = None

    def write_config(self, text):
        self.config_file.write_text(text)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def start(self, wait=True):
        with self.log_file.open("a") as log:
            self.process = spawn([self.program, *self.arguments], env=self.environment, stdout=log,
                                 stderr=subprocess.STDOUT)
        if wait:
            wait_until(self.is_alive, 10, "the agent answering /health/live")
        return self

    def is_alive(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"the agent ended with {self.process.returncode}:\n{self.log[-3000:]}")
        return self.get("/health/live").status == 200

    def request(self, method, path, body=None, headers=None, timeout=20):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout * SLOWNESS)
        try:
            connection.request(method, path, body, headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.request("GET", path, headers={key.replace("_", "-"): value for key, value in headers.items()})

    def post(self, path, body=None, headers=None):
        data = json.dumps(body).encode() if body is not None else b""
        return self.request("POST", path, data, {"Content-Type": "application/json", **(headers or {})})

    def check(self, name, cached=True):
        return self.get(f"/health/checks/{urllib.parse.quote(name)}" + ("?cached=1" if cached else "")).json

    def wait_for_log(self, text, deadline=5):
        """Waits for a line that holds `text`: lines are written by a thread of their own, after what they tell."""
        wait_until(lambda: text in self.log, deadline, f"'{text}' in the log")

    def wait_for_check(self, name, status, deadline=10):
        return wait_until(lambda: (result := self.check(name))["status"] == status and result, deadline,
                          f"check {name} being {status}")

    def alert(self, name):
        return next((alert for alert in self.get("/alerts").json["active_alerts"] if alert["name"] == name), None)

    def metric(self, line):
        """The value of one series, written as Prometheus does; None when it is absent."""
        for row in self.get("/metrics/prometheus").text.splitlines():
            if row.startswith(line + " "):
                return float(row.rsplit(" ", 1)[1])
        return None

    def series(self, family):
        """[(labels, value)] of one family that has labels."""
        found = []
        for row in self.get("/metrics/prometheus").text.splitlines():
            if row.startswith(family + "{"):
                labels, value = row[len(family) + 1:].rsplit("} ", 1)
                found.append((dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels)), float(value)))
        return found

    def of_partitions(self, family="current_offset"):
        """{(topic, partition): value} of `kafka_topic_partition_FAMILY`."""
        return {(labels["topic"], int(labels["partition"])): int(value)
                for labels, value in self.series("kafka_topic_partition_" + family)}

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, expect=0):
        """Ends it as a service manager does, and looks at how it went."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(STOP_DEADLINE_S * SLOWNESS)
        assert self.process.returncode == expect, f"exit {self.process.returncode}:\n{self.log[-3000:]}"
        assert "Sanitizer" not in self.log, self.log[-6000:]

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()


def run(build, *arguments, environment=None, stdin=subprocess.DEVNULL, timeout=30, **options):
    """The program to its end: exit code, standard output, standard error."""
    done = subprocess.run([str(build / "kafka-ops-agent"), *map(str, arguments)], env={**BARE, **(environment or {})},
                          capture_output=True, text=True, timeout=timeout * SLOWNESS,
                          **({"input": stdin} if isinstance(stdin, str) else {"stdin": stdin}), **options)
    assert "Sanitizer" not in done.stderr, done.stderr[-6000:]
    return done
