"""What is done with damaged files of a record: each is named and set aside, and what it held is got back or done again."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from pathlib import Path

from zoo.storage.errors import RecordError

_log = logging.getLogger(__name__)

_CONSEQUENCES = {  # name of a file -> what its loss means
    "status.json": "how the training stands is seen from its results",
    "training.json": "when, where and with which code it was trained is lost",
    "attempts.json": "the times of its earlier attempts are lost",
    "latency.json": "the latency is measured again",
    "checksums.json": "its files are not compared with their checksums until they are written again",
}
_OF_RESULTS = "the training goes back to its last good checkpoint"

_warned: set[tuple[Path, str]] = set()


def warn_once(error: RecordError) -> None:
    """Say once that a damaged file is passed over, in whatever way it is read."""
    if (error.path, error.problem) not in _warned:
        _warned.add((error.path, error.problem))
        _log.warning("%s is passed over: %s", error.path, error.problem)


def set_aside(path: Path, problem: str, consequence: str = "") -> Path | None:
    """Rename a damaged file or checkpoint, deleting nothing, and say so, with what follows. Returns its new path; None when
    it is gone.

    Raises RecordError where it cannot be renamed.
    """
    new = _unused(path.with_name(f".damaged-{path.name}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"))
    try:
        path.rename(new)
    except FileNotFoundError:  # another process has done it
        return None
    except OSError as error:
        raise RecordError(path, f"{problem}; it cannot be renamed either ({error.strerror})") from error
    consequence = consequence or _CONSEQUENCES.get(path.name, _OF_RESULTS)
    _log.warning("%s is damaged: %s. It is kept as %s; %s", path, problem, new.name, consequence)
    return new


def _unused(path: Path) -> Path:
    number, new = 1, path
    with contextlib.suppress(FileNotFoundError):
        while new.lstat():
            number += 1
            new = path.with_name(f"{path.name}-{number}")
    return new
