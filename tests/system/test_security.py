"""Who may ask what: users, tokens, scopes, changing calls, and HTTPS whose certificate is replaced."""
import base64
import json
import socket
import ssl
import subprocess
import time

import pytest

from kit.agent import run
from kit.base import SLOWNESS, own_namespaces, wait_until
from kit.passwords import bcrypt

pytestmark = pytest.mark.simulator
PASSWORDS = {"prometheus": "pw-metrics-1", "reader": "pw-read-2", "root": "pw-admin-3"}
TOKENS = {"metrics": "tok-metrics-4", "read": "tok-read-5", "admin": "tok-admin-6"}
RANK = {"metrics": 0, "read": 1, "admin": 2}
METRICS_PATHS = ["/metrics", "/metrics/prometheus", "/metrics/history"]
READ_PATHS = ["/", "/health/checks", "/health/checks/memory?cached=1", "/health/history", "/alerts", "/alerts/history",
              "/rules", "/status", "/info", "/clusters"]
CHANGES = [("/-/reload", None), ("/-/log-level", {"level": "info"})]


def credentials(folder, failures=30):
    users = ", ".join(f"{{name: {name}, password_hash: '{bcrypt(PASSWORDS[name])}', scopes: [{scope}]}}"
                      for name, scope in (("prometheus", "metrics"), ("reader", "read"), ("root", "admin")))
    tokens = []
    for scope, token in TOKENS.items():
        file = folder / f"{scope}.token"
        file.write_text(token + "\n")
        tokens.append(f"{{name: {scope}, token_file: {file}, scopes: [{scope}]}}")
    return f"web: {{users: [{users}], tokens: [{', '.join(tokens)}], limits: {{login_failures_per_minute: {failures}}}}}\n"


