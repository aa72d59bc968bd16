"""Groups of every kind and transactions on a real broker, made by raw requests.

No thread sends heartbeats: a member stays for its session's time, which is long where the client may choose it.
Each function takes a connection to the coordinator, and has the broker make its internal topic first.
"""
import struct
import time
import uuid

from . import kafka_wire as wire
from .base import wait_until

SESSION_MS = 1_700_000
COORDINATOR_MOVES = {14, 15, 16}
REBALANCES, UNKNOWN_PARTITION, MEMBER_ID_REQUIRED, NO_ERROR = 27, 3, 79, 0
GROUP, TRANSACTION = 0, 1


def find_coordinator(connection, key, kind=GROUP):
    """The id of the broker that coordinates `key`; waits until there is one."""
    def ask():
        reader = connection.read(wire.FIND_COORDINATOR, 1, wire.Body(False).string(key).number("b", kind))
        reader.number("i")
        error, _, node = reader.number("h"), reader.string(), reader.number("i")
        if error:
            raise AssertionError(f"FindCoordinator of {key}: error {error}")
        return node + 1  # 0 is an id too
    return wait_until(ask, 60, f"the coordinator of {key}", every=0.2) - 1


def commit(connection, group, topics, member="", generation=-1):
    """`topics`: {name: {partition: (offset, metadata)}}."""
    find_coordinator(connection, group)
    body = wire.Body(False).string(group).number("i", generation).string(member).number("q", -1)

    def partition(item):
        body.number("i", item[0]).number("q", item[1][0]).string(item[1][1])

    def topic(item):
        body.string(item[0]).array(list(item[1].items()), partition)
    body.array(list(topics.items()), topic)

    def done():
        reader = connection.read(wire.OFFSET_COMMIT, 2, body)
        errors = set()
        reader.array(lambda: (reader.string(), reader.array(lambda: (reader.number("i"), errors.add(reader.number("h"))))))
        if errors - COORDINATOR_MOVES - {UNKNOWN_PARTITION, NO_ERROR}:
            raise AssertionError(f"commits of {group}: errors {errors}")
        return errors <= {NO_ERROR}
    wait_until(done, 30, f"commits of {group}", every=0.2)


def subscription(topics):
    """The consumer protocol's metadata, version 1."""
    return bytes(wire.Body(False).number("h", 1).strings(topics).raw(struct.pack(">i", -1)).array([], None).data)


def assignment(topics):
    """The consumer protocol's assignment, version 1; `topics`: {name: [partition, ...]}."""
    body = wire.Body(False).number("h", 1)
    body.array(list(topics.items()), lambda item: body.string(item[0]).int32s(item[1]))
    return bytes(body.raw(struct.pack(">i", -1)).data)


def join_classic(connection, group, topics, instance=None):
    """One member of a classic group, its leader, with all of `topics` ({name: [partition, ...]}); gives (member, generation)."""
    find_coordinator(connection, group)
    member, answer = "", None

    def joined():
        nonlocal member, answer
        body = wire.Body(False).string(group).number("i", SESSION_MS).number("i", 10_000).string(member).string(instance)
        body.string("consumer").array(["range"], lambda name: body.string(name).raw_bytes(subscription(list(topics))))
        reader = connection.read(wire.JOIN_GROUP, 5, body)
        reader.number("i")
        error, generation = reader.number("h"), reader.number("i")
        reader.string(), reader.string()
        member = reader.string() or member
        answer = member, generation
        if error not in COORDINATOR_MOVES | {NO_ERROR, MEMBER_ID_REQUIRED, REBALANCES}:
            raise AssertionError(f"JoinGroup of {group}: error {error}")
        return error == NO_ERROR
    wait_until(joined, 30, f"a member of {group}", every=0.2)
    body = wire.Body(False).string(group).number("i", answer[1]).string(member).string(instance)
    body.array([member], lambda name: body.string(name).raw_bytes(assignment(topics)))
    reader = connection.read(wire.SYNC_GROUP, 3, body)
    reader.number("i")
    assert reader.number("h") == NO_ERROR
    return answer


def _topic_partitions(body, owned):
    body.array(owned, lambda item: body.raw(item[0]).int32s(item[1]).tags())


