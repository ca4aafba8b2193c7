"""A user's own data set: its function is called, and what it returns is checked."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.errors import DataError
from zoo.data.registry import SPLITS, Arrays, DataSet


def called(data_set: DataSet, data_dir: Path | None) -> Any:
    """What the user's function returns. Raises DataError with the line of the user's file for whatever it raises."""
    try:
        return data_set.function(data_dir)
    except DataError:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == data_set.file]
        position = f"{data_set.file}:{lines[-1]}" if lines else data_set.file
        raise DataError(
            f"the data set {data_set.name!r} failed at {position}: {type(error).__name__}: {error}"
        ) from error


def checked(data_set: DataSet, returned: Any) -> Arrays:
    """The returned arrays as contiguous, read-only ones. Raises DataError that names the data set and what to return.

    Images must be uint8 [N, size, size, 1 or 3], labels integers [N] from 0 to one below the number of classes; they
    come back as uint8, or as int64 where there are more than 256 classes.
    """
    if not isinstance(returned, Mapping) or set(returned) != set(SPLITS):
        form = f"the keys {list(returned)}" if isinstance(returned, Mapping) else f"a {type(returned).__name__}"
        raise _refused(data_set, f"it returns {form}", 'a dict with exactly the keys "train" and "test"')
    arrays = {split: _checked_split(data_set, split, returned[split]) for split in SPLITS}
    channels = {split: arrays[split][0].shape[-1] for split in SPLITS}
    if len(set(channels.values())) > 1:
        raise _refused(data_set, f"its channels differ: {channels}", "the same number of channels in both splits")
    return arrays


def _checked_split(data_set: DataSet, split: str, pair: Any) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise _refused(data_set, f"{split} is a {type(pair).__name__}", "a pair (images, labels)")
    try:
        images, labels = np.asarray(pair[0]), np.asarray(pair[1])
    except ValueError as error:  # lists of unequal lengths
        raise _refused(data_set, f"{split} is no array ({error})", "arrays of one shape") from error
    _check_images(data_set, split, images)
    _check_labels(data_set, split, labels, len(images))
    labels = labels.astype(np.uint8 if len(data_set.classes) <= 256 else np.int64)
    return _read_only(images), _read_only(labels)


def _check_images(data_set: DataSet, split: str, images: np.ndarray) -> None:
    size = data_set.image_size
    form = f"uint8 images [N, {size}, {size}, 3 or 1] with values 0 to 255"
    if images.dtype != np.uint8:
        raise _refused(data_set, f"its {split} images are {images.dtype}", form)
    if images.ndim != 4 or images.shape[3] not in (1, 3):
        raise _refused(data_set, f"its {split} images have the shape {list(images.shape)}", form)
    if images.shape[1:3] != (size, size):
        height, width = images.shape[1:3]
        raise _refused(data_set, f"its {split} images are {height}x{width}, but image_size={size}", form)
    if not len(images):
        raise _refused(data_set, f"{split} has no images", form)


def _check_labels(data_set: DataSet, split: str, labels: np.ndarray, images: int) -> None:
    last = len(data_set.classes) - 1
    form = f"one integer label for each image, from 0 to {last}, as an array [N]"
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise _refused(data_set, f"its {split} labels are {labels.dtype} {list(labels.shape)}", form)
    if len(labels) != images:
        raise _refused(data_set, f"{split} has {images} images and {len(labels)} labels", form)
    if labels.min() < 0 or labels.max() > last:
        raise _refused(data_set, f"its {split} labels go from {labels.min()} to {labels.max()}", form)


def _read_only(array: np.ndarray) -> np.ndarray:
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _refused(data_set: DataSet, wrong: str, form: str) -> DataError:
    return DataError(f"the data set {data_set.name!r} ({data_set.file}): {wrong}; return {form}")
