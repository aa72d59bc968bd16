"""TLS and SASL against real Apache Kafka: one broker with many listeners, one agent with a cluster for each."""
import base64
import http.server
import json
import os
import shutil
import socket
import ssl
import threading
import time
import urllib.parse

import pytest

from kit.agent import run
from kit.base import free_ports, wait_until
from kit.certificates import Authority
from kit.kafka import NEW, OLD, KafkaCluster
from kit.relay import Relay

pytestmark = pytest.mark.kafka
USER, PASSWORD, WRONG = "agent-user", "correct-horse-battery", "not-the-password-at-all"
CLIENT_ID, CLIENT_SECRET = "the-agent", "client-secret-of-the-agent"
VALIDATOR = "org.apache.kafka.common.security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler"
REAUTH_MS = 5000
# Listener: its protocol, its certificate, whether it asks for one.
LISTENERS = {
    "SASLPLAIN": ("SASL_PLAINTEXT", None, None), "SASLTLS": ("SASL_SSL", "good", None), "TLS": ("SSL", "good", None),
    "MUTUAL": ("SSL", "good", "required"), "EXPIRED": ("SSL", "expired", None), "OTHERNAME": ("SSL", "othername", None),
    "OAUTH": ("SASL_PLAINTEXT", None, None), "REAUTH": ("SASL_SSL", "good", None),
}


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


if has_ipv6():
    LISTENERS["SIX"] = ("SSL", "good", None)


def jaas(module, options):
    return f"org.apache.kafka.common.security.{module} required {options};"


class Secured:
    """A broker of `version`: every listener of LISTENERS, and PLAINTEXT."""

    def __init__(self, version, folder):
        self.folder = folder
        self.authority = Authority(folder / "pki")
        Authority(folder / "pki", "other-ca")
        for name, options in {"good": {"names": "DNS:localhost,IP:127.0.0.1,IP:::1"}, "expired": {"expired": True}, "othername": {"names": "DNS:kafka-7.example"},
                              "client": {}}.items():
            self.authority.issue(name, **options)
        self.cluster = KafkaCluster(version, folder / "kafka")
        first = free_ports(len(LISTENERS))
        self.ports = {name: first + index for index, name in enumerate(LISTENERS)}
        self.relay_port = free_ports()  # what MUTUAL's clients are told: connections that a test can cut
        self.ports["PLAINTEXT"] = self.cluster.nodes[0].port
        self.cluster.settings = self.settings()
        self.cluster.format_options = [word for kind in ("SCRAM-SHA-256", "SCRAM-SHA-512")
                                       for word in ("-S", f"{kind}=[name={USER},password={PASSWORD}]")]
        self.relay = Relay(self.relay_port, self.ports["MUTUAL"])
        self.cluster.start()

    def stop(self):
        self.cluster.stop()
        self.relay.close()

    def settings(self):
        node = self.cluster.nodes[0]
        hosts = {name: f"{name}://127.0.0.1:{port}" for name, port in self.ports.items()}
        if "SIX" in hosts:
            hosts["SIX"] = f"SIX://[::1]:{self.ports['SIX']}"
        told = {name: f"{name}://localhost:{port}" for name, port in (self.ports | {"MUTUAL": self.relay_port}).items()}
        if "SIX" in told:
            told["SIX"] = hosts["SIX"]
        protocols = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT"} | {name: row[0] for name, row in LISTENERS.items()}
        lines = {
            "listeners": ",".join([*hosts.values(), f"CONTROLLER://127.0.0.1:{node.port + 1}"]),
            "advertised.listeners": ",".join(told.values()),
            "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
            "connection.failed.authentication.delay.ms": 0,
        }
        plain = jaas("plain.PlainLoginModule", f'username="b" password="b" user_{USER}="{PASSWORD}"')
        scram = jaas("scram.ScramLoginModule", "")
        for name, (protocol, certificate, client) in LISTENERS.items():
            prefix = f"listener.name.{name.lower()}."
            if certificate:
                lines |= {f"{prefix}ssl.keystore.type": "PEM",
                          f"{prefix}ssl.keystore.location": self.folder / "pki" / f"{certificate}.both",
                          f"{prefix}ssl.truststore.type": "PEM", f"{prefix}ssl.truststore.location": self.authority.cert,
                          f"{prefix}ssl.client.auth": client or "none"}
            if name == "OAUTH":
                lines |= {f"{prefix}sasl.enabled.mechanisms": "OAUTHBEARER",
                          f"{prefix}oauthbearer.sasl.server.callback.handler.class": VALIDATOR,
                          f"{prefix}oauthbearer.connections.max.reauth.ms": REAUTH_MS,
                          f"{prefix}oauthbearer.sasl.jaas.config": jaas("oauthbearer.OAuthBearerLoginModule", "")}
            elif protocol.startswith("SASL"):
                lines |= {f"{prefix}sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
                          f"{prefix}plain.sasl.jaas.config": plain, f"{prefix}scram-sha-256.sasl.jaas.config": scram,
                          f"{prefix}scram-sha-512.sasl.jaas.config": scram}
            if name == "REAUTH":
                lines |= {f"{prefix}{kind}.connections.max.reauth.ms": REAUTH_MS for kind in ("plain", "scram-sha-512")}
        return lines

    def file(self, name):
        return self.folder / "pki" / name

    def server(self, listener, host="localhost"):
        return f"{host}:{self.ports[listener]}"

    def tls(self, ca="ca.pem", **more):
        return {"enabled": True, "ca_file": str(self.file(ca)), **{key: str(value) for key, value in more.items()}}


