"""What the figures share: the machine, CPU time of processes, load by wrk, rows with a goal."""
import contextlib
import pathlib
import platform
import os
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "system"))

from kit.agent import Agent  # noqa: E402
from kit.base import end, free_ports, spawn, wait_until  # noqa: E402

WORKERS = 2  # of nginx, as many as the agent's HTTP threads

NGINX = """
worker_processes {workers};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
daemon off;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=100;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    server {{ listen 127.0.0.1:{port} reuseport; root {folder}/www; default_type application/json; }}
}}
"""

BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build-release").resolve()


def header(name, what):
    model = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    print(f"{name}: {what}\n{name}: {os.cpu_count()} x {model}, {platform.system()} {platform.release()}, "
          f"load {os.getloadavg()[0]:.1f}", flush=True)


@contextlib.contextmanager
def folder():
    """In /tmp, which every worker of a server may enter."""
    with tempfile.TemporaryDirectory(prefix="koa-bench-", ignore_cleanup_errors=True) as path:
        os.chmod(path, 0o755)
        yield pathlib.Path(path)


@contextlib.contextmanager
def agent(*arguments, **options):
    with folder() as where:
        one = Agent(BUILD, where, **options, arguments=arguments)
        try:
            yield one.start()
        finally:
            one.end()


@contextlib.contextmanager
def simulated_kafka(*arguments):
    """A cluster in a process of its own: (process, bootstrap servers)."""
    process = spawn([BUILD / "kafka-ops-agent", "simulate", *arguments], stdout=subprocess.PIPE, text=True)
    try:
        yield process, process.stdout.readline().split("=", 1)[1].strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def nginx(bodies):
    """Serves each of {path: bytes} as a static file named path.body; gives (its workers' pids, port)."""
    with folder() as where:
        port = free_ports()
        for path, body in bodies.items():
            file = where / "www" / f"{path.lstrip('/')}.body"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
        (where / "nginx.conf").write_text(NGINX.format(folder=where, port=port, workers=WORKERS))
        process = spawn(["nginx", "-c", where / "nginx.conf", "-p", where], stderr=subprocess.DEVNULL)
        try:
            workers = wait_until(lambda: (found := children(process.pid)) and len(found) == WORKERS and found)
            yield workers, port
        finally:
            end(process)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def all_checks_answered(one):
    """The board once every check has an answer."""
    board = one.get("/health").json
    return board["summary"]["total"] > 0 and board["summary"]["unknown"] == 0 and board


def cpu_ns(pids):
    """Run time of all threads of these processes, in nanoseconds."""
    files = [path for pid in pids for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return sum(int(path.read_text().split()[0]) for path in files)


class KernelShare:
    """Which part of these processes' CPU time the kernel takes, from here on; exact to 10 ms."""

    def __init__(self, pids):
        self.pids, self.before = pids, self.ticks(pids)

    @staticmethod
    def ticks(pids):
        rows = [pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in pids]
        return sum(int(row[11]) for row in rows), sum(int(row[12]) for row in rows)

    def since(self):
        user, kernel = (now - then for now, then in zip(self.ticks(self.pids), self.before))
        return kernel / max(1, user + kernel)


class Load:
    """One run of wrk: how many requests were answered."""

    def __init__(self, url, connections, seconds):
        said = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", url], check=True,
                              capture_output=True, text=True).stdout
        if re.search(r"Socket errors|Non-2xx", said):
            raise RuntimeError(f"{url} did not answer well:\n{said}")
        self.requests = int(re.search(r"(\d+) requests in", said).group(1))


class Verdicts:
    """Counts the rows that miss their goal; the exit code says whether there were any."""

    def __init__(self):
        self.missed = 0

    def __call__(self, value, goal):
        self.missed += value > goal
        return "met" if value <= goal else "MISSED"

    def finish(self):
        sys.exit(1 if self.missed else 0)


def median(values):
    return statistics.median(values)


def numbers(name, fallback):
    """A whole number from the environment, for quick runs."""
    return int(os.environ.get(name, fallback))


__all__ = ["BUILD", "ROOT", "WORKERS", "Agent", "KernelShare", "Load", "Verdicts", "agent", "all_checks_answered", "cpu_ns", "end", "folder",
           "free_ports", "header", "median", "nginx", "numbers", "simulated_kafka", "spawn", "wait_until"]
