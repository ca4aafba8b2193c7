"""Data sets that were published as a handful of files with known checksums: found on this disk, or downloaded."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.data import cache, sources
from zoo.data.errors import Absent, DataError, SourceError
from zoo.data.registry import Arrays, info
from zoo.data.sources import Source


@dataclass(frozen=True)
class PublishedFile:
    """A file as it was published."""

    name: str
    url: str
    size_bytes: int
    md5: str


@dataclass(frozen=True)
class Published:
    """A data set as its authors published it. ``decode`` takes the directory that has all the files."""

    name: str
    title: str
    files: tuple[PublishedFile, ...]
    decode: Callable[[Path], Arrays]  # raises SourceError
    places: tuple[str, ...] = ()  # directories where systems and other programs keep it
    is_recompressed: bool = False  # by those systems: the checksums of the arrays decide, not those of the files

    def load(self, data_dir: Path | None) -> Arrays:
        """From ``data_dir`` alone where the user names one, else from the cache, from this disk, or downloaded.

        Raises DataError.
        """
        if data_dir is not None:
            try:
                return self._cached(lambda _: self._found([data_dir]))
            except SourceError as error:
                raise DataError(f"the data directory cannot be used: {error}") from error
        return self._cached(lambda staging: sources.first_of(self.title, self._sources(), staging, self._advice()))

    def is_in(self, directory: Path) -> bool:
        """Whether all its files are in a directory, or one level below."""
        below = [path for path in directory.iterdir() if path.is_dir()] if directory.is_dir() else []
        return any(all((place / file.name).is_file() for file in self.files) for place in (directory, *below))

    def _cached(self, produce: Callable[[Path], Arrays]) -> Arrays:
        return cache.load(self.name, info(self.name).sha256s or None, produce)

    def _sources(self) -> list[Source]:
        places = [Path(place).expanduser() for place in self.places]
        return [
            Source("this disk", lambda _: self._found(places)),
            Source("the official download", self._downloaded),
        ]

    def _advice(self) -> str:
        names = ", ".join(file.name for file in self.files)
        return (
            f"Ways to get it: put {names} in a directory and name that directory with --data-dir. {self.files[0].url}"
        )

    def _found(self, directories: Sequence[Path]) -> Arrays:
        """In one of these directories, or one level below. Raises Absent, or SourceError for damaged files."""
        partial: dict[Path, list[str]] = {}
        for directory in directories:
            if not directory.is_dir():
                continue
            try:
                below = sorted(path for path in directory.iterdir() if path.is_dir())
            except OSError as error:
                raise SourceError(f"{directory} cannot be read ({error.strerror})") from error
            for place in (directory, *below):
                missing = [file.name for file in self.files if not os.path.isfile(place / file.name)]
                if not missing:
                    return self._decoded(place)
                if len(missing) < len(self.files):
                    partial[place] = missing
        if partial:
            place, missing = next(iter(partial.items()))
            raise SourceError(f"{place} is incomplete: {', '.join(missing)} missing")
        names = ", ".join(file.name for file in self.files)
        raise Absent(f"no {names} in {' or '.join(map(str, directories)) or 'any known place'}, or one level below")

    def _downloaded(self, staging: Path) -> Arrays:
        for file in self.files:
            sources.download(file.url, staging / file.name, file.md5, file.size_bytes)
        return self.decode(staging)

    def _decoded(self, directory: Path) -> Arrays:
        if not self.is_recompressed:
            for file in self.files:
                _verify(directory / file.name, file.md5)
        try:
            return self.decode(directory)
        except OSError as error:
            raise SourceError(f"{error.filename or directory} cannot be read ({error.strerror or error})") from error


def _verify(path: Path, md5: str) -> None:
    try:
        with path.open("rb") as stream:
            actual = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror})") from error
    if actual != md5:
        size = path.stat().st_size
        raise SourceError(f"{path} is damaged or cut short: md5 {md5} expected, {actual} found in {size:,} bytes")


def unzipped(path: Path, most_bytes: int) -> bytes:
    """The contents of a .gz file. Raises SourceError where it is damaged or longer than it should be, and OSError."""
    try:
        with gzip.open(path, "rb") as stream:
            contents = stream.read(most_bytes + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SourceError(f"{path} is damaged or cut short ({error})") from error
    if len(contents) > most_bytes:
        raise SourceError(f"{path} is longer than the {most_bytes:,} bytes that it should have")
    return contents
