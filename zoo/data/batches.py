"""Which images make up the batch at step n: a function of (seed, n) alone.

Position p = n * B + i of the endless stream of training images is image ``shuffle(p mod N)`` of epoch ``p div N``, each
epoch with a permutation of its own. No buffer, no iterator and no state: resuming at step n is calling with n.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo.data import augmentation

if TYPE_CHECKING:
    from zoo.config import Config

_SHUFFLE, _AUGMENT = 1, 2  # separate random streams of one seed


def training_batch(
    images: Any, labels: Any, config: Config, seed: int, step: Any, first_row: Any = 0, rows: int | None = None
) -> tuple[Any, Any]:
    """Rows ``first_row`` to ``first_row + rows`` of the global batch at ``step``, cut, augmented and standardized.

    images: uint8 [N, H, W, C]; labels: int32 [N]; config: the question's ``Config``; step: int64 scalar.
    Returns float32 [rows, size, size, C] and int32 [rows]. Any split into rows gives the same images as the whole.
    """
    import tensorflow as tf

    rows = rows or config.batch
    index = image_index(images.shape[0], config.batch, seed, step)
    key = tf.stack([_stream(seed, _AUGMENT), step])
    drawn = augmentation.draw(config.augment, config.input_size, images.shape[1], config.batch, key)
    if rows != config.batch:
        index = index[first_row : first_row + rows]
        drawn = augmentation.rows(drawn, first_row, rows)
    pixels = augmentation.apply(images, index, drawn, config.input_size, config.standardize)
    return pixels, tf.gather(labels, index)


def image_index(count: int, batch: int, seed: int, step: Any) -> Any:
    """Which of ``count`` images stand at step ``step``: int32 [batch]. Every epoch visits every image once."""
    import tensorflow as tf

    position = step * batch + tf.range(batch, dtype=tf.int64)
    epoch = tf.cast(position // count, tf.int32)
    stream = tf.fill([batch], tf.constant(_stream(seed, _SHUFFLE) % 2**31, tf.int32))
    key = tf.stack([stream, epoch, tf.zeros_like(epoch)], axis=1)
    position_in_epoch = tf.cast(position % count, tf.int32)
    # The public wrapper (tf.random.experimental.index_shuffle) takes one seed for all; at an epoch's end a batch needs two.
    return tf.raw_ops.RandomIndexShuffle(index=position_in_epoch, seed=key, max_index=tf.constant(count - 1, tf.int32))


def evaluation_batch(images: Any, index: Any, config: Config) -> Any:
    """The central crops of the images at ``index`` int32 [B], standardized: float32 [B, size, size, C]."""
    return augmentation.apply(images, index, (), config.input_size, config.standardize)


def _stream(seed: int, purpose: int) -> int:
    """A seed for one purpose, far from those of the neighbouring seeds (splitmix64's multiplier, kept positive)."""
    return ((seed * 8 + purpose) * 0x9E3779B97F4A7C15) % 2**62