def _read_topic_partitions(reader):
    """[(topic id, [partition, ...]), ...] of a nullable assignment; None where there is none."""
    if reader.number("b") < 0:
        return None

    def topic():
        found = reader.raw(16), reader.array(lambda: reader.number("i"))
        reader.tags()
        return found
    return reader.array(topic)


def join_consumer(connection, group, topics, instance=None, regex=None, version=1):
    """One member of a KIP-848 group that owns what it is assigned; gives (member, epoch). Its session is the broker's."""
    find_coordinator(connection, group)
    member, epoch, owned = str(uuid.uuid4()) if version >= 1 else "", 0, []

    def settled():
        nonlocal member, epoch, owned
        body = wire.Body(True).string(group).string(member).number("i", epoch).string(instance).string("rack-a")
        body.number("i", 60_000).strings(topics)
        if version >= 1:
            body.string(regex)
        body.string(None)
        _topic_partitions(body, owned)
        reader = connection.read(wire.CONSUMER_GROUP_HEARTBEAT, version, body.tags())
        reader.number("i")
        error, message = reader.number("h"), reader.string()
        if error not in COORDINATOR_MOVES | {NO_ERROR}:
            raise AssertionError(f"ConsumerGroupHeartbeat of {group}: error {error}: {message}")
        if error:
            return False
        member, epoch = reader.string() or member, reader.number("i")
        reader.number("i")
        owned = _read_topic_partitions(reader) or owned
        return bool(owned)
    wait_until(settled, 30, f"a member of {group}", every=0.3)
    settled()
    return member, epoch


def join_share(connection, group, topics, member=None):
    """One member of a share group that has its assignment; gives (member, epoch)."""
    find_coordinator(connection, group)
    member, epoch = member or str(uuid.uuid4()), 0

    def settled():
        nonlocal epoch
        body = wire.Body(True).string(group).string(member).number("i", epoch).string("rack-a").strings(topics)
        reader = connection.read(wire.SHARE_GROUP_HEARTBEAT, 1, body.tags())
        reader.number("i")
        error, message = reader.number("h"), reader.string()
        if error not in COORDINATOR_MOVES | {NO_ERROR}:
            raise AssertionError(f"ShareGroupHeartbeat of {group}: error {error}: {message}")
        if error:
            return False
        reader.string()
        epoch = reader.number("i")
        reader.number("i")
        return bool(_read_topic_partitions(reader))
    wait_until(settled, 30, f"a member of {group}", every=0.3)
    return member, epoch


def _fetch_share(connection, group, member, topic_id, partition, epoch, accepted=()):
    """One step of a share session; gives (errors, [(first, last offset) acquired, ...])."""
    body = wire.Body(True).string(group).string(member).number("i", epoch).number("i", 200).number("i", 0)
    body.number("i", 1 << 20).number("i", 100).number("i", 100)

    def acknowledge(offsets):
        body.number("q", offsets[0]).number("q", offsets[1]).array([1], lambda kind: body.number("b", kind)).tags()

    body.array([topic_id], lambda topic: body.raw(topic).array(
        [partition], lambda index: body.number("i", index).array(accepted, acknowledge).tags()).tags())
    reader = connection.read(wire.SHARE_FETCH, 1, body.array([], None).tags())
    reader.number("i")
    errors, acquired = [reader.number("h")], []
    reader.string(), reader.number("i")

    def read_partition():
        reader.number("i"), errors.append(reader.number("h")), reader.string()
        errors.append(reader.number("h")), reader.string(), reader.number("i"), reader.number("i"), reader.tags()
        reader.raw(max(reader.varint() - 1, 0))
        reader.array(lambda: (acquired.append((reader.number("q"), reader.number("q"))), reader.number("h"), reader.tags()))
        reader.tags()
    reader.array(lambda: (reader.raw(16), reader.array(read_partition), reader.tags()))
    return errors, acquired


