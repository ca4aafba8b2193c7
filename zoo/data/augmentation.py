"""Augmentation and standardization of a whole batch at once, inside the graph.

Brightness, contrast and standardization are affine in the pixels of one channel of one image, so the chain of them is
one affine map: the operations below compose its scale and offset from the moments of the crop, and the pixels are
touched once.

Source: the TensorFlow CIFAR-10 tutorial's ``distorted_inputs``, which notes itself that a brightness shift is undone by
the standardization that follows it (nothing is clipped in between).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Draws:
    """The random numbers of one batch of B images; None where the operation is off.

    top, left: int32 [B], the crop's corner in pixels. flip: bool [B]. brightness: float32 [B], added to every pixel.
    contrast: float32 [B], a factor on the distance from the channel's mean.
    """

    top: Any
    left: Any
    flip: Any = None
    brightness: Any = None
    contrast: Any = None


def draw(augment, size: int, image_size: int, batch: int, seed):
    """The random numbers of one batch, each operation from a stream of its own, so that switching one off moves no other.

    ``augment`` is the question's ``Augment``; ``size`` and ``image_size`` are in pixels; ``seed`` int64 [2].
    """
    import tensorflow as tf

    def uniform(stream: int, low, high, dtype=tf.float32):
        return tf.random.stateless_uniform([batch], tf.stack([seed[0], seed[1] * 8 + stream]), low, high, dtype)

    center = tf.fill([batch], (image_size - size) // 2)
    places = image_size - size + 1
    return Draws(
        top=uniform(0, 0, places, tf.int32) if augment.crop else center,
        left=uniform(1, 0, places, tf.int32) if augment.crop else center,
        flip=uniform(2, 0.0, 1.0) < 0.5 if augment.flip else None,
        brightness=uniform(3, -augment.brightness, augment.brightness) if augment.brightness else None,
        contrast=uniform(4, *augment.contrast) if augment.contrast else None,
    )


def center(size: int, image_size: int, batch):
    """The draws of an evaluation batch: the central crop and nothing else."""
    import tensorflow as tf

    corner = tf.fill([batch], (image_size - size) // 2)
    return Draws(top=corner, left=corner)


def apply(images, index, draws: Draws, size: int, standardize: bool):
    """Cut, distort and standardize: uint8 [N, H, W, C] and indices int32 [B] give float32 [B, size, size, C]."""
    import tensorflow as tf

    pixels = _cut(images, index, draws, size)
    scale = offset = None
    if draws.brightness is not None or draws.contrast is not None or standardize:
        mean, variance = _moments(pixels)
        scale, offset = tf.ones_like(mean), tf.zeros_like(mean)
        if draws.brightness is not None:
            offset += draws.brightness[:, None]
        if draws.contrast is not None:
            scale, offset = _contrast(scale, offset, mean, draws.contrast[:, None])
        if standardize:
            scale, offset = _standardize(scale, offset, mean, variance, count=pixels.shape[1] * pixels.shape[2])
        pixels = pixels * scale[:, None, :] + offset[:, None, :]
    return tf.reshape(pixels, [-1, size, size, images.shape[-1]])


def _cut(images, index, draws: Draws, size: int):
    """The crops, mirrored where drawn, as float32 [B, size * size, C]."""
    import tensorflow as tf

    height, width, channels = images.shape[1:]
    steps = tf.range(size)
    columns = draws.left[:, None] + steps
    if draws.flip is not None:
        columns = tf.where(draws.flip[:, None], draws.left[:, None] + (size - 1) - steps, columns)
    rows = index[:, None] * height + draws.top[:, None] + steps
    places = rows[:, :, None] * width + columns[:, None, :]
    pixels = tf.gather(tf.reshape(images, [-1, channels]), tf.reshape(places, [-1, size * size]))
    return tf.cast(pixels, tf.float32)


def _moments(pixels):
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


def _contrast(scale, offset, mean, factor):
    """(x - m) * factor + m, with m the mean of the image's channel as it is now."""
    now = scale * mean + offset
    return scale * factor, now + factor * (offset - now)


def _standardize(scale, offset, mean, variance, count: int):
    """(x - m) / max(s, 1 / sqrt(n)), with m and s over all n values of the image (as TensorFlow has it)."""
    import tensorflow as tf

    channel_mean = scale * mean + offset
    center = tf.reduce_mean(channel_mean, axis=1, keepdims=True)
    spread = tf.square(scale) * variance + tf.square(channel_mean - center)
    deviation = tf.sqrt(tf.reduce_mean(spread, axis=1, keepdims=True))
    values = count * mean.shape[1]
    deviation = tf.maximum(deviation, values**-0.5)
    return scale / deviation, (offset - center) / deviation
