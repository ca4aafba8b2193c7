"""Keys stay what they are as long as the weights do."""

from __future__ import annotations

import functools
import inspect
import json
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.plans import config_of

from zoo import models
from zoo.config import Config, load, settings
from zoo.plan.identity import identity, run_key

ROOT = Path(__file__).resolve().parents[2]
SHA = "0" * 64

# "question: variant" -> the keys of its training and of its run with seed 0, on a machine where ``auto`` is float32.
KEYS = json.loads((Path(__file__).parent / "golden_keys.json").read_text(encoding="utf-8"))


def configurations() -> dict[str, Config]:
    """Those of the shipped questions, and those whose weights are recorded in tests/training."""
    questions = [*(ROOT / "experiments").glob("*.yaml"), *(ROOT / "tests/training/golden_values").glob("*.yaml")]
    return {f"{path.stem}: {variant.name}": variant.config for path in questions for variant in load(path).variants}


CONFIGS = configurations()


def test_every_shipped_question_has_its_keys_recorded():
    assert KEYS.keys() == CONFIGS.keys()


@pytest.mark.parametrize("name", KEYS)
def test_a_shipped_question_keeps_its_keys(name):
    config = CONFIGS[name]
    if config.precision == "auto":
        config = config.model_copy(update={"precision": "float32"})
    training = identity(config, 0, SHA)
    assert [training, run_key(training, config.steps)] == KEYS[name]


# --- what is added later ------------------------------------------------------------------------------------------


def test_a_new_field_is_in_the_key_only_where_it_differs_from_its_default(monkeypatch):
    class WithMixup(Config):
        mixup: float = 0.0

    monkeypatch.setattr(settings, "Config", WithMixup)
    values = dict(config_of())
    assert identity(WithMixup(**values), 0, SHA) == identity(config_of(), 0, SHA)
    assert identity(WithMixup(**values, mixup=0.2), 0, SHA) != identity(config_of(), 0, SHA)


def test_a_new_argument_of_a_family_is_in_the_key_only_where_it_differs_from_its_default(monkeypatch):
    before, entry = identity(config_of(), 0, SHA), models.entry("alex2")

    @functools.wraps(entry.function)
    def alex(**arguments):
        return entry.function(**arguments)

    signature = inspect.signature(entry.function, eval_str=True)
    new = inspect.Parameter("stochastic_depth", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=0.0)
    alex.__signature__ = signature.replace(parameters=[*signature.parameters.values(), new])
    monkeypatch.setattr(models, "entry", lambda name: replace(entry, function=alex))
    monkeypatch.setattr(models.registry.Entry, "source_sha256", lambda self: None)
    arguments = config_of().arguments
    assert identity(config_of(arguments=arguments | {"stochastic_depth": 0.0}), 0, SHA) == before
    assert identity(config_of(arguments=arguments | {"stochastic_depth": 0.1}), 0, SHA) != before
    # A row that sets it is another network, too.
    monkeypatch.setattr(models, "entry", lambda name: replace(entry, function=alex, row={"stochastic_depth": 0.1}))
    assert identity(config_of(arguments=arguments | {"stochastic_depth": 0.1}), 0, SHA) != before


def test_momentum_stands_in_the_keys_of_every_optimizer():
    """As in the keys of results that were made when every optimizer had it."""
    adam = config_of(optimizer={"name": "adam", "lr": 0.01})
    assert identity(adam, 0, SHA) == "953f89159c06fd4f730bedb4fcb2ce851057b630052a9d3945116fccb8d49828"
