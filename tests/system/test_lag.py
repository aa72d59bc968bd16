"""`lag`: consumer groups from the cluster itself, as a table and as JSON."""
import json
import signal
import subprocess
import time

import pytest

from kit.agent import BARE, run
from kit.base import end, free_ports, spawn, wait_until

pytestmark = pytest.mark.simulator


@pytest.fixture(scope="module")
def servers(build):
    one = spawn([build / "kafka-ops-agent", "simulate", "--groups", "8"], env=BARE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True)
    yield one.stdout.readline().strip().split("=", 1)[1]
    end(one, signal.SIGKILL)
    one.stdout.close()


def test_the_table_shows_every_group(build, servers):
    done = run(build, "lag", "--bootstrap", servers)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["GROUP", "STATE", "TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "CONDITIONS"]
    assert lines[-1].startswith("8 groups, lag ")
    lags = [int(line.split()[6]) for line in lines[1:-1] if line.split()[6] != "-"]
    assert sum(lags) == int(lines[-1].split()[-1])


def test_json_is_what_the_table_sums_up(build, servers):
    done = run(build, "lag", "--bootstrap", servers, "--json", "--sort", "lag")
    assert done.returncode == 0 and done.stdout.count("\n") == 1
    groups = json.loads(done.stdout)["groups"]
    assert len(groups) == 8
    known = [group["lag"] for group in groups if group["lag"] is not None]
    assert known == sorted(known, reverse=True)
    for group in groups:
        rows = [row for topic in group["topic_list"] for row in topic["partition_list"] if row["lag"] is not None]
        assert sum(row["lag"] for row in rows) == (group["lag"] or 0)


def test_groups_and_topics_are_chosen(build, servers):
    name = json.loads(run(build, "lag", "--bootstrap", servers, "--json").stdout)["groups"][0]["name"]
    done = run(build, "lag", "--bootstrap", servers, "--group", name, "--no-partitions")
    assert done.returncode == 0 and done.stdout.splitlines()[-1].startswith("1 groups, ")
    done = run(build, "lag", "--bootstrap", servers, "--group", "nobody-.*")
    assert done.returncode == 1 and "no group matches 'nobody-.*'" in done.stderr


def test_a_cluster_of_a_file_is_named(build, servers, tmp_path):
    file = tmp_path / "koa.yaml"
    file.write_text(f"clusters:\n  - name: other\n    bootstrap_servers: [127.0.0.1:1]\n"
                    f"  - name: prod\n    bootstrap_servers: [{servers}]\n")
    assert run(build, "lag", "--config", file, "--cluster", "prod").returncode == 0
    done = run(build, "lag", "--config", file, "--cluster", "test")
    assert done.returncode == 2 and "there is no 'test'; there is 'other', 'prod'" in done.stderr


def test_a_cluster_that_is_not_there_is_an_error_that_says_why(build):
    port = free_ports(1)
    done = run(build, "lag", "--bootstrap", f"127.0.0.1:{port}")
    assert done.returncode == 1 and done.stdout == ""
    assert "cluster 'default' cannot be read: " in done.stderr and "refused" in done.stderr.lower()


@pytest.mark.parametrize("arguments, says", [
    ((), "no cluster is named"),
    (("--bootstrap", "localhost"), "localhost"),
    (("--bootstrap", "h:1", "--group", "a("), "--group: 'a(' is not a POSIX extended regular expression"),
    (("--bootstrap", "h:1", "--sort", "size"), "is not one of name, lag, lag_seconds, trouble"),
    (("--bootstrap", "h:1", "--watch=soon"), "--watch: 'soon' is not a time"),
    (("--config", "/no/such/file"), "/no/such/file"),
])
def test_wrong_flags_are_named(build, arguments, says):
    done = run(build, "lag", *arguments)
    assert (done.returncode, done.stdout) == (2, "") and says in done.stderr, done.stderr


def test_watching_looks_again_until_it_is_ended(build, servers, tmp_path):
    with open(tmp_path / "out", "w") as out:
        one = spawn([build / "kafka-ops-agent", "lag", "--bootstrap", servers, "--json", "--watch=1"], env=BARE, stdout=out,
                    stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: (tmp_path / "out").read_text().count("\n") >= 3, 15, "three looks")
        finally:
            end(one, signal.SIGINT)
    looks = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert len({look["timestamp"] for look in looks}) == len(looks)


def test_watching_ends_with_its_reader(build, servers):
    one = spawn([build / "kafka-ops-agent", "lag", "--bootstrap", servers, "--watch=1"], env=BARE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL)
    one.stdout.readline()
    one.stdout.close()
    started = time.monotonic()
    assert one.wait(10) is not None and time.monotonic() - started < 10
