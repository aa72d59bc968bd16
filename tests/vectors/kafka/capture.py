#!/usr/bin/env python3
"""Starts a real broker, makes topics, records and groups of every kind on it, and keeps both sides' bytes of each API and version.

usage: capture.py VERSION [FOLDER]

Each file is one whole frame as it stood on the wire, its four bytes of length included:
<api>-v<version>[-<what>].request.bin and .response.bin in FOLDER, by default the one named VERSION beside this file.
"""
import pathlib
import sys
import tempfile

import bodies
from kit import kafka, kafka_groups as groups, kafka_wire as wire
from kit.base import free_ports, wait_until

HERE = pathlib.Path(__file__).parent
SCRAM_JAAS = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
OURS = {wire.PRODUCE: (3, 13), wire.FETCH: (4, 18), wire.LIST_OFFSETS: (0, 11), wire.METADATA: (0, 13),
        wire.OFFSET_FETCH: (1, 10), wire.FIND_COORDINATOR: (0, 6), wire.DESCRIBE_GROUPS: (0, 6), wire.LIST_GROUPS: (0, 5),
        wire.SASL_HANDSHAKE: (0, 1), wire.API_VERSIONS: (0, 5), wire.CREATE_TOPICS: (2, 7), wire.DESCRIBE_CONFIGS: (1, 4),
        wire.DESCRIBE_LOG_DIRS: (1, 5), wire.SASL_AUTHENTICATE: (0, 2), wire.LIST_PARTITION_REASSIGNMENTS: (0, 0),
        wire.DESCRIBE_QUORUM: (0, 2), wire.DESCRIBE_CLUSTER: (0, 2), wire.CONSUMER_GROUP_DESCRIBE: (0, 1),
        wire.SHARE_GROUP_DESCRIBE: (1, 1), wire.STREAMS_GROUP_DESCRIBE: (0, 1), wire.DESCRIBE_SHARE_GROUP_OFFSETS: (0, 1)}
TOPICS = {"orders": 3, "payments": 1}
EVERYTHING = {name: list(range(count)) for name, count in TOPICS.items()}
ALTER_SCRAM = 51
NONCE, SALT, ITERATIONS, PASSWORD = "rOprNGfwEbeRWgbNEkqO", b"salt of sixteen.", 4096, b"alice-word"
JAAS = ("org.apache.kafka.common.security.plain.PlainLoginModule required username=\"broker\" "
        "password=\"broker-word\" user_broker=\"broker-word\" user_alice=\"alice-word\";")


class Capture:
    def __init__(self, connection, folder):
        self.connection, self.folder = connection, folder
        self.known = connection.version_ranges()
        self.ids = {}

    def versions(self, api):
        """Those that the broker and the agent have in common."""
        low, high = self.known.get(api, (1, 0))
        return range(max(low, OURS[api][0]), min(high, OURS[api][1]) + 1)

    def keep(self, name, frames):
        for kind, data in zip(("request", "response"), frames):
            (self.folder / f"{name}.{kind}.bin").write_bytes(data)

    def each(self, api, name, body, what="", only_newest=False, connection=None):
        """`body(version)` gives the request's body, or None to leave the version out."""
        versions = self.versions(api)
        for version in versions[-1:] if only_newest else versions:
            request = body(version)
            if request is not None:
                answer = (connection or self.connection).ask(api, version, request)
                self.keep(f"{name}-v{version}{what}", answer)

    def newest(self, api, name, what, body):
        self.each(api, name, body, what, only_newest=True)

    def learn_ids(self):
        """Topic ids, by Metadata version 10."""
        if self.known[wire.METADATA][1] < 10:
            return
        reader = self.connection.read(wire.METADATA, 10, wire.metadata(10))
        reader.number("i")
        reader.array(lambda: (reader.number("i"), reader.string(), reader.number("i"), reader.string(), reader.tags()))
        reader.string(), reader.number("i")

        def partition():
            reader.number("h"), reader.number("i"), reader.number("i"), reader.number("i")
            for _ in range(3):
                reader.array(lambda: reader.number("i"))
            reader.tags()

        def topic():
            reader.number("h")
            name, identity = reader.string(), reader.raw(16)
            reader.number("b"), reader.array(partition), reader.number("i"), reader.tags()
            self.ids[name] = identity
        reader.array(topic)


