"""Real Apache Kafka: jars from Maven Central in a cache folder, one JVM per node, all ended by pid."""
import base64
import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import time
import uuid

import pytest

from . import kafka_wire
from .base import CACHE, end, free_ports, spawn, wait_until

OLD, NEW = "3.9.2", "4.4.0"
ZOOKEEPER_ONLY = "2.8.2"
POM = pathlib.Path(__file__).parent.parent / "kafka" / "pom.xml"
START_DEADLINE_S = 90
JAVA = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]


def jars(version):
    """The folder with the jars of this version; fetched once, whoever comes first, with retries."""
    for program in ("java", "mvn"):
        if not shutil.which(program):
            pytest.skip(f"real Kafka needs {program}; ./dev test installs it")
    folder = CACHE / f"kafka-{version}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"kafka-{version}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.is_dir():
            return folder
        said = ""
        for attempt in range(3):
            time.sleep(attempt * 10)
            part = folder.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            done = subprocess.run(["mvn", "-B", "-ntp", "-Dstyle.color=never", "-f", POM, f"-Dkafka.version={version}",
                                   "dependency:copy-dependencies", f"-DoutputDirectory={part}"],
                                  capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600)
            if done.returncode == 0:
                part.rename(folder)
                return folder
            said = "\n".join(line for line in done.stdout.splitlines() if line.startswith(("[WARNING]", "[ERROR]")))
    pytest.skip(f"the jars of Kafka {version} could not be fetched: {said[:1500]}")


class KafkaNode:
    """One broker's process; it is also a controller with KRaft."""

    def __init__(self, cluster, node_id, port, advertised_port):
        self.cluster, self.id, self.port, self.advertised_port = cluster, node_id, port, advertised_port
        self.folder = cluster.folder / f"node-{node_id}"
        self.process, self.is_frozen = None, False

    @property
    def log(self):
        return self.folder / "broker.log"

    def properties(self):
        cluster = self.cluster
        lines = {
            "log.dirs": self.folder / "data",
            "broker.rack": f"rack-{self.id}",
            "offsets.topic.replication.factor": min(3, len(cluster.nodes)),
            "transaction.state.log.replication.factor": min(3, len(cluster.nodes)),
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 4,
            "share.coordinator.state.topic.replication.factor": min(3, len(cluster.nodes)),
            "share.coordinator.state.topic.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 4,
            "offsets.topic.num.partitions": 4,
            "group.initial.rebalance.delay.ms": 0,
            "auto.create.topics.enable": "false",
            "num.network.threads": 2,
            "num.io.threads": 2,
            "log.cleaner.enable": "false",
            "controlled.shutdown.enable": "false",
            "inter.broker.listener.name": "PLAINTEXT",
        }
        if cluster.zookeeper_port:
            lines |= {"broker.id": self.id, "zookeeper.connect": f"127.0.0.1:{cluster.zookeeper_port}",
                      "listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
                      "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.advertised_port}"}
        else:
            lines |= {"process.roles": "broker,controller", "node.id": self.id,
                      "controller.quorum.voters": ",".join(f"{node.id}@127.0.0.1:{node.port + 1}" for node in cluster.nodes),
                      "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.port + 1}",
                      "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.advertised_port}",
                      "controller.listener.names": "CONTROLLER",
                      "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
                      "broker.session.timeout.ms": 3000, "broker.heartbeat.interval.ms": 500,
                      "controller.quorum.election.timeout.ms": 500, "controller.quorum.fetch.timeout.ms": 1500}
        lines |= {key: value(self) if callable(value) else value for key, value in cluster.settings.items()}
        return "".join(f"{key}={value}\n" for key, value in lines.items())

    def prepare(self):
        self.folder.mkdir(parents=True)
        (self.folder / "server.properties").write_text(self.properties())
        if not self.cluster.zookeeper_port:
            self.cluster.java("kafka.tools.StorageTool", "format", "-t", self.cluster.cluster_id,
                              "-c", self.folder / "server.properties", *self.cluster.format_options)

    def start(self):
        with self.log.open("a") as log:
            self.process = spawn(self.cluster.jvm + ["kafka.Kafka", self.folder / "server.properties"], cwd=self.folder,
                                 env=self.cluster.environment, stdout=log, stderr=subprocess.STDOUT)

    def is_up(self):
        if self.process is None or self.process.poll() is not None:
            raise AssertionError(f"node {self.id} ended: {self.log.read_text()[-2000:]}")
        with kafka_wire.Connection("127.0.0.1", self.port) as connection:
            return self.id in connection.brokers()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)
        self.is_frozen = True

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)
        self.is_frozen = False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            end(self.process, signal.SIGKILL)


