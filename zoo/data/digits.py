"""Digits: 1,797 real images of handwritten digits that scikit-learn carries, for a machine without any network.

Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998 (its test part).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoo.data import cache
from zoo.data.shipped import DIGITS_SHA256S as SHA256S

NAME = "digits"
TRAIN_IMAGES = 1437  # of 1,797: four fifths
MAX_VALUE = 16  # of a pixel, as scikit-learn has it
ENLARGED = 4  # each pixel becomes a square of so many


def load(data_dir: Path | None) -> cache.Arrays:
    """Images uint8 [N, 32, 32, 3] (grey, three equal channels) and labels uint8 [N]; ``data_dir`` is not needed.

    The 8x8 images with values 0 to 16 become 0 to 255, rounded, and are enlarged four times without interpolation. The
    split is fixed: of the order ``numpy.random.RandomState(0).permutation(1797)`` the first 1,437 images are for
    training, the other 360 for testing (NumPy keeps that generator's stream for good).
    """
    return cache.load(NAME, SHA256S, lambda _: make(), required=False)


def make() -> cache.Arrays:
    """The arrays, from scikit-learn."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    grey = np.rint(bunch.images * 255 / MAX_VALUE).astype(np.uint8)
    images = grey.repeat(ENLARGED, axis=1).repeat(ENLARGED, axis=2)[..., None].repeat(3, axis=3)
    labels = bunch.target.astype(np.uint8)
    order = np.random.RandomState(0).permutation(len(labels))
    train, test = order[:TRAIN_IMAGES], order[TRAIN_IMAGES:]
    return {"train": (images[train], labels[train]), "test": (images[test], labels[test])}
