"""A question, its configuration and its plan, for tests of what is planned; nothing here needs TensorFlow."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoo import models
from zoo.config import load
from zoo.config.recipes import RECIPES
from zoo.config.settings import Config
from zoo.measure.readouts import Level, Readout, evaluations, register
from zoo.plan import runs as plans
from zoo.storage.record import Record

QUESTION = """\
question: Does it matter?
base: {model: alex2, data: digits, steps: 100, precision: float32}
factors:
  augment.flip: [true, false]
seeds: 2
"""

FIELDS = RECIPES["sandbox"] | {
    "model": "alex2",
    "arguments": {name: p.default for name, p in models.entry("alex2").parameters().items()},
    "data": "digits",
    "recipe": "sandbox",
    "steps": 100,
    "evaluate_every": 50,
    "milestones": (),
    "precision": "float32",
}


def config_of(**changes) -> Config:
    """A configuration with changes by dotted name (dots written as double underscores)."""
    fields = {k: dict(v) if isinstance(v, dict) else v for k, v in FIELDS.items()}
    for name, value in changes.items():
        group, _, leaf = name.partition("__")
        if leaf:
            fields[group][leaf] = value
        else:
            fields[group] = value
    return Config(**fields)


def register_negated() -> Readout:
    """A readout that is added to those that there are: the same network with its logits negated."""
    levels = {
        False: Level("", "", ""),
        True: Level("negated", "negated logits", "negated", lambda network, logits: -logits()),
    }
    return register(Readout("negated", levels, default=False))


def make(directory: Path, text: str = QUESTION, name: str = "q.yaml"):
    (directory / name).write_text(text)
    return plans.make_plan(load(directory / name), directory / "runs")


def with_result(record: Record, *steps: int) -> None:
    accuracies = {evaluation.accuracy: 0.5 for evaluation in evaluations()}
    record.write_history([{"step": step, "train/images_per_s": 1.0} | accuracies for step in steps])
    for step in steps:
        record.results_file(step).parent.mkdir(parents=True, exist_ok=True)
        np.savez(record.results_file(step), labels=np.zeros(3, np.uint8))


def with_checkpoints(record: Record, *steps: int) -> None:
    for step in steps:
        (record.checkpoints / f"step_{step:08d}").mkdir(parents=True)
