"""Secrets planted wherever an operator may put one appear in no answer, no log line and no notification."""
import json
import re
import signal
import socket
import struct
import threading

import pytest

from kit.agent import run
from kit.base import wait_until

pytestmark = pytest.mark.simulator

# Each is searched for by its marker, so that any spelling of it (decoded, encoded, cut) is found.
MARK = re.compile(r"pl4nted|pl4%6eted", re.IGNORECASE)
TOKEN = "pl4nted-token-0123456789"


def secret(name):
    return f"{name}-pl4nted-value"


class TalkativeDatabase:
    """Speaks enough PostgreSQL to ask for the password, and quotes it in its refusal."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.heard = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.refuse, args=(peer,), daemon=True).start()

    def refuse(self, peer):
        with peer:
            try:
                peer.settimeout(5)
                size, code = struct.unpack(">ii", peer.recv(8, socket.MSG_WAITALL))
                while code in (80877103, 80877104):  # asks for TLS or GSS: no
                    peer.sendall(b"N")
                    size, code = struct.unpack(">ii", peer.recv(8, socket.MSG_WAITALL))
                peer.recv(size - 8, socket.MSG_WAITALL)
                peer.sendall(b"R" + struct.pack(">ii", 8, 3))  # the password in clear text, please
                size = struct.unpack(">i", peer.recv(5, socket.MSG_WAITALL)[1:])[0]
                password = peer.recv(size - 4, socket.MSG_WAITALL).rstrip(b"\0")
                self.heard.append(password.decode())
                fields = b"SFATAL\0C28P01\0Mno user has the password " + password + b"\0\0"
                peer.sendall(b"E" + struct.pack(">i", len(fields) + 4) + fields)
            except (OSError, struct.error):
                pass

    def close(self):
        self.listener.close()


class EchoingService:
    """Answers 500 with everything it was sent, in the reason as in the body."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.heard = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer = self.listener.accept()[0]
            except OSError:
                return
            with peer:
                peer.settimeout(5)
                try:
                    request = peer.recv(65536)
                    self.heard.append(request.decode(errors="replace"))
                    reason = request.split(b"\r\n")[0].split(b" ")[1][:200]
                    peer.sendall(b"HTTP/1.1 500 " + reason + b"\r\nConnection: close\r\nContent-Length: "
                                 + str(len(request)).encode() + b"\r\n\r\n" + request)
                except OSError:
                    pass

    def close(self):
        self.listener.close()


@pytest.fixture
def database():
    one = TalkativeDatabase()
    yield one
    one.close()


@pytest.fixture
def echo():
    one = EchoingService()
    yield one
    one.close()


def config(folder, database, echo, hook):
    (folder / "hmac").write_text(secret("hmac") + "\n")
    (folder / "url").write_text(f"postgresql://agent:{secret('file')}@127.0.0.1:{database.port}/orders\n")
    return f"""
web:
  tokens: [{{name: test, token: {TOKEN}, scopes: [admin]}}]
log: {{level: debug}}
checks:
  - {{name: db, type: database, interval: 1s, timeout: 3s,
      url: "postgresql://agent:{secret('db')}@127.0.0.1:{database.port}/orders?application_name=koa"}}
  - {{name: db_encoded, type: database, interval: 1s, timeout: 3s,
      url: "postgresql://agent:p%4014%2F{secret('enc')}@127.0.0.1:{database.port}/orders"}}
  - {{name: db_env, type: database, interval: 1s, timeout: 3s,
      url: "postgresql://agent:${{DB_PASSWORD}}@127.0.0.1:{database.port}/orders"}}
  - {{name: db_file, type: database, interval: 1s, timeout: 3s, url_file: "{folder}/url"}}
  - {{type: service, service: echo, interval: 1s, expect_body: never,
      url: "http://user:{secret('basic')}@127.0.0.1:{echo.port}/a?token={secret('query')}&b=1"}}
  - {{name: plugin, type: exec, interval: 1s,
      command: [/bin/sh, -c, "echo CRITICAL the login was {secret('db')} and $DB_PASSWORD; exit 2"]}}
alerting:
  interval: 1s
  rules:
    - {{name: db_down, type: health_status, check: db, status: unhealthy}}
    - {{name: plugin_down, type: health_status, check: plugin, status: unhealthy}}
  notifiers:
    - {{name: hook, type: webhook, url: "{hook.url}?key={secret('hookquery')}", hmac_key_file: "{folder}/hmac"}}
    - {{name: broken, type: webhook, timeout: 2s,
        url: "http://user:{secret('hookbasic')}@127.0.0.1:{echo.port}/hook?access_token={secret('hooktoken')}",
        hmac_key: "{secret('inline')}"}}
"""