@pytest.fixture(scope="module")
def new(tmp_path_factory):
    one = Secured(NEW, tmp_path_factory.mktemp("secured"))
    yield one
    one.stop()


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    one = Secured(OLD, tmp_path_factory.mktemp("secured"))
    yield one
    one.stop()


def config(clusters):
    """{name: (server, tls, sasl)} as a configuration file; JSON is YAML."""
    rows = [{"name": name, "bootstrap_servers": server if isinstance(server, list) else [server], "interval": "1s",
             "request_timeout": "3s", **({"tls": tls} if tls else {}), **({"sasl": sasl} if sasl else {})}
            for name, (server, tls, sasl) in clusters.items()]
    checks = [{"name": name, "type": "kafka", "cluster": name, "interval": "1s"} for name in clusters]
    return json.dumps({"clusters": rows, "checks": checks + [{"name": "kafka", "enabled": False}]})


def password(mechanism, secret=PASSWORD, user=USER):
    return {"mechanism": mechanism, "username": user, "password": secret}


def token(lifetime_s=3600, subject="the-agent"):
    """An unsecured JWS (RFC 7515, appendix A.5), which the test broker's validator takes."""
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    now = time.time()
    return f"{part({'alg': 'none'})}.{part({'sub': subject, 'iat': now - 1, 'exp': now + lifetime_s})}."


def good(secured):
    return {
        "plain": (secured.server("SASLPLAIN"), None, password("PLAIN")),
        "scram256": (secured.server("SASLPLAIN"), None, password("SCRAM-SHA-256")),
        "scram512": (secured.server("SASLPLAIN"), None, password("SCRAM-SHA-512")),
        "saslssl": (secured.server("SASLTLS"), secured.tls(), password("SCRAM-SHA-512")),
        "tls": (secured.server("TLS", "127.0.0.1"), secured.tls(), None),
        "mutual": (secured.server("MUTUAL"),
                   secured.tls(cert_file=secured.file("client.pem"), key_file=secured.file("client.key")), None),
        "named": (secured.server("OTHERNAME"), secured.tls(server_name="kafka-7.example"), None),
        "oauth": (secured.server("OAUTH"), None, {"mechanism": "OAUTHBEARER", "token": token()}),
    }


@pytest.mark.parametrize("version", ["new", "old"])
def test_every_way_in_that_kafka_offers_works(version, request, agent):
    secured = request.getfixturevalue(version)
    watcher = agent(config(good(secured)))
    for name in good(secured):
        result = watcher.wait_for_check(name, "healthy", 15)
        assert result["message"] == "Kafka cluster accessible with 1 brokers", (name, result)
    assert PASSWORD not in watcher.log
    watcher.wait_for_log("plain: PLAIN without tls sends its secret readable")
    assert "scram512: SCRAM" not in watcher.log


