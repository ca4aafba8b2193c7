"""Starting processes for work that needs TensorFlow, so that this one stays small and quick to start."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from zoo.host import import_path, watchdog
from zoo.host.directories import temporary

_ROOT = Path(__file__).resolve().parents[2]
_SERVER_S = 120  # how long starting a process is tried before its server is given up
_END_S = 10  # how long the end of a process that was killed is waited for
_POLL_S = 0.2  # between two checks whether the fork server is stopped
_MAX_SOCKET_DIRECTORY_BYTES = 70  # a socket's path has at most 107 bytes, and its name in the directory up to 35


_is_server_loaded = threading.Event()
_directories: dict[BaseProcess, Path] = {}  # of the processes that were started from here


class ProcessDied(Exception):
    """A process ended without an answer; the message says how."""


@functools.cache
def context() -> ForkServerContext | SpawnContext:
    """The way to start a worker: forked from a server that has imported TensorFlow (1 s), where the system allows that."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    fork_server = multiprocessing.get_context("forkserver")
    fork_server.set_forkserver_preload(["zoo.execution.preload"])
    return fork_server


def prepare() -> None:
    """Have the fork server start on its imports, which take seconds, now; returns at once.

    For a program that is going to need workers, as soon as it knows.
    """
    if context().get_start_method() == "forkserver":
        with _starting_server():
            forkserver.ensure_running()
        _watch_server()


def start(function: Callable[..., Any], *arguments: Any) -> BaseProcess:
    """A process that runs ``function(*arguments)``. Ctrl-C does not reach it: what it means is decided here.

    It has a directory for its temporary files, which ``end`` or ``ended`` removes.
    """
    directory = temporary.create()
    process = context().Process(target=run_with_own_directory, args=(directory, function, *arguments), daemon=True)
    prepare()
    try:
        process.start()  # Ctrl-C gets through: this waits for the server's imports
    except BaseException:
        if directory is not None:
            temporary.remove(directory)
        raise
    has_directory(process, directory)
    _is_server_loaded.set()
    return process


def is_loaded() -> bool:
    """Whether the fork server has got through its imports: the next process starts at once."""
    return _is_server_loaded.is_set()


def run_with_own_directory(directory: Path | None, function: Callable[..., Any], *arguments: Any) -> None:
    """What a process runs that has a directory for its temporary files: for those that are not started by ``start``."""
    if directory is not None:
        temporary.use(directory)
    function(*arguments)


def has_directory(process: BaseProcess, directory: Path | None) -> None:
    """Note that a process has this directory, to be removed at its end."""
    if directory is not None:
        _directories[process] = directory


def ended(process: BaseProcess) -> None:
    """Remove what a process leaves that has ended, however it did."""
    directory = _directories.pop(process, None)
    if directory is not None:
        temporary.remove(directory)


def start_connected(function: Callable[..., Any], *arguments: Any) -> tuple[BaseProcess, Connection]:
    """A process that runs ``function(connection, *arguments)``, and the receiving end of its connection.

    The fork server may be killed at any moment: it is then started again, and this process too, with a connection of its
    own, because the first one may be there all the same, on its way to its end. Raises ProcessDied when that does not help.
    """
    until = time.monotonic() + _SERVER_S
    while True:
        ours, theirs = context().Pipe(duplex=False)
        try:
            return start(function, theirs, *arguments), ours
        except (EOFError, OSError) as error:
            ours.close()
            if time.monotonic() > until:
                raise ProcessDied(f"no process can be started ({error})") from None
        finally:
            theirs.close()
        time.sleep(0.1)  # a large process that was killed takes a moment to be gone


def end_with_parent(action: Callable[[], Any]) -> None:
    """In a worker: have ``action`` called, from a thread, when the process that started it is gone, however it went."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "only for processes that were started from here"

    def watch() -> None:
        parent.join()
        action()

    threading.Thread(target=watch, name="parent", daemon=True).start()


def end(process: BaseProcess) -> None:
    """End it at once, even one that is stopped, and wait for its end."""
    process.kill()
    deadline = time.monotonic() + _END_S
    while process.is_alive() and time.monotonic() < deadline:
        _end_stopped_server()  # the server is what says that the process has ended
        process.join(_POLL_S)
    ended(process)


def end_all() -> None:
    """End every process that was started from here and the fork server, at once: for the end of the program."""
    for process in multiprocessing.active_children():
        process.kill()
    _kill_server()


def _server() -> int | None:
    pid: int | None = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    return pid


def _kill_server() -> None:
    pid = _server()
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _end_stopped_server() -> bool:
    pid = _server()
    is_stopped = pid is not None and watchdog.is_stopped(pid)
    if is_stopped:
        _kill_server()
    return is_stopped


@functools.cache
def _watch_server() -> None:
    """End a fork server that stays stopped: whoever waits for a process of its would do so for ever. It is started again."""

    def watch() -> None:
        dog = watchdog.Watchdog()
        while True:
            time.sleep(1)
            pid = _server()
            if pid is not None and dog.have_stopped([pid]):
                _kill_server()

    threading.Thread(target=watch, name="fork server", daemon=True).start()


@contextlib.contextmanager
def starting() -> Iterator[None]:
    """Within this block processes of ours are started: they never receive Ctrl-C, and import nothing of where they start.

    A signal that is blocked stays blocked in a new process, from its first line. Python's resource tracker, which comes with
    the first process, unblocks this one once it is started.
    """
    with _environment(
        {"PYTHONSAFEPATH": "1"}
    ):  # or files in the working directory would be imported in place of modules
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            resource_tracker.ensure_running()
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextlib.contextmanager
def _starting_server() -> Iterator[None]:
    """Within this block the fork server can be started, too: so that it finds this package.

    Python does not pass it the import path of this process, and ignores a preload that fails: every worker would then
    import TensorFlow anew. The preload takes the path out of the environment again.
    """
    path = [*import_path.standard_library(), str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    before, place = tempfile.tempdir, os.fspath(temporary.of_program() or tempfile.gettempdir())
    # For the server's socket, in a directory that Python makes when it first needs one
    tempfile.tempdir = place if len(os.fsencode(place)) <= _MAX_SOCKET_DIRECTORY_BYTES else "/tmp"
    try:
        with starting(), _environment({"PYTHONPATH": os.pathsep.join(path)}):
            yield
    finally:
        tempfile.tempdir = before


@contextlib.contextmanager
def _environment(added: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in added}
    os.environ.update(added)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