def capture_cluster(capture):
    """What the first version of the agent asked; first, while the topics are the only ones."""
    capture.each(wire.API_VERSIONS, "api_versions", bodies.api_versions)
    # A version from the future: answered in version 0 with UNSUPPORTED_VERSION (KIP-511).
    capture.keep("api_versions-unsupported", capture.connection.ask(wire.API_VERSIONS, 99, bodies.api_versions(3)))
    capture.each(wire.METADATA, "metadata", wire.metadata)
    capture.newest(wire.METADATA, "metadata", "-named", lambda v: wire.metadata(v, [*TOPICS, "no-such-topic"]))
    capture.each(wire.DESCRIBE_CLUSTER, "describe_cluster", wire.describe_cluster)


def capture_list_offsets(capture):
    capture.each(wire.LIST_OFFSETS, "list_offsets", lambda v: list_offsets(v, EVERYTHING, -1))
    capture.each(wire.LIST_OFFSETS, "list_offsets", lambda v: list_offsets(v, EVERYTHING, -2), "-start")
    capture.newest(wire.LIST_OFFSETS, "list_offsets", "-errors",
                   lambda v: list_offsets(v, {"no-such-topic": [0], "orders": [0, 0, 9999]}, -1))


def list_offsets(version, topics, timestamp):
    if version > 0:
        return wire.list_offsets(version, topics, timestamp)
    body = wire.Body(False).number("i", -1)
    return body.array(list(topics.items()), lambda item: body.string(item[0]).array(
        item[1], lambda index: body.number("i", index).number("q", timestamp).number("i", 1)))


def capture_topics(capture):
    capture.each(wire.CREATE_TOPICS, "create_topics",
                 lambda v: bodies.create_topics(v, {"created": 2, "orders": 1, "bad name": 1}))
    wanted = [(2, "orders", ["retention.ms", "min.insync.replicas", "no.such.key"]), (2, "no-such-topic", ["retention.ms"]),
              (4, "1", ["log.retention.hours", "ssl.keystore.password", "broker.id"])]
    capture.each(wire.DESCRIBE_CONFIGS, "describe_configs", lambda v: bodies.describe_configs(v, wanted))
    # 2.8.2 refuses the whole request for the one type it does not know.
    capture.newest(wire.DESCRIBE_CONFIGS, "describe_configs", "-errors",
                   lambda v: bodies.describe_configs(v, [(2, "orders", ["retention.ms"]), (99, "x", None)]))
    capture.newest(wire.DESCRIBE_CONFIGS, "describe_configs", "-all",
                   lambda v: bodies.describe_configs(v, [(2, "payments", None)], documentation=0))
    capture.each(wire.DESCRIBE_LOG_DIRS, "describe_log_dirs", bodies.describe_log_dirs)
    capture.newest(wire.DESCRIBE_LOG_DIRS, "describe_log_dirs", "-named",
                   lambda v: bodies.describe_log_dirs(v, {"orders": [0, 99], "no-such-topic": [0]}))
    capture.each(wire.DESCRIBE_QUORUM, "describe_quorum", lambda v: bodies.describe_quorum(v, "__cluster_metadata"))
    capture.newest(wire.DESCRIBE_QUORUM, "describe_quorum", "-errors", lambda v: bodies.describe_quorum(v, "orders"))
    capture.each(wire.LIST_PARTITION_REASSIGNMENTS, "list_partition_reassignments", bodies.list_partition_reassignments)


