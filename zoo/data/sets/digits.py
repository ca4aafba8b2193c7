"""Digits: 1,797 real images of handwritten digits that scikit-learn carries, for a machine without any network.

Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998 (its test part).
"""

from __future__ import annotations

from pathlib import Path

from zoo.data.registry import Arrays, info, register

TRAIN_IMAGES = 1437  # of 1,797: four fifths
MAX_VALUE = 16  # of a pixel, as scikit-learn has it
ENLARGED = 4  # each pixel becomes a square of so many


@register(
    "digits",
    classes=tuple("0123456789"),
    image_size=32,
    train_images=TRAIN_IMAGES,
    test_images=360,
    sha256s=(
        "edb0f1c170a605e6f62b252774d43edc712b784b3aeadb0b073ced62ccb3707f",
        "53f898fb81bedc1960a35a7518e140c110357f1d9c819e15be7eb86813d86b98",
        "14d68143b175b7d47350de698f3c15e867ed7b3c038bbd6d6e89ce63b3afe012",
        "2afb26f01c4ab83cd8bfb3c55e54cc7568449a914de2d2369dc3aeb6168fcd64",
    ),
)
def digits(data_dir: Path | None) -> Arrays:
    """Images uint8 [N, 32, 32, 3] (grey, three equal channels) and labels uint8 [N]; ``data_dir`` is not needed.

    The 8x8 images with values 0 to 16 become 0 to 255, rounded, and are enlarged four times without interpolation. The
    split is fixed: of the order ``numpy.random.RandomState(0).permutation(1797)`` the first 1,437 images are for
    training, the other 360 for testing (NumPy keeps that generator's stream for good).
    """
    from zoo.data import cache

    return cache.load("digits", info("digits").sha256s, lambda _: _from_scikit_learn(), required=False)


def _from_scikit_learn() -> Arrays:
    import numpy as np
    from sklearn.datasets import load_digits

    bunch = load_digits()
    grey = np.rint(bunch.images * 255 / MAX_VALUE).astype(np.uint8)
    images = grey.repeat(ENLARGED, axis=1).repeat(ENLARGED, axis=2)[..., None].repeat(3, axis=3)
    labels = bunch.target.astype(np.uint8)
    order = np.random.RandomState(0).permutation(len(labels))
    train, test = order[:TRAIN_IMAGES], order[TRAIN_IMAGES:]
    return {"train": (images[train], labels[train]), "test": (images[test], labels[test])}
