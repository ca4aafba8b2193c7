"""Crops of a batch of images, and affine maps of their channels that are applied in one pass. All inside the graph.

Brightness, contrast and standardization are affine in the pixels of one channel of one image, so the chain of them is
one affine map: its scale and offset are composed from the moments of the crop, and the pixels are touched once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np


class Window(NamedTuple):
    """Where the images of a batch are cut out: the corner in pixels, int32 [B]; which are mirrored, bool [B], or None."""

    top: Any
    left: Any
    mirrored: Any = None


class Affine(NamedTuple):
    """A map of each channel of each image, x * scale + offset, and the mean of the channel before it; all [B, C]."""

    scale: Any
    offset: Any
    mean: Any


class Pixels:
    """The pixels of a batch, float32 [B, P, C], and an affine map of them that is still to be applied."""

    def __init__(self, pixels: Any, size: int) -> None:
        self._pixels = pixels
        self._size = size
        self._variance: Any = None
        self.affine: Affine | None = None

    def moments(self) -> tuple[Affine, Any]:
        """The map so far, the identity at first, and the variance of each channel before it."""
        import tensorflow as tf

        if self.affine is None:
            mean, self._variance = _moments(self._pixels)
            self.affine = Affine(tf.ones_like(mean), tf.zeros_like(mean), mean)
        return self.affine, self._variance

    def images(self) -> Any:
        """[B, size, size, C], mapped."""
        import tensorflow as tf

        pixels = self._pixels
        if self.affine is not None:
            pixels = pixels * self.affine.scale[:, None, :] + self.affine.offset[:, None, :]
        return tf.reshape(pixels, [-1, self._size, self._size, pixels.shape[-1]])


def in_color(images: np.ndarray) -> np.ndarray:
    """Images [N, H, W, 3], those of one channel with it repeated."""
    import numpy as np

    return np.repeat(images, 3, axis=3) if images.shape[-1] == 1 else images


def cut(images: Any, index: Any, window: Window, size: int) -> Any:
    """The crops, mirrored where drawn, as float32 [B, size * size, C]."""
    import tensorflow as tf

    height, width, channels = images.shape[1:]
    steps = tf.range(size)
    columns = window.left[:, None] + steps
    if window.mirrored is not None:
        columns = tf.where(window.mirrored[:, None], window.left[:, None] + (size - 1) - steps, columns)
    rows = index[:, None] * height + window.top[:, None] + steps
    positions = rows[:, :, None] * width + columns[:, None, :]
    pixels = tf.gather(tf.reshape(images, [-1, channels]), tf.reshape(positions, [-1, size * size]))
    return tf.cast(pixels, tf.float32)


def _moments(pixels: Any) -> tuple[Any, Any]:
    """Mean and variance of each channel of each image: [B, P, C] gives two [B, C].

    The sums are products with a row of ones, which is several times faster here than a reduction over an inner axis.
    The pixels are shifted by half their range first, so that float32 loses nothing to cancellation.
    """
    import tensorflow as tf

    count = pixels.shape[1]
    shifted = pixels - 127.5
    ones = tf.ones([1, count])
    mean = tf.squeeze(ones @ shifted, 1) / count
    square = tf.squeeze(ones @ tf.square(shifted), 1) / count
    return mean + 127.5, tf.maximum(square - tf.square(mean), 0.0)


def standardized(affine: Affine, variance: Any, count: int) -> Affine:
    """(x - m) / max(s, 1 / sqrt(n)) after the map, with m and s over all n values of the image (as TensorFlow has it)."""
    import tensorflow as tf

    scale, offset, mean = affine
    channel_mean = scale * mean + offset
    center = tf.reduce_mean(channel_mean, axis=1, keepdims=True)
    spread = tf.square(scale) * variance + tf.square(channel_mean - center)
    deviation = tf.sqrt(tf.reduce_mean(spread, axis=1, keepdims=True))
    values = count * mean.shape[1]
    deviation = tf.maximum(deviation, values**-0.5)
    return Affine(scale / deviation, (offset - center) / deviation, mean)