def basic(name, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


LOGINS = [(basic("prometheus", PASSWORDS["prometheus"]), "metrics"), (basic("reader", PASSWORDS["reader"]), "read"),
          (basic("root", PASSWORDS["root"]), "admin"), *((bearer(token), scope) for scope, token in TOKENS.items())]


def assert_error(answer, status, error):
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json
    assert body["error"] == error and body["message"] and body["timestamp"].endswith("Z")


@pytest.fixture
def guarded(agent, tmp_path):
    one = agent(credentials(tmp_path))
    wait_until(lambda: one.get("/health").json["overall_status"] == "healthy", 10, "the checks")
    return one


def ask(one, method, path, body=None, headers=None):
    data = json.dumps(body).encode() if body is not None else None
    return one.request(method, path, data, headers or {})


@pytest.mark.parametrize("login, scope", LOGINS, ids=[f"{kind}-{scope}" for kind in ("user", "token")
                                                     for scope in ("metrics", "read", "admin")])
def test_a_scope_opens_its_endpoints_and_no_other(guarded, login, scope):
    calls = ([("GET", path, None, "metrics") for path in METRICS_PATHS] + [("GET", path, None, "read") for path in READ_PATHS] +
             [("POST", path, body, "admin") for path, body in CHANGES])
    for method, path, body, needed in calls:
        answer = ask(guarded, method, path, body, login)
        if RANK[scope] >= RANK[needed]:
            assert answer.status == 200, (path, answer.body)
        else:
            assert_error(answer, 403, "Forbidden")
            assert needed in answer.json["message"], (path, answer.body)
    guarded.stop()


def test_without_credentials_everything_but_the_probes_is_refused(guarded):
    for method, path, body in ([("GET", path, None) for path in METRICS_PATHS + READ_PATHS] +
                               [("POST", path, body) for path, body in CHANGES] + [("GET", "/no-such-path", None)]):
        answer = ask(guarded, method, path, body)
        assert_error(answer, 401, "Unauthorized")
        challenges = answer.headers.get_all("WWW-Authenticate")
        assert [challenge.split()[0] for challenge in challenges] == ["Basic", "Bearer"], path
        head = ask(guarded, "HEAD" if method == "GET" else method, path, body)
        assert head.status == 401
    guarded.stop()


def test_probes_stay_open_and_tell_statuses_only(guarded):
    assert guarded.get("/health/live").json["status"] == "alive"
    assert guarded.get("/health/ready").json["status"] == "ready"
    bare = guarded.get("/health")
    assert bare.status == 200 and bare.json["overall_status"] == "healthy"
    assert {check["name"] for check in bare.json["checks"]} == {"database", "kafka", "disk_space", "memory"}
    for check in bare.json["checks"]:
        assert check["status"] and not check.get("message") and not check.get("details"), check
    # Credentials that may read see all; those that may not see what everybody sees.
    full = ask(guarded, "GET", "/health", headers=bearer(TOKENS["read"])).json
    assert all(check["message"] for check in full["checks"])
    less = ask(guarded, "GET", "/health", headers=basic("prometheus", PASSWORDS["prometheus"]))
    assert less.status == 200 and not any(check.get("message") for check in less.json["checks"])
    guarded.stop()


def test_open_takes_effect_as_configured(agent, tmp_path):
    text = credentials(tmp_path).rstrip("}\n") + "}, open: [/health/live, /info]}\n"
    one = agent(text)
    assert one.get("/info").status == 200 and one.get("/health/live").status == 200
    assert one.get("/health").status == 401 and one.get("/health/ready").status == 401
    one.stop()


@pytest.mark.parametrize("wrong", [
    basic("reader", "pw-wrong"), basic("nobody", PASSWORDS["reader"]), basic("reader", ""), basic("", ""),
    basic("reader", PASSWORDS["reader"] + "x"), basic("reader", PASSWORDS["root"]), bearer("tok-wrong"), bearer(""),
    bearer(TOKENS["read"][:-1]), bearer(TOKENS["read"] + "x"), {"Authorization": "Basic !!!"},
    {"Authorization": "Basic " + base64.b64encode(b"no colon").decode()},
    {"Authorization": "Basic " + base64.b64encode(b"reader:pw\0" + b"x").decode()},
    {"Authorization": "Digest username=reader"}, {"Authorization": TOKENS["read"]},
    {"Authorization": "Basic " + base64.b64encode(b"reader:" + b"x" * 4000).decode()},
], ids=range(16))
def test_wrong_credentials_are_401_everywhere(agent, tmp_path, wrong):
    one = agent(credentials(tmp_path))
    assert_error(ask(one, "GET", "/info", headers=wrong), 401, "Unauthorized")
    assert ask(one, "GET", "/health", headers=wrong).status == 401, "wrong credentials are not no credentials"
    assert ask(one, "GET", "/health/live", headers=wrong).status == 200, "a probe answers whatever is sent with it"
    assert ask(one, "GET", "/info", headers=basic("reader", PASSWORDS["reader"])).status == 200
    one.stop()


def test_two_authorization_headers_are_refused(guarded):
    with socket.create_connection(("127.0.0.1", guarded.port), timeout=10 * SLOWNESS) as raw:
        line = f"Authorization: Bearer {TOKENS['admin']}\r\n"
        raw.sendall(f"GET /info HTTP/1.1\r\nHost: x\r\n{line}{line}\r\n".encode())
        assert raw.recv(4096).startswith(b"HTTP/1.1 401 ")
    guarded.stop()


def test_many_wrong_logins_are_429_for_that_address_only(agent, tmp_path):
    one = agent(credentials(tmp_path, failures=5))
    for attempt in range(5):
        assert ask(one, "GET", "/info", headers=bearer(f"tok-guess-{attempt}")).status == 401
    refused = ask(one, "GET", "/info", headers=bearer("tok-guess-again"))
    assert_error(refused, 429, "Too many failed logins")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    # Also the right password: else guessing would go on, only with its answer hidden.
    assert ask(one, "GET", "/info", headers=bearer(TOKENS["read"])).status == 429
    assert one.get("/health/live").status == 200 and one.get("/health").status == 200
    with socket.socket() as other:
        other.settimeout(10 * SLOWNESS)
        other.bind(("127.0.0.2", 0))
        other.connect(("127.0.0.1", one.port))
        other.sendall(f"GET /info HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKENS['read']}\r\n\r\n".encode())
        assert other.recv(4096).startswith(b"HTTP/1.1 200 ")
    one.stop()


def test_many_wrong_passwords_are_429_too(agent, tmp_path):
    one = agent(credentials(tmp_path, failures=3))
    statuses = [ask(one, "GET", "/info", headers=basic("reader", f"guess-{attempt}")).status for attempt in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    one.stop()


def test_a_foreign_page_changes_nothing_whatever_the_credentials(guarded):
    for foreign in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        for path, body in CHANGES:
            assert_error(ask(guarded, "POST", path, body, {**bearer(TOKENS["admin"]), **foreign}), 403, "Forbidden")
    own = {"Origin": guarded.url, "Sec-Fetch-Site": "same-origin", **bearer(TOKENS["admin"])}
    assert ask(guarded, "POST", "/-/log-level", {"level": "info"}, own).status == 200
    guarded.stop()


def test_without_credentials_changes_come_from_this_machine_s_own_pages_only(agent):
    one = agent("{}")
    for path, body in CHANGES:
        assert ask(one, "POST", path, body).status == 200
        assert ask(one, "POST", path, body, {"Origin": one.url}).status == 200
        for foreign in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
                        # A foreign name that its owner let point here (DNS rebinding): same origin, but not ours.
                        {"Origin": f"http://evil.example:{one.port}", "Host": f"evil.example:{one.port}"}):
            assert_error(ask(one, "POST", path, body, foreign), 403, "Forbidden")
    one.stop()


def test_without_credentials_changes_from_another_address_are_refused(agent):
    """In a network of its own, where the agent may listen on everything and 192.0.2.1 is not loopback."""
    unshare, flag = own_namespaces("n")
    one = agent("{}", start=False)
    one.arguments[one.arguments.index("--host") + 1] = "0.0.0.0"
    one.arguments = [flag, "sh", "-c", 'ip link set lo up && ip addr add 192.0.2.1/32 dev lo && exec "$@"', "sh",
                     one.program, *one.arguments]
    one.program = unshare
    one.start(wait=False)
    enter = ["nsenter", "-t", str(one.process.pid), "-n", *(["-U", "--preserve-credentials"] if "r" in flag else [])]

    def curl(*words):
        done = subprocess.run([*enter, "curl", "-s", "-m", "10", "-w", "\n%{http_code}", *words], capture_output=True,
                              text=True)
        return done.stdout.rsplit("\n", 1)

    near, far = f"http://127.0.0.1:{one.port}", f"http://192.0.2.1:{one.port}"
    wait_until(lambda: curl(near + "/health/live")[1] == "200", 10, "the agent in its network")
    assert curl(far + "/info")[1] == "200"
    for path in ("/-/reload", "/-/log-level"):
        body, status = curl(far + path, "-d", '{"level": "debug"}')
        assert status == "403" and "this machine only" in json.loads(body)["message"]
        assert curl(near + path, "-d", '{"level": "info"}')[1] == "200"


def test_verify_passes_with_user_and_with_token_and_fails_without(build, guarded, tmp_path):
    for login in (["--user", f"reader:{PASSWORDS['reader']}"], ["--token-file", tmp_path / "read.token"]):
        done = run(build, "verify", "--url", guarded.url, *login)
        assert done.returncode == 0 and " 0 failed" in done.stdout, done.stdout + done.stderr
    assert run(build, "verify", "--url", guarded.url).returncode == 1
    guarded.stop()


def test_a_reload_takes_new_credentials_and_drops_old_ones(guarded, tmp_path):
    old = bearer(TOKENS["read"])
    assert ask(guarded, "GET", "/info", headers=old).status == 200
    (tmp_path / "read.token").write_text("tok-new-7\n")
    answer = ask(guarded, "POST", "/-/reload", headers=bearer(TOKENS["admin"]))
    assert answer.status == 200, answer.body
    assert ask(guarded, "GET", "/info", headers=bearer("tok-new-7")).status == 200
    assert ask(guarded, "GET", "/info", headers=old).status == 401
    guarded.stop()


@pytest.mark.parametrize("web, message", [
    ("users: [{name: a, password_hash: plain, scopes: [read]}]", "password_hash"),
    ("users: [{name: a, password_hash: '$2y$10$short', scopes: [read]}]", "password_hash"),
    ("tokens: [{name: a, token_file: /nonexistent/token, scopes: [read]}]", "/nonexistent/token"),
    ("tokens: [{name: a, token: abcdefgh, scopes: [write]}]", "write"),
    ("tokens: [{name: a, token_file: EMPTY, scopes: [read]}]", "token"),
])
def test_credentials_that_cannot_work_stop_the_start(agent, tmp_path, web, message):
    (tmp_path / "empty").write_text("\n")
    one = agent(f"web: {{{web.replace('EMPTY', str(tmp_path / 'empty'))}}}", start=False).start(wait=False)
    assert one.process.wait(10 * SLOWNESS) in (1, 2)
    assert message in one.log and "abcdefgh" not in one.log


def make_certificate(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / f"{name}.key",
                    "-out", folder / f"{name}.crt"], check=True, capture_output=True)
    return (folder / f"{name}.crt").read_text(), (folder / f"{name}.key").read_text()


