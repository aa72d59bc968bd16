"""The database check against a real PostgreSQL server that refuses, freezes, dies and comes back; and SQLite files."""
import contextlib
import sqlite3
import time

import pytest

from kit.base import SLOWNESS, free_ports, wait_until
from kit.postgres import PASSWORD

needs_postgres = pytest.mark.postgres
TIMEOUT_S = 2
EVERYTHING = ("/health", "/health/checks", "/health/checks/database", "/health/history?limit=0", "/status", "/info",
              "/alerts", "/alerts/history?limit=0", "/rules", "/metrics", "/metrics/prometheus")


def config(url):
    return f"""
checks:
  - {{name: database, type: database, url: "{url}", interval: 1s, timeout: {TIMEOUT_S}s}}
  - {{name: quick, type: exec, command: [/bin/true], interval: 1s}}
alerting:
  rules: [{{name: down, type: health_status, check: database, status: unhealthy}}]
"""


@pytest.fixture
def server(postgres):
    """Running and awake, also after the test."""
    yield postgres
    if postgres.process.poll() is None:
        postgres.thaw()
    else:
        postgres.start()


def wait_for_runs(one, name, count):
    for _ in range(count):
        last = one.check(name)["timestamp"]
        wait_until(lambda: one.check(name)["timestamp"] > last, 10, f"another run of {name}")


def backends(server):
    return server.ask("select pid from pg_stat_activity where application_name = 'kafka-ops-agent'")


@needs_postgres
def test_one_connection_serves_many_runs(agent, server):
    one = agent(config(server.url))
    result = one.wait_for_check("database", "healthy")
    assert result["message"] == "Database connection successful"
    assert result["details"]["backend"] == "postgresql" and result["details"]["database"] == "postgres"
    assert result["details"]["server_version"].startswith(server.bin.parent.name)
    first = backends(server)
    assert len(first) == 1
    wait_for_runs(one, "database", 3)
    assert backends(server) == first
    assert one.check("database")["details"]["connection_reused"] is True
    one.stop()
    wait_until(lambda: backends(server) == [], 10, "the connection being closed with the agent")


@needs_postgres
def test_a_kept_connection_that_died_is_no_news(agent, server):
    one = agent(config(server.url))
    one.wait_for_check("database", "healthy")
    first = backends(server)
    assert server.ask(f"select pg_terminate_backend({first[0]})") == ["t"]
    wait_for_runs(one, "database", 2)
    assert len(backends(server)) == 1 and backends(server) != first
    statuses = [check["status"] for board in one.get("/health/history?limit=0").json["history"]
                for check in board["checks"] if check["name"] == "database"]
    assert set(statuses) <= {"healthy", "unknown"}, statuses
    one.stop()


@needs_postgres
def test_a_wrong_password_is_told_without_it(agent, server):
    one = agent(config(server.url.replace(PASSWORD, "wr0ng-s3cret")))
    message = one.wait_for_check("database", "unhealthy")["message"]
    assert message.startswith("Database connection failed: ") and "password authentication failed" in message
    wait_until(lambda: one.alert("down"), 10, "the alert")
    for path in EVERYTHING:
        assert "s3cret" not in one.get(path).text, path
    one.stop()
    assert "s3cret" not in one.log


@needs_postgres
@pytest.mark.parametrize("is_connected", [True, False])
def test_a_frozen_server_is_reported_at_the_deadline(agent, server, is_connected):
    one = agent(config(server.url), start=False)
    if is_connected:
        one.start().wait_for_check("database", "healthy")
    server.freeze()
    began = time.monotonic()
    if not is_connected:
        one.start()
    result = one.wait_for_check("database", "unhealthy", TIMEOUT_S + 3)
    assert result["message"] == "Health check timed out after 2.0s"
    assert time.monotonic() - began >= TIMEOUT_S * 0.9
    assert result["duration_ms"] <= (TIMEOUT_S + 1) * 1000 * SLOWNESS
    wait_for_runs(one, "quick", 2)
    assert (one.check("quick")["status"], one.check("database")["status"]) == ("healthy", "unhealthy")
    server.thaw()
    one.wait_for_check("database", "healthy")
    assert len(backends(server)) == 1, "connections that were given up stay open"
    one.stop()


@needs_postgres
def test_a_server_stops_and_comes_back(agent, server):
    one = agent(config(server.url))
    one.wait_for_check("database", "healthy")
    server.stop()
    assert one.wait_for_check("database", "unhealthy")["message"].startswith("Database connection failed: ")
    assert one.get("/health").status == 503
    server.start()
    one.wait_for_check("database", "healthy")
    one.stop()


@pytest.mark.simulator
def test_a_port_where_nobody_listens(agent):
    one = agent(config(f"postgresql://koa:pw-s3cret@127.0.0.1:{free_ports()}/postgres"))
    message = one.wait_for_check("database", "unhealthy")["message"]
    assert message.startswith("Database connection failed: ") and "refused" in message
    assert "s3cret" not in one.log + one.get("/health").text
    one.stop()


@pytest.mark.simulator
def test_sqlite_files(agent, tmp_path):
    good, bad, missing = tmp_path / "good.db", tmp_path / "bad.db", tmp_path / "missing.db"
    with contextlib.closing(sqlite3.connect(good)) as database:
        database.execute("create table orders (id integer)")
        database.commit()
    bad.write_bytes(b"this is no database at all" * 100)
    one = agent("checks:\n" + "".join(
        f"  - {{name: {path.stem}, type: database, url: 'sqlite://{path}'}}\n" for path in (good, bad, missing)))
    result = one.wait_for_check("good", "healthy")
    assert result["message"] == "Database connection successful" and result["details"]["path"] == str(good)
    assert "not a database" in one.wait_for_check("bad", "unhealthy")["message"]
    message = one.wait_for_check("missing", "unhealthy")["message"]
    assert message.startswith("Database connection failed: ") and "unable to open" in message
    assert not missing.exists()
    one.stop()