def capture_records(capture):
    """Produces in every version, then a batch of each kind; then fetches them in every version."""
    connection, ids = capture.connection, capture.ids
    values = [b"first", None, b""]
    capture.each(wire.PRODUCE, "produce", lambda v: bodies.produce(v, {("orders", 1): bodies.batch(values)}, ids))
    refused = bytearray(bodies.batch(values))
    refused[-1] ^= 1
    capture.newest(wire.PRODUCE, "produce", "-errors", lambda v: bodies.produce(
        v, {("no-such-topic", 0): bodies.batch(values), ("orders", 99): bodies.batch(values)}, ids))
    capture.newest(wire.PRODUCE, "produce", "-refused", lambda v: bodies.produce(v, {("orders", 2): bytes(refused)}, ids))

    def send(records, transaction=None):
        reader = connection.read(wire.PRODUCE, 3, bodies.produce(3, {("payments", 0): records}, ids, transaction))
        error = reader.array(lambda: (reader.string(), reader.array(lambda: (reader.number("i"), reader.number("h"), reader.raw(16)))))
        assert error[0][1][0][1] == 0, error
    send(bodies.batch([b"plain"]))
    send(bodies.batch([b"packed"] * 20, codec=1))
    for name, is_committed in (("commits", 1), ("aborts", 0)):
        producer = groups.start_transaction(connection, name, "payments", 0)
        send(bodies.batch([name.encode()] * 2, producer, 0), name)
        groups.end_transaction(connection, name, producer, is_committed)
    producer = groups.start_transaction(connection, "stays-open", "payments", 0)
    send(bodies.batch([b"open"], producer, 0), "stays-open")
    wanted = {("payments", 0): 0, ("orders", 1): 1}
    capture.each(wire.FETCH, "fetch", lambda v: bodies.fetch(v, wanted, ids))
    capture.each(wire.FETCH, "fetch", lambda v: bodies.fetch(v, wanted, ids, isolation=1), "-committed")
    capture.newest(wire.FETCH, "fetch", "-errors", lambda v: bodies.fetch(v, {("no-such-topic", 0): 0, ("orders", 0): 1000}, ids))


def make_groups(capture):
    connection = capture.connection
    groups.commit(connection, "empty", {"orders": {0: (3, "a note"), 1: (0, None), 2: (7, "")}, "payments": {0: (1, None)}})
    member, generation = groups.join_classic(connection, "live", {"orders": [0, 1, 2]}, instance="static-1")
    groups.commit(connection, "live", {"orders": {0: (5, None)}}, member, generation)
    groups.join_classic(connection, "dynamic", {"orders": [1], "payments": [0]})
    if capture.versions(wire.CONSUMER_GROUP_DESCRIBE):
        newest = capture.known[wire.CONSUMER_GROUP_HEARTBEAT][1]
        groups.join_consumer(connection, "modern", ["orders", "payments"], instance="static-2", version=newest)
        groups.commit(connection, "modern-empty", {"orders": {0: (1, None)}})
        if newest >= 1:
            groups.join_consumer(connection, "modern-regex", [], regex="pay.*")
    if capture.versions(wire.SHARE_GROUP_DESCRIBE):
        member, _ = groups.join_share(connection, "shared", ["orders"])
        groups.read_share(connection, "shared", member, "orders", capture.ids["orders"], 1)
        connection.send("orders", 1, 3)
    if capture.versions(wire.STREAMS_GROUP_DESCRIBE):
        groups.join_streams(connection, "streaming", "orders")


def capture_groups(capture):
    capture.each(wire.LIST_GROUPS, "list_groups", bodies.list_groups)
    capture.each(wire.LIST_GROUPS, "list_groups",
                 lambda v: bodies.list_groups(v, ["Empty"], ["classic"]) if v >= 4 else None, "-filtered")
    capture.each(wire.DESCRIBE_GROUPS, "describe_groups",
                 lambda v: bodies.describe_groups(v, ["live", "dynamic", "empty", "modern", "absent"]))
    capture.each(wire.FIND_COORDINATOR, "find_coordinator", lambda v: bodies.find_coordinator(v, ["empty", "live"]))
    capture.newest(wire.FIND_COORDINATOR, "find_coordinator", "-errors", lambda v: bodies.find_coordinator(v, ["x"], 2))
    wanted = {"empty": None, "live": None, "absent": None}
    named = {"empty": {"orders": [0, 1, 9], "payments": [0]}, "live": {"orders": [0, 1]}, "absent": {"orders": [0]}}
    capture.each(wire.OFFSET_FETCH, "offset_fetch",
                 lambda v: bodies.offset_fetch(v, wanted, capture.ids) if v >= 2 else None)
    capture.each(wire.OFFSET_FETCH, "offset_fetch", lambda v: bodies.offset_fetch(v, named, capture.ids), "-named")
    capture.each(wire.CONSUMER_GROUP_DESCRIBE, "consumer_group_describe",
                 lambda v: bodies.describe_ids(v, ["modern", "modern-regex", "live", "absent"]))
    capture.each(wire.SHARE_GROUP_DESCRIBE, "share_group_describe", lambda v: bodies.describe_ids(v, ["shared", "live", "absent"]))
    capture.each(wire.DESCRIBE_SHARE_GROUP_OFFSETS, "describe_share_group_offsets",
                 lambda v: bodies.describe_share_group_offsets(v, {"shared": None, "absent": None}))
    capture.newest(wire.DESCRIBE_SHARE_GROUP_OFFSETS, "describe_share_group_offsets", "-named",
                   lambda v: bodies.describe_share_group_offsets(v, {"shared": {"orders": [0, 2], "no-such-topic": [0]}}))
    capture.each(wire.STREAMS_GROUP_DESCRIBE, "streams_group_describe",
                 lambda v: bodies.describe_streams(v, ["streaming", "live", "absent"]))


