"""The verified copy of a data set on this machine: four .npy files that every process memory-maps.

It is in the user's cache directory of this system, or in the directory that the environment variable ZOO_CACHE names.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from zoo.data.errors import CacheError, DataError
from zoo.data.registry import SPLITS, Arrays

log = logging.getLogger(__name__)

VARIABLE = "ZOO_CACHE"
PARTS = tuple((split, part) for split in SPLITS for part in ("images", "labels"))  # the order of every list of digests
_SHA256S = "sha256s.json"  # those of the arrays, kept with them
STAGING = ".partial-"  # prefix of what is not finished


def directory() -> Path:
    """The directory that holds the cached data sets, whether or not it exists."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("model-zoo-bench", appauthor=False))


def files(name: str) -> list[Path]:
    """The four files of a data set, in the order of ``PARTS``, whether or not they exist."""
    return [directory() / name / f"{split}_{part}.npy" for split, part in PARTS]


def present(name: str) -> bool:
    """Whether all files of a data set are there (unverified)."""
    return all(os.path.isfile(path) for path in files(name))


def load(
    name: str, sha256s: tuple[str, ...] | None, produce: Callable[[Path], Arrays], *, required: bool = True
) -> Arrays:
    """The verified arrays of a data set, memory-mapped read-only; ``produce`` makes them when they are not there.

    ``sha256s`` are those of train images, train labels, test images and test labels; every call checks them. With None,
    ``produce`` verifies what it makes, and the checksums of that are kept with it.
    ``produce`` gets an empty directory for what it downloads, which is removed afterwards. Where the cache cannot be
    written, this raises DataError, or, with ``required=False``, returns the arrays from memory. A damaged file is
    logged and replaced.
    """
    cached = read(name, sha256s or _recorded(name))
    if cached is not None:
        return cached
    try:
        with _writing(name) as staging:
            # Another process may have written it while this one waited.
            cached = read(name, sha256s or _recorded(name), quiet=True)
            if cached is not None:
                return cached
            arrays = _made(name, sha256s, produce(staging))
            _write(name, arrays, staging, with_sha256s=sha256s is None)
    except CacheError as error:
        if required:
            raise
        _warn_once(f"{name} is used from memory: {error}")
        return _made(name, sha256s, produce(Path(os.devnull)))
    cached = read(name, sha256s or _recorded(name))
    if cached is None:
        raise DataError(f"{directory() / name} does not give back what was written to it; is the disk failing?")
    return cached


def _made(name: str, sha256s: tuple[str, ...] | None, arrays: Arrays) -> Arrays:
    """What was produced, verified where that has not been done already."""
    return verified(name, sha256s or _sha256s(arrays), arrays)


def _sha256s(arrays: Arrays) -> tuple[str, ...]:
    return tuple(sha256(arrays[split][part == "labels"]) for split, part in PARTS)


def _recorded(name: str) -> tuple[str, ...] | None:
    """The checksums that were kept with the arrays."""
    try:
        found = json.loads((directory() / name / _SHA256S).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return tuple(map(str, found)) if isinstance(found, list) and len(found) == len(PARTS) else None


def read(name: str, sha256s: tuple[str, ...] | None, *, quiet: bool = False) -> Arrays | None:
    """The cached arrays, memory-mapped and verified, or None where a file is absent or damaged (logged)."""
    if sha256s is None or not present(name):
        return None
    mapped = []
    for path, expected in zip(files(name), sha256s, strict=True):
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            actual = sha256(array)
        except (OSError, ValueError, EOFError) as error:
            actual = str(error)
        if actual != expected:
            if not quiet:
                problem = f"sha256 {expected[:12]}... expected, found {actual[:60]}"
                log.warning("data: %s is damaged (%s); it is not used", path, problem)
            return None
        mapped.append(array)
    return _paired(mapped)


def verified(name: str, sha256s: tuple[str, ...], arrays: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Arrays:
    """The same arrays, read-only. Raises DataError where one does not have the expected sha256."""
    flat = [np.ascontiguousarray(arrays[split][part == "labels"]) for split, part in PARTS]
    for (split, part), array, expected in zip(PARTS, flat, sha256s, strict=True):
        actual = sha256(array)
        if actual != expected:
            raise DataError(f"the {split} {part} of {name} have sha256 {actual}, but {expected} is expected; not used")
        array.flags.writeable = False
    return _paired(flat)


def sha256(array: np.ndarray) -> str:
    """Checksum of an array's bytes in C order."""
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


@functools.cache
def _warn_once(text: str) -> None:
    log.warning("data: %s", text)


@contextlib.contextmanager
def _writing(name: str) -> Iterator[Path]:
    """A staging directory beside the cached files, for one process at a time; removed however the block ends."""
    import filelock

    own = directory() / name
    with _cache_errors():
        own.mkdir(parents=True, exist_ok=True)
        # Shows at once, before minutes of downloading, whether the directory can be written.
        staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=own))
    try:
        lock = filelock.FileLock(own / ".lock")
        with _cache_errors():
            try:
                lock.acquire(timeout=0.2)
            except filelock.Timeout:
                log.info("data: another process is getting %s; waiting for it", name)
                lock.acquire()
        try:
            # The writer holds the lock, so other staging directories with content are from processes that were killed.
            for stale in own.glob(f"{STAGING}*"):
                if stale != staging and _abandoned(stale):
                    shutil.rmtree(stale, ignore_errors=True)
            yield staging
        finally:
            lock.release()
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _abandoned(staging: Path) -> bool:
    """Whether a staging directory of another process has content: those that wait for the lock have none yet."""
    try:
        return any(staging.iterdir())
    except OSError:  # its owner has just removed it
        return False


def _write(name: str, arrays: Arrays, staging: Path, with_sha256s: bool) -> None:
    """Write beside, flush to the disk, rename: a reader sees the old file or the new one, never a part of it."""
    with _cache_errors():
        for final, (split, part) in zip(files(name), PARTS, strict=True):
            partial = staging / final.name
            with partial.open("wb") as stream:
                np.save(stream, arrays[split][part == "labels"], allow_pickle=False)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(partial, final)
        if with_sha256s:
            partial = staging / _SHA256S
            partial.write_text(json.dumps(_sha256s(arrays)), encoding="utf-8")
            os.replace(partial, directory() / name / _SHA256S)


@contextlib.contextmanager
def _cache_errors() -> Iterator[None]:
    try:
        yield
    except NotImplementedError as error:  # raised by filelock on a file system without locks
        raise _cache_error(str(error) or "this file system has no locks") from error
    except OSError as error:
        raise _cache_error(error.strerror or str(error)) from error


def _cache_error(reason: str) -> CacheError:
    return CacheError(
        f"cannot write the data cache in {directory()} ({reason}): "
        f"set the environment variable {VARIABLE} to a directory that you can write to"
    )


def _paired(flat: list[np.ndarray]) -> Arrays:
    return {split: (flat[2 * i], flat[2 * i + 1]) for i, split in enumerate(SPLITS)}
