"""Writes after which, whatever happens, either the old or the new contents of a file are there."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO


def write_atomically(path: Path, write: Callable[[BinaryIO], Any]) -> None:
    """Write a file so that at any moment, and after any crash, either the old or the new contents are there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}")
    try:
        with open(unfinished, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
        sync_directory(path.parent)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def sync_directory(path: Path) -> None:
    """Flush the names in a directory to the disk: without that a rename may be lost in a power failure."""
    with contextlib.suppress(OSError):  # some systems and network file systems cannot; they keep names on their own
        directory = os.open(path, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def remove_unfinished(directory: Path) -> None:
    """Remove the files in a directory that processes of this machine were writing when they were killed."""
    for path in directory.glob(".*"):
        writer = re.fullmatch(rf"\..+\.{re.escape(socket.gethostname())}-(\d+)-\d+", path.name)
        if writer and not _exists(int(writer[1])):
            path.unlink(missing_ok=True)


def _exists(pid: int) -> bool:
    """Whether there is such a process, as far as can be found out without disturbing it."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
