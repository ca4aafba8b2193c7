"""Whether files are still what was written: checksums, found once for each version of a file in a process."""

from __future__ import annotations

import hashlib
import os
import time
import zipfile
import zlib
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path

import numpy as np

_SETTLED_NS = 100_000_000  # a file that changed this short a time ago may change again without its clock showing it

_Version = tuple[int, ...]
_known: dict[tuple[str, str], tuple[_Version, str]] = {}  # what and of which file -> its version, what was found


def sha256(path: Path) -> str:
    """The SHA-256 of a file. Raises OSError."""
    return _found_once("sha256", path, lambda file: hashlib.file_digest(file, "sha256").hexdigest())


def archive_problem(path: Path) -> str:
    """What is wrong with an .npz file by the checksums that every such file has inside, "" for nothing. Raises OSError."""
    return _found_once("archive", path, _archive_problem)


def array_sha256(path: Path, name: str) -> str:
    """The SHA-256 of the values of one array in an .npz file; "" where it cannot be read."""
    try:
        with np.load(path) as arrays:
            return hashlib.sha256(np.ascontiguousarray(arrays[name]).tobytes()).hexdigest()
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return ""


def _archive_problem(file: BufferedReader) -> str:
    try:
        with zipfile.ZipFile(file) as archive:
            member = archive.testzip()
            return f"the checksum of {member} is wrong" if member else "" if archive.namelist() else "nothing is in it"
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        return str(error) or type(error).__name__


def _found_once(what: str, path: Path, find: Callable[[BufferedReader], str]) -> str:
    key = what, os.path.abspath(path)
    with open(path, "rb") as file:
        stat = os.fstat(file.fileno())
        version = stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
        if key in _known and _known[key][0] == version:
            return _known[key][1]
        found = find(file)
    if time.time_ns() - stat.st_ctime_ns > _SETTLED_NS:
        _known[key] = version, found
    return found
