"""A picture of what the network is shown: the first images of the first batch, cut and augmented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.batches import training_batch

if TYPE_CHECKING:
    from PIL import Image

    from zoo.config import Config

_SIDE = 8  # images along an edge
_SCALE = 2  # screen pixels a pixel


def picture(images: Any, labels: Any, config: Config, seed: int) -> Image.Image:
    """Of images uint8 [N, H, W, 3] and labels int32 [N], as tensors."""
    import tensorflow as tf
    from PIL import Image

    pixels, _ = training_batch(images, labels, config, seed, tf.constant(0, tf.int64))
    small = Image.fromarray(grid(pixels.numpy()[: _SIDE * _SIDE]))
    return small.resize((small.width * _SCALE, small.height * _SCALE), Image.Resampling.NEAREST)


def grid(pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Images float [B, H, W, 3] side by side in rows of eight, each stretched to the full range: uint8 [rows*H, 8*W, 3]."""
    count, height, width, channels = pixels.shape
    low, high = (f(pixels, axis=(1, 2, 3), keepdims=True) for f in (np.min, np.max))
    stretched = (255 * (pixels - low) / np.maximum(high - low, 1e-6)).round().astype(np.uint8)
    rows = -(-count // _SIDE)
    tiles = np.zeros((rows * _SIDE, height, width, channels), np.uint8)
    tiles[:count] = stretched
    return tiles.reshape(rows, _SIDE, height, width, channels).swapaxes(1, 2).reshape(rows * height, -1, channels)