PATHS = ["/", "/health", "/health/checks", "/health/history?limit=0", "/health/checks/db", "/health/checks/db_encoded",
         "/health/checks/db_env", "/health/checks/db_file", "/health/checks/service_echo", "/health/checks/plugin",
         "/metrics", "/metrics/prometheus", "/metrics/history?limit=0", "/alerts", "/alerts/history?limit=0", "/status",
         "/info", "/clusters", "/rules", "/nowhere"]


def assert_clean(where, text):
    found = MARK.search(text)
    assert not found, f"{where}: ...{text[max(0, found.start() - 300):found.end() + 50]}..."


def test_planted_secrets_appear_nowhere(agent, database, echo, receiver, tmp_path):
    hook = receiver()
    one = agent(config(tmp_path, database, echo, hook), environment={"DB_PASSWORD": secret("env")})
    credentials = {"Authorization": f"Bearer {TOKEN}"}

    def states():
        body = one.request("GET", "/health", headers=credentials).json
        return {check["name"]: check["status"] for check in body["checks"]}
    named = ("db", "db_encoded", "db_env", "db_file", "service_echo", "plugin")
    wait_until(lambda: all(states()[name] == "unhealthy" for name in named), 20, "six unhealthy checks")
    wait_until(lambda: {"db_down", "plugin_down"} <= {body["alert"]["name"] for body in hook.bodies()}, 20, "both webhooks")
    wait_until(lambda: any("/hook" in request for request in echo.heard), 20, "the broken webhook being tried")

    # The secrets were really used, or the test would prove nothing.
    assert {secret("db"), secret("env"), secret("file"), f"p@14/{secret('enc')}"} <= set(database.heard)
    assert any(f"token={secret('query')}" in request for request in echo.heard)

    fingerprints = [alert["fingerprint"] for rule in one.request("GET", "/rules", headers=credentials).json["rules"]
                    for alert in rule["active"]]
    for path in PATHS + [f"/alerts/{fingerprint}" for fingerprint in fingerprints]:
        answer = one.request("GET", path, headers=credentials)
        assert answer.status in (200, 404, 503), path
        assert_clean(path, answer.text)
    for body in hook.bodies():
        assert_clean("the webhook", json.dumps(body))
    # A key is never sent along, only what it signs; and none of the notifier's headers carries a secret.
    for headers, _, _ in hook.requests:
        assert_clean("the webhook's headers", json.dumps(dict(headers)))

    one.signal(signal.SIGHUP)
    one.wait_for_log("reload", 10)
    assert one.request("GET", "/health", headers={"Authorization": "Bearer pl4nted-wrong-token"}).status in (200, 401, 503)
    assert one.request("GET", "/info?token=pl4nted-in-a-query", headers=credentials).status == 200
    one.stop()
    assert_clean("the log", one.log)


@pytest.mark.parametrize("text", [
    "checks: [{name: db, type: database, url: 'mysql://u:pl4nted@h/x'}]",
    "checks: [{name: s, type: service, service: a, url: 'ftp://u:pl4nted@h/x?token=pl4nted'}]",
    "checks: [{name: s, type: service, service: a, url: 'tcp://u:pl4nted@h'}]",
    "web: {tokens: [{name: a, token: pl4nted-token, scope: [read]}]}",
    "web: {tokens: [{name: a, token: [pl4nted]}]}",
    "web: {users: [{name: a, password_hash: pl4nted-not-a-hash}]}",
    "alerting: {notifiers: [{name: a, type: webhook, url: 'gopher://u:pl4nted@h/'}]}",
    "alerting: {notifiers: [{name: a, type: webhook, url: 'http://h/', hmac_key: {a: pl4nted}}]}",
    "clusters: [{name: a, bootstrap_servers: [h:9092], sasl: {mechanism: PLAIN, username: u, password: [pl4nted]}}]",
])
def test_a_message_about_a_bad_file_does_not_quote_a_secret(build, tmp_path, text):
    file = tmp_path / "bad.yaml"
    file.write_text(text + "\n")
    done = run(build, "check-config", file)
    assert done.returncode == 2, done.stdout
    assert_clean("the message", done.stderr + done.stdout)


def test_a_refused_reload_does_not_quote_a_secret(agent):
    one = agent("checks: [{name: db, type: database}]")
    one.write_config("checks: [{name: db, type: database, url: 'mysql://u:pl4nted@h/x'}]")
    answer = one.post("/-/reload")
    assert answer.status == 400
    assert_clean("the answer", answer.text)
    one.stop()
    assert_clean("the log", one.log)


def test_check_config_masks_every_secret(build, tmp_path, database, echo, receiver):
    file = tmp_path / "koa.yaml"
    file.write_text(config(tmp_path, database, echo, receiver()))
    done = run(build, "check-config", file, environment={"DB_PASSWORD": secret("env")})
    assert done.returncode == 0, done.stderr
    assert_clean("the effective settings", done.stdout)
