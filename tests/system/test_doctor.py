"""`doctor` against real Apache Kafka with an authorizer: each right that is missing is named, and the line it prints gives it."""
import json
import shlex

import pytest

from kit import kafka_changes as changes
from kit import kafka_wire as wire
from kit.agent import run
from kit.base import free_ports, wait_until
from kit.kafka import NEW, OLD, ZOOKEEPER_ONLY, KafkaCluster

pytestmark = pytest.mark.kafka
PASSWORD, PROBE = "correct-horse-battery", "the-probe"
AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
ACL_TOOL = {NEW: "org.apache.kafka.tools.AclCommand", OLD: "kafka.admin.AclCommand"}
TOPIC, GROUP, CLUSTER = 2, 3, 4
READ, WRITE, CREATE, DESCRIBE, DESCRIBE_CONFIGS = 3, 4, 5, 8, 10
CREATE_ACLS, ANY_HOST, LITERAL, ALLOW = 30, "*", 3, 3
wire.FLEXIBLE_FROM[CREATE_ACLS] = 2
# A right: what kafka-acls calls it, and the features that lack it.
RIGHTS = {
    (DESCRIBE, TOPIC, "*"): ("--operation Describe --topic '*'", {
        "metadata", "commits", "share_offsets", "log_ends", "log_starts", "last_stable_offsets", "time_lag"}),
    (DESCRIBE, GROUP, "*"): ("--operation Describe --group '*'", {
        "groups", "consumer_protocol_groups", "share_groups", "streams_groups", "commits", "share_offsets"}),
    (DESCRIBE_CONFIGS, TOPIC, "*"): ("--operation DescribeConfigs --topic '*'", {"topic_settings"}),
    (DESCRIBE, CLUSTER, "kafka-cluster"): ("--operation Describe --cluster", {"log_dirs", "reassignments", "quorum"}),
    (CREATE, TOPIC, PROBE): (f"--operation Create --topic {PROBE}", {"probe_topic"}),
    (WRITE, TOPIC, PROBE): (f"--operation Write --topic {PROBE}", {"probe_produce"}),
    (READ, TOPIC, PROBE): (f"--operation Read --topic {PROBE}", {"probe_fetch"}),
}
OPTIONAL = "--operation Read --topic '*'"
USERS = ["admin", "nobody", "whole", "orders"] + [f"without-{index}" for index in range(len(RIGHTS))]


class Guarded:
    """A broker of `version` with an authorizer: a listener for its own kind, and one with SASL."""

    def __init__(self, version, folder):
        self.version, self.folder = version, folder
        self.cluster = KafkaCluster(version, folder / "kafka")
        node, self.port = self.cluster.nodes[0], free_ports()
        users = " ".join(f'user_{name}="{PASSWORD}"' for name in USERS)
        self.cluster.settings = {
            "listeners": f"PLAINTEXT://127.0.0.1:{node.port},CONTROLLER://127.0.0.1:{node.port + 1},GUARDED://127.0.0.1:{self.port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{node.port},GUARDED://127.0.0.1:{self.port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,GUARDED:SASL_PLAINTEXT",
            "listener.name.guarded.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.guarded.plain.sasl.jaas.config":
                f"org.apache.kafka.common.security.plain.PlainLoginModule required {users};",
            "authorizer.class.name": AUTHORIZER,
            "super.users": "User:ANONYMOUS;User:admin",
        }
        self.cluster.start()
        self.cluster.create_topics({"orders": 2, "payments": 1})
        changes.commit(self.cluster, "billing", {"orders": {0: 0}})
        login = f'org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="{PASSWORD}";'
        (folder / "admin.properties").write_text(
            f"security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config={login}\n")
        self.allow({f"without-{index}": [right for right in RIGHTS if right != lacking]
                    for index, lacking in enumerate(RIGHTS)} | {"whole": list(RIGHTS)})

    def allow(self, grants):
        """{user: [(operation, resource type, name), ...]}."""
        rows = [(user, *right) for user, rights in grants.items() for right in rights]
        body = wire.Body(False)

        def row(item):
            user, operation, kind, name = item
            body.number("b", kind).string(name).number("b", LITERAL).string(f"User:{user}").string(ANY_HOST)
            body.number("b", operation).number("b", ALLOW)
        with self.cluster.connect() as connection:
            reader = connection.read(CREATE_ACLS, 1, body.array(rows, row))
        reader.number("i")
        errors = reader.array(lambda: (reader.number("h"), reader.string()))
        assert not any(error for error, _ in errors), errors

    def config(self, user, probe=True, **more):
        file = self.folder / f"{user}.yaml"
        file.write_text(json.dumps({"clusters": [{
            "name": "guarded", "bootstrap_servers": [f"127.0.0.1:{self.port}"], "request_timeout": "5s",
            "sasl": {"mechanism": "PLAIN", "username": user, "password": PASSWORD},
            "probe": {"enabled": probe, "topic": PROBE}, **more}]}))
        return file

    def command(self, user, right):
        """The line that must be printed."""
        return (f"kafka-acls --bootstrap-server 127.0.0.1:{self.port} --command-config admin.properties --add "
                f"--allow-principal User:{user} {right}")

    def execute(self, line):
        """What an administrator does with it."""
        words = shlex.split(line)
        assert words[0] == "kafka-acls"
        words = [str(self.folder / word) if word == "admin.properties" else word for word in words[1:]]
        self.cluster.java(ACL_TOOL[self.version], *words)


@pytest.fixture(scope="module", params=[NEW, OLD])
def guarded(request, tmp_path_factory):
    one = Guarded(request.param, tmp_path_factory.mktemp("guarded"))
    yield one
    one.cluster.stop()


