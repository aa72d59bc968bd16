"""A small Kafka client, written from the protocol's published schemas and independent of the agent's codec.

It encodes the requests that tests and captures need, and decodes only what set-up has to look at.
"""
import socket
import struct
import time

PRODUCE, FETCH, LIST_OFFSETS, METADATA, OFFSET_COMMIT, OFFSET_FETCH, FIND_COORDINATOR = 0, 1, 2, 3, 8, 9, 10
JOIN_GROUP, SYNC_GROUP, DESCRIBE_GROUPS, LIST_GROUPS, SASL_HANDSHAKE, API_VERSIONS, CREATE_TOPICS = 11, 14, 15, 16, 17, 18, 19
INIT_PRODUCER_ID, ADD_PARTITIONS_TO_TXN, END_TXN, DESCRIBE_CONFIGS, DESCRIBE_LOG_DIRS, SASL_AUTHENTICATE = 22, 24, 26, 32, 35, 36
ALTER_PARTITION_REASSIGNMENTS, LIST_PARTITION_REASSIGNMENTS, DESCRIBE_QUORUM, DESCRIBE_CLUSTER = 45, 46, 55, 60
CONSUMER_GROUP_HEARTBEAT, CONSUMER_GROUP_DESCRIBE, SHARE_GROUP_HEARTBEAT, SHARE_GROUP_DESCRIBE, SHARE_FETCH = 68, 69, 76, 77, 78
STREAMS_GROUP_HEARTBEAT, STREAMS_GROUP_DESCRIBE, DESCRIBE_SHARE_GROUP_OFFSETS = 88, 89, 90
# The first version with compact lengths and tagged fields; those not named have them in all their versions.
FLEXIBLE_FROM = {PRODUCE: 9, FETCH: 12, LIST_OFFSETS: 6, METADATA: 9, OFFSET_COMMIT: 8, OFFSET_FETCH: 6, FIND_COORDINATOR: 3,
                 JOIN_GROUP: 6, SYNC_GROUP: 4, DESCRIBE_GROUPS: 5, LIST_GROUPS: 3, SASL_HANDSHAKE: 99, API_VERSIONS: 3,
                 CREATE_TOPICS: 5, INIT_PRODUCER_ID: 2, ADD_PARTITIONS_TO_TXN: 3, END_TXN: 3, DESCRIBE_CONFIGS: 4,
                 DESCRIBE_LOG_DIRS: 2, SASL_AUTHENTICATE: 2}
CLIENT_ID = "vector"
TRANSACTIONAL = 0x10  # attribute of a batch


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def zigzag(value):
    return varint((value << 1) ^ (value >> 63))


class Body:
    """Appends values in the plain or the flexible encoding."""

    def __init__(self, flexible):
        self.flexible, self.data = flexible, bytearray()

    def number(self, form, value):
        self.data += struct.pack(">" + form, value)
        return self

    def string(self, value):
        """Text, or bytes that may be no text."""
        raw = value.encode() if isinstance(value, str) else value
        if self.flexible:
            self.data += varint(0) if raw is None else varint(len(raw) + 1) + raw
        else:
            self.data += struct.pack(">h", -1) if raw is None else struct.pack(">h", len(raw)) + raw
        return self

    def array(self, items, write):
        """`items` None is a null array; `write(item)` appends one."""
        if self.flexible:
            self.data += varint(0 if items is None else len(items) + 1)
        else:
            self.data += struct.pack(">i", -1 if items is None else len(items))
        for item in items or ():
            write(item)
        return self

    def raw_bytes(self, value):
        self.data += (varint(len(value) + 1) if self.flexible else struct.pack(">i", len(value))) + value
        return self

    def raw(self, value):
        self.data += value
        return self

    def strings(self, values):
        return self.array(values, self.string)

    def int32s(self, values):
        return self.array(values, lambda value: self.number("i", value))

    def tags(self):
        if self.flexible:
            self.data += b"\0"
        return self