class KafkaCluster:
    """`count` nodes of one version: KRaft, or one ZooKeeper where the version knows nothing else.

    `settings`: {key: value, or a function that gives it for a node}; `advertise` gives the port that clients are told
    for a node's real port (for a proxy in between); `jvm` is how a node's JVM is started.
    """

    def __init__(self, version, folder, count=1, settings=None, advertise=lambda port: port, jvm=None):
        self.jvm = jvm or JAVA
        self.version, self.folder, self.settings = version, pathlib.Path(folder), settings or {}
        self.format_options = ()  # of Kafka's StorageTool: users that exist from the start
        self.jars = jars(version)
        self.environment = {"PATH": os.environ["PATH"], "CLASSPATH": f"{self.jars}/*", "HOME": str(self.folder)}
        self.cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        while self.cluster_id.startswith("-"):  # StorageTool would take it for an option
            self.cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        self.zookeeper, self.zookeeper_port = None, free_ports() if version == ZOOKEEPER_ONLY else 0
        self.tools = []
        self.nodes = []
        for node_id in range(1, count + 1):
            port = free_ports(2)
            self.nodes.append(KafkaNode(self, node_id, port, advertise(port)))

    @property
    def bootstrap(self):
        return ",".join(f"127.0.0.1:{node.advertised_port}" for node in self.nodes)

    def java(self, main_class, *arguments, check=True, timeout=120):
        """Runs a tool from the class path; gives its standard output."""
        done = subprocess.run(JAVA + [main_class, *map(str, arguments)], env=self.environment, capture_output=True,
                              encoding="utf-8", errors="replace", stdin=subprocess.DEVNULL, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"{main_class} {arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def start_tool(self, main_class, *arguments):
        """One that runs on, such as a console consumer; ends with the cluster."""
        with (self.folder / f"tool-{len(self.tools)}.log").open("w") as log:
            self.tools.append(spawn(JAVA + [main_class, *arguments], env=self.environment, stdout=log,
                                    stderr=subprocess.STDOUT))
        return self.tools[-1]

    def shell_offsets(self, bootstrap=None, when=-1):
        """{(topic, partition): offset} as GetOffsetShell prints them: when -1 the end, -2 the start."""
        printed = self.java("org.apache.kafka.tools.GetOffsetShell", "--bootstrap-server", bootstrap or self.bootstrap,
                            "--time", when)
        rows = [line.rsplit(":", 2) for line in printed.split()]
        return {(topic, int(partition)): int(offset) for topic, partition, offset in rows}

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.zookeeper_port:
            self._start_zookeeper()
        for node in self.nodes:
            node.prepare()
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            self.wait_for(node)
        return self

    def _start_zookeeper(self):
        settings = self.folder / "zookeeper.properties"
        settings.write_text(f"dataDir={self.folder}/zookeeper\nclientPort={self.zookeeper_port}\n"
                            "clientPortAddress=127.0.0.1\nadmin.enableServer=false\n")
        with (self.folder / "zookeeper.log").open("w") as log:
            self.zookeeper = spawn(JAVA + ["org.apache.zookeeper.server.quorum.QuorumPeerMain", settings],
                                   env=self.environment, stdout=log, stderr=subprocess.STDOUT)

    def wait_for(self, node):
        """Until the node answers and every node that runs is known to it."""
        running = {other.id for other in self.nodes if other.process and other.process.poll() is None}

        def whole():
            if not node.is_up():
                return False
            with kafka_wire.Connection("127.0.0.1", node.port) as connection:
                return running <= set(connection.brokers())
        wait_until(whole, START_DEADLINE_S, f"Kafka {self.version} node {node.id}", every=0.3)

    def connect(self, node=None):
        return kafka_wire.Connection("127.0.0.1", (node or self.running()).port)

    def running(self):
        """One that answers."""
        return next(node for node in self.nodes if node.process and node.process.poll() is None and not node.is_frozen)

    def create_topics(self, topics, replication=1):
        """{name: partitions}; waits until every partition has a leader."""
        with self.connect() as connection:
            errors = connection.create(topics, replication)
            assert not any(errors.values()), errors
            for name, count in topics.items():
                wait_until(lambda: self._has_leaders(connection, name, count), 30, f"leaders of {name}")

    @staticmethod
    def _has_leaders(connection, topic, count):
        _, leaders, error = connection.leaders(topic)
        return error == 0 and len(leaders) == count and min(leaders.values()) >= 0

    def leader(self, topic, partition):
        """The node that leads it. For a moment after a broker has gone, its partitions have no leader."""
        def known():
            with self.connect() as connection:
                _, leaders, _ = connection.leaders(topic)
            return next((node for node in self.nodes if node.id == leaders.get(partition)), None)
        return wait_until(known, 30, f"a leader of {topic}-{partition}", every=0.2)

    def produce(self, topic, partition, count):
        """Adds `count` records to the partition, at its leader."""
        with self.connect(self.leader(topic, partition)) as connection:
            wait_until(lambda: connection.send(topic, partition, count) == 0, 15, f"a record in {topic}-{partition}")

    def stop(self):
        for tool in self.tools:
            end(tool, signal.SIGKILL)
        for node in self.nodes:
            node.stop()
        if self.zookeeper:
            end(self.zookeeper, signal.SIGKILL)
