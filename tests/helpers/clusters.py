"""A Ray cluster of two nodes on this machine, out of reach: in a network of its own that has only a loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from helpers.sweeps import PATIENCE_S, children

ADDRESS = "127.0.0.1:6379"
OTHER = "127.0.0.2"  # the second node

_FAST = '{"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 4}'


def reason_against() -> str:
    """Why there can be no such cluster here, "" when there can."""
    if shutil.which("unshare") is None or shutil.which("nsenter") is None or shutil.which("ip") is None:
        return "needs unshare, nsenter and ip"
    if subprocess.run(
        ["unshare", "--net", "ip", "link", "set", "lo", "up"], capture_output=True, check=False
    ).returncode:
        return "this system lets the tests have no network of their own"
    if subprocess.run([sys.executable, "-c", "import ray"], capture_output=True, check=False).returncode:
        return "Ray is not installed"
    return ""


class Network:
    """A network with nothing but a loopback, and what runs in it."""

    def __init__(self, env: dict[str, str]):
        self._directory = tempfile.mkdtemp(prefix="ray-")  # a short path: it becomes part of the names of sockets
        self.env = env | {"RAY_TMPDIR": self._directory, "RAY_USAGE_STATS_ENABLED": "0", "HOME": self._directory}
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep infinity"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout.readline() == "up\n"
        self._id = os.readlink(f"/proc/{self._holder.pid}/ns/net")
        self.namespace = f"/proc/{self._holder.pid}/ns/net"
        self.within = ("nsenter", f"--net={self.namespace}")
        self._started = [self._holder]

    def node(self, *arguments: str) -> subprocess.Popen:
        """Start a node of one CPU, all of whose processes descend from the one that is returned."""
        ray = [str(Path(sys.executable).with_name("ray")), "start", "--block", "--num-cpus=1", "--disable-usage-stats"]
        started = subprocess.Popen(
            [*self.within, *ray, *arguments],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._started.append(started)
        output = ""
        for line in started.stdout:
            output += line
            if "Ray runtime started" in line:
                return started
        raise AssertionError(f"no node:\n{output}")

    def processes(self) -> list[int]:
        """Those that have this network."""
        pids = []
        for path in Path("/proc").glob("[0-9]*/ns/net"):
            with contextlib.suppress(OSError):
                if os.readlink(path) == self._id:
                    pids.append(int(path.parts[2]))
        return pids

    def close(self) -> None:
        """End all that runs in it."""
        deadline = time.monotonic() + PATIENCE_S
        while (left := self.processes()) and time.monotonic() < deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for process in self._started:
                process.poll()
        for process in self._started:
            process.wait()
            process.stdout.close()
        shutil.rmtree(self._directory, ignore_errors=True)
        assert not left


def descendants(pid: int) -> list[int]:
    return [each for child in children(pid) for each in (child, *descendants(child))]


def kill_node(node: subprocess.Popen) -> None:
    """As if its power went: all its processes at once, those that train too."""
    for pid in [node.pid, *descendants(node.pid)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    node.wait()


@contextlib.contextmanager
def two_nodes(env: dict[str, str]) -> Iterator[Network]:
    network = Network(env)
    try:
        head = ("--head", "--include-dashboard=false", "--port=6379", "--node-ip-address=127.0.0.1")
        network.head = network.node(*head, f"--system-config={_FAST}")
        network.other = network.node(f"--address={ADDRESS}", f"--node-ip-address={OTHER}")
        yield network
    finally:
        network.close()
