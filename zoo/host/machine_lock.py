"""Trainings and latency measurements of one user take turns on a machine: nothing is timed beside a training.

Each of them locks one file, many trainings at once or one measurement alone, and says who it is in a file of its own.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from zoo.host.directories import private
from zoo.host.watchdog import is_dead

try:
    import fcntl
except ImportError:  # not on this system, where nothing else must run while a latency is measured
    fcntl = None  # type: ignore[assignment]

_log = logging.getLogger(__name__)

STALLED_S = 60.0  # a measurement that has been stopped or suspended for so long is not waited for any longer
_HEARTBEAT_S = 5.0
_POLL_S = 0.2
_TRAINS, _MEASURES = "trains", "measures"


@contextlib.contextmanager
def training(on_wait: Callable[[str], object] = lambda text: None) -> Iterator[None]:
    """Within this block a training runs; many may at once.

    Waits while something is measured, which ``on_wait`` is told with who it is; not for a measurement that stands still.
    """
    with _opened() as turns:
        if turns is None:
            yield
            return
        if turns.lock(fcntl.LOCK_SH) or _wait_for_measurement(turns, on_wait):
            with turns.held(_TRAINS):
                yield
        else:
            yield


@contextlib.contextmanager
def measuring(patience_s: float) -> Iterator[bool]:
    """Within this block no training runs here. Yields False when others have not ended within ``patience_s`` seconds."""
    with _opened() as turns:
        if turns is None:
            yield True
        elif _locked_alone(turns, time.monotonic() + patience_s):
            with turns.held(_MEASURES):
                yield True
        else:
            yield False


@dataclass(frozen=True)
class _Turns:
    """The open file that is locked, and its directory."""

    file: int
    directory: int
    host: str  # a home directory may be shared by machines, whose sweeps do not disturb each other

    def lock(self, kind: int) -> bool:
        """Whether the lock could be had, without waiting."""
        try:
            fcntl.flock(self.file, kind | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False
        except OSError:  # this file system has no locks
            return True

    @contextlib.contextmanager
    def held(self, kind: str) -> Iterator[None]:
        """Within this block others can see who holds the lock, and that its process is not standing still."""
        name = f"{self.host}.{kind}.{os.getpid()}.{uuid.uuid4().hex}"
        ended = threading.Event()
        try:
            file = private.open_file(name, self.directory, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except OSError:  # a full disk: it is locked all the same
            yield
            return

        def beat() -> None:
            while not ended.wait(_HEARTBEAT_S):
                os.utime(file)

        thread = threading.Thread(target=beat, name="machine lock", daemon=True)
        try:
            with contextlib.suppress(OSError):
                os.write(file, json.dumps({"pid": os.getpid(), "directory": os.getcwd()}).encode())
            thread.start()
            yield
        finally:
            ended.set()
            thread.join()
            os.close(file)
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=self.directory)

    def holders(self, kind: str) -> dict[str, int]:
        """The files of those who hold the lock -> when each was last seen alive (ns). Those of dead ones are removed."""
        found = {}
        with contextlib.suppress(OSError):
            for name in os.listdir(self.directory):
                if not name.startswith(f"{self.host}.{kind}."):
                    continue
                with contextlib.suppress(OSError, ValueError):
                    if is_dead(int(name.split(".")[-2])):
                        os.unlink(name, dir_fd=self.directory)
                    else:
                        found[name] = os.stat(name, dir_fd=self.directory, follow_symlinks=False).st_mtime_ns
        return found

    def owner(self, kind: str) -> str:
        """Who holds the lock, for the person."""
        for name in self.holders(kind):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                file = private.open_file(name, self.directory, os.O_RDONLY)
                with open(file, "rb") as stream:
                    known = json.loads(stream.read())
                return f"process {known['pid']} in {known['directory']}"
        return "a process that does not say which"


def _wait_for_measurement(turns: _Turns, on_wait: Callable[[str], object]) -> bool:
    """Wait until the lock can be shared; False when its owner stands still."""
    owner = turns.owner(_MEASURES)
    on_wait(f"latency is being measured on this machine ({owner}); waiting for it to end")
    seen, seen_at = turns.holders(_MEASURES), time.monotonic()
    while not turns.lock(fcntl.LOCK_SH):
        now, holders = time.monotonic(), turns.holders(_MEASURES)
        if holders != seen:
            seen, seen_at = holders, now
        elif now - seen_at > STALLED_S:
            on_wait(f"that measurement stands still ({turns.owner(_MEASURES)}), so it is not waited for any longer")
            return False
        time.sleep(_POLL_S)
    return True


def _locked_alone(turns: _Turns, deadline: float) -> bool:
    is_announced = False
    while not turns.lock(fcntl.LOCK_EX):
        if time.monotonic() >= deadline:
            return False
        if not is_announced:
            owner = turns.owner(_TRAINS) if turns.holders(_TRAINS) else turns.owner(_MEASURES)
            _log.info("  another sweep trains or measures on this machine (%s); waiting for it", owner)
            is_announced = True
        time.sleep(_POLL_S)
    return True


@contextlib.contextmanager
def _opened() -> Iterator[_Turns | None]:
    """The file that is locked, None where there can be none."""
    with private.opened() as directory:
        host = "".join(c if c.isalnum() else "-" for c in socket.gethostname())
        file = None
        if directory is not None and fcntl is not None:
            with contextlib.suppress(OSError):
                file = private.open_file(f"{host}.turns", directory, os.O_RDWR | os.O_CREAT)
        if file is None or directory is None:
            yield None
            return
        try:
            yield _Turns(file, directory, host)
        finally:
            os.close(file)