def https_status(one, certificate, path="/health/live", version=None):
    """Trusts `certificate` alone; raises when another one is served."""
    context = ssl.create_default_context(cadata=certificate)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", one.port), timeout=5 * SLOWNESS) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
            secure.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            return int(secure.recv(4096).split()[1])


def is_served(one, certificate):
    try:
        return https_status(one, certificate) == 200
    except ssl.SSLCertVerificationError:
        return False


def test_https_and_its_certificate_replaced_on_disk(agent, tmp_path):
    first, second = make_certificate(tmp_path, "first"), make_certificate(tmp_path, "second")
    cert, key = tmp_path / "live.crt", tmp_path / "live.key"

    def install(pair):
        for file, text in zip((cert, key), pair):
            fresh = file.with_suffix(".new")
            fresh.write_text(text)
            fresh.replace(file)

    install(first)
    one = agent(f"web: {{tls: {{cert_file: {cert}, key_file: {key}}}}}", start=False).start(wait=False)
    wait_until(lambda: https_status(one, first[0]) == 200, 10, "HTTPS")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        assert https_status(one, first[0], version=version) == 200
    assert not is_served(one, second[0])
    install(second)
    wait_until(lambda: is_served(one, second[0]), 10, "the new certificate")
    one.wait_for_log("is in use")
    cert.write_text("-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n")
    one.wait_for_log("the changed certificate cannot be used, the previous one stays", 10)
    assert is_served(one, second[0])
    # The key of another certificate is as broken.
    install((first[0], second[1]))
    before = one.log.count("the previous one stays")
    wait_until(lambda: one.log.count("the previous one stays") > before, 10, "the refusal of a pair that does not match")
    assert is_served(one, second[0])
    install(first)
    wait_until(lambda: is_served(one, first[0]), 10, "the repaired certificate")
    assert second[1].splitlines()[1] not in one.log
    one.stop()


def test_plain_http_on_the_https_port_gets_nothing_and_hurts_nobody(agent, tmp_path):
    pair = make_certificate(tmp_path, "only")
    one = agent(f"web: {{tls: {{cert_file: {tmp_path}/only.crt, key_file: {tmp_path}/only.key}}, limits: {{header_timeout: 1s}}}}",
                start=False).start(wait=False)
    wait_until(lambda: https_status(one, pair[0]) == 200, 10, "HTTPS")
    with socket.create_connection(("127.0.0.1", one.port), timeout=10 * SLOWNESS) as plain:
        plain.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        received = b""
        try:
            while chunk := plain.recv(4096):
                received += chunk
        except ConnectionResetError:
            pass
    assert b"alive" not in received
    # A handshake that never goes on is cut like a request that never does.
    with socket.create_connection(("127.0.0.1", one.port), timeout=10 * SLOWNESS) as silent:
        silent.sendall(b"\x16\x03\x01\x02\x00\x01")
        began = time.monotonic()
        try:
            while silent.recv(100):
                pass
        except ConnectionResetError:
            pass
        assert time.monotonic() - began < 5 * SLOWNESS
    assert https_status(one, pair[0]) == 200
    one.stop()
