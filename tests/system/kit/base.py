"""Ports, waiting and child processes."""
import ctypes
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "kafka-ops-agent"
# Sanitized programs are several times slower; deadlines of tests stretch with them.
SLOWNESS = {"thread": 8, "address": 3}.get(os.environ.get("KOA_TEST_SANITIZER", ""), 1)
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None)
_handed_out = set()


def free_ports(count=1):
    """`count` neighbouring ports on 127.0.0.1 that nobody listens on; below the kernel's own range for clients."""
    for _ in range(1000):
        first = random.randrange(20000, 32000 - count)
        wanted = range(first, first + count)
        if _handed_out.isdisjoint(wanted) and all(map(_is_free, wanted)):
            _handed_out.update(wanted)
            return first
    raise RuntimeError("no free ports between 20000 and 32000")


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def wait_until(condition, deadline=10, what="the condition", every=0.05):
    """Calls `condition` until it gives something true, and gives that back; fails after `deadline` seconds.

    What it raised last is shown with the failure.
    """
    end, last = time.monotonic() + deadline * SLOWNESS, None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = value
        except (AssertionError, OSError, LookupError, ValueError) as error:
            last = error
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true in {deadline * SLOWNESS} s; last: {last!r}")
        time.sleep(every)


def own_namespaces(kinds):
    """`unshare` for namespaces of a test's own ("n": network, "m": mounts), in a user namespace of its own ("-rn").

    Where there is none to be had, as in a chroot, root needs none ("-n").
    """
    for flag in (f"-r{kinds}", f"-{kinds}"):
        if subprocess.run(["unshare", flag, "true"], capture_output=True).returncode == 0:
            return ["unshare", flag]
    pytest.skip("this user may not make namespaces")


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def spawn(command, **options):
    """A child that cannot outlive the tests."""
    return subprocess.Popen([str(word) for word in command], preexec_fn=_die_with_parent,
                            **{"stdin": subprocess.DEVNULL, **options})


def end(process, how=signal.SIGTERM, deadline=20):
    """Signals the process and waits; kills it when it stays. Gives its exit code."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        return process.wait(deadline * SLOWNESS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
