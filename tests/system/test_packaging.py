"""What packaging/ promises to Kubernetes, Docker and systemd is true of the program."""
import shutil
import subprocess

import pytest

from kit.base import ROOT, own_namespaces

pytestmark = pytest.mark.simulator
PACKAGING = ROOT / "packaging"


def objects():
    try:
        import yaml
    except ImportError:
        pytest.skip("python3-yaml is not installed; ./dev test installs it")
    return {one["kind"]: one for one in yaml.safe_load_all((PACKAGING / "kubernetes.yaml").read_text())}


def test_the_probes_and_the_monitor_name_endpoints_that_answer(agent):
    found = objects()
    container = found["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    paths = [container["livenessProbe"]["httpGet"]["path"], container["readinessProbe"]["httpGet"]["path"],
             found["ServiceMonitor"]["spec"]["endpoints"][0]["path"]]
    assert paths == ["/health/live", "/health/ready", "/metrics/prometheus"]
    one = agent(found["ConfigMap"]["data"]["kafka-ops-agent.yaml"].replace("kafka-bootstrap.kafka:9092", "127.0.0.1:1"))
    for path in paths:
        assert one.get(path).status in (200, 503), path
    assert one.get("/health/live").status == 200
    one.stop()


def test_the_pod_runs_without_root_and_without_a_writable_root():
    pod = objects()["Deployment"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    security = pod["containers"][0]["securityContext"]
    assert security["readOnlyRootFilesystem"] is True and security["allowPrivilegeEscalation"] is False
    assert objects()["Service"]["spec"]["ports"][0]["targetPort"] == pod["containers"][0]["ports"][0]["name"]


def test_the_image_ends_as_a_user_that_is_not_root():
    lines = (PACKAGING / "Dockerfile").read_text().splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER")]
    assert users and users[-1].split(":")[0] not in ("root", "0")
    assert any(line.startswith("ENTRYPOINT") and "kafka-ops-agent" in line for line in lines)


def test_the_image_s_volume_belongs_to_its_user():
    lines = (PACKAGING / "Dockerfile").read_text().splitlines()
    user = next(line.split()[1] for line in lines if line.startswith("USER"))
    state = next(line.split()[1] for line in lines if line.startswith("VOLUME"))
    owner, group = user.split(":")
    assert f"RUN install -d -o {owner} -g {group} -m 0700 {state}" in lines


def test_a_read_only_root_needs_only_the_state_directory(build, tmp_path):
    """In a mount namespace where only STATE_DIRECTORY can be written.

    A copy of the root is made read-only: in a chroot the root itself is no mount that could be.
    """
    unshare = own_namespaces("m")
    root, state = tmp_path / "root", tmp_path / "state"
    root.mkdir()
    state.mkdir()
    script = ('mount --rbind / "$1" && mount -o remount,bind,ro "$1" && mount --bind "$2" "$1$2" && '
              '! touch "$1/read-only-probe" 2>/dev/null && '
              'exec chroot "$1" env STATE_DIRECTORY="$2" timeout -s TERM 3 "$3" serve --host 127.0.0.1 --port 0')
    done = subprocess.run([*unshare, "sh", "-c", script, "sh", root, state, build / "kafka-ops-agent"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 124, done.stderr  # the agent ran until timeout ended it
    assert (state / "state.db").exists()
    assert "lives in memory" not in done.stderr, done.stderr


def test_state_directory_comes_from_the_environment(agent, tmp_path):
    one = agent("{}", start=False, environment={"STATE_DIRECTORY": str(tmp_path / "state")})
    at = one.arguments.index("--state-dir")
    del one.arguments[at:at + 2]
    one.start()
    one.wait_for_check("database", "healthy")
    assert (tmp_path / "state" / "state.db").exists()
    one.stop()


def test_systemd_accepts_the_unit(build, tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed; ./dev test installs it")
    unit = (PACKAGING / "kafka-ops-agent.service").read_text()
    (tmp_path / "kafka-ops-agent.service").write_text(unit.replace("/usr/bin/kafka-ops-agent",
                                                                   str(build / "kafka-ops-agent")))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(tmp_path / "kafka-ops-agent.service")],
                          capture_output=True, text=True)
    assert "kafka-ops-agent.service" not in done.stderr, done.stderr
