"""Weights and random streams as the code of today gives them, in ``golden_values/``.

They change only together with ``NUMERICS`` of the run keys: raise it in zoo/plan/identity.py, then
``PYTHONPATH=.:tests python tests/training/golden.py`` writes them anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from helpers import small  # noqa: F401  configures TensorFlow's devices before its first operation

from zoo.config import Config, load
from zoo.data import batches
from zoo.models import layers
from zoo.training.evaluation import evaluation_function
from zoo.training.network import create_network, default_strategy
from zoo.training.steps import Totals, training_function

DIRECTORY = Path(__file__).parent / "golden_values"
QUESTIONS = tuple(DIRECTORY / f"{family}.yaml" for family in ("alex", "nin", "squeeze"))
SEED = 3

_numbers = np.random.RandomState(0)
IMAGES = _numbers.randint(0, 256, (64, 32, 32, 3)).astype(np.uint8)
LABELS = _numbers.randint(0, 10, 64).astype(np.int32)

# An image whose pixels say where they come from: the row in the first channel, the column in the second.
POSITIONS = np.zeros((1, 32, 32, 3), np.uint8)
POSITIONS[0, :, :, 0], POSITIONS[0, :, :, 1] = np.arange(32)[:, None], np.arange(32)


def configurations() -> dict[str, Config]:
    return {variant.name: variant.config for path in QUESTIONS for variant in load(path).variants}


def trained(config: Config) -> dict[str, Any]:
    """What a few steps make of the initial weights."""
    network = create_network(config, SEED, 10, len(IMAGES), default_strategy(["CPU:0"]))
    variables = network.model.trainable_variables
    initial = [variable.numpy() for variable in variables]
    images, labels = tf.constant(IMAGES), tf.constant(LABELS)
    train = training_function(network, images, labels, config, SEED)
    losses = [train(step, 1, Totals()).loss for step in range(config.steps)]
    evaluate = evaluation_function(network, images[:2], config)
    raw = evaluate()
    with network.averaged():
        averaged = evaluate()
    return {
        "losses": _rounded(losses),
        "spread of the initial weights": [_rounded(np.std(value)) for value in initial],
        "mean change": [_rounded(np.abs(v - value).mean()) for v, value in zip(variables, initial, strict=True)],
        "logits of the raw weights": _rounded(raw.ravel()),
        "logits of the averaged weights": _rounded(averaged.ravel()),
    }


def shuffle() -> dict[str, list[int]]:
    """Which images stand in a batch, by "images, batch, seed, step"."""
    cases = [(64, 8, 0, 0), (64, 8, 0, 7), (64, 8, 1, 0), (50, 14, 0, 3), (50_000, 8, 0, 1_000_000)]
    return {
        f"{count}, {batch}, {seed}, {step}": batches.image_index(count, batch, seed, tf.constant(step, tf.int64))
        .numpy()
        .tolist()
        for count, batch, seed, step in cases
    }


def crops() -> dict[str, list[list[int]]]:
    """Row and column of the first and the last pixel of each image of a batch, by the augmentations that are on."""
    configs = configurations()
    found = {}
    for name in ("alex", "crop", "flip", "every augmentation"):
        pixels = _batch(configs[name], POSITIONS, ("brightness", "contrast"))[..., :2].astype(int)
        found[name] = np.concatenate([pixels[:, 0, 0], pixels[:, -1, -1]], axis=1).tolist()
    return found


def greys() -> dict[str, list[float]]:
    """The pixel of images that are all of one grey, and what is left of a step of 100 greys, by augmentation."""
    configs, flat, edge = configurations(), np.full((1, 32, 32, 3), 100, np.uint8), np.zeros((1, 32, 32, 3), np.uint8)
    edge[:, 16:] = 100
    shifted = _batch(configs["every augmentation"], flat, ("crop", "flip"))[:, 0, 0, 0]
    stretched = _batch(configs["every augmentation"], edge, ("crop", "flip"))
    return {
        "brightness": _rounded(shifted),
        "contrast": _rounded(stretched[:, -1, 0, 0] - stretched[:, 0, 0, 0]),
        "brightness alone": _rounded(_batch(configs["brightness"], flat)[:, 0, 0, 0]),
        "contrast alone": _rounded(_batch(configs["contrast"], edge)[:, -1, 0, 0]),
    }


def _batch(config: Config, images: np.ndarray, off: tuple[str, ...] = ()) -> np.ndarray:
    """The images of a batch as they are, without the augmentations in ``off``."""
    switched_off = {name: {"brightness": 0.0, "contrast": None}.get(name, False) for name in off}
    config = config.model_copy(update={"standardize": False, "augment": config.augment.model_copy(update=switched_off)})
    labels = tf.zeros([1], tf.int32)
    return batches.training_batch(tf.constant(images), labels, config, SEED, tf.constant(2, tf.int64))[0].numpy()


def dropped() -> dict[str, str]:
    """The masks of dropout, packed into bits, by "layer, rate, seed, step"."""
    found = {}
    for name, rate, seed, step in [("a", 0.5, 0, 0), ("b", 0.5, 0, 0), ("a", 0.5, 1, 0), ("a", 0.2, 0, 10**6)]:
        with layers.randomness(seed, tf.constant(step, tf.int64), 0, 4):
            kept = layers.Dropout(rate, name=name)(tf.ones([4, 31]), training=True).numpy() > 0
        found[f"{name}, {rate}, {seed}, {step}"] = np.packbits(kept).tobytes().hex()
    return found


def _rounded(values: Any) -> Any:
    """To six significant digits, one more than the tolerance can tell apart."""
    return [float(f"{value:.6g}") for value in values] if np.ndim(values) else float(f"{values:.6g}")


def recorded(name: str) -> dict[str, Any]:
    return json.loads((DIRECTORY / f"{name}.json").read_text(encoding="utf-8"))


def write() -> None:
    streams = {"shuffle": shuffle(), "crops": crops(), "greys": greys(), "dropped": dropped()}
    trainings = {name: trained(config) for name, config in configurations().items()}
    for name, values in (("streams", streams), ("trainings", trainings)):
        lines = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in values.items())
        (DIRECTORY / f"{name}.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    write()
