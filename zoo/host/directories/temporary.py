"""Directories for temporary files that are removed however the processes that use them end.

A program has one, ``<TMPDIR>/zoo-<project>-<random>/``, and in it one for each process that it starts. All of them hold a
lock on it. One on which nobody holds a lock is of a program that was killed, and is removed by the next one of the same
project, which is the working directory.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
import threading
from multiprocessing import util
from pathlib import Path

_AFTER_PYTHONS_OWN = (
    -200
)  # multiprocessing removes its own directory, which is in ours, at -100, and fails when it is gone

_made: dict[int, Path] = {}  # process -> its program's directory: a fork makes one of its own
_making = threading.Lock()


def of_program() -> Path | None:
    """The directory of this program, made on the first call; None where there can be none."""
    with _making:
        if os.getpid() not in _made:
            parent, prefix = Path(tempfile.gettempdir()), f"zoo-{_project()}-"
            try:
                _remove_unlocked(parent, prefix)
                _made[os.getpid()] = _locked_directory(parent, prefix)
            except OSError:  # a full disk, or none that can be written to: whoever needs it says so
                return None
            util.Finalize(None, remove, (_made[os.getpid()],), exitpriority=_AFTER_PYTHONS_OWN)
        return _made[os.getpid()]


def create() -> Path | None:
    """A new directory for one process; None where there can be none."""
    program = of_program()
    try:
        return Path(tempfile.mkdtemp(dir=program)) if program else None
    except OSError:
        return None


def use(directory: Path) -> None:
    """Have this process, and what it starts, put temporary files into a directory that ``create`` has made."""
    os.environ["TMPDIR"] = tempfile.tempdir = os.fspath(directory)
    with contextlib.suppress(OSError):  # this program is gone already
        _lock(directory.parent, exclusive=False)


def remove(directory: Path) -> None:
    """Remove one whose process has ended."""
    shutil.rmtree(directory, ignore_errors=True)


def _project() -> str:
    return hashlib.sha256(os.fsencode(os.getcwd())).hexdigest()[:8]


def _locked_directory(parent: Path, prefix: str) -> Path:
    while True:
        directory = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        _lock(directory, exclusive=False)
        if directory.exists():  # another program may have taken it for one that is left over
            return directory


def _remove_unlocked(parent: Path, prefix: str) -> None:
    for directory in parent.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            status = directory.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
                continue
            lock = _lock(directory, exclusive=True)
            shutil.rmtree(directory, ignore_errors=True)
            os.close(lock)


def _lock(directory: Path, *, exclusive: bool) -> int:
    """Lock a directory for as long as this process, or the file that is returned, is there. Raises OSError.

    An exclusive lock is not waited for.
    """
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB if exclusive else fcntl.LOCK_SH)
    except OSError:
        os.close(opened)
        raise
    return opened
