"""One process at a time works on a sweep in a directory of results."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from zoo.storage.locks import file_lock


class SweepInUse(Exception):
    """Another process works on the sweep; the message says which."""


@contextlib.contextmanager
def exclusive(runs_dir: Path, name: str) -> Iterator[None]:
    """Within this block no other process works on this sweep in this directory. Raises SweepInUse."""
    import filelock

    owner = runs_dir / f".{name}.owner.json"
    lock = file_lock(runs_dir / f".{name}.lock")
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        raise SweepInUse(
            f"another run_sweep.py{_described(owner)} is working on {name} in this directory; wait for it or stop it"
        ) from None
    try:
        this = {"pid": os.getpid(), "host": socket.gethostname(), "user": _user(), "since": time.strftime("%H:%M")}
        with contextlib.suppress(OSError):  # only for the message
            owner.write_text(json.dumps(this), encoding="utf-8")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def _described(owner: Path) -> str:
    try:
        return " (process {pid} of {user} on {host}, since {since})".format(**json.loads(owner.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "somebody"
