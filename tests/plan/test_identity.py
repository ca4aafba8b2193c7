"""The identity of a training: what changes its key, and what does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.plans import FIELDS, config_of

from zoo import models
from zoo.config.settings import Config, leaves
from zoo.plan import identity
from zoo.plan import runs as plans

ROOT = Path(__file__).resolve().parents[2]
SHA = "0" * 64

SAME_WEIGHTS = {
    "ema": False,
    "steps": 200,
    "evaluate_every": 10,
    "milestones": (10,),
    "recipe": "tutorial",
    "strategy": "multi_worker",  # the same but for rounding
    "workers": 2,
}
OTHER_WEIGHTS = {
    "model": "alex3",
    "data": "cifar10",
    "input_size": 32,
    "batch": 64,
    "augment.crop": False,
    "augment.flip": False,
    "augment.brightness": 0.0,
    "augment.contrast": None,
    "standardize": False,
    "ema_decay": 0.99,  # the averaged weights
    "optimizer": {"name": "adam", "lr": 0.1},
    "optimizer.lr": 0.01,
    "optimizer.momentum": 0.9,
    "optimizer.nesterov": True,
    "optimizer.clip_norm": 1.0,
    "schedule": {"name": "constant"},
    "schedule.decay_factor": 0.5,
    "schedule.decay_every_epochs": 1.0,
    "schedule.warmup_epochs": 1.0,
    "weight_decay.rule": "none",
    "weight_decay.scale": 1.0,
    "weight_decay.layers": "all_but_last",
    "precision": "bfloat16",
}

OF_OTHER_CHOICES = [  # what each field of another optimizer or schedule may be instead of its default
    ("optimizer", "adamw", {"decay": 0.1}),
    ("optimizer", "rmsprop", {"rho": 0.5, "momentum": 0.5}),
    ("schedule", "cosine", {"epochs": 1.0, "final_fraction": 0.5}),
    ("schedule", "one_cycle", {"epochs": 1.0, "peak": 0.5}),
]


def key(settings: Config, seed: int = 0, data: str = SHA) -> str:
    return identity.identity(settings, seed, data)


def changed(name: str, value) -> Config:
    return config_of(**{name.replace(".", "__"): value})


def test_every_field_is_judged():
    groups = {"optimizer": "optimizer.name", "schedule": "schedule.name"}  # another entry has other fields as well
    own = {f"{group}.{field}" for group, entry, fields in OF_OTHER_CHOICES for field in fields}
    assert {groups.get(name, name) for name in (*SAME_WEIGHTS, *OTHER_WEIGHTS)} | own == set(leaves())


@pytest.mark.parametrize("name", SAME_WEIGHTS)
def test_what_does_not_change_the_weights_keeps_the_key(name):
    assert key(changed(name, SAME_WEIGHTS[name])) == key(config_of())


@pytest.mark.parametrize("name", OTHER_WEIGHTS)
def test_what_can_change_the_weights_changes_the_key(name):
    assert key(changed(name, OTHER_WEIGHTS[name])) != key(config_of())


@pytest.mark.parametrize(("group", "entry", "fields"), OF_OTHER_CHOICES)
def test_what_belongs_to_another_optimizer_or_schedule_changes_the_key(group, entry, fields):
    chosen = {"name": entry} | ({"lr": 0.1} if group == "optimizer" else {})
    keys = {key(config_of(**{group: chosen | {name: value}})) for name, value in fields.items()}
    assert len(keys | {key(config_of(**{group: chosen}))}) == 1 + len(fields)


@pytest.mark.parametrize("name", FIELDS["arguments"])
def test_every_argument_of_the_model_changes_the_key(name):
    arguments = FIELDS["arguments"] | {name: "something else"}
    assert key(config_of(arguments=arguments)) != key(config_of())


def test_keys_of_results_made_earlier_still_hold(monkeypatch):
    """The key of this configuration before there were strategies: what people have on disk is not trained again."""
    monkeypatch.setattr(identity, "NUMERICS", 1)
    assert key(config_of()) == "51a5de0db2d39716aeec94ec6d91b962a39fb44fac40a4331d1743cc6ce07d0c"


def test_seed_data_and_numerics_change_the_key(monkeypatch):
    before = key(config_of())
    assert len({before, key(config_of(), seed=1), key(config_of(), data="1" * 64)}) == 3
    monkeypatch.setattr(identity, "NUMERICS", identity.NUMERICS + 1)
    assert key(config_of()) != before


def test_a_users_model_is_known_by_its_source(monkeypatch):
    before = key(config_of())
    monkeypatch.setattr(models.Entry, "source_sha256", lambda self: "of another text")
    assert key(config_of()) != before


def test_auto_is_the_precision_that_it_stands_for():
    resolved = plans.resolved(config_of(precision="auto"))
    assert resolved.precision in ("float32", "bfloat16")
    assert key(resolved) == key(config_of(precision=resolved.precision))


def test_keys_do_not_depend_on_the_order_of_arguments_or_the_process():
    backwards = dict(reversed(FIELDS["arguments"].items()))
    assert list(backwards) != list(FIELDS["arguments"])
    assert key(config_of(arguments=backwards)) == key(config_of())
    program = f"""
from helpers.plans import config_of
from zoo.plan.identity import identity

print(identity(config_of(), 0, {SHA!r}))
"""
    for hash_seed in ("1", "2"):
        env = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
        done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == key(config_of())
