"""Keys stay what they are as long as the weights do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zoo.config import Config, load
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