class Reader:
    """Takes values off the front, in the plain or the flexible encoding."""

    def __init__(self, data, flexible, at=0):
        self.data, self.flexible, self.at = data, flexible, at

    def number(self, form):
        value, = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return value

    def raw(self, size):
        self.at += size
        return self.data[self.at - size:self.at]

    def varint(self):
        value = shift = 0
        while True:
            byte, = self.raw(1)
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def string(self):
        size = self.varint() - 1 if self.flexible else self.number("h")
        return None if size < 0 else self.raw(size).decode()

    def array(self, read):
        count = self.varint() - 1 if self.flexible else self.number("i")
        return None if count < 0 else [read() for _ in range(count)]

    def tags(self):
        """Skips the tagged fields of a struct."""
        for _ in range(self.varint() if self.flexible else 0):
            self.varint()
            self.raw(self.varint())


def api_versions(version):
    body = Body(version >= 3)
    if version >= 3:
        body.string("vector-tool").string("1.0").tags()
    return body


def metadata(version, topics=None, topic_ids=()):
    """`topics` None asks for all; `topic_ids` need version 12."""
    body = Body(version >= 9)
    if version == 0 and topics is None:
        topics = []
    wanted = None if topics is None and not topic_ids else [(bytes(16), name) for name in topics or ()] + [
        (identity, None) for identity in topic_ids]

    def topic(item):
        if version >= 10:
            body.data += item[0]
        body.string(item[1]).tags()
    body.array(wanted, topic)
    if version >= 4:
        body.number("b", 0)
    if 8 <= version <= 10:
        body.number("b", 1)
    if version >= 8:
        body.number("b", 1)
    return body.tags()


def describe_cluster(version):
    body = Body(True).number("b", 1)
    if version >= 1:
        body.number("b", 1)
    if version >= 2:
        body.number("b", 1)
    return body.tags()


def list_offsets(version, topics, timestamp=-1, isolation=0):
    """`topics`: {name: [partition, ...]}; timestamp -1 is the end, -2 the start, -3 the record with the highest time."""
    body = Body(version >= 6).number("i", -1)
    if version >= 2:
        body.number("b", isolation)

    def partition(index):
        body.number("i", index)
        if version >= 4:
            body.number("i", -1)
        body.number("q", timestamp).tags()

    def topic(item):
        body.string(item[0]).array(item[1], partition).tags()
    body.array(list(topics.items()), topic)
    if version >= 10:
        body.number("i", 5000)
    return body.tags()


def create_topics(topics, replication=1):
    """Version 4: `topics` {name: partitions}."""
    body = Body(False)

    def topic(item):
        body.string(item[0]).number("i", item[1]).number("h", replication).array([], None).array([], None)
    return body.array(list(topics.items()), topic).number("i", 15000).number("b", 0)


def _crc32c_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def record_batch(count, value=b"x", when_ms=None, producer=None):
    """`count` equal records in format 2; of a transaction when `producer`, (id, epoch), is given."""
    when_ms = int(time.time() * 1000) if when_ms is None else when_ms
    records = bytearray()
    for index in range(count):
        record = b"\0" + zigzag(0) + zigzag(index) + zigzag(-1) + zigzag(len(value)) + value + zigzag(0)
        records += zigzag(len(record)) + record
    attributes, identity = (TRANSACTIONAL, (*producer, 0)) if producer else (0, (-1, -1, -1))
    after_crc = struct.pack(">hiqqqhii", attributes, count - 1, when_ms, when_ms, *identity, count) + records
    after_length = struct.pack(">ibI", -1, 2, crc32c(after_crc)) + after_crc
    return struct.pack(">qi", 0, len(after_length)) + after_length


def produce(topic, partition, batch, transaction=None):
    """Version 3, which every broker from 0.11 to 4.x knows."""
    body = Body(False).string(transaction).number("h", -1).number("i", 10000)

    def one_partition(index):
        body.number("i", index).raw_bytes(batch)

    def one_topic(name):
        body.string(name).array([partition], one_partition)
    return body.array([topic], one_topic)


def frame(api, version, correlation, body, client_id=CLIENT_ID):
    """The whole request as it goes over the wire, length first."""
    head = struct.pack(">hhi", api, version, correlation) + struct.pack(">h", len(client_id)) + client_id.encode()
    if version >= FLEXIBLE_FROM.get(api, 0):
        head += b"\0"
    payload = head + bytes(body.data)
    return struct.pack(">i", len(payload)) + payload