def read_share(connection, group, member, topic, topic_id, partition):
    """Produces five records that the member takes and accepts: only then is a start offset of the group kept."""
    epoch = 0

    def step(accepted=()):
        nonlocal epoch
        errors, acquired = _fetch_share(connection, group, member, topic_id, partition, epoch, accepted)
        if any(errors):
            epoch = 0
            raise AssertionError(f"ShareFetch of {group}: errors {errors}")
        epoch += 1
        return acquired
    # A new session answers before the group's start is known; the next steps begin there.
    wait_until(lambda: [step(), step()], 30, f"a share session of {group}", every=0.3)
    time.sleep(1)
    assert connection.send(topic, partition, 5) == NO_ERROR
    acquired = wait_until(step, 30, f"records for {group}", every=0.3)
    step(acquired)


def join_streams(connection, group, topic, member=None):
    """One member of a streams group with one subtopology of `topic` and a changelog; gives (member, epoch)."""
    find_coordinator(connection, group)
    member, epoch = member or str(uuid.uuid4()), 0

    def tasks(body, owned):
        body.array(owned, lambda item: body.string(item[0]).int32s(item[1]).tags())

    def subtopology(body):
        body.string("0").strings([topic]).strings([])
        body.array([f"{group}-store-changelog"], lambda name: body.string(name).number("i", 0).number("h", 1).array(
            [("cleanup.policy", "compact")], lambda pair: body.string(pair[0]).string(pair[1]).tags()).tags())
        body.strings([]).array([], None).array([], None).tags()

    def settled():
        nonlocal epoch
        first = epoch == 0
        body = wire.Body(True).string(group).string(member).number("i", epoch).number("i", 0).string(None).string("rack-a")
        body.number("i", 60_000 if first else -1).number("b", 1 if first else -1)
        if first:
            body.number("i", 0).array([None], lambda _: subtopology(body)).tags()
        tasks(body, [] if first else None)
        tasks(body, [] if first else None)
        tasks(body, [] if first else None)
        body.string("process-1" if first else None).number("b", 1 if first else -1)
        if first:
            body.string("127.0.0.1").number("H", 40000).tags()
        body.array([("zone", "a")] if first else None, lambda pair: body.string(pair[0]).string(pair[1]).tags())
        body.array(None, None).array(None, None).number("b", 0)
        reader = connection.read(wire.STREAMS_GROUP_HEARTBEAT, 0, body.tags())
        reader.number("i")
        error, message = reader.number("h"), reader.string()
        if error not in COORDINATOR_MOVES | {NO_ERROR}:
            raise AssertionError(f"StreamsGroupHeartbeat of {group}: error {error}: {message}")
        if error:
            return False
        reader.string()
        epoch = reader.number("i")
        reader.number("i"), reader.number("i"), reader.number("i")

        def status():
            reader.number("b"), reader.string(), reader.tags()
        reader.array(status)
        return bool(reader.array(lambda: (reader.string(), reader.array(lambda: reader.number("i")), reader.tags())))
    wait_until(settled, 60, f"a member of {group}", every=0.5)
    return member, epoch


def start_transaction(connection, name, topic, partition):
    """(producer id, epoch) with the partition added; the connection is the transaction's coordinator's."""
    find_coordinator(connection, name, TRANSACTION)

    def producer():
        reader = connection.read(wire.INIT_PRODUCER_ID, 0, wire.Body(False).string(name).number("i", 600_000))
        reader.number("i")
        error = reader.number("h")
        return error == NO_ERROR and (reader.number("q"), reader.number("h"))
    identity, epoch = wait_until(producer, 30, f"a producer id for {name}", every=0.2)
    body = wire.Body(False).string(name).number("q", identity).number("h", epoch)
    body.array([topic], lambda one: body.string(one).int32s([partition]))

    def added():
        reader = connection.read(wire.ADD_PARTITIONS_TO_TXN, 0, body)
        reader.number("i")
        errors = reader.array(lambda: (reader.string(), reader.array(lambda: (reader.number("i"), reader.number("h")))))
        return all(error == NO_ERROR for _, rows in errors for _, error in rows)
    wait_until(added, 30, f"{topic} in {name}", every=0.2)
    return identity, epoch


def end_transaction(connection, name, producer, is_committed):
    body = wire.Body(False).string(name).number("q", producer[0]).number("h", producer[1]).number("b", is_committed)
    reader = connection.read(wire.END_TXN, 0, body)
    reader.number("i")
    assert reader.number("h") == NO_ERROR
    time.sleep(0.5)  # the marker is written after the answer
