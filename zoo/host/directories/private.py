"""A directory of this user alone, for what processes on one machine share: nobody else can put anything into it."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

_NAME = "model-zoo-bench"


@contextlib.contextmanager
def opened() -> Iterator[int | None]:
    """The open directory, made where there is none yet; None where there can be none.

    It is where the system has such things (XDG_RUNTIME_DIR), or else in the user's cache directory. One that is a link, that
    somebody else owns or can write to, is not used, and nothing about it is changed.
    """
    for path in _candidates():
        directory = _open(path)
        if directory is not None:
            try:
                yield directory
            finally:
                os.close(directory)
            return
    yield None


def open_file(name: str, directory: int, flags: int) -> int:
    """A regular file of a directory; never through a link. Raises OSError."""
    file = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600, dir_fd=directory)  # a pipe would be waited for
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(f"{name} is no regular file")
    return file


def _candidates() -> Iterator[Path]:
    if not hasattr(os, "getuid"):
        return
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    if _is_own(runtime):
        yield runtime / _NAME
    import platformdirs

    with contextlib.suppress(OSError, RuntimeError):  # no home
        cache = Path(platformdirs.user_cache_dir(_NAME, appauthor=False))
        cache.mkdir(parents=True, exist_ok=True)
        yield cache / "locks"


def _is_own(path: Path) -> bool:
    try:
        return path.stat().st_uid == os.getuid()
    except OSError:
        return False


def _open(path: Path) -> int | None:
    try:
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    status = os.fstat(directory)
    if status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return directory
    os.close(directory)
    return None
