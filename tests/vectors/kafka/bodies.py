"""Requests of every API and version that the agent speaks, written from the published schemas.

Each function gives the body; `topics` are {name: partitions}, `ids` {name: topic id}.
"""
import base64
import gzip
import hashlib
import hmac
import pathlib
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "system"))
from kit import kafka_wire as wire  # noqa: E402


def api_versions(version, node=-1):
    body = wire.Body(version >= 3)
    if version >= 3:
        body.string("kafka-ops-agent").string("0.1.0")
    if version >= 5:
        body.string(None).number("i", node)
    return body.tags()


def create_topics(version, topics):
    """Only validated. One topic more has its replicas placed by hand."""
    body = wire.Body(version >= 5)

    def config(pair):
        body.string(pair[0]).string(pair[1]).tags()

    def topic(item):
        name, partitions = item
        body.string(name).number("i", partitions).number("h", 1)
        body.array([], None).array([("retention.ms", "60000"), ("cleanup.policy", "delete")], config).tags()

    def placed(_):
        body.string("placed").number("i", -1).number("h", -1)
        body.array([0, 1], lambda index: body.number("i", index).int32s([1]).tags()).array([], None).tags()
    body.array([*topics.items(), None], lambda item: topic(item) if item else placed(item))
    return body.number("i", 5000).number("b", 1).tags()


def list_groups(version, states=(), types=()):
    body = wire.Body(version >= 3)
    if version >= 4:
        body.strings(states)
    if version >= 5:
        body.strings(types)
    return body.tags()


def describe_groups(version, groups):
    body = wire.Body(version >= 5).strings(groups)
    if version >= 3:
        body.number("b", 1)
    return body.tags()


def describe_ids(version, groups):
    """ConsumerGroupDescribe and ShareGroupDescribe."""
    return wire.Body(True).strings(groups).number("b", 1).tags()


def describe_streams(version, groups):
    """With authorized operations, and the topology where that can be asked for."""
    body = wire.Body(True).strings(groups).number("b", 1)
    if version >= 1:
        body.number("b", 1)
    return body.tags()


def find_coordinator(version, keys, kind=0):
    body = wire.Body(version >= 3)
    if version <= 3:
        body.string(keys[0])
    if version >= 1:
        body.number("b", kind)
    if version >= 4:
        body.strings(keys)
    return body.tags()


def offset_fetch(version, groups, ids):
    """`groups`: {group: {topic: [partition, ...]} or None}; before version 8 the first alone."""
    body = wire.Body(version >= 6)

    def topic(item):
        if version >= 10:
            body.raw(ids[item[0]])
        else:
            body.string(item[0])
        body.int32s(item[1]).tags()

    def topics(wanted):
        body.array(None if wanted is None else list(wanted.items()), topic)

    def group(item):
        body.string(item[0])
        if version >= 9:
            body.string(None).number("i", -1)
        topics(item[1])
        body.tags()
    if version <= 7:
        name, wanted = next(iter(groups.items()))
        body.string(name)
        topics(wanted)
    else:
        body.array(list(groups.items()), group)
    if version >= 7:
        body.number("b", 1)
    return body.tags()


def describe_share_group_offsets(version, groups):
    body = wire.Body(True)

    def topic(item):
        body.string(item[0]).int32s(item[1]).tags()

    def group(item):
        body.string(item[0]).array(None if item[1] is None else list(item[1].items()), topic).tags()
    return body.array(list(groups.items()), group).tags()


def describe_configs(version, resources, documentation=1):
    """`resources`: [(type, name, [key, ...] or None)]."""
    body = wire.Body(version >= 4)
    body.array(resources, lambda item: body.number("b", item[0]).string(item[1]).strings(item[2]).tags())
    body.number("b", 1)
    if version >= 3:
        body.number("b", documentation)
    return body.tags()


def describe_log_dirs(version, topics=None):
    body = wire.Body(version >= 2)
    body.array(None if topics is None else list(topics.items()),
               lambda item: body.string(item[0]).int32s(item[1]).tags())
    return body.tags()


def describe_quorum(version, topic):
    body = wire.Body(True)
    return body.array([topic], lambda name: body.string(name).array(
        [0], lambda index: body.number("i", index).tags()).tags()).tags()


def list_partition_reassignments(version, topics=None):
    body = wire.Body(True).number("i", 5000)
    body.array(None if topics is None else list(topics.items()),
               lambda item: body.string(item[0]).int32s(item[1]).tags())
    return body.tags()


def sasl_handshake(version, mechanism):
    return wire.Body(False).string(mechanism)


