"""Valid questions: what they resolve to."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.questions import configs
from pydantic import ValidationError

from zoo.config import Config, QuestionError, load

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "experiments").glob("*.yaml"))


def test_the_question_of_the_design():
    question = load(ROOT / "experiments" / "ablation_lrn.yaml")
    assert question.name == "ablation_lrn"
    assert question.question == "Does local response normalisation matter, and what does it cost?"
    assert [variant.name for variant in question.variants] == ["lrn=true", "lrn=false"]
    assert [variant.levels for variant in question.variants] == [{"lrn": True}, {"lrn": False}]
    assert (question.baseline, question.seeds, question.margin) == ("lrn=true", tuple(range(10)), 0.5)
    assert question.first_analysis == 3
    assert [(claim.variant, claim.low, claim.high) for claim in question.published] == [
        ("lrn=true", 81.0, 81.4),
        ("lrn=false", 81.4, 81.4),
    ]
    assert question.text == question.path.read_text(encoding="utf-8")
    with_lrn, without = (variant.config.flat() for variant in question.variants)
    assert {name for name in with_lrn if with_lrn[name] != without[name]} == {"lrn"}
    line = question.text.splitlines()[question.where("lrn=false")[0] - 1]
    assert line[question.where("lrn=false")[1] - 1 :].startswith("false")


def test_the_sandbox_recipe_is_the_published_one(ask):
    config = ask("base: {model: tuto, data: cifar10}").variants[0].config
    assert config.flat() == {
        "model": "tuto",
        "convs": [[5, 64], [5, 64]],
        "pool": [3, 2],
        "hidden": [384, 192],
        "local": [],
        "lrn": True,
        "lrn_radius": 4,
        "lrn_bias": 1.0,
        "lrn_alpha": 0.001 / 9,
        "lrn_beta": 0.75,
        "batch_norm": False,
        "dropout": 0.0,
        "final_relu": False,
        "initializer": "xavier",
        "data": "cifar10",
        "recipe": "sandbox",
        "input_size": 24,
        "steps": 10_000,
        "batch": 128,
        "evaluate_every": 1_000,
        "milestones": [10_000, 50_000, 100_000, 300_000],
        "augment.crop": True,
        "augment.flip": True,
        "augment.brightness": 63.0,
        "augment.contrast": [0.2, 1.8],
        "standardize": True,
        "ema": True,
        "ema_decay": 0.9999,
        "optimizer.name": "sgd",
        "optimizer.lr": 0.1,
        "optimizer.clip_norm": 0.0,
        "optimizer.momentum": 0.0,
        "optimizer.nesterov": False,
        "schedule.name": "staircase",
        "schedule.warmup_epochs": 0.0,
        "schedule.decay_factor": 1.0,
        "schedule.decay_every_epochs": 0.0,
        "weight_decay.rule": "per_layer",
        "weight_decay.scale": 500.0,
        "weight_decay.layers": "hidden",
        "precision": "auto",
        "strategy": "mirrored",
        "workers": 1,
    }


def test_the_tutorial_recipe_brings_its_initializer_decay_and_staircase(ask):
    config = ask("base: {model: tuto, data: cifar10, recipe: tutorial}").variants[0].config
    assert config.arguments["initializer"] == "tutorial"
    assert (config.weight_decay.rule, config.weight_decay.scale) == ("constant", 0.004)
    assert (config.schedule.decay_factor, config.schedule.decay_every_epochs) == (0.1, 350)
    assert config.steps == 1_000_000


def test_each_layer_beats_the_one_below(ask):
    question = ask(
        "base: {model: cs231n, data: cifar10, hidden: [7], weight_decay.scale: 3}\n"
        "variants:\n"
        "  row and training: {}\n"
        "  base: {model: tuto}\n"
        "  level: {weight_decay: {layers: hidden}, hidden: [8]}\n"
    )
    resolved = configs(question)
    assert resolved["row and training"].arguments["convs"] == ((3, 64),)  # the row beats the function's default
    assert resolved["row and training"].weight_decay.layers == "all_but_last"  # the model's default beats the recipe
    assert resolved["row and training"].arguments["hidden"] == (7,)  # the base beats the row
    assert resolved["base"].weight_decay.layers == "hidden"  # another model does not inherit it
    assert resolved["level"].weight_decay.layers == "hidden"  # the level beats the model's default
    assert resolved["level"].weight_decay.scale == 3  # a mapping merges
    assert resolved["level"].arguments["hidden"] == (8,)


def test_model_and_recipe_as_factors_are_resolved_for_each_variant(ask):
    question = ask("base: {data: cifar10}\nfactors: {model: [tuto, squeeze1], recipe: [sandbox, tutorial]}")
    resolved = configs(question)
    assert list(resolved) == [
        "tuto, recipe=sandbox",
        "tuto, recipe=tutorial",
        "squeeze1, recipe=sandbox",
        "squeeze1, recipe=tutorial",
    ]
    assert "stages" in resolved["squeeze1, recipe=tutorial"].arguments
    assert "hidden" not in resolved["squeeze1, recipe=tutorial"].arguments
    assert resolved["squeeze1, recipe=tutorial"].weight_decay.scale == 0.004


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("augment: false", (False, False, 0, None)),
        ("augment: true", (True, True, 63, (0.2, 1.8))),
        ("augment: {flip: false}", (True, False, 63, (0.2, 1.8))),
        ("augment.flip: false", (True, False, 63, (0.2, 1.8))),
        ("augment.flip: true, augment: false", (False, True, 0, None)),  # the narrower wins, whatever the order
        ("augment: {brightness: true, contrast: false}", (True, True, 63, None)),
        ("augment: {brightness: false, contrast: [1, 1]}", (True, True, 0, (1, 1))),
        ("augment: {brightness: 20, contrast: null}", (True, True, 20, None)),
    ],
)
def test_shorthands_of_augmentation(ask, given, expected):
    augment = ask(f"base: {{model: tuto, data: cifar10, {given}}}").variants[0].config.augment
    assert (augment.crop, augment.flip, augment.brightness, augment.contrast) == expected


def test_one_operation_as_a_factor_over_augmentation_that_is_off(ask):
    resolved = configs(
        ask("base: {model: tuto, data: cifar10, augment: false}\nfactors: {augment.contrast: [false, true]}")
    )
    assert resolved["augment.contrast=false"].augment.contrast is None
    assert resolved["augment.contrast=true"].augment.contrast == (0.2, 1.8)
    assert not resolved["augment.contrast=true"].augment.crop


def test_seeds_and_margin(ask):
    base = "base: {model: tuto, data: cifar10}\n"
    assert ask(base + "seeds: [4, 2]\nmargin: 1", head="question: q\n").seeds == (4, 2)
    assert ask(base, head="question: q\n").margin == 0.5
    assert ask(base, seeds=2).seeds == (0, 1)


def test_a_users_file_registers_a_model_before_names_are_resolved(ask, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from zoo.models import register\n"
        "@register('spec_mine', training={'optimizer.lr': 0.02}, smallest_input=lambda depth, **_: 2**depth)\n"
        "def mine(input_size=24, classes=10, depth: int = 3, rates: list[float] = [0.1], free=None):\n"
        "    raise AssertionError('never built while reading')\n"
    )
    question = ask(
        "imports: [mine.py]\nbase: {model: spec_mine, data: cifar10, rates: [1, 0.5]}\nfactors: {depth: [3, 4]}"
    )
    assert question.imports == (tmp_path / "mine.py",)
    assert [variant.config.arguments for variant in question.variants] == [
        {"depth": 3, "rates": (1, 0.5), "free": None},
        {"depth": 4, "rates": (1, 0.5), "free": None},
    ]
    assert question.variants[0].config.optimizer.lr == 0.02
    with pytest.raises(QuestionError, match=r"q.yaml:4:\d+: spec_mine .* needs at least 32x32"):
        ask("imports: mine.py\nbase: {model: spec_mine, data: cifar10, depth: 5}")


def test_a_config_is_frozen_and_survives_pickling_and_json(ask):
    question = ask("base: {model: tuto, data: cifar10}\nfactors: {lrn: [true, false]}")
    config = question.variants[0].config
    with pytest.raises(ValidationError):
        config.steps = 3
    assert pickle.loads(pickle.dumps(question)) == question
    assert Config.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_question_is_valid(path):
    question = load(path)
    assert question.baseline in {variant.name for variant in question.variants}
    assert len(question.variants) > 1
    assert question.text.startswith("#")  # its source


def test_the_shipped_questions_vary_what_they_name():
    zoo = load(ROOT / "experiments" / "zoo.yaml")
    from zoo import models

    shipped = [name for name in models.names() if models.entry(name).source_sha256() is None]
    assert [variant.name for variant in zoo.variants] == shipped
    steps = load(ROOT / "experiments" / "ablation_augmentation_ema.yaml")
    seen = [(c.input_size, c.augment.crop, c.augment.flip, c.ema) for c in configs(steps).values()]
    assert seen == [
        (32, False, False, False),
        (24, False, False, False),
        (24, True, True, False),
        (24, True, True, True),
    ]


@pytest.mark.parametrize("text", ["question: 3", "question: q\nbase: {model: tuto, data: cifar10}"])
def test_reading_a_question_imports_nothing_heavy(tmp_path, text):
    (tmp_path / "q.yaml").write_text(text)
    code = (
        "import sys\nfrom zoo.config import QuestionError, load\n"
        "try:\n    load(sys.argv[1])\nexcept QuestionError:\n    pass\n"
        "print(sorted({'tensorflow', 'tf_keras', 'mlflow', 'pandas', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "q.yaml")], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