def bad(secured):
    """{name: ((server, tls, sasl), what the check must say)}"""
    tls, file = secured.tls, secured.file
    return {
        "wrong-password": ((secured.server("SASLPLAIN"), None, password("SCRAM-SHA-256", WRONG)),
                           f"authentication by SCRAM-SHA-256 as '{USER}' failed"),
        "wrong-plain": ((secured.server("SASLPLAIN"), None, password("PLAIN", WRONG)),
                        f"authentication by PLAIN as '{USER}' failed: Authentication failed: Invalid username or password"),
        "unknown-user": ((secured.server("SASLTLS"), tls(), password("SCRAM-SHA-512", user="nobody")),
                         "authentication by SCRAM-SHA-512 as 'nobody' failed"),
        "wrong-mechanism": ((secured.server("OAUTH"), None, password("SCRAM-SHA-512")),
                            "the broker does not take SASL mechanism SCRAM-SHA-512 here; it takes OAUTHBEARER"),
        "bad-token": ((secured.server("OAUTH"), None, {"mechanism": "OAUTHBEARER", "token": "no.jws.at-all"}),
                      "authentication by OAUTHBEARER failed: invalid_token"),
        "old-token": ((secured.server("OAUTH"), None, {"mechanism": "OAUTHBEARER", "token": token(-60)}),
                      "the OAUTHBEARER token expired at 20"),
        "expired": ((secured.server("EXPIRED"), tls(), None), "the peer's certificate (/CN=expired) expired on 20"),
        "wrong-name": ((secured.server("OTHERNAME"), tls(), None),
                       "is for another name than 'localhost': it holds kafka-7.example"),
        "unknown-ca": ((secured.server("TLS"), tls("other-ca.pem"), None), "comes from an unknown authority"),
        "no-client": ((secured.server("MUTUAL"), tls(), None), "the peer asks for a client certificate"),
        "tls-to-plain": ((secured.server("PLAINTEXT"), tls(), None), "is this a plaintext listener?"),
        "plain-to-tls": ((secured.server("TLS"), None, None), "tls"),
        "no-sasl": ((secured.server("SASLPLAIN"), None, None), "should sasl be set?"),
        "sasl-to-plain": ((secured.server("PLAINTEXT"), None, password("PLAIN")),
                          "is this a listener without authentication?"),
        "no-ca-file": ((secured.server("TLS"), tls("none.pem"), None), "none.pem': No such file or directory"),
        "no-key": ((secured.server("MUTUAL"), tls(cert_file=file("client.pem"), key_file=file("good.key")), None),
                   "it is not the key of cert_file"),
    }


def test_every_way_to_fail_names_its_cause_and_no_secret(new, agent):
    cases = bad(new)
    watcher = agent(config({name: row for name, (row, _) in cases.items()}))
    for name, (_, words) in cases.items():
        result = watcher.wait_for_check(name, "unhealthy", 15)
        wait_until(lambda: words in watcher.check(name)["message"], 10, f"{name}: {words!r} in {result['message']!r}")
        assert watcher.check(name)["message"].startswith("No Kafka brokers available: "), result
    cycles_of(watcher, "wrong-password", 3)
    everything = watcher.log + watcher.get("/health").text + watcher.get("/clusters").text
    for secret in (PASSWORD, WRONG, "no.jws.at-all"):
        assert secret not in everything
    for name in ("wrong-password", "expired"):
        words = cases[name][1]
        lines = wait_until(lambda: [line for line in watcher.log.splitlines()
                                    if words in line and "kafka.disconnected" in line], 5, "the outage in the log")
        assert len(lines) == 1, f"{name} is told once, not with every attempt: {lines}"


def cycles_of(watcher, name, count):
    """Waits for `count` more cycles."""
    def cycles():
        return sum(value for labels, value in watcher.series("kafka_ops_collector_cycle_duration_seconds_count")
                   if labels["cluster"] == name)
    enough = cycles() + count * 2  # each has at least two phases
    wait_until(lambda: cycles() >= enough, 15, f"{count} more cycles of {name}")


