"""Trainings and latency measurements take turns on a machine, whoever starts them: nothing is timed beside a training."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on this system, where nothing else must run while a latency is measured
    fcntl = None  # type: ignore[assignment]

_log = logging.getLogger(__name__)
_NAME = "model-zoo-bench.turns"  # of a file in the directory of temporary files


@contextlib.contextmanager
def training() -> Iterator[None]:
    """Within this block a training runs; many may at once. Waits while something is measured, which takes seconds."""
    with _open_file() as file:
        if file is not None:
            fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextlib.contextmanager
def measuring(patience_s: float) -> Iterator[bool]:
    """Within this block no training runs here. Yields False when others have not ended within ``patience_s`` seconds."""
    with _open_file() as file:
        yield file is None or _locked_alone(file, time.monotonic() + patience_s)


def _locked_alone(file: int, deadline: float) -> bool:
    is_announced = False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
        if not is_announced:
            _log.info("  another sweep trains on this machine; waiting for it")
            is_announced = True
        time.sleep(0.2)


@contextlib.contextmanager
def _open_file() -> Iterator[int | None]:
    """The file that is locked, None where there can be none."""
    try:
        # Without O_CREAT first: in a shared directory the system may refuse to "create" another user's file.
        path = Path(tempfile.gettempdir(), _NAME)
        file = os.open(path, os.O_RDWR) if path.exists() else os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        yield None
        return
    if fcntl is None:
        os.close(file)
        yield None
        return
    with contextlib.suppress(OSError):
        os.fchmod(file, 0o666)  # the umask has narrowed it
    try:
        yield file
    finally:
        os.close(file)