def capture_sasl(capture, port):
    make_scram_user(capture.connection, port)
    for version in capture.versions(wire.SASL_HANDSHAKE):
        for mechanism, what in (("PLAIN", ""), ("SCRAM-SHA-256", "-scram-256"), ("SCRAM-SHA-512", "-scram-512"),
                                ("GSSAPI", "-errors")):
            with wire.Connection("127.0.0.1", port) as connection:
                capture.keep(f"sasl_handshake-v{version}{what}",
                             connection.ask(wire.SASL_HANDSHAKE, version, bodies.sasl_handshake(version, mechanism)))
    for version in capture.versions(wire.SASL_AUTHENTICATE):
        for word, what in ((PASSWORD, ""), (b"a wrong one", "-errors")):
            with wire.Connection("127.0.0.1", port) as connection:
                connection.ask(wire.SASL_HANDSHAKE, 1, bodies.sasl_handshake(1, "PLAIN"))
                capture.keep(f"sasl_authenticate-v{version}{what}", connection.ask(
                    wire.SASL_AUTHENTICATE, version, bodies.sasl_authenticate(version, b"\0alice\0" + word)))
            for size in ("256", "512"):
                capture_scram(capture, port, version, size, word, what)


def begin_scram(connection, version, size, scram):
    """(both frames, the server's first message) or an error of Kafka's."""
    connection.ask(wire.SASL_HANDSHAKE, 1, bodies.sasl_handshake(1, f"SCRAM-SHA-{size}"))
    frames = connection.ask(wire.SASL_AUTHENTICATE, version, bodies.sasl_authenticate(version, scram.first))
    reader = wire.Reader(frames[1], version >= 2, 8)
    if version >= 2:
        reader.tags()
    error, text = reader.number("h"), reader.string()
    if error:
        raise ValueError(text)
    return frames, reader.raw(reader.varint() - 1 if version >= 2 else reader.number("i"))


def make_scram_user(connection, port):
    """Brokers learn of it a moment later."""
    def is_known(size):
        with wire.Connection("127.0.0.1", port) as other:
            return begin_scram(other, 0, size, bodies.Scram(f"sha{size}", "alice", PASSWORD, NONCE))
    for number, size in enumerate(("256", "512"), 1):
        reader = connection.read(ALTER_SCRAM, 0, bodies.alter_scram("alice", number, f"sha{size}", SALT, ITERATIONS, PASSWORD))
        reader.number("i")
        errors = reader.array(lambda: (reader.string(), reader.number("h"), reader.string(), reader.tags())[1:3])
        assert errors[0][0] == 0, errors
        wait_until(lambda: is_known(size), 30, "the user being known", every=0.3)


def capture_scram(capture, port, version, size, word, what):
    """Both messages each way: the server's first has salt and iterations, its last its proof, or refuses."""
    scram, name = bodies.Scram(f"sha{size}", "alice", word, NONCE), f"sasl_authenticate-v{version}-scram-{size}"
    with wire.Connection("127.0.0.1", port) as connection:
        first, server_first = begin_scram(connection, version, size, scram)
        last = connection.ask(wire.SASL_AUTHENTICATE, version, bodies.sasl_authenticate(version, scram.last(server_first)))
    capture.keep(f"{name}-first{what}", first)
    capture.keep(f"{name}-last{what}", last)


def quorum_leader(connection):
    reader = connection.read(wire.DESCRIBE_QUORUM, 0, bodies.describe_quorum(0, "__cluster_metadata"))
    reader.number("h"), reader.varint(), reader.string(), reader.varint(), reader.number("i"), reader.number("h")
    return reader.number("i")


