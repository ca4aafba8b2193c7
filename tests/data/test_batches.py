"""The batch at step n is a function of (seed, n) alone, and its pixels are what TensorFlow's own operations give."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from helpers.small import config

from zoo.data import augmentation, batches

IMAGES = np.random.RandomState(0).randint(0, 256, (50, 32, 32, 3)).astype(np.uint8)
ON = {"crop": True, "flip": True, "brightness": 63.0, "contrast": (0.2, 1.8)}
LABELS = np.arange(50, dtype=np.int32)


def batch(step: int, seed: int = 0, **changes):
    return batches.training_batch(
        tf.constant(IMAGES), tf.constant(LABELS), config(**changes), seed, tf.constant(step, tf.int64)
    )


def draws(augment, size: int = 8) -> dict:
    """The random numbers of a batch by augmentation."""
    drawn = augmentation.draw(config(augment=augment).augment, 24, 32, size, tf.constant([5, 1], tf.int64))
    return {entry.name: values for entry, values in drawn}


def index_at(step: int, seed: int = 0, size: int = 10, count: int = 50) -> list[int]:
    return batches.image_index(count, size, seed, tf.constant(step, tf.int64)).numpy().tolist()


def test_every_epoch_visits_every_image_once_in_an_order_of_its_own():
    epochs = [[i for step in range(5 * e, 5 * e + 5) for i in index_at(step)] for e in range(3)]
    assert all(sorted(epoch) == list(range(50)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]


def test_a_batch_that_spans_two_epochs_ends_one_and_begins_the_next():
    seen = [i for step in range(25) for i in index_at(step, size=14, count=50)]  # 350 positions: seven epochs
    assert all(sorted(seen[e * 50 : e * 50 + 50]) == list(range(50)) for e in range(7))


def test_seeds_differ_and_repeat():
    assert index_at(3, seed=1) == index_at(3, seed=1)
    assert index_at(3, seed=1) != index_at(3, seed=2)
    assert not np.array_equal(batch(3, seed=1)[0], batch(3, seed=2)[0])
    np.testing.assert_array_equal(batch(3, seed=1)[0], batch(3, seed=1)[0])


def test_rows_of_a_batch_are_the_same_however_it_is_split():
    whole, labels = batch(7, batch=16)
    images, targets = tf.constant(IMAGES), tf.constant(LABELS)
    for first in (0, 4, 8, 12):
        part, part_labels = batches.training_batch(
            images, targets, config(batch=16), 0, tf.constant(7, tf.int64), tf.constant(first), 4
        )
        np.testing.assert_array_equal(part, whole[first : first + 4])
        np.testing.assert_array_equal(part_labels, labels[first : first + 4])


def test_labels_follow_their_images():
    off = {"crop": False, "flip": False, "brightness": 0.0, "contrast": None}
    pixels, labels = batch(2, augment=off, input_size=32, standardize=False)
    np.testing.assert_array_equal(pixels, IMAGES[labels.numpy()].astype(np.float32))


def test_the_chain_equals_tensorflows_operations_one_by_one():
    values = {
        "crop": (tf.constant([0, 3, 8]), tf.constant([8, 1, 0])),
        "flip": (tf.constant([True, False, True]),),
        "brightness": (tf.constant([-60.0, 0.0, 41.5]),),
        "contrast": (tf.constant([0.2, 1.0, 1.8]),),
    }
    drawn = [augmentation.Drawn(entry, values[entry.name]) for entry in config(augment=ON).augment.switched_on()]
    ours = augmentation.apply(tf.constant(IMAGES), tf.constant([4, 0, 9]), drawn, 24, standardize=True).numpy()
    for row, (image, top, left, flip, brightness, contrast) in enumerate(
        [(4, 0, 8, True, -60.0, 0.2), (0, 3, 1, False, 0.0, 1.0), (9, 8, 0, True, 41.5, 1.8)]
    ):
        crop = tf.cast(IMAGES[image, top : top + 24, left : left + 24], tf.float32)
        crop = tf.image.flip_left_right(crop) if flip else crop
        crop = tf.image.adjust_contrast(tf.image.adjust_brightness(crop, brightness), contrast)
        np.testing.assert_allclose(ours[row], tf.image.per_image_standardization(crop), atol=2e-5)


@pytest.mark.parametrize(
    ("operation", "off"), [("crop", False), ("flip", False), ("brightness", 0.0), ("contrast", None)]
)
def test_every_operation_changes_the_batch_and_leaves_the_draws_of_the_others(operation, off):
    with_it, _ = batch(1, augment=ON, standardize=False)
    without, _ = batch(1, augment={**ON, operation: off}, standardize=False)
    assert not np.allclose(with_it, without, atol=1e-3)
    whole, others = draws(ON), draws({**ON, operation: off})
    assert whole.keys() - others.keys() == {operation}
    for name in others:
        for values, same in zip(whole[name], others[name], strict=True):
            np.testing.assert_array_equal(values, same)


def test_draws_stay_in_their_ranges_and_fill_them():
    found = draws(ON, 4096)
    (top, left), (flip,), (brightness,), (contrast,) = found.values()
    assert set(np.unique(top)) == set(np.unique(left)) == set(range(9))
    assert 0.45 < np.mean(flip) < 0.55
    assert -63 <= np.min(brightness) < -60 and 60 < np.max(brightness) < 63
    assert 0.2 <= np.min(contrast) < 0.23 and 1.77 < np.max(contrast) < 1.8


def test_a_flat_image_is_standardized_with_the_floor_of_one_over_root_n():
    flat = np.full((1, 32, 32, 3), 200, np.uint8)
    pixels = batches.evaluation_batch(tf.constant(flat), tf.constant([0]), config())
    np.testing.assert_array_equal(pixels, np.zeros((1, 24, 24, 3)))


def test_evaluation_sees_the_central_crop():
    pixels = batches.evaluation_batch(tf.constant(IMAGES), tf.constant([3, 7]), config(standardize=False))
    np.testing.assert_array_equal(pixels, IMAGES[[3, 7], 4:28, 4:28].astype(np.float32))
