"""A small configuration for tests: a net of a few thousand weights on the digits."""

from __future__ import annotations

from typing import Any

from zoo import models
from zoo.quiet import quiet_import
from zoo.spec import Config

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
    fields: dict[str, Any] = {
        "model": model,
        "arguments": defaults | arguments,
        "data": "digits",
        "recipe": "sandbox",
        "input_size": 24,
        "steps": 12,
        "batch": 16,
        "evaluate_every": 6,
        "milestones": (),
        "augment": {"crop": True, "flip": True, "brightness": 63.0, "contrast": (0.2, 1.8)},
        "standardize": True,
        "ema": True,
        "ema_decay": 0.9999,
        "optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.0},
        "schedule": {"decay_factor": 1.0, "decay_every_epochs": 0.0},
        "weight_decay": {"rule": "per_layer", "scale": 500.0, "layers": "hidden"},
        "precision": "float32",
    }
    return Config(**(fields | changes))