def test_certificates_and_secrets_are_read_again_without_a_restart(new, agent, tmp_path):
    files = {name: tmp_path / name for name in ("ca.pem", "client.pem", "client.key", "password")}

    def put(name, source):
        fresh = tmp_path / "fresh"
        if isinstance(source, str):
            fresh.write_text(source)
        else:
            shutil.copy(source, fresh)
        os.replace(fresh, files[name])

    put("ca.pem", new.file("other-ca.pem"))
    put("client.pem", new.file("client.pem"))
    put("client.key", new.file("client.key"))
    put("password", WRONG + "\n")
    sasl = {"mechanism": "SCRAM-SHA-512", "username": USER, "password_file": str(files["password"])}
    watcher = agent(config({
        "mutual": (new.server("MUTUAL"), {"enabled": True, "ca_file": str(files["ca.pem"]),
                                          "cert_file": str(files["client.pem"]), "key_file": str(files["client.key"])}, None),
        "sasl": (new.server("SASLPLAIN"), None, sasl)}))
    for name, words in {"mutual": "unknown authority", "sasl": "authentication by SCRAM-SHA-512"}.items():
        wait_until(lambda: words in watcher.check(name)["message"], 10, f"{name}: {words}")
    put("ca.pem", new.authority.cert)
    put("password", PASSWORD + "\n")
    for name in ("mutual", "sasl"):
        watcher.wait_for_check(name, "healthy", 20)
    # Bad files: told once, what was read before stays in use for new connections.
    put("client.key", "not a key\n")
    refused = "mutual: the changed certificates and secrets are not used: "
    wait_until(lambda: new.relay.cut() or refused in watcher.log, 10, "the bad file being met", every=0.5)
    for _ in range(2):
        before = reconnects(watcher)
        new.relay.cut()
        wait_until(lambda: reconnects(watcher) > before, 10, "a new connection")
        watcher.wait_for_check("mutual", "healthy", 10)
    assert watcher.log.count(refused) == 1, watcher.log
    # Another certificate of the same authority.
    new.authority.issue("client-2")
    put("client.pem", new.file("client-2.pem"))
    put("client.key", new.file("client-2.key"))
    wait_until(lambda: new.relay.cut() or "mutual: certificates and secrets were read again" in
               watcher.log.split(refused)[1], 10, "the new certificate in use", every=0.5)
    watcher.wait_for_check("mutual", "healthy", 10)
    assert PASSWORD not in watcher.log and WRONG not in watcher.log


