"""Locks in files, which everybody can take who may write into their directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import filelock


def file_lock(path: Path, timeout_s: float = -1) -> filelock.FileLock:
    """A lock in a file with the rights of its directory, which must exist; -1: waits for ever."""
    import filelock

    return filelock.FileLock(path, timeout=timeout_s, mode=path.parent.stat().st_mode & 0o666)
