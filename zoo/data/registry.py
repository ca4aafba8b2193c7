"""The registered data sets: names, classes, image sizes and checksums, known before anything is loaded."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from zoo.data.errors import DataError
from zoo.text.suggestions import did_you_mean

if TYPE_CHECKING:
    import numpy as np

SPLITS = ("train", "test")
_SETS = "zoo.data.sets"  # the package whose modules register the data sets that ship

Arrays: TypeAlias = "dict[str, tuple[np.ndarray, np.ndarray]]"  # split -> images [N, H, W, C], labels [N]
Function: TypeAlias = "Callable[[Path | None], Mapping[str, tuple[np.ndarray, np.ndarray]]]"


@dataclass(frozen=True)
class DataSet:
    """What is known of a data set before it is loaded."""

    name: str
    function: Function
    classes: tuple[str, ...]
    image_size: int  # height and width in pixels
    train_images: int | None = None  # number of images, where it is known beforehand
    test_images: int | None = None
    sha256: str | None = None  # of all four arrays together (see ``combined``), where it is known beforehand
    sha256s: tuple[str, ...] = ()  # of train images, train labels, test images and test labels

    @property
    def file(self) -> str:
        """The file that registers it."""
        return self.function.__code__.co_filename

    @property
    def is_shipped(self) -> bool:
        """Whether it belongs to this package: such a set verifies its arrays itself, and is kept in the cache."""
        return self.function.__module__.startswith(f"{_SETS}.")


_data_sets: dict[str, DataSet] = {}


def register(
    name: str,
    *,
    classes: Sequence[str],
    image_size: int,
    train_images: int | None = None,
    test_images: int | None = None,
    sha256: str | None = None,
    sha256s: Sequence[str] = (),
) -> Callable[[Function], Function]:
    """Decorator that registers a function ``f(data_dir) -> {"train": (images, labels), "test": (images, labels)}``.

    Images are uint8 [N, H, W, C] and labels integers [N]. ``image_size`` is the height and width of the (square) images
    in pixels; the numbers of images help to forecast the time and the disk space of a training. Known checksums are
    verified: ``sha256s``, those of train images, train labels, test images and test labels, or ``sha256``, what
    ``combined`` makes of the four. Raises ValueError for a name that another function holds.
    """

    def add(function: Function) -> Function:
        if not function.__module__.startswith(f"{_SETS}."):
            _load_sets()  # first, so that of two functions for one name the user's is refused, at its own line
        existing = _data_sets.get(name)
        if existing is not None and existing.file != function.__code__.co_filename:
            raise ValueError(f"a data set named {name!r} is already registered")
        digest = combined(sha256s) if sha256s else sha256
        known = (train_images, test_images, digest, tuple(sha256s))
        _data_sets[name] = DataSet(name, function, tuple(classes), image_size, *known)
        return function

    return add


def combined(sha256s: Sequence[str]) -> str:
    """The digest of a data set: the sha256 of the four sha256s of its arrays, written in hexadecimal one after another."""
    return hashlib.sha256("".join(sha256s).encode()).hexdigest()


def names() -> list[str]:
    """The registered names: those of this package by the alphabet, then the user's own as they were registered."""
    _load_sets()
    shipped = sorted(name for name, data_set in _data_sets.items() if data_set.is_shipped)
    return [*shipped, *(name for name in _data_sets if name not in shipped)]


def info(name: str) -> DataSet:
    """What is known of a data set without loading it. Raises DataError with the nearest known name."""
    _load_sets()
    if name not in _data_sets:
        known = ", ".join(_data_sets)
        raise DataError(f"no data set is named {name!r}{did_you_mean(name, _data_sets)}; known: {known}")
    return _data_sets[name]


@contextlib.contextmanager
def restored() -> Iterator[None]:
    """What is registered within the block is forgotten at its end."""
    _load_sets()
    before = dict(_data_sets)
    try:
        yield
    finally:
        _data_sets.clear()
        _data_sets.update(before)


@functools.cache
def _load_sets() -> None:
    """Imports every module of ``zoo.data.sets``, where the data sets register themselves."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent / "sets")]):
        importlib.import_module(f"{_SETS}.{module.name}")
