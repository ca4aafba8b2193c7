"""The test images of users' own data sets, small, as the report shows them: it executes none of the users' files.

One file a data set, in the same cache as the data sets of this package. Like those it may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data import cache
from zoo.data.registry import DataSet

_log = logging.getLogger(__name__)

MOST_BYTES = 48 << 20
MOST_PIXELS, FEWEST_PIXELS = 96, 16  # along an edge: as many as the report shows, and so few that nothing is seen
_FOLDER = "own-test-images"


def keep(data_set: DataSet, sha256: str, images: NDArray[np.uint8]) -> None:
    """Keep the test images uint8 [N, H, W, C] of the data set with this checksum; once.

    Large ones are reduced. That it cannot be done is logged.
    """
    path = _path(sha256)
    if path is None or path.exists():
        return
    factor = _reduction(images.shape)
    if factor is None:
        _log.info("data: the %d test images of %s are too many to be kept for reports", len(images), data_set.name)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=cache.STAGING, delete=False) as file:
            try:
                np.savez(file, images=_reduced(images, factor), classes=np.array(data_set.classes, np.str_))
                file.flush()
                os.replace(file.name, path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(file.name)
                raise
    except OSError as error:
        reason = error.strerror or error
        _log.info("data: the test images of %s are not kept for reports: %s: %s", data_set.name, path, reason)


def is_kept(sha256: str) -> bool:
    path = _path(sha256)
    return path is not None and path.exists()


def images(sha256: str) -> NDArray[np.uint8] | None:
    """The test images uint8 [N, H, W, C] that were kept, None where there are none, or none that can be read."""
    kept = _array(sha256, "images")
    return kept if kept is not None and kept.dtype == np.uint8 and kept.ndim == 4 else None


def classes(sha256: str) -> tuple[str, ...]:
    """The names of the classes that were kept with them, () where nothing was."""
    kept = _array(sha256, "classes")
    return () if kept is None else tuple(map(str, kept))


def _array(sha256: str, name: str) -> NDArray[Any] | None:
    path = _path(sha256)
    if path is None:
        return None
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            array: NDArray[Any] = arrays[name]
            return array
    except Exception:  # numpy and zipfile raise a dozen kinds for what is not theirs
        return None


def _path(sha256: str) -> Path | None:
    """None for what is no checksum: tags in a store can be edited."""
    return cache.directory() / _FOLDER / f"{sha256}.npz" if re.fullmatch(r"[0-9a-f]{64}", sha256) else None


def _reduction(shape: tuple[int, ...]) -> int | None:
    """How many pixels along an edge become one, None where the images are too many for any."""
    count, edge, _, channels = shape
    affordable = math.isqrt(MOST_BYTES // (count * channels))
    if affordable < min(edge, FEWEST_PIXELS):
        return None
    return math.ceil(edge / min(edge, MOST_PIXELS, affordable))


def _reduced(images: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Each square of ``factor`` times ``factor`` pixels as their mean."""
    if factor == 1:
        return images
    from PIL import Image

    channels = images.shape[-1]
    small = [
        np.asarray(Image.fromarray(image.squeeze(-1) if channels == 1 else image).reduce(factor)) for image in images
    ]
    return np.stack(small).reshape(len(images), *small[0].shape[:2], channels)
