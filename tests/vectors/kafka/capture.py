#!/usr/bin/env python3
"""Writes requests by its own small encoder, sends them to a real broker, and keeps both sides' bytes.

usage: capture.py HOST:PORT DIRECTORY [TOPIC...]

Each file is one whole frame as it stood on the wire, its four bytes of length included:
DIRECTORY/<api>-v<version>.request.bin and .response.bin. Independent of the C codec on purpose.
"""
import pathlib
import socket
import struct
import sys

LIST_OFFSETS, METADATA, API_VERSIONS, DESCRIBE_CLUSTER, CREATE_TOPICS = 2, 3, 18, 60, 19
FLEXIBLE = {LIST_OFFSETS: 6, METADATA: 9, API_VERSIONS: 3, DESCRIBE_CLUSTER: 0, CREATE_TOPICS: 5}
NAMES = {LIST_OFFSETS: "list_offsets", METADATA: "metadata", API_VERSIONS: "api_versions",
         DESCRIBE_CLUSTER: "describe_cluster"}
OURS = {LIST_OFFSETS: 11, METADATA: 13, API_VERSIONS: 4, DESCRIBE_CLUSTER: 2}


def uvarint(number):
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


class Writer:
    def __init__(self, flexible):
        self.flexible = flexible

    def string(self, text):
        raw = text.encode()
        return (uvarint(len(raw) + 1) if self.flexible else struct.pack(">h", len(raw))) + raw

    def array(self, items):
        if items is None:
            return uvarint(0) if self.flexible else struct.pack(">i", -1)
        length = uvarint(len(items) + 1) if self.flexible else struct.pack(">i", len(items))
        return length + b"".join(items)

    def tags(self):
        return b"\0" if self.flexible else b""


def metadata(version, topics):
    w = Writer(version >= FLEXIBLE[METADATA])
    if topics is None and version == 0:
        out = w.array([])
    elif topics is None:
        out = w.array(None)
    else:
        out = w.array([(bytes(16) if version >= 10 else b"") + w.string(t) + w.tags() for t in topics])
    if version >= 4:
        out += b"\0"
    if 8 <= version <= 10:
        out += b"\1"
    if version >= 8:
        out += b"\1"
    return out + w.tags()


def list_offsets(version, topics, timestamp):
    w = Writer(version >= FLEXIBLE[LIST_OFFSETS])
    out = struct.pack(">i", -1)
    if version >= 2:
        out += b"\0"
    rows = []
    for topic, partitions in topics:
        row = []
        for partition in partitions:
            one = struct.pack(">i", partition)
            if version >= 4:
                one += struct.pack(">i", -1)
            one += struct.pack(">q", timestamp)
            if version == 0:
                one += struct.pack(">i", 1)
            row.append(one + w.tags())
        rows.append(w.string(topic) + w.array(row) + w.tags())
    out += w.array(rows)
    if version >= 10:
        out += struct.pack(">i", 5000)
    return out + w.tags()


def api_versions(version):
    w = Writer(version >= FLEXIBLE[API_VERSIONS])
    return w.string("kafka-ops-agent") + w.string("0.1.0") + w.tags() if version >= 3 else b""


def describe_cluster(version):
    return b"\1" + (b"\1" if version >= 1 else b"") + (b"\1" if version >= 2 else b"") + b"\0"


def create_topic(name, partitions):
    topic = struct.pack(">h", len(name)) + name.encode() + struct.pack(">ihii", partitions, 1, 0, 0)
    return struct.pack(">i", 1) + topic + struct.pack(">i", 10000) + b"\0"


class Broker:
    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=20)
        self.correlation = 0

    def take(self, size):
        out = b""
        while len(out) < size:
            more = self.socket.recv(size - len(out))
            if not more:
                raise EOFError("the broker closed the connection")
            out += more
        return out

    def call(self, key, version, body, flexible=None):
        self.correlation += 1
        if flexible is None:
            flexible = version >= FLEXIBLE[key]
        client = b"kafka-ops-agent"
        header = struct.pack(">hhih", key, version, self.correlation, len(client)) + client
        request = header + (b"\0" if flexible else b"") + body
        request = struct.pack(">i", len(request)) + request
        self.socket.sendall(request)
        length = self.take(4)
        return request, length + self.take(struct.unpack(">i", length)[0])


def main():
    address, directory, topics = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
    directory.mkdir(parents=True, exist_ok=True)

    def keep(name, frames):
        (directory / f"{name}.request.bin").write_bytes(frames[0])
        (directory / f"{name}.response.bin").write_bytes(frames[1])

    broker = Broker(address)
    for topic in topics:
        name, partitions = topic.split(":")
        broker.call(CREATE_TOPICS, 4, create_topic(name, int(partitions)))
    _, answer = broker.call(API_VERSIONS, 0, b"")
    count = struct.unpack(">i", answer[10:14])[0]
    known = {}
    for i in range(count):
        key, low, high = struct.unpack(">hhh", answer[14 + 6 * i:20 + 6 * i])
        known[key] = (low, high)
    wanted = [(t.split(":")[0], range(int(t.split(":")[1]))) for t in topics]
    for key, ours in OURS.items():
        if key not in known:
            continue
        low, high = known[key]
        for version in range(low, min(high, ours) + 1):
            name = f"{NAMES[key]}-v{version}"
            if key == METADATA:
                keep(name, broker.call(key, version, metadata(version, None)))
            elif key == API_VERSIONS:
                keep(name, broker.call(key, version, api_versions(version)))
            elif key == DESCRIBE_CLUSTER:
                keep(name, broker.call(key, version, describe_cluster(version)))
            else:
                keep(name, broker.call(key, version, list_offsets(version, wanted, -1)))
                keep(name + "-start", broker.call(key, version, list_offsets(version, wanted, -2)))
    low, high = known[METADATA]
    named = [t for t, _ in wanted] + ["no-such-topic"]
    keep(f"metadata-v{min(high, OURS[METADATA])}-named", broker.call(METADATA, min(high, OURS[METADATA]),
         metadata(min(high, OURS[METADATA]), named)))
    newest = min(known[LIST_OFFSETS][1], OURS[LIST_OFFSETS])
    keep(f"list_offsets-v{newest}-errors", broker.call(LIST_OFFSETS, newest,
         list_offsets(newest, [("no-such-topic", [0]), (wanted[0][0], [0, 0, 9999])], -1)))
    # A version from the future: answered in version 0 with UNSUPPORTED_VERSION (KIP-511).
    keep("api_versions-unsupported", broker.call(API_VERSIONS, 99, api_versions(3), True))


if __name__ == "__main__":
    main()
