"""Fixtures of the system tests: whatever a test starts, its fixture ends."""
import pathlib
import tempfile

import pytest

from kit.agent import Agent
from kit.kafka import KafkaCluster
from kit.postgres import Postgres
from kit.receiver import Deaf, Receiver


@pytest.fixture
def agent(build, tmp_path):
    """Makes agents: agent(config, ...) starts one; all end with the test."""
    made = []

    def make(config=None, start=True, **options):
        one = Agent(build, tmp_path / f"agent-{len(made)}", config, **options)
        made.append(one)
        return one.start() if start else one

    yield make
    for one in made:
        one.end()
    for one in made:
        assert "Sanitizer" not in one.log, one.log[-6000:]


@pytest.fixture
def receiver():
    made = []

    def make(*answers):
        one = Receiver(answers or ((200, {}),))
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


@pytest.fixture
def deaf():
    one = Deaf()
    yield one
    one.close()


@pytest.fixture(scope="session")
def postgres():
    """In a folder that another user may enter."""
    with tempfile.TemporaryDirectory(prefix="koa-pg-", ignore_cleanup_errors=True) as folder:
        server = Postgres(pathlib.Path(folder) / "pg").start()
        yield server
        server.stop()


@pytest.fixture
def kafka(tmp_path):
    """kafka(version, count): a real cluster of the test's own."""
    made = []

    def make(version, count=1):
        cluster = KafkaCluster(version, tmp_path / f"kafka-{len(made)}", count)
        made.append(cluster)
        return cluster.start()

    yield make
    for cluster in made:
        cluster.stop()
