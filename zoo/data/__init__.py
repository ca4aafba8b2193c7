"""The registry of data sets: names, classes, image size, and verified arrays.

A data set is a function ``f(data_dir) -> {"train": (images, labels), "test": (images, labels)}`` with images uint8
[N, H, W, C] and labels integers [N]. Nothing here imports TensorFlow.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.text.suggestions import did_you_mean

if TYPE_CHECKING:
    import numpy as np

SPLITS = ("train", "test")


class DataError(Exception):
    """The data cannot be had or are damaged; the message says what, where and what to do."""


@dataclass(frozen=True)
class DataSet:
    """What is known of a data set before it is loaded."""

    name: str
    function: Callable[[Path | None], Mapping[str, tuple[np.ndarray, np.ndarray]]]
    classes: tuple[str, ...]
    image_size: int  # height and width in pixels
    train_images: int | None = None  # number of images, where it is known beforehand
    test_images: int | None = None
    sha256: str | None = None  # of the arrays (see ``digest``), where it is known beforehand


_sets: dict[str, DataSet] = {}


def register(
    name: str,
    *,
    classes: Sequence[str],
    image_size: int,
    train_images: int | None = None,
    test_images: int | None = None,
    sha256: str | None = None,
):
    """Decorator that registers a function ``f(data_dir) -> {"train": (images, labels), "test": (images, labels)}``.

    ``image_size`` is the height and width of the (square) images in pixels; the numbers of images help to foretell how long
    a training takes, and how much disk. A known ``sha256`` is the ``digest`` that
    the arrays must have. Raises ValueError for a name that another function holds.
    """

    def add(function):
        if function.__module__ != f"{__name__}.shipped":
            _load_shipped()  # first, so that of two functions for one name the user's is refused, at its own line
        taken = _sets.get(name)
        if taken is not None and taken.function.__code__.co_filename != function.__code__.co_filename:
            raise ValueError(f"a data set named {name!r} is already registered")
        _sets[name] = DataSet(name, function, tuple(classes), image_size, train_images, test_images, sha256)
        return function

    return add


def load(name: str, split: str, data_dir: Path | str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [N, H, W, C] and labels uint8 [N] (int64 beyond 256 classes) of "train" or "test", read-only.

    The data sets of this package are memory-mapped from a copy whose checksums every call verifies; ``data_dir`` is
    where the user has the files of one. Raises DataError when they cannot be had, are damaged, or are not of this form.
    """
    found = info(name)
    if split not in SPLITS:
        raise DataError(f"{name} has no split {split!r}: the splits are {' and '.join(SPLITS)}")
    return _arrays(found, data_dir)[split]


def at_hand(name: str, split: str, sha256: str) -> np.ndarray | None:
    """The images uint8 [N, H, W, C] of a split, if that very data set lies in the cache here; never gets anything."""
    from zoo.data import cache

    try:
        found = info(name)
        if not _is_shipped(found) or found.sha256 != sha256 or not cache.present(name):
            return None
        return load(name, split)[0]
    except DataError:
        return None


def digest(name: str, data_dir: Path | str | None = None) -> str:
    """What identifies a data set: a sha256 in hexadecimal, known beforehand for the data sets of this package.

    It is the sha256 of four others, written in hexadecimal one after the other: those of the bytes of train images,
    train labels, test images and test labels. A user's own data set is loaded for it. Raises DataError like ``load``.
    """
    found = info(name)
    return found.sha256 or _digest(_arrays(found, data_dir))


def names() -> list[str]:
    """The registered names."""
    _load_shipped()
    return list(_sets)


def info(name: str) -> DataSet:
    """What is known of a data set without loading it. Raises DataError with the nearest known name."""
    _load_shipped()
    if name not in _sets:
        raise DataError(f"no data set is named {name!r}{did_you_mean(name, _sets)}; known: {', '.join(_sets)}")
    return _sets[name]


def _arrays(found: DataSet, data_dir: Path | str | None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    directory = Path(data_dir).expanduser() if data_dir is not None else None
    if _is_shipped(found):
        return found.function(directory)  # it verifies its arrays against checksums of its own
    from zoo.data.custom import called, checked

    arrays = checked(found, called(found, directory))
    if found.sha256 is not None and _digest(arrays) != found.sha256:
        raise DataError(f"{found.name} has sha256 {_digest(arrays)}, but is registered with {found.sha256}; not used")
    return arrays


def _digest(arrays: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> str:
    import numpy as np

    flat = [np.ascontiguousarray(array) for split in SPLITS for array in arrays[split]]
    return hashlib.sha256("".join(hashlib.sha256(array.data).hexdigest() for array in flat).encode()).hexdigest()


def _is_shipped(found: DataSet) -> bool:
    return Path(found.function.__code__.co_filename).resolve().is_relative_to(Path(__file__).resolve().parent)


@functools.cache
def _load_shipped() -> None:
    from zoo.data import shipped  # noqa: F401  (registers them on import)
