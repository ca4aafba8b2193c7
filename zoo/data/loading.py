"""Getting the arrays of a data set, verified."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.data.errors import DataError
from zoo.data.registry import SPLITS, DataSet, combined, info

if TYPE_CHECKING:
    import numpy as np


def load(name: str, split: str, data_dir: Path | str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [N, H, W, C] and labels uint8 [N] (int64 beyond 256 classes) of "train" or "test", read-only.

    The data sets of this package are memory-mapped from a copy whose checksums every call verifies; ``data_dir`` is
    where the user has the files of one. Raises DataError when they cannot be had, are damaged, or are not of this form.
    """
    data_set = info(name)
    if split not in SPLITS:
        raise DataError(f"{name} has no split {split!r}: the splits are {' and '.join(SPLITS)}")
    return _arrays(data_set, data_dir)[split]


def keep_for_reports(name: str, sha256: str, data_dir: Path | str | None = None) -> None:
    """Keep small test images of a user's own data set in the cache, unless that has them. Raises DataError like ``load``."""
    from zoo.data.own import images as own_images

    data_set = info(name)
    if not data_set.is_shipped and not own_images.is_kept(sha256):
        arrays = _arrays(data_set, data_dir)
        if _digest(arrays) == sha256:
            own_images.keep(data_set, sha256, arrays["test"][0])


def cached_test_images(name: str, sha256: str) -> np.ndarray | None:
    """The test images uint8 [N, H, W, C], if exactly this data set is in the cache; never gets anything.

    Of a user's own data set they are small ones.
    """
    from zoo.data import cache
    from zoo.data.own import images as own_images

    own = own_images.images(sha256)
    if own is not None:
        return own
    try:
        data_set = info(name)
        if not data_set.is_shipped or data_set.sha256 != sha256 or not cache.present(name):
            return None
        return load(name, "test")[0]
    except DataError:
        return None


def known_classes(name: str, sha256: str) -> tuple[str, ...]:
    """The names of a data set's classes, as far as this machine knows it without executing a user's file; else ()."""
    from zoo.data.own import images as own_images

    try:
        return own_images.classes(sha256) or info(name).classes
    except DataError:
        return ()


def digest(name: str, data_dir: Path | str | None = None) -> str:
    """What identifies a data set: a sha256 in hexadecimal, known beforehand for the data sets of this package.

    It is ``combined`` of the sha256s of the bytes of train images, train labels, test images and test labels. A user's
    own data set is loaded for it. Raises DataError like ``load``.
    """
    data_set = info(name)
    return data_set.sha256 or _digest(_arrays(data_set, data_dir))


def _arrays(data_set: DataSet, data_dir: Path | str | None) -> Mapping[str, tuple[np.ndarray, np.ndarray]]:
    directory = Path(data_dir).expanduser() if data_dir is not None else None
    if data_set.is_shipped:
        return data_set.function(directory)
    from zoo.data import custom

    arrays = custom.checked(data_set, custom.called(data_set, directory))
    if data_set.sha256 is not None and _digest(arrays) != data_set.sha256:
        raise DataError(
            f"{data_set.name} has sha256 {_digest(arrays)}, but is registered with {data_set.sha256}; not used"
        )
    return arrays


def _digest(arrays: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> str:
    import numpy as np

    flat = [np.ascontiguousarray(array) for split in SPLITS for array in arrays[split]]
    return combined([hashlib.sha256(array.data).hexdigest() for array in flat])
