"""A small configuration for tests: a net of a few thousand weights on the digits."""

from __future__ import annotations

from typing import Any

from zoo import models
from zoo.config import Config
from zoo.config.recipes import RECIPES
from zoo.host.quiet_import import quiet_import

with quiet_import():
    import tensorflow as tf

# Before TensorFlow runs its first operation: two devices, to train on as on two GPUs.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

ARGUMENTS = {"convs": ((3, 8), (3, 8)), "hidden": (16,), "lrn": True, "initializer": "xavier"}


def config(**changes: Any) -> Config:
    """The small configuration with ``changes``; ``arguments`` are merged into the model's defaults."""
    arguments = ARGUMENTS | changes.pop("arguments", {})
    model = changes.get("model", "tuto")
    defaults = {name: parameter.default for name, parameter in models.entry(model).parameters().items()}
    own = {
        "model": model,
        "arguments": defaults | arguments,
        "data": "digits",
        "recipe": "sandbox",
        "steps": 12,
        "batch": 16,
        "evaluate_every": 6,
        "milestones": (),
        "precision": "float32",
    }
    return Config(**(RECIPES["sandbox"] | own | changes))
