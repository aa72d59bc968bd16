"""A real PostgreSQL server from Debian's packages, in a folder of its own, as a user that is not root."""
import os
import pathlib
import pwd
import shutil
import signal
import subprocess

import pytest

from .base import end, free_ports, spawn, wait_until

PASSWORD = "pg-s3cret-pass"


def binaries():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not found:
        pytest.skip("no PostgreSQL server is installed; ./dev test installs it")
    return found[-1]


class Postgres:
    def __init__(self, folder):
        self.folder, self.port, self.bin = pathlib.Path(folder), free_ports(), binaries()
        self.process = None
        # initdb refuses root, so that a broken database cannot break the machine.
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None

    def as_user(self, *command):
        return [shutil.which("runuser"), "-u", self.user.pw_name, "--", *command] if self.user else list(command)

    @property
    def url(self):
        return f"postgresql://koa:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def start(self):
        data = self.folder / "data"
        if not data.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            password = self.folder / "password"
            password.write_text(PASSWORD)
            # Every folder on the way must let the other user through.
            for folder in (self.folder, *self.folder.parents):
                if str(folder).startswith("/tmp/") or str(folder).startswith(str(self.folder)):
                    folder.chmod(0o755)
            if self.user:
                os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
                os.chown(password, self.user.pw_uid, self.user.pw_gid)
            subprocess.run(self.as_user(str(self.bin / "initdb"), "-D", str(data), "-U", "koa", "--auth=scram-sha-256",
                                        f"--pwfile={password}", "--no-sync"), check=True, capture_output=True, timeout=120,
                           cwd=self.folder)
        with (self.folder / "server.log").open("a") as log:
            self.process = spawn(self.as_user(str(self.bin / "postgres"), "-D", str(data), "-p", str(self.port), "-c",
                                              "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}",
                                              "-c", "fsync=off"), stdout=log, stderr=subprocess.STDOUT, cwd=self.folder)
        wait_until(self.is_ready, 30, "PostgreSQL accepting connections")
        return self

    def is_ready(self):
        done = subprocess.run([self.bin / "pg_isready", "-h", "127.0.0.1", "-p", str(self.port)], capture_output=True)
        return done.returncode == 0

    def server_pid(self):
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def signal(self, number):
        """To the server and to its backends, which serve connections that are open without it."""
        server = self.server_pid()
        children = pathlib.Path(f"/proc/{server}/task/{server}/children").read_text().split()
        for pid in (server, *map(int, children)):
            try:
                os.kill(pid, number)
            except ProcessLookupError:  # its connection ended meanwhile
                pass

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)
        self.process.send_signal(signal.SIGCONT)  # runuser stops itself when what it runs is stopped

    def ask(self, query):
        """The rows psql prints, one text each."""
        done = subprocess.run([self.bin / "psql", "-X", "-A", "-t", "-c", query, self.url], capture_output=True,
                              text=True, check=True, timeout=30)
        return done.stdout.split("\n")[:-1]

    def stop(self):
        if self.process and self.process.poll() is None:
            try:
                self.thaw()
                os.kill(self.server_pid(), signal.SIGINT)
                self.process.wait(20)
            except (OSError, ValueError, subprocess.TimeoutExpired):
                end(self.process, signal.SIGKILL)