def capture_moves(capture, cluster):
    """A reassignment that cannot end, and asking the wrong broker (KIP-951): for three nodes, of which one is frozen."""
    cluster.create_topics({"moving": 1})
    capture.learn_ids()
    with cluster.connect() as connection:
        _, leaders, _ = connection.leaders("moving")
        controller = quorum_leader(connection)
    leader = next(node for node in cluster.nodes if node.id == leaders[0])
    other, frozen = sorted((node for node in cluster.nodes if node is not leader), key=lambda node: node.id != controller)
    with cluster.connect(other) as connection:
        capture.each(wire.FETCH, "fetch", lambda v: bodies.fetch(v, {("moving", 0): 0}, capture.ids), "-moved", True, connection)
        capture.each(wire.PRODUCE, "produce", lambda v: bodies.produce(
            v, {("moving", 0): wire.record_batch(3)}, capture.ids), "-moved", True, connection)
        frozen.freeze()
        connection.ask(wire.ALTER_PARTITION_REASSIGNMENTS, 0, bodies.alter_partition_reassignments("moving", 0, [frozen.id]))

        def ask(_):
            return bodies.list_partition_reassignments(0, None)
        capture.each(wire.LIST_PARTITION_REASSIGNMENTS, "list_partition_reassignments", ask, "-moving", True, connection)
        capture.each(wire.DESCRIBE_QUORUM, "describe_quorum", lambda v: bodies.describe_quorum(v, "__cluster_metadata"),
                     "-three", True, connection)
    frozen.thaw()


def settings_of(version):
    settings = {"broker.rack": "rack-a", "transaction.state.log.num.partitions": 1, "offsets.topic.num.partitions": 1,
                "group.max.session.timeout.ms": 1_800_000, "transaction.max.timeout.ms": 900_000}
    if version == kafka.OLD:
        settings["group.coordinator.rebalance.protocols"] = "classic,consumer"
    if not version.startswith(("2.", "3.")):
        settings |= {"share.coordinator.state.topic.replication.factor": 1, "share.coordinator.state.topic.min.isr": 1,
                     "share.coordinator.state.topic.num.partitions": 1, "group.consumer.session.timeout.ms": 60_000,
                     "group.share.session.timeout.ms": 60_000, "group.streams.session.timeout.ms": 60_000,
                     "group.consumer.max.session.timeout.ms": 60_000, "group.share.max.session.timeout.ms": 60_000,
                     "group.streams.max.session.timeout.ms": 60_000}
    return settings


def add_sasl(cluster):
    """One more listener; gives its port."""
    node, port = cluster.nodes[0], free_ports()
    plain = f"PLAINTEXT://127.0.0.1:{node.port}"
    controller = "" if cluster.zookeeper_port else f",CONTROLLER://127.0.0.1:{node.port + 1}"
    cluster.settings |= {
        "listeners": f"{plain},SASL_PLAINTEXT://127.0.0.1:{port}{controller}",
        "advertised.listeners": f"{plain},SASL_PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        "listener.name.sasl_plaintext.plain.sasl.jaas.config": JAAS,
        "listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config": SCRAM_JAAS,
        "listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config": SCRAM_JAAS,
        "listener.name.sasl_plaintext.connections.max.reauth.ms": 3_600_000}
    return port


def capture_one_node(version, folder, place):
    cluster = kafka.KafkaCluster(version, place, settings=settings_of(version))
    sasl_port = add_sasl(cluster)
    try:
        cluster.start()
        cluster.create_topics(TOPICS)
        with cluster.connect() as connection:
            capture = Capture(connection, folder)
            capture_cluster(capture)
            capture.learn_ids()
            capture_topics(capture)
            capture_records(capture)
            make_groups(capture)
            capture_groups(capture)
            capture_list_offsets(capture)
            capture_sasl(capture, sasl_port)
    finally:
        cluster.stop()


def capture_three_nodes(version, folder, place):
    cluster = kafka.KafkaCluster(version, place, count=3, settings={"broker.session.timeout.ms": 60000})
    try:
        cluster.start()
        with cluster.connect() as connection:
            capture = Capture(connection, folder)
            wait_until(lambda: len(connection.brokers()) == 3, 30, "three brokers")
            capture_moves(capture, cluster)
    finally:
        cluster.stop()


def main():
    version = sys.argv[1]
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else HERE / version
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        capture_one_node(version, folder, f"{place}/one")
        if version != kafka.ZOOKEEPER_ONLY:
            capture_three_nodes(version, folder, f"{place}/three")


if __name__ == "__main__":
    main()