class TokenEndpoint:
    """Gives unsecured tokens for the client credentials grant over HTTPS; counts, and may refuse."""

    def __init__(self, lifetime_s, certificate):
        self.requests, self.refuses = [], False
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                endpoint.requests.append((dict(self.headers), form))
                answer = {"error": "invalid_client", "error_description": "go away"} if endpoint.refuses else {
                    "access_token": token(lifetime_s), "token_type": "Bearer", "expires_in": lifetime_s}
                body = json.dumps(answer).encode()
                self.send_response(401 if endpoint.refuses else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://localhost:{self.server.server_port}/token"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def test_sessions_are_renewed_before_they_end_and_nothing_is_ever_unhealthy(new, agent, tmp_path):
    endpoint = TokenEndpoint(lifetime_s=10, certificate=new.file("good.both"))
    token_file = tmp_path / "token"
    token_file.write_text(token(8))
    sasl = {"mechanism": "OAUTHBEARER", "token_url": endpoint.url,
            "token_ca_file": str(new.authority.cert), "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET, "scope": "kafka read"}
    names = {
        "scram": (new.server("REAUTH"), new.tls(), password("SCRAM-SHA-512")),
        "plain": (new.server("REAUTH"), new.tls(), password("PLAIN")),
        "granted": (new.server("OAUTH"), None, sasl),
        "filed": (new.server("OAUTH"), None, {"mechanism": "OAUTHBEARER", "token_file": str(token_file)}),
    }
    try:
        watcher = agent(config(names))
        for name in names:
            watcher.wait_for_check(name, "healthy", 15)
        before = reconnects(watcher)
        end = time.monotonic() + 2.6 * REAUTH_MS / 1000
        while time.monotonic() < end:
            for name in names:
                result = watcher.check(name)
                assert result["status"] == "healthy", (name, result, watcher.log[-3000:])
            token_file.with_suffix(".new").write_text(token(8))
            os.replace(token_file.with_suffix(".new"), token_file)
            time.sleep(0.3)
        assert reconnects(watcher) == before, watcher.log[-3000:]
        handshakes = {labels["cluster"]: value for labels, value in watcher.series("kafka_ops_kafka_requests_total")
                      if labels["api"] == "sasl_handshake" and labels["broker"] != "bootstrap"}
        assert all(handshakes[name] >= 3 for name in names), handshakes
        headers, form = endpoint.requests[0]
        assert form == {"grant_type": ["client_credentials"], "scope": ["kafka read"]}
        assert base64.b64decode(headers["Authorization"].split()[1]).decode() == f"{CLIENT_ID}:{CLIENT_SECRET}"
        assert len(endpoint.requests) >= 2, "tokens are fetched again before they end"
        endpoint.refuses = True
        wait_until(lambda: "the token endpoint answers 401: invalid_client: go away" in watcher.check("granted")["message"],
                   20, "the endpoint's refusal in the check")
        watcher.wait_for_log("granted: no new token: the token endpoint answers 401")
        assert CLIENT_SECRET not in watcher.log and "eyJ" not in watcher.log
    finally:
        endpoint.close()


def reconnects(watcher):
    return sum(value for _, value in watcher.series("kafka_ops_kafka_reconnects_total"))


def test_a_reload_takes_changed_credentials(new, agent):
    watcher = agent(config({"one": (new.server("SASLPLAIN"), None, password("PLAIN", WRONG))}))
    watcher.wait_for_check("one", "unhealthy")
    watcher.write_config(config({"one": (new.server("SASLPLAIN"), None, password("PLAIN"))}))
    assert watcher.post("/-/reload").status == 200
    watcher.wait_for_check("one", "healthy", 15)
    assert PASSWORD not in watcher.log and WRONG not in watcher.log


def test_other_servers_are_tried_and_ipv6_works(new, agent):
    dead = free_ports()
    clusters = {"second": ([f"127.0.0.1:{dead}", f"[::1]:{dead}", new.server("TLS")], new.tls(), None),
                "refused": ([f"[::1]:{dead}"], new.tls(), None)}
    if "SIX" in new.ports:
        clusters["six"] = ([f"[::1]:{new.ports['SIX']}"], new.tls(), None)
    watcher = agent(config(clusters))
    for name in clusters.keys() - {"refused"}:
        watcher.wait_for_check(name, "healthy", 15)
    assert f"cannot connect to ::1:{dead}" in watcher.wait_for_check("refused", "unhealthy", 10)["message"]


def test_settings_are_judged_and_secrets_masked(build, tmp_path):
    file = tmp_path / "koa.yaml"
    cases = [
        ({}, {"mechanism": "GSSAPI"}, "sasl.mechanism 'GSSAPI' must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER"),
        ({}, {"mechanism": "PLAIN", "username": "u"}, "sasl.mechanism PLAIN needs sasl.username and sasl.password"),
        ({}, {"mechanism": "OAUTHBEARER"}, "needs one of sasl.token, sasl.token_file and sasl.token_url"),
        ({}, {"mechanism": "OAUTHBEARER", "token_url": "https://idp.example/token"}, "needs sasl.client_id and sasl.client_secret"),
        ({"enabled": True, "cert_file": "/x"}, {}, "tls.cert_file and tls.key_file must be set together"),
    ]
    for tls, sasl, words in cases:
        file.write_text(config({"one": ("localhost:9092", tls, sasl)}))
        done = run(build, "check-config", file)
        assert done.returncode == 2 and words in done.stdout + done.stderr, (words, done)
        assert f"{file}:1:" in done.stdout + done.stderr, done
    secret = tmp_path / "secret"
    secret.write_text("secret-from-a-file\n")
    file.write_text(config({"one": ("localhost:9092", {"enabled": True, "key_password": PASSWORD},
                                    {"mechanism": "PLAIN", "username": "u", "password_file": str(secret)})}))
    done = run(build, "check-config", file)
    assert done.returncode == 0, done
    assert PASSWORD not in done.stdout and "secret-from-a-file" not in done.stdout
    assert str(secret) in done.stdout