def sasl_authenticate(version, token):
    return wire.Body(version >= 2).raw_bytes(token).tags()


def alter_scram(user, mechanism, digest, salt, iterations, password):
    """AlterUserScramCredentials version 0: one credential; mechanism 1 is SCRAM-SHA-256, 2 is SCRAM-SHA-512."""
    salted = hashlib.pbkdf2_hmac(digest, password, salt, iterations)
    body = wire.Body(True).array([], None)
    return body.array([user], lambda name: body.string(name).number("b", mechanism).number("i", iterations)
                      .raw_bytes(salt).raw_bytes(salted).tags()).tags()


class Scram:
    """A client's two messages (RFC 5802), without a channel to bind to."""

    def __init__(self, digest, user, password, nonce):
        self.digest, self.password = digest, password
        self.bare = f"n={user},r={nonce}".encode()
        self.first = b"n,," + self.bare

    def sign(self, key, text):
        return hmac.new(key, text, self.digest).digest()

    def last(self, server_first):
        parts = dict(part.split(b"=", 1) for part in server_first.split(b","))
        salted = hashlib.pbkdf2_hmac(self.digest, self.password, base64.b64decode(parts[b"s"]), int(parts[b"i"]))
        client_key = self.sign(salted, b"Client Key")
        without_proof = b"c=biws,r=" + parts[b"r"]
        signature = self.sign(hashlib.new(self.digest, client_key).digest(),
                              b",".join((self.bare, server_first, without_proof)))
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        return without_proof + b",p=" + base64.b64encode(proof)


def batch(values, producer=(-1, -1), sequence=-1, codec=0, when_ms=None):
    """A record batch with keys k0, k1 ... and one header each; codec 1 is gzip."""
    when_ms = int(time.time() * 1000) if when_ms is None else when_ms
    records = b""
    for index, value in enumerate(values):
        key = f"k{index}".encode()
        record = b"\0" + wire.zigzag(index) + wire.zigzag(index) + wire.zigzag(len(key)) + key
        record += wire.zigzag(-1) if value is None else wire.zigzag(len(value)) + value
        record += wire.zigzag(1) + wire.zigzag(1) + b"h" + wire.zigzag(-1)
        records += wire.zigzag(len(record)) + record
    attributes = codec | (0x10 if sequence >= 0 else 0)
    last = len(values) - 1
    after_crc = struct.pack(">hiqqqhii", attributes, last, when_ms, when_ms + last, *producer, sequence, len(values))
    after_crc += gzip.compress(records, mtime=0) if codec else records
    after_length = struct.pack(">ibI", -1, 2, wire.crc32c(after_crc)) + after_crc
    return struct.pack(">qi", 0, len(after_length)) + after_length


def produce(version, batches, ids, transaction=None):
    """`batches`: {(topic, partition): bytes}; one topic each."""
    body = wire.Body(version >= 9).string(transaction).number("h", -1).number("i", 5000)

    def topic(item):
        (name, index), records = item
        if version >= 13:
            body.raw(ids.get(name, b"\1" * 16))
        else:
            body.string(name)
        body.array([index], lambda one: body.number("i", one).raw_bytes(records).tags()).tags()
    return body.array(list(batches.items()), topic).tags()


def fetch(version, offsets, ids, isolation=0):
    """`offsets`: {(topic, partition): offset}; one topic each."""
    body = wire.Body(version >= 12)
    if version <= 14:
        body.number("i", -1)
    body.number("i", 200).number("i", 1).number("i", 1 << 20).number("b", isolation)
    if version >= 7:
        body.number("i", 0).number("i", -1)

    def partition(index, offset):
        body.number("i", index)
        if version >= 9:
            body.number("i", -1)
        body.number("q", offset)
        if version >= 12:
            body.number("i", -1)
        if version >= 5:
            body.number("q", -1)
        body.number("i", 1 << 20).tags()

    def topic(item):
        (name, index), offset = item
        if version >= 13:
            body.raw(ids.get(name, b"\1" * 16))
        else:
            body.string(name)
        body.array([index], lambda one: partition(one, offset)).tags()
    body.array(list(offsets.items()), topic)
    if version >= 7:
        body.array([], None)
    if version >= 11:
        body.string("rack-a")
    return body.tags()


def alter_partition_reassignments(topic, partition, replicas):
    """Version 0."""
    body = wire.Body(True).number("i", 5000)
    return body.array([topic], lambda name: body.string(name).array(
        [partition], lambda index: body.number("i", index).int32s(replicas).tags()).tags()).tags()
