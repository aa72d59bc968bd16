"""Changes to a real cluster, each sent to the node that it concerns, and again where that node has just changed.

Requests are in versions that every broker from 2.8 to 4.x knows. Group names are text or bytes: Kafka takes any.
"""
from . import kafka_groups as groups
from . import kafka_wire as wire
from .base import wait_until

DELETE_TOPICS, DELETE_RECORDS, DELETE_GROUPS = 20, 21, 42
wire.FLEXIBLE_FROM.update({DELETE_TOPICS: 4, DELETE_RECORDS: 2, DELETE_GROUPS: 2})
NO_ERROR = 0


def coordinator(cluster, name, kind=groups.GROUP):
    """The node that coordinates a group or a transactional id."""
    with cluster.connect() as connection:
        found = groups.find_coordinator(connection, name, kind)
    return next(node for node in cluster.nodes if node.id == found)


def commit(cluster, group, topics):
    """Without a member; `topics`: {name: {partition: offset}}."""
    rows = {topic: {index: (offset, "") for index, offset in offsets.items()} for topic, offsets in topics.items()}
    with cluster.connect(coordinator(cluster, group)) as connection:
        groups.commit(connection, group, rows)


def until_done(attempt, what):
    """`attempt` gives Kafka's error."""
    def done():
        error = attempt()
        assert error == NO_ERROR, f"{what}: error {error}"
        return True
    wait_until(done, 30, what, every=0.2)


def one_name(name):
    return wire.Body(False).number("i", 1).string(name)


def delete_group(cluster, group):
    def attempt():
        with cluster.connect(coordinator(cluster, group)) as connection:
            reader = connection.read(DELETE_GROUPS, 0, one_name(group))
        reader.number("i"), reader.number("i"), reader.string()
        return reader.number("h")
    until_done(attempt, f"the deletion of {group!r}")


def delete_topic(cluster, topic):
    """By the controller, which is one of the nodes."""
    def attempt():
        errors = []
        for node in cluster.nodes:
            with cluster.connect(node) as connection:
                reader = connection.read(DELETE_TOPICS, 1, one_name(topic).number("i", 10000))
            reader.number("i"), reader.number("i"), reader.string()
            errors.append(reader.number("h"))
            if errors[-1] == NO_ERROR:
                return NO_ERROR
        return errors
    until_done(attempt, f"the deletion of {topic}")


def delete_records(cluster, topic, partition, offset):
    """What lies below `offset`, at the leader."""
    def attempt():
        body = one_name(topic).number("i", 1).number("i", partition).number("q", offset).number("i", 10000)
        with cluster.connect(cluster.leader(topic, partition)) as connection:
            reader = connection.read(DELETE_RECORDS, 0, body)
        reader.number("i"), reader.number("i"), reader.string(), reader.number("i"), reader.number("i"), reader.number("q")
        return reader.number("h")
    until_done(attempt, f"the deletion of records of {topic}-{partition}")


class Transaction:
    """One open transaction with `count` records in one partition; end() writes its marker."""

    def __init__(self, cluster, name, topic, partition, count):
        self.cluster, self.name = cluster, name
        self.coordinator = coordinator(cluster, name, groups.TRANSACTION)
        with cluster.connect(self.coordinator) as connection:
            self.producer = groups.start_transaction(connection, name, topic, partition)
        batch = wire.record_batch(count, producer=self.producer)
        with cluster.connect(cluster.leader(topic, partition)) as connection:
            reader = connection.read(wire.PRODUCE, 3, wire.produce(topic, partition, batch, transaction=name))
        reader.number("i"), reader.string(), reader.number("i"), reader.number("i")
        error = reader.number("h")
        assert error == NO_ERROR, f"records of {name}: error {error}"

    def end(self, is_committed=True):
        with self.cluster.connect(self.coordinator) as connection:
            groups.end_transaction(connection, self.name, self.producer, is_committed)
