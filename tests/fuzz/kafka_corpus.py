#!/usr/bin/env python3
"""Makes the corpora kafka_messages, kafka_frame and kafka_records from the captures in tests/vectors/kafka."""
import pathlib
import struct

HERE = pathlib.Path(__file__).parent
VECTORS = HERE.parent / "vectors" / "kafka"
# The first version with tagged fields; those not named have them in all their versions.
FLEXIBLE = {"produce": 9, "fetch": 12, "list_offsets": 6, "metadata": 9, "offset_fetch": 6, "find_coordinator": 3,
            "describe_groups": 5, "list_groups": 3, "sasl_handshake": 99, "api_versions": 3, "create_topics": 5,
            "describe_configs": 4, "describe_log_dirs": 2, "sasl_authenticate": 2}


def message(path):
    name, _, kind = path.name.removesuffix(".bin").rpartition(".")
    api, _, rest = name.partition("-v")
    version = int(rest.split("-")[0])
    flexible = version >= FLEXIBLE.get(api, 0)
    frame = path.read_bytes()[4:]
    key = path.with_name(path.name.replace(".response.", ".request.")).read_bytes()[5]
    if kind == "request":
        size = struct.unpack(">h", frame[8:10])[0]
        body = frame[10 + max(size, 0) + (1 if flexible else 0):]
    else:
        body = frame[4 + (1 if flexible and api != "api_versions" else 0):]
    return bytes([key, version, 0 if kind == "request" else 1]) + body


def frames(folder, names, step):
    out = bytes([step])
    for correlation, name in enumerate(names):
        frame = (VECTORS / folder / f"{name}.response.bin").read_bytes()
        out += frame[:4] + struct.pack(">i", correlation) + frame[8:]
    return out


def batches(path):
    """The records of a Fetch answer's first partition: from the first batch of format 2 on, to the end of the file."""
    data = path.read_bytes()
    start = data.find(b"\0" * 8)
    while data[start + 16:start + 17] != b"\2" or struct.unpack(">i", data[start + 8:start + 12])[0] > len(data):
        start = data.index(b"\0" * 8, start + 1)
    return data[start:]


def main():
    records = HERE / "corpus" / "kafka_records"
    messages, connection = HERE / "corpus" / "kafka_messages", HERE / "corpus" / "kafka_frame"
    messages.mkdir(parents=True, exist_ok=True)
    connection.mkdir(parents=True, exist_ok=True)
    seen = set()
    for path in sorted(VECTORS.glob("*/*-v*.bin")):
        data = message(path)
        if data not in seen:
            (messages / f"{path.parent.name}-{path.name.removesuffix('.bin')}").write_bytes(data)
        seen.add(data)
    whole = ["api_versions-v4", "metadata-v13", "describe_cluster-v2", "list_offsets-v11"]
    (connection / "4.3.1-whole").write_bytes(frames("4.3.1", whole, 255))
    (connection / "4.3.1-bytewise").write_bytes(frames("4.3.1", whole, 0))
    old = ["api_versions-unsupported", "api_versions-v3", "metadata-v11", "describe_cluster-v0", "list_offsets-v6"]
    (connection / "2.8.2-fallback").write_bytes(frames("2.8.2", old, 16))
    (connection / "no-handshake").write_bytes(frames("4.3.1", ["metadata-v13"], 6))
    for name in ("4.4.0/fetch-v18", "2.8.2/fetch-v4"):
        data = batches(VECTORS / f"{name}.response.bin")
        (records / name.replace("/", "-")).write_bytes(data)
        (records / f"{name.replace('/', '-')}-bare").write_bytes(data[61:])
    (connection / "http").write_bytes(b"\x20HTTP/1.1 400 Bad Request\r\n\r\n")
    (connection / "tls-alert").write_bytes(b"\x07\x15\x03\x03\x00\x02\x02\x28")


if __name__ == "__main__":
    main()
