"""The process that ``launcher.py`` has sweeps forked from: it imports everything that a sweep needs, and runs none of it.

A sweep starts Python anew for the server of its workers, for Python's resource tracker and for the report. It gets these
as forks too: they are made as children of the sweep before its first line, when it has no threads, and wait for what
``multiprocessing`` would have started.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import re
import runpy
import select
import selectors
import signal
import socket
import sys
import tempfile
import types
from collections.abc import Callable
from multiprocessing import util
from pathlib import Path

from helpers.launcher import ROOT, receive, send

SPARE_PROCESSES = 3  # the server of workers, the resource tracker, the report
MOST_DESCRIPTORS = 16
CLONE_NEWNET = 0x40000000
FREE_FROM = 500  # open files with numbers from here on are of no one

_STARTED_IN = os.getcwd()

Work = Callable[[], None]


def main(listener: socket.socket) -> None:
    before = set(os.environ)
    _import_everything()
    added = {name: os.environ[name] for name in set(os.environ) - before}
    # Outside the loop: a fork leaves it with what it is to do, and ends like a program of its own.
    work = _serve(listener, added)
    if work is not None:
        work()


def _import_everything() -> None:
    os.environ.update({"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "WARNING"})
    import mlflow.tracking  # noqa: F401
    from helpers import instant_executor

    import reports
    import run_sweep  # noqa: F401
    import zoo.execution.preload
    import zoo.execution.sweep
    import zoo.tracking.recorder  # noqa: F401

    reports.prepare()
    instant_executor.register()


def _serve(listener: socket.socket, added: dict[str, str]) -> Work | None:
    """Fork what is asked for, until nobody is left to ask. In a fork: returns what it is to do."""
    waiting = selectors.DefaultSelector()
    waiting.register(listener, selectors.EVENT_READ, "listener")
    clients: set[socket.socket] = set()
    sweeps: dict[int, socket.socket] = {}  # process -> connection
    while True:
        for key, _ in waiting.select():
            if key.data == "listener":
                connection, _ = listener.accept()
                try:
                    request, descriptors = receive(connection, 2)
                except (EOFError, OSError):
                    connection.close()
                    continue
                if request:
                    pid = os.fork()
                    if not pid:
                        for each in list(waiting.get_map().values()):
                            each.fileobj.close() if isinstance(each.fileobj, socket.socket) else os.close(each.fd)
                        connection.close()
                        waiting.close()
                        return lambda: _sweep(request, descriptors, added)
                    for descriptor in descriptors:
                        os.close(descriptor)
                    sweeps[pid] = connection
                    waiting.register(os.pidfd_open(pid), selectors.EVENT_READ, pid)
                    connection.sendall(pid.to_bytes(4, "big"))
                else:
                    clients.add(connection)
                waiting.register(connection, selectors.EVENT_READ, "connection")
            elif key.data == "connection":  # its other end is gone
                waiting.unregister(key.fileobj)
                for pid, connection in sweeps.items():
                    if connection is key.fileobj or clients == {key.fileobj}:
                        os.killpg(pid, signal.SIGKILL)
                clients.discard(key.fileobj)
                key.fileobj.close()
                if not clients:
                    return None
            else:  # a sweep has ended
                waiting.unregister(key.fd)
                os.close(key.fd)
                _, status = os.waitpid(key.data, 0)
                connection = sweeps.pop(key.data)
                with contextlib.suppress(OSError, KeyError, ValueError):  # the one who asked is gone
                    waiting.unregister(connection)
                    connection.sendall(status.to_bytes(4, "big"))
                connection.close()


def _sweep(request: dict, descriptors: list[int], added: dict[str, str]) -> None:
    os.setsid()
    for number, descriptor in enumerate(descriptors, 1):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(request["directory"])
    _confine(**request["confinement"])
    _use_environment(added | request["environment"])
    sys.argv, sys.orig_argv = request["arguments"][1:], request["arguments"]
    sys.path[:] = [path for path in sys.path if path not in (str(ROOT / "tests"), _STARTED_IN)]
    spares = []
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # Ctrl-C reaches no process that is not to be there yet
    for _ in range(SPARE_PROCESSES):
        ours, its = socket.socketpair()
        pid = os.fork()
        if not pid:
            _wait_for_work(its)
            return
        its.close()
        spares.append((ours, pid))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    start_anew = util.spawnv_passfds

    def start(path: bytes, arguments: list, descriptors: list[int]) -> int:
        if not spares or select.select([spares[0][0]], [], [], 0)[0]:  # it is gone
            return start_anew(path, arguments, descriptors)
        connection, pid = spares.pop(0)
        mask = [int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, [])]
        order = {"arguments": [os.fsdecode(each) for each in arguments], "environment": dict(os.environ)}
        send(connection, {**order, "mask": mask, "descriptors": list(descriptors)}, list(descriptors))
        connection.close()
        return pid

    util.spawnv_passfds = start
    runpy.run_path(sys.argv[0], run_name="__main__")


def _wait_for_work(connection: socket.socket) -> None:
    """Be ``python -c ...`` for the process that forked this one, when it asks for that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _call_this_process("spare")
    own = fcntl.fcntl(connection.detach(), fcntl.F_DUPFD, FREE_FROM)
    os.closerange(3, FREE_FROM)
    with socket.socket(fileno=own) as connection:
        try:
            order, descriptors = receive(connection, MOST_DESCRIPTORS)
        except (EOFError, OSError):
            os._exit(0)
    _move(descriptors, order["descriptors"])
    _use_environment(order["environment"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, order["mask"])
    at = order["arguments"].index("-c")
    code = order["arguments"][at + 1]
    _call_this_process(re.match(r"from multiprocessing\.(\w+)", code)[1])
    sys.argv = ["-c", *order["arguments"][at + 2 :]]
    main_module = sys.modules["__main__"] = types.ModuleType("__main__")
    exec(code, main_module.__dict__)


def _confine(network: str = "", control_group: str = "") -> None:
    if control_group:
        Path(control_group, "cgroup.procs").write_text(str(os.getpid()))
    if network:
        with open(network) as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns", network)


def _call_this_process(name: str) -> None:
    """A fork has its parent's command line; so much of its own can be seen from outside."""
    Path("/proc/self/comm").write_text(name[:15])


def _move(descriptors: list[int], wanted: list[int]) -> None:
    """Give open files the numbers that they had where they came from."""
    high = []
    for descriptor in descriptors:
        high.append(fcntl.fcntl(descriptor, fcntl.F_DUPFD, FREE_FROM))
        os.close(descriptor)
    for descriptor, number in zip(high, wanted, strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)


def _use_environment(environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
