"""Training recipes as plain data: the default of every field that a question need not give; it stands nowhere else.

Fields are those of ``zoo.config.settings.Config``; ``arguments`` holds defaults for arguments of a model, used by the models
that take them. Sources: the TensorFlow CIFAR-10 tutorial, and the `tensorsandbox` variants of it, with their table.
"""

from __future__ import annotations

from typing import Any

from zoo.config.settings import Config

DEFAULT_RECIPE = "sandbox"

_SANDBOX: dict[str, Any] = {
    "arguments": {"initializer": "xavier"},
    "input_size": 24,
    "steps": 10_000,
    "batch": 128,
    "evaluate_every": 1_000,
    "milestones": (10_000, 50_000, 100_000, 300_000),
    "augment": {"crop": True, "flip": True, "brightness": 63.0, "contrast": (0.2, 1.8)},
    "standardize": True,
    "ema": True,
    "ema_decay": 0.9999,
    "optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.0},
    "schedule": {"name": "staircase", "decay_factor": 1.0, "decay_every_epochs": 0.0},
    "weight_decay": {"rule": "per_layer", "scale": 500.0, "layers": "hidden"},
    "precision": "auto",
    "strategy": "mirrored",
    "workers": 1,
}

RECIPES: dict[str, dict[str, Any]] = {"sandbox": _SANDBOX}


def register(name: str, *, like: str = DEFAULT_RECIPE, **fields: Any) -> None:
    """Add a recipe that differs from another one in these fields, each given in full.

    Raises ValueError for a name that is taken, and for an unknown field or a wrong value (pydantic's ValidationError).
    """
    if name in RECIPES:
        raise ValueError(f"two recipes are named {name!r}")
    recipe = RECIPES[like] | fields
    Config(model="", data="", recipe=name, **recipe)  # a recipe is everything but these
    RECIPES[name] = recipe


register(
    "tutorial",
    arguments={"initializer": "tutorial"},
    steps=1_000_000,
    schedule={"name": "staircase", "decay_factor": 0.1, "decay_every_epochs": 350.0},
    weight_decay={"rule": "constant", "scale": 0.004, "layers": "hidden"},
)
