#!/usr/bin/env python3
"""Makes the corpora kafka_messages and kafka_frame from the captures in tests/vectors/kafka."""
import pathlib
import struct

HERE = pathlib.Path(__file__).parent
VECTORS = HERE.parent / "vectors" / "kafka"
KEYS = {"list_offsets": 2, "metadata": 3, "api_versions": 18, "describe_cluster": 60}
FLEXIBLE = {"list_offsets": 6, "metadata": 9, "api_versions": 3, "describe_cluster": 0}


def message(path):
    name, _, kind = path.name.removesuffix(".bin").rpartition(".")
    api, _, rest = name.partition("-v")
    version = int(rest.split("-")[0])
    flexible = version >= FLEXIBLE[api]
    frame = path.read_bytes()[4:]
    if kind == "request":
        size = struct.unpack(">h", frame[8:10])[0]
        body = frame[10 + max(size, 0) + (1 if flexible else 0):]
    else:
        body = frame[4 + (1 if flexible and api != "api_versions" else 0):]
    return bytes([KEYS[api], version, 0 if kind == "request" else 1]) + body


def frames(folder, names, step):
    out = bytes([step])
    for correlation, name in enumerate(names):
        frame = (VECTORS / folder / f"{name}.response.bin").read_bytes()
        out += frame[:4] + struct.pack(">i", correlation) + frame[8:]
    return out


def main():
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
    (connection / "http").write_bytes(b"\x20HTTP/1.1 400 Bad Request\r\n\r\n")
    (connection / "tls-alert").write_bytes(b"\x07\x15\x03\x03\x00\x02\x02\x28")


if __name__ == "__main__":
    main()
