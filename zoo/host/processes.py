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
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_SERVER_S = 120  # how long starting a process is tried before its server is given up
_MAX_SOCKET_DIRECTORY_BYTES = 70  # a socket's path has at most 107 bytes, and its name in the directory up to 35


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
        with _server_environment():
            forkserver.ensure_running()


def start(function: Callable[..., Any], *arguments: Any) -> BaseProcess:
    """A process that runs ``function(*arguments)``. Ctrl-C does not reach it: what it means is decided here."""
    process = context().Process(target=function, args=arguments, daemon=True)
    prepare()
    process.start()
    return process


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


def is_dead(pid: int) -> bool:
    """Whether a process has ended, even if nobody has waited for it yet; False where the system does not say."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return Path("/proc/self/stat").exists()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] in "ZX"


@contextlib.contextmanager
def blocked_interrupts() -> Iterator[None]:
    """A process that is started within this block never receives Ctrl-C: a signal that is blocked stays blocked."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextlib.contextmanager
def _server_environment() -> Iterator[None]:
    """Within this block the fork server can be started: so that it finds this package, and never receives Ctrl-C.

    Python does not pass it the import path of this process, and ignores a preload that fails: every worker would then
    import TensorFlow anew. It ignores Ctrl-C only once its imports are done, so the signal is blocked from the first.
    """
    added = {
        "PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))),
        "PYTHONSAFEPATH": "1",  # or files in the working directory would be imported in place of modules
    }
    before = {name: os.environ.get(name) for name in added}
    os.environ.update(added)
    temporary = tempfile.tempdir
    if len(os.fsencode(tempfile.gettempdir())) > _MAX_SOCKET_DIRECTORY_BYTES:
        tempfile.tempdir = "/tmp"  # for the server's socket
    try:
        with blocked_interrupts():
            yield
    finally:
        tempfile.tempdir = temporary
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
