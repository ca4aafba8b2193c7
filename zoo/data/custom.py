"""A user's own data set: calling its function and holding what it returns to the promised form."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data import SPLITS, DataError, DataSet

Arrays = dict[str, tuple[np.ndarray, np.ndarray]]


def called(found: DataSet, data_dir: Path | None) -> Any:
    """What the user's function returns. Raises DataError with the line of the user's file for whatever it raises."""
    try:
        return found.function(data_dir)
    except DataError:
        raise
    except Exception as error:
        file = found.function.__code__.co_filename
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        place = f"{file}:{lines[-1]}" if lines else file
        raise DataError(f"the data set {found.name!r} failed at {place}: {type(error).__name__}: {error}") from error


def checked(found: DataSet, returned: Any) -> Arrays:
    """The returned arrays as contiguous, read-only ones. Raises DataError that names the data set and what to return.

    Images must be uint8 [N, size, size, 1 or 3], labels integers [N] from 0 to one below the number of classes; they
    come back as uint8, or as int64 where there are more than 256 classes.
    """
    if not isinstance(returned, Mapping) or set(returned) != set(SPLITS):
        has = f"the keys {list(returned)}" if isinstance(returned, Mapping) else f"a {type(returned).__name__}"
        raise _refused(found, f"it returns {has}", 'a dict with exactly the keys "train" and "test"')
    arrays = {split: _checked_split(found, split, returned[split]) for split in SPLITS}
    channels = {split: arrays[split][0].shape[-1] for split in SPLITS}
    if len(set(channels.values())) > 1:
        raise _refused(found, f"its channels differ: {channels}", "the same number of channels in both splits")
    return arrays


def _checked_split(found: DataSet, split: str, pair: Any) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise _refused(found, f"{split} is a {type(pair).__name__}", "a pair (images, labels)")
    try:
        images, labels = np.asarray(pair[0]), np.asarray(pair[1])
    except ValueError as error:  # lists of unequal lengths
        raise _refused(found, f"{split} is no array ({error})", "arrays of one shape") from error
    _check_images(found, split, images)
    _check_labels(found, split, labels, len(images))
    labels = labels.astype(np.uint8 if len(found.classes) <= 256 else np.int64)
    return _read_only(images), _read_only(labels)


def _check_images(found: DataSet, split: str, images: np.ndarray) -> None:
    size = found.image_size
    form = f"uint8 images [N, {size}, {size}, 3 or 1] with values 0 to 255"
    if images.dtype != np.uint8:
        raise _refused(found, f"its {split} images are {images.dtype}", form)
    if images.ndim != 4 or images.shape[3] not in (1, 3):
        raise _refused(found, f"its {split} images have the shape {list(images.shape)}", form)
    if images.shape[1:3] != (size, size):
        height, width = images.shape[1:3]
        raise _refused(found, f"its {split} images are {height}x{width}, but image_size={size}", form)
    if not len(images):
        raise _refused(found, f"{split} has no images", form)


def _check_labels(found: DataSet, split: str, labels: np.ndarray, images: int) -> None:
    last = len(found.classes) - 1
    form = f"one integer label for each image, from 0 to {last}, as an array [N]"
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise _refused(found, f"its {split} labels are {labels.dtype} {list(labels.shape)}", form)
    if len(labels) != images:
        raise _refused(found, f"{split} has {images} images and {len(labels)} labels", form)
    if labels.min() < 0 or labels.max() > last:
        raise _refused(found, f"its {split} labels go from {labels.min()} to {labels.max()}", form)


def _read_only(array: np.ndarray) -> np.ndarray:
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _refused(found: DataSet, wrong: str, form: str) -> DataError:
    return DataError(f"the data set {found.name!r} ({found.function.__code__.co_filename}): {wrong}; return {form}")
