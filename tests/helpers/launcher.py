"""Starting ``run_sweep.py`` as a fork of one process that has imported everything, so that a sweep costs no imports.

What is started is a process like any other: it has its own number, process group, directory, environment and output,
default signal handlers, an exit status, and children of its own. One server (``launcher_server.py``) does it for all the
processes that share the tests; it is started with the first sweep, and ends with the last of them.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import filelock

ROOT = Path(__file__).resolve().parents[2]


class ForkedProcess:
    """What the tests use of ``subprocess.Popen``, of a process that the server has forked."""

    def __init__(self, connection: socket.socket, arguments: Sequence[str]):
        self.args = list(arguments)
        self._connection = connection
        self.returncode: int | None = None
        self.pid = _number(connection)

    def poll(self) -> int | None:
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._connection], [], [], timeout)[0]:
            self.returncode = os.waitstatus_to_exitcode(_number(self._connection))
            self._connection.close()
        return self.returncode


class Launcher:
    """The server's client; each process that runs tests has one."""

    def __init__(self, directory: Path, environment: Mapping[str, str]):
        """``directory`` belongs to all the processes that share the tests."""
        with filelock.FileLock(directory / ".launcher.lock"):
            known = directory / "launcher.address"
            try:
                self._connect(Path(known.read_text()))
            except OSError:  # nobody has started it, or those who did are done
                address = Path(tempfile.mkdtemp(prefix="sweeps-")) / "socket"  # the name of a socket is short
                self._start(address, directory / "launcher.log", environment)
                known.write_text(str(address))
                self._connect(address)

    def start(
        self,
        arguments: Sequence[str],
        directory: Path,
        environment: Mapping[str, str],
        stdout: int,
        stderr: int,
        **confinement: str,
    ) -> ForkedProcess:
        """Run ``run_sweep.py`` with ``arguments`` (the whole command line) in a session of its own.

        ``confinement``: ``network``, the file of a network namespace, and ``control_group``, the directory of one.
        """
        assert "PYTHONPATH" not in environment, "a fork has its imports done"
        request = {"arguments": list(arguments), "directory": str(directory), "environment": dict(environment)}
        request["confinement"] = confinement
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(self._address))
        send(connection, request, [stdout, stderr])
        return ForkedProcess(connection, arguments)

    def _start(self, address: Path, log: Path, environment: Mapping[str, str]) -> None:
        with socket.socket(socket.AF_UNIX) as listener, open(log, "ab") as output:
            listener.bind(str(address))
            listener.listen(64)
            paths = os.pathsep.join((str(ROOT / "tests"), str(ROOT)))
            subprocess.Popen(
                [sys.executable, "-m", "helpers.launcher_server", str(listener.fileno())],
                env={**environment, "PYTHONPATH": paths},
                cwd=address.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )

    def _connect(self, address: Path) -> None:
        """Hold a connection for as long as this process lives: with the last one the server ends."""
        self._address, self._held = address, socket.socket(socket.AF_UNIX)
        self._held.connect(str(address))
        send(self._held, {}, [])


def send(connection: socket.socket, message: object, descriptors: Sequence[int]) -> None:
    """A message in JSON with open files."""
    data = json.dumps(message).encode()
    head = len(data).to_bytes(4, "big")
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    connection.sendmsg([head], rights)
    connection.sendall(data)


def receive(connection: socket.socket, at_most: int) -> tuple[object, list[int]]:
    """The other end of ``send``. Raises EOFError when the sender is gone."""
    head, descriptors, _, _ = socket.recv_fds(connection, 4, at_most)
    data = _exactly(connection, int.from_bytes(head, "big")) if len(head) == 4 else b""
    if not data:
        raise EOFError
    return json.loads(data), list(descriptors)


def _number(connection: socket.socket) -> int:
    return int.from_bytes(_exactly(connection, 4), "big")


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise EOFError("the process that sweeps are forked from is gone; its log is launcher.log")
        data += more
    return data
