"""The images that speeds are measured on: CIFAR-10 where this machine has it, made-up ones of the same shape otherwise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from zoo import data
from zoo.data import cache

SIZE = 32  # pixels, height = width
CLASSES = 10
_COUNTS = {"train": 50_000, "test": 10_000}


class Images(NamedTuple):
    """uint8 [N, 32, 32, 3] and int32 [N] of both splits, and what they are."""

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def load() -> Images:
    """Never downloads anything: a benchmark is not the moment for that, and contents do not change a speed."""
    if cache.present("cifar10"):
        arrays = [data.load("cifar10", split) for split in data.SPLITS]
        return Images("CIFAR-10", *(part for images, labels in arrays for part in (images, labels.astype(np.int32))))
    numbers = np.random.default_rng(0)
    parts = []
    for count in _COUNTS.values():
        parts.append(numbers.integers(0, 256, (count, SIZE, SIZE, 3), np.uint8))
        parts.append(numbers.integers(0, CLASSES, count, np.int32))
    return Images("random uint8 of CIFAR-10's shape", *parts)


def central(images: np.ndarray, size: int) -> np.ndarray:
    """The central crops, standardized as ``tf.image.per_image_standardization`` does: float32 [N, size, size, C]."""
    corner = (images.shape[1] - size) // 2
    pixels = images[:, corner : corner + size, corner : corner + size].astype(np.float32)
    mean = pixels.mean(axis=(1, 2, 3), keepdims=True)
    deviation = pixels.std(axis=(1, 2, 3), keepdims=True)
    return (pixels - mean) / np.maximum(deviation, pixels[0].size ** -0.5)