class Connection:
    """One blocking connection. An answer is the whole frame, length first."""

    def __init__(self, host, port, timeout=20):
        self.socket = socket.create_connection((host, port), timeout)
        self.correlation = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _read(self, count):
        data = bytearray()
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise ConnectionError("the broker closed the connection")
            data += part
        return bytes(data)

    def ask(self, api, version, body):
        """(request frame, response frame)"""
        self.correlation += 1
        request = frame(api, version, self.correlation, body)
        self.socket.sendall(request)
        length = self._read(4)
        response = length + self._read(struct.unpack(">i", length)[0])
        if struct.unpack(">i", response[4:8])[0] != self.correlation:
            raise ValueError("answer to another request")
        return request, response

    def read(self, api, version, body):
        """A Reader of the answer's body."""
        flexible = version >= FLEXIBLE_FROM.get(api, 0)
        reader = Reader(self.ask(api, version, body)[1], flexible, 8)
        if api != API_VERSIONS:
            reader.tags()
        return reader

    def version_ranges(self):
        """{api key: (lowest, highest)}"""
        data = self.ask(API_VERSIONS, 0, api_versions(0))[1]
        error, count = struct.unpack_from(">hi", data, 8)
        if error:
            raise ValueError(f"ApiVersions: error {error}")
        rows = [struct.unpack_from(">hhh", data, 14 + 6 * index) for index in range(count)]
        return {key: (low, high) for key, low, high in rows}

    def brokers(self):
        """{id: (host, port)} of Metadata version 1, with no topic asked for."""
        data = self.ask(METADATA, 1, metadata(1, []))[1]
        count, at, found = struct.unpack_from(">i", data, 8)[0], 12, {}
        for _ in range(count):
            node, length = struct.unpack_from(">ih", data, at)
            host = data[at + 6:at + 6 + length].decode()
            port, = struct.unpack_from(">i", data, at + 6 + length)
            rack, = struct.unpack_from(">h", data, at + 10 + length)
            found[node] = (host, port)
            at += 12 + length + max(rack, 0)
        return found

    def leaders(self, topic):
        """({id: (host, port)}, {partition: leader or -1}, error of the topic) by Metadata version 1."""
        brokers = self.brokers()
        data = self.ask(METADATA, 1, metadata(1, [topic]))[1]
        at = 12
        for _ in range(struct.unpack_from(">i", data, 8)[0]):
            host, = struct.unpack_from(">h", data, at + 4)
            at += 6 + host + 4
            rack, = struct.unpack_from(">h", data, at)
            at += 2 + max(rack, 0)
        at += 4 + 4  # controller, number of topics
        error, length = struct.unpack_from(">hh", data, at)
        at += 4 + length + 1
        count, = struct.unpack_from(">i", data, at)
        at += 4
        found = {}
        for _ in range(count):
            _, partition, leader, replicas = struct.unpack_from(">hiii", data, at)
            at += 14 + 4 * replicas
            in_sync, = struct.unpack_from(">i", data, at)
            at += 4 + 4 * in_sync
            found[partition] = leader
        return brokers, found, error

    def create(self, topics, replication=1):
        """Creates topics; gives {name: error}."""
        data = self.ask(CREATE_TOPICS, 4, create_topics(topics, replication))[1]
        count, at, errors = struct.unpack_from(">i", data, 12)[0], 16, {}
        for _ in range(count):
            length, = struct.unpack_from(">h", data, at)
            name = data[at + 2:at + 2 + length].decode()
            error, message = struct.unpack_from(">hh", data, at + 2 + length)
            errors[name] = error
            at += 6 + length + max(message, 0)
        return errors

    def send(self, topic, partition, count):
        """Produces `count` records; gives the partition's error."""
        data = self.ask(PRODUCE, 3, produce(topic, partition, record_batch(count)))[1]
        return struct.unpack_from(">h", data, 8 + 4 + 2 + len(topic) + 4 + 4)[0]
