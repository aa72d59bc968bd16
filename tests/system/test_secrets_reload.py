"""Every endpoint in every format, before and after reloads that change secrets: none of them comes out."""
import pytest

from kit.base import free_ports, wait_until
from kit.passwords import bcrypt
from test_secrets import EchoingService, TalkativeDatabase

pytestmark = pytest.mark.simulator
SECRETS = {name: f"zq{name}zq7K9x" for name in (
    "dbrefused", "dbfake", "hookpass", "hooktoken", "hooknewpass", "headauth", "hmackey", "webtoken", "servicepass",
    "servicetoken", "fromenv")}
HASH = bcrypt("not-in-any-file")
FORBIDDEN = {**SECRETS, "hash": HASH, "hash without its head": HASH[7:]}


@pytest.fixture
def fakes():
    postgres, echo = TalkativeDatabase(), EchoingService()
    yield postgres, echo
    postgres.close()
    echo.close()


def configuration(folder, postgres, echo, refused, receiver):
    for name in ("hmackey", "webtoken"):
        (folder / name).write_text(SECRETS[name] + "\n")
    s = SECRETS
    return f"""
log: {{level: debug}}
web:
  users: [{{name: u, password_hash: '{HASH}', scopes: [read]}}]
  tokens: [{{name: t, token_file: {folder}/webtoken, scopes: [admin]}}]
checks:
  - {{name: db_refused, type: database, url: 'postgresql://koa:{s["dbrefused"]}@127.0.0.1:{refused}/x', interval: 1s}}
  - {{name: db_fake, type: database, url: 'postgresql://koa:{s["dbfake"]}@127.0.0.1:{postgres.port}/x', interval: 1s}}
  - {{name: svc, type: service, service: svc, interval: 1s,
      url: 'http://me:{s["servicepass"]}@127.0.0.1:{echo.port}/x?token={s["servicetoken"]}'}}
  - {{name: svc_refused, type: service, service: other, interval: 1s,
      url: 'http://me:{s["servicepass"]}@127.0.0.1:{refused}/x?token={s["servicetoken"]}'}}
  - {{name: db_env, type: database, url: 'postgresql://koa:${{PLANTED}}@127.0.0.1:{refused}/x', interval: 1s}}
  - {{name: tells, type: exec, interval: 1s,
      command: [/bin/sh, -c, 'echo "no: $(cat {folder}/hmackey) $(cat {folder}/webtoken) | x=1"; cat {folder}/hmackey >&2; exit 2']}}
alerting:
  interval: 1s
  rules:
    - {{name: tells_down, type: health_status, check: tells, status: unhealthy, severity: critical,
        annotations: {{summary: "it said {s['hmackey']}"}}}}
    - {{name: db_down, type: health_status, check: db_fake, status: unhealthy, severity: critical}}
  notifiers:
    - {{name: failing, type: webhook, url: 'http://me:{s["hookpass"]}@127.0.0.1:{echo.port}/hook?token={s["hooktoken"]}',
        hmac_key_file: {folder}/hmackey, headers: {{Authorization: 'Bearer {s["headauth"]}'}}, min_severity: info}}
    - {{name: refused, type: webhook, url: 'http://me:{s["hookpass"]}@127.0.0.1:{refused}/hook?token={s["hooktoken"]}',
        min_severity: info}}
    - {{name: good, type: webhook, url: '{receiver.url}', hmac_key_file: {folder}/hmackey, min_severity: info}}
"""


def assert_clean(where, text):
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    for name, secret in FORBIDDEN.items():
        at = text.find(secret)
        assert at < 0, f"{name} is in {where}: ...{text[max(0, at - 200):at + 100]}"


def ask_everything(one, login):
    index = one.request("GET", "/", headers=login).json
    checks = one.request("GET", "/health/checks", headers=login).json["checks"]
    paths = [row["path"] for row in index["endpoints"] if "GET" in row["methods"] and "{" not in row["path"]]
    assert {"/health", "/status", "/info", "/alerts", "/metrics", "/rules"} <= set(paths)
    paths += [f"/health/checks/{check['name']}{query}" for check in checks for query in ("", "?cached=1")]
    rules = one.request("GET", "/rules", headers=login).json["rules"]
    paths += [f"/alerts/{alert['fingerprint']}" for rule in rules for alert in rule["active"]]
    paths += [f"/no/{SECRETS['webtoken']}", "/metrics/history?limit=0", "/health/history?limit=0", "/alerts/history?limit=0"]
    for path in paths:
        for headers in (login, {}, {**login, "Accept": "text/html"}, {**login, "Accept": "text/plain"}):
            answer = one.request("GET", path, headers=headers)
            # A path that the client sent itself is not told to it by us.
            assert_clean(f"GET {path}", answer.body.replace(f"/no/{SECRETS['webtoken']}".encode(), b""))
            assert_clean(f"headers of {path}", str(answer.headers))


def test_nothing_planted_comes_out(agent, build, receiver, fakes, tmp_path):
    postgres, echo = fakes
    hook = receiver()
    text = configuration(tmp_path, postgres, echo, free_ports(), hook)
    environment = {"PLANTED": SECRETS["fromenv"]}
    one = agent(text, environment=environment)
    login = {"Authorization": f"Bearer {SECRETS['webtoken']}"}

    def failed():
        checks = {check["name"]: check for check in one.request("GET", "/health/checks", headers=login).json["checks"]}
        return all(checks[name]["status"] == "unhealthy" for name in ("db_refused", "db_fake", "svc", "svc_refused", "db_env",
                                                                      "tells"))

    wait_until(failed, 15, "every planted check failing")
    wait_until(lambda: len(hook.requests) >= 2, 15, "the good webhook")
    wait_until(lambda: any("/hook" in request for request in echo.heard), 10, "the failing webhook")
    # What is planted is what is used: the secrets arrive where they belong.
    assert any(SECRETS["headauth"] in request for request in echo.heard) and SECRETS["dbfake"] in postgres.heard
    assert any(SECRETS["servicetoken"] in request for request in echo.heard)
    ask_everything(one, login)
    one.write_config(text.replace(SECRETS["hookpass"], SECRETS["hooknewpass"]) + "\nstray: {}\n")
    assert_clean("a refused reload", one.request("POST", "/-/reload", headers=login).body)
    one.write_config(text.replace(SECRETS["hookpass"], SECRETS["hooknewpass"]))
    answer = one.request("POST", "/-/reload", headers=login)
    assert answer.status == 200, answer.body
    assert_clean("a reload", answer.body)
    one.request("POST", "/-/log-level", b'{"level": "' + SECRETS["webtoken"].encode() + b'"}', login)
    ask_everything(one, login)
    # The failures were told, only not with the secrets.
    for told in ("'failing'", "'refused'", "'db_fake'", "'svc'"):
        one.wait_for_log(told)
    for headers, body, _ in hook.requests:
        assert_clean("a webhook's body", body)
        assert_clean("a webhook's headers", str(headers))
    one.stop()
    assert_clean("the log", one.log)
    assert " debug " in one.log