def findings(build, *arguments):
    done = run(build, "doctor", "--json", *arguments)
    assert PASSWORD not in done.stdout + done.stderr
    return done.returncode, json.loads(done.stdout)


def states(report, state):
    return {row["name"] for row in report["features"] if row["state"] == state}


def test_every_missing_right_is_named_with_its_line(build, guarded):
    config = guarded.config("whole")
    code, report = wait_until(lambda: (found := findings(build, "--config", config))[0] == 0 and found, 15,
                              "every right being there")
    assert report["result"] == "ok" and report["commands"] == [] and report["mode"] == "kraft"
    assert report["principal"] == "User:whole" and report["principal_is_known"]
    assert report["brokers"][0]["kafka_version"] == guarded.version.rsplit(".", 1)[0]
    assert abs(report["clock_difference_ms"]) <= report["clock_error_ms"] + 5, report
    assert report["visible_topics"] >= 2 and report["visible_groups"] == 1
    assert report["optional_commands"] == [guarded.command("whole", OPTIONAL)]
    absent = states(report, "absent")
    for index, (line, features) in enumerate(RIGHTS.values()):
        user = f"without-{index}"
        code, report = findings(build, "--config", guarded.config(user))
        assert code == 1 and report["result"] == "missing", (line, report)
        assert report["commands"] == [guarded.command(user, line)], (line, report)
        assert states(report, "missing") - {"transaction_markers"} == features - absent, (line, report)
        assert states(report, "unknown") == set(), (line, report)


def test_the_printed_lines_give_what_is_missing(build, guarded):
    config = guarded.config("nobody")
    done = run(build, "doctor", "--config", config)
    assert done.returncode == 1 and "Something is missing" in done.stdout
    _, report = findings(build, "--config", config)
    lines = report["commands"] + report["optional_commands"]
    assert set(lines) == {guarded.command("nobody", line) for line in [row[0] for row in RIGHTS.values()] + [OPTIONAL]}
    assert report["visible_topics"] == report["visible_groups"] == 0
    for line in lines:
        assert f"  {line}\n" in done.stdout
        guarded.execute(line)
    code, report = wait_until(lambda: (found := findings(build, "--config", config))[0] == 0 and found, 15,
                              "every right being there")
    assert states(report, "missing") == set() and report["commands"] == report["optional_commands"] == []
    with guarded.cluster.connect() as connection:
        assert connection.leaders(PROBE)[2] != 0, "doctor made the probe's topic"


def test_rights_on_what_the_configuration_watches_are_enough(build, guarded):
    """Topics and groups that are chosen by name need no rights on all."""
    guarded.allow({"orders": [(DESCRIBE, TOPIC, "orders"), (DESCRIBE_CONFIGS, TOPIC, "orders"), (DESCRIBE, GROUP, "billing"),
                              (DESCRIBE, CLUSTER, "kafka-cluster")]})
    config = guarded.config("orders", probe=False, topics={"include": ["ord.*"]}, groups={"include": ["bill.*"]})
    wait_until(lambda: findings(build, "--config", config)[0] == 0, 15, "every right being there")
    code, report = findings(build, "--config", guarded.config("orders", probe=False))
    assert code == 1 and report["visible_topics"] == 1
    assert report["commands"] == [guarded.command("orders", right) for right in (
        "--operation Describe --topic '*'", "--operation Describe --group '*'", "--operation DescribeConfigs --topic '*'")]


def test_what_cannot_be_reached_says_why(build, guarded):
    config = json.loads(guarded.config("whole").read_text())
    cluster, closed = config["clusters"][0], free_ports()
    cluster["bootstrap_servers"] = [f"127.0.0.1:{closed}", "no-such-host.invalid:9092", f"127.0.0.1:{guarded.port}"]
    file = guarded.folder / "case.yaml"
    file.write_text(json.dumps(config))
    code, report = findings(build, "--config", file)
    assert code == 0 and [row["cause"] for row in report["servers"]] == ["refused", "dns", None]
    cases = {"authentication": {"sasl": cluster["sasl"] | {"password": "not-the-password"}},
             "closed": {"sasl": {}}, "tls": {"tls": {"enabled": True}}}
    for cause, change in cases.items():
        file.write_text(json.dumps({"clusters": [cluster | {"bootstrap_servers": [f"127.0.0.1:{guarded.port}"]} | change]}))
        code, report = findings(build, "--config", file)
        assert code == 2 and report["result"] == "unreachable" and report["features"] == [], (cause, report)
        assert report["servers"][0]["cause"] == cause, report
    for arguments in ([], ["--config", file, "--cluster", "other"], ["--bootstrap", "no-port"]):
        done = run(build, "doctor", *arguments)
        assert done.returncode == 2 and done.stdout == "" and done.stderr, arguments


def test_brokers_that_lack_an_api_are_named(build, kafka):
    cluster = kafka(ZOOKEEPER_ONLY)
    code, report = findings(build, "--bootstrap", cluster.bootstrap)
    assert code == 0 and report["mode"] == "zookeeper" and report["clock_difference_ms"] is None
    assert report["brokers"][0]["kafka_version"] == "2.8" and report["principal"] == "User:ANONYMOUS"
    assert states(report, "absent") == {"consumer_protocol_groups", "share_groups", "streams_groups", "share_offsets", "quorum"}
    quorum = next(row for row in report["features"] if row["name"] == "quorum")
    assert quorum["apis"][0]["lacking"] == [{"broker": 1, "error": "the broker does not offer describe_quorum"}]
    done = run(build, "doctor", "--bootstrap", cluster.bootstrap)
    assert "broker 1: the broker does not offer describe_quorum (since Kafka 3.0)" in done.stdout
