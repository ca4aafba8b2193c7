"""The picture of what the network is shown."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from helpers.small import config

from zoo.data import samples


def test_images_stand_in_rows_of_eight_each_from_black_to_white():
    pixels = np.zeros((9, 2, 3, 3), np.float32)
    pixels[:, 0] = np.linspace(-1, 1, 9)[:, None, None]  # brighter or darker above than below
    grid = samples.grid(pixels)
    assert grid.shape == (2 * 2, 8 * 3, 3)
    assert grid[0, 0].tolist() == [0, 0, 0] and grid[1, 0].tolist() == [255, 255, 255]  # the first: darker above
    assert grid[2, 0].tolist() == [255, 255, 255] and grid[3, 0].tolist() == [0, 0, 0]  # the ninth: brighter above
    assert not grid[2:, 3:].any()


def test_the_picture_shows_the_first_images_of_the_first_batch():
    images = np.random.RandomState(0).randint(0, 256, (50, 32, 32, 3)).astype(np.uint8)
    picture = samples.picture(tf.constant(images), tf.range(50), config(batch=16), seed=0)
    assert picture.size == (8 * 24 * 2, 2 * 24 * 2)
