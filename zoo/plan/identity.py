"""What a training and a run are known by: hashes of everything that can change the trained weights, and of nothing else.

A key holds the settings that there were when ``NUMERICS`` got its value, in full, and of settings added since only what
differs from their default. So a new field, argument, readout or optimizer leaves the keys of old results as they are.
That default is the value under which the code gives the weights that it gave before; it must not change afterwards.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from zoo import models
from zoo.config import PLACEMENT, Config
from zoo.config.settings import CHOICES, frozen, leaves
from zoo.measure.readouts import READOUTS

# Raise it when a change to the models, the data or the trainer changes the weights that a configuration gives: results of
# the code before the change are then not taken for results of the code after it.
NUMERICS = 3

# Settings that decide when a training is evaluated, not what its weights are.
OBSERVATION = ("steps", "evaluate_every", "milestones", "recipe")

# The settings that every key holds, and their value in the key where a configuration has none (momentum under Adam).
FIELDS: dict[str, Any] = dict.fromkeys(
    (
        *("model", "data", "input_size", "batch", "standardize", "ema_decay", "precision"),
        *("augment.crop", "augment.flip", "augment.brightness", "augment.contrast"),
        *("optimizer.name", "optimizer.lr", "weight_decay.rule", "weight_decay.scale", "weight_decay.layers"),
    )
) | {"optimizer.momentum": 0.0, "schedule.decay_factor": 1.0, "schedule.decay_every_epochs": 0.0}

# The arguments of each family that every key holds; of a family that is not here none, and of a user's own model all.
_COMMON = (
    *("pool", "lrn", "lrn_radius", "lrn_bias", "lrn_alpha", "lrn_beta"),
    *("batch_norm", "dropout", "final_relu", "initializer"),
)
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "alex": ("convs", "hidden", *_COMMON),
    "nin": ("blocks", "last_block", *_COMMON),
    "squeeze": ("stem", "stages", *_COMMON),
}


def identity(config: Config, seed: int, data_sha256: str) -> str:
    """The key of a training: runs that differ only in readouts and in when they are evaluated share it."""
    source = models.entry(config.model).source_sha256()
    settings = _nested(_settings(config)) | {"arguments": _arguments(config)}
    return _hash({"numerics": NUMERICS, "config": settings, "seed": seed, "data": data_sha256, "source": source})


def run_key(training: str, steps: int) -> str:
    """The key of a run: the weights that a training has after so many steps."""
    return _hash({"training": training, "steps": steps})


def _settings(config: Config) -> dict[str, Any]:
    """Dotted name -> value of the settings that the key holds, the model's arguments aside."""
    ignored = (*READOUTS, *OBSERVATION, *PLACEMENT, *config.arguments)
    kept = {
        name: value
        for name, value in config.flat().items()
        if name not in ignored and (name in FIELDS or frozen(value) != _default(config, name))
    }
    return FIELDS | kept


def _default(config: Config, name: str) -> Any:
    group, _, member = name.partition(".")
    if group in CHOICES and member != "name":  # another optimizer may have a field of the same name
        return type(getattr(config, group)).model_fields[member].default
    return leaves()[name].default


def _arguments(config: Config) -> dict[str, Any]:
    entry = models.entry(config.model)
    values: dict[str, Any] = config.model_dump(mode="json", include={"arguments"})["arguments"]
    if entry.source_sha256() is not None:
        return values
    always = ARGUMENTS.get(entry.family, ())
    parameters = replace(entry, row={}).parameters()  # the function's own defaults: a row is part of what is asked
    return {
        name: value
        for name, value in values.items()
        if name in always or name not in parameters or config.arguments[name] != frozen(parameters[name].default)
    }


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """``{"optimizer.lr": 0.1}`` as ``{"optimizer": {"lr": 0.1}}``."""
    nested: dict[str, Any] = {}
    for name, value in values.items():
        group, dot, member = name.partition(".")
        if dot:
            nested.setdefault(group, {})[member] = value
        else:
            nested[name] = value
    return nested


def _hash(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
