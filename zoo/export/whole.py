"""The way from pixels to probabilities inside one model: central crop, standardization, network, softmax."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tf_keras as keras


def from_pixels_to_probabilities(model: keras.Model, image_size: int, standardize: bool) -> keras.Model:
    """A model from uint8 images [B, image_size, image_size, 3] to float32 probabilities [B, classes].

    ``model`` goes from [B, size, size, 3] to logits. Standardization as ``tf.image.per_image_standardization`` has it:
    (x - mean) / max(deviation, 1 / sqrt(n)) over the n values of the crop.
    """
    import tensorflow as tf
    import tf_keras as keras

    size = model.input_shape[1]
    corner = (image_size - size) // 2
    images = keras.Input((image_size, image_size, 3), dtype=tf.uint8, name="images")
    cropped = images[:, corner : corner + size, corner : corner + size, :] if image_size > size else images
    pixels = tf.cast(cropped, tf.float32)
    if standardize:
        centered = pixels - tf.reduce_mean(pixels, axis=[1, 2, 3], keepdims=True)
        variance = tf.reduce_mean(tf.square(centered), axis=[1, 2, 3], keepdims=True)
        least = float(size * size * 3) ** -0.5
        pixels = centered / tf.maximum(tf.sqrt(variance), least)
    return keras.Model(images, tf.nn.softmax(model(pixels)), name=model.name)
