"""What is exported of a cluster with everything that is hard to name: each series once, each name one to ask for."""
import json
import re
import signal
import subprocess
import urllib.parse

import pytest

from kit.agent import BARE
from kit.base import end, spawn, wait_until

pytestmark = pytest.mark.simulator
NAMES = ["a/b", "100%", "a%2Fb", "with  blanks ", "two\nlines", "tab\there", "snow\N{SNOWMAN}-\N{CYRILLIC SMALL LETTER ZHE}",
         'quo"te\\', "back\\x41slash", "back\\x5cx41slash", "..", "?x=1&y=2#z", "+plus+", "C:\\temp", "n" * 1000]
TYPES = ["classic", "consumer", "share", "streams"]
EVENTS = """
  - {at: 1s, do: begin_transaction, topic: orders, partition: 0}
  - {at: 1s, do: end_transaction, topic: payments, partition: 0}
  - {at: 2s, do: create_topic, topic: short-lived, partitions: 3, rate: 5}
  - {at: 2500ms, do: create_group, group: of-short-lived, topic: short-lived}
  - {at: 5s, do: delete_topic, topic: short-lived}
  - {at: 3s, do: shrink_isr, broker: 3}
  - {at: 3s, do: fail_log_dir, broker: 1}
  - {at: 3s, do: move_coordinator, group: a/b, to: 1}
  - {at: 4s, do: delete_records, topic: orders, keep: 1}
  - {at: 4s, do: kill_members, group: a/b}
  - {at: 6s, do: freeze_broker, broker: 2}
"""
CONFIG = """
clusters:
  - {name: default, bootstrap_servers: ["SERVERS"], interval: 1s, slow_interval: 1s, request_timeout: 1s, granularity: GRANULARITY,
     probe: {enabled: true}}
"""
SERIES = re.compile(r"^([a-zA-Z_:][\w:]*(?:\{(?:[^\"}]|\"(?:[^\"\\]|\\.)*\")*\})?) (\S+)", re.M)


def shown(name):
    """As the agent writes a group's name."""
    if "\\x" not in name:
        return name
    return "".join(chr(byte) if 0x20 <= byte < 0x7f and byte != 0x5c else f"\\x{byte:02x}" for byte in name.encode())


def scenario(folder):
    file = folder / "scenario.yaml"
    groups = "".join(f"  - {{at: 0s, do: create_group, type: {TYPES[index % 4]}, topic: orders, group: {json.dumps(name)}}}\n"
                     for index, name in enumerate(NAMES))
    file.write_text("scenario:\n" + groups + EVENTS.lstrip("\n"))
    return file


def expect_each_once(text):
    rows = [line for line in text.splitlines() if line and not line.startswith("#")]
    names = [SERIES.match(line).group(1) for line in rows]
    assert len(names) > 500
    twice = sorted(name for name in set(names) if names.count(name) > 1) if len(set(names)) < len(names) else []
    assert twice == []
    return names


@pytest.fixture
def servers(build, tmp_path):
    """The bootstrap servers of a simulated cluster to which all that happens."""
    process = spawn([build / "kafka-ops-agent", "simulate", "--topics", 40, "--groups", 20, "--scenario", scenario(tmp_path)],
                    env=BARE, stdout=subprocess.PIPE)
    yield process.stdout.readline().decode().strip().split("=", 1)[1].replace(",", '", "')
    end(process, signal.SIGTERM)
    process.stdout.close()


@pytest.mark.parametrize("granularity", ["partition", "topic", "group"])
def test_no_series_is_there_twice_and_every_name_can_be_asked_for(agent, servers, granularity):
    one = agent(CONFIG.replace("GRANULARITY", granularity).replace("SERVERS", servers))

    def rows():
        return {row["name"]: row for row in one.get("/clusters/default/groups?limit=0").json["groups"]}

    wait_until(lambda: {shown(name) for name in NAMES} <= set(rows()), 15, "every group")
    expected = rows()
    for name in expected:
        answer = one.get(f"/clusters/default/groups/{urllib.parse.quote(name, safe='')}?limit=0")
        assert (answer.status, answer.json["name"], answer.json["type"]) == (200, name, expected[name]["type"])
    assert one.get("/clusters/default/groups/back%5Cx41").status == 404
    for row in one.get("/clusters/default/topics?limit=0").json["topics"]:
        answer = one.get(f"/clusters/default/topics/{urllib.parse.quote(row['name'], safe='')}")
        assert (answer.status, answer.json["name"]) == (200, row["name"])

    # Through the faults, as well as before them.
    wait_until(lambda: rows()["of-short-lived"]["conditions"].get("topic_gone"), 15, "a topic that is gone")
    wait_until(lambda: any(row["is_stale"] for row in rows().values()), 15, "groups of the frozen broker")
    for accept in ("text/plain", "application/openmetrics-text; version=1.0.0"):
        text = one.get("/metrics/prometheus", Accept=accept).text
        names = expect_each_once(text)
        assert ("openmetrics" in accept) == text.endswith("# EOF\n")
        assert any('partition="' in name for name in names if "group" in name) == (granularity == "partition")
        assert any('topic="' in name for name in names if "group_" in name or "group{" in name) == (granularity != "group")
        share = [name for name in names if name.startswith("kafka_ops_sharegroup_lag_sum_all_topics{")]
        assert len(share) >= sum(kind == "share" for kind in TYPES * 3)
    checked = subprocess.run(["promtool", "check", "metrics"], input=one.get("/metrics/prometheus").body,
                             capture_output=True, check=False)
    told = checked.stdout.decode() + checked.stderr.decode()
    assert "error while" not in told and "sharegroup" not in told, told
    one.stop()
