"""Questions that are right: what they resolve to."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from zoo.config import Config, QuestionError, load

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "experiments").glob("*.yaml"))
HEAD = "question: What?\nseeds: 1\n"


@pytest.fixture
def ask(tmp_path):
    def ask(text, *overrides, seeds=None, head=HEAD):
        path = tmp_path / "q.yaml"
        path.write_text(head + text, encoding="utf-8")
        return load(path, overrides, seeds)

    return ask


def configs(question):
    return {variant.name: variant.config for variant in question.variants}


def test_the_question_of_the_design():
    question = load(ROOT / "experiments" / "ablation_lrn.yaml")
    assert question.name == "ablation_lrn"
    assert question.question == "Does local response normalisation matter, and what does it cost?"
    assert [variant.name for variant in question.variants] == ["lrn=true", "lrn=false"]
    assert [variant.levels for variant in question.variants] == [{"lrn": True}, {"lrn": False}]
    assert (question.baseline, question.seeds, question.margin) == ("lrn=true", tuple(range(10)), 0.5)
    assert question.first_look == 3
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
        "optimizer.momentum": 0.0,
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
    found = configs(question)
    assert found["row and training"].arguments["convs"] == ((3, 64),)  # the row beats the function's default
    assert found["row and training"].weight_decay.layers == "all_but_last"  # the model's default beats the recipe
    assert found["row and training"].arguments["hidden"] == (7,)  # the base beats the row
    assert found["base"].weight_decay.layers == "hidden"  # another model does not inherit it
    assert found["level"].weight_decay.layers == "hidden"  # the level beats the model's default
    assert found["level"].weight_decay.scale == 3  # a mapping merges
    assert found["level"].arguments["hidden"] == (8,)


def test_model_and_recipe_as_factors_are_resolved_for_each_variant(ask):
    question = ask("base: {data: cifar10}\nfactors: {model: [tuto, squeeze1], recipe: [sandbox, tutorial]}")
    found = configs(question)
    assert list(found) == [
        "tuto, recipe=sandbox",
        "tuto, recipe=tutorial",
        "squeeze1, recipe=sandbox",
        "squeeze1, recipe=tutorial",
    ]
    assert "stages" in found["squeeze1, recipe=tutorial"].arguments
    assert "hidden" not in found["squeeze1, recipe=tutorial"].arguments
    assert found["squeeze1, recipe=tutorial"].weight_decay.scale == 0.004


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
    found = configs(
        ask("base: {model: tuto, data: cifar10, augment: false}\nfactors: {augment.contrast: [false, true]}")
    )
    assert found["augment.contrast=false"].augment.contrast is None
    assert found["augment.contrast=true"].augment.contrast == (0.2, 1.8)
    assert not found["augment.contrast=true"].augment.crop


def test_numbers_as_people_write_them(ask):
    config = (
        ask("base: {model: tuto, data: cifar10, steps: 1e4, batch: 1_000, optimizer: {lr: 1e-3}}").variants[0].config
    )
    assert (config.steps, config.batch, config.optimizer.lr) == (10_000, 1_000, 0.001)


def test_keys_are_text_even_where_yaml_sees_a_boolean(ask):
    question = ask("base: {model: tuto, data: cifar10}\nvariants:\n  off: {lrn: no}\n  on: {lrn: yes}\nbaseline: 'on'")
    assert {name: config.arguments["lrn"] for name, config in configs(question).items()} == {"off": False, "on": True}
    assert question.baseline == "on"


def test_anchors_aliases_and_merge_keys_work(ask):
    question = ask(
        "base: {model: tuto, data: cifar10}\n"
        "variants:\n"
        "  one: &one {lrn: false, optimizer: &opt {lr: 0.2, momentum: 0.5}}\n"
        "  two: {<<: *one, dropout: 0.5}\n"
        "  three: {optimizer: {<<: *opt, lr: 0.3}}\n"
    )
    found = configs(question)
    assert (found["two"].arguments["lrn"], found["two"].arguments["dropout"]) == (False, 0.5)
    assert (found["two"].optimizer.lr, found["two"].optimizer.momentum) == (0.2, 0.5)
    assert (found["three"].optimizer.lr, found["three"].optimizer.momentum) == (0.3, 0.5)


@pytest.mark.parametrize("key", ["variants", "design"])
def test_variants_as_a_list(ask, key):
    question = ask(
        f"base: {{model: tuto, data: cifar10}}\n{key}:\n- {{name: a}}\n- {{name: b, lrn: false}}\nbaseline: b"
    )
    assert [variant.name for variant in question.variants] == ["a", "b"]
    assert (question.baseline, question.where("b")) == ("b", (6, 3))


def test_a_plain_run_has_one_variant_named_after_the_model(ask):
    question = ask("base: {model: nin0, data: digits}")
    assert [variant.name for variant in question.variants] == ["nin0"] == [question.baseline]


@pytest.mark.parametrize(
    ("design", "given", "baseline", "number"),
    [
        ("grid", "", "lrn=true, hidden=[9]", 4),
        ("grid", "baseline: {hidden: []}", "lrn=true, hidden=[]", 4),
        ("grid", "baseline: lrn=false, hidden=[9]", "lrn=false, hidden=[9]", 4),
        ("one_at_a_time", "baseline: {lrn: false}", "lrn=false, hidden=[9]", 3),
        ("leave_one_out", "", "lrn=true, hidden=[9]", 3),
        ("leave_one_out", "baseline: {lrn: false}", "lrn=false", 3),
        ("add_one", "", "lrn=false, hidden=[]", 3),
        ("pairs", "baseline: {lrn: false}", "lrn=false, hidden=[9]", 4),
    ],
)
def test_baselines(ask, design, given, baseline, number):
    question = ask(
        "base: {model: tuto, data: cifar10}\nfactors: {lrn: [true, false], hidden: [[9], []]}\n"
        f"design: {design}\n{given}"
    )
    assert (question.baseline, len(question.variants)) == (baseline, number)


def test_one_at_a_time_is_built_around_its_baseline(ask):
    question = ask(
        "base: {model: tuto, data: cifar10}\ndesign: one_at_a_time\n"
        "factors: {lrn: [true, false], dropout: [0, 0.5]}\nbaseline: {lrn: false}"
    )
    assert [(v.levels["lrn"], v.levels["dropout"]) for v in question.variants] == [(False, 0), (True, 0), (False, 0.5)]


def test_seeds_and_margin(ask):
    base = "base: {model: tuto, data: cifar10}\n"
    assert ask(base + "seeds: [4, 2]\nmargin: 1", head="question: q\n").seeds == (4, 2)
    assert ask(base, head="question: q\n").margin == 0.5
    assert ask(base, seeds=2).seeds == (0, 1)


def test_overrides_reach_every_field_and_are_kept(ask):
    text = "base: {model: tuto, data: cifar10, augment: {flip: true}}\nfactors: {lrn: [true, false]}"
    overrides = (
        "base.steps=500",
        "base.augment.flip=false",
        "base.optimizer={lr: 1e-2}",
        "factors.dropout=[0, 0.5]",
        "margin=2",
        "seeds=[7]",
        "baseline.lrn=false",
        "question=Why=not?",
    )
    question = ask(text, *overrides)
    config = question.variants[0].config
    assert (config.steps, config.augment.flip, config.optimizer.lr, config.optimizer.momentum) == (500, False, 0.01, 0)
    assert (len(question.variants), question.margin, question.seeds) == (4, 2.0, (7,))
    assert question.baseline == "lrn=false, dropout=0"
    assert (question.question, question.overrides) == ("Why=not?", overrides)


def test_an_override_of_a_group_replaces_what_is_given_of_it(ask):
    text = "base: {model: tuto, data: cifar10, augment.flip: true, augment.brightness: 5}"
    augment = ask(text, "base.augment=false").variants[0].config.augment
    assert (augment.flip, augment.brightness) == (False, 0)


def test_overrides_of_written_out_variants(ask):
    text = "base: {model: tuto, data: cifar10}\nvariants: {a.b: {}, c: {lrn: false}}"
    assert configs(ask(text, "variants.a.b.augment.flip=false"))["a.b"].augment.flip is False
    listed = "base: {model: tuto, data: cifar10}\nvariants: [{name: a}, {name: c, lrn: false}]"
    assert configs(ask(listed, "variants.c.steps=5"))["c"].steps == 5


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


def test_a_config_is_frozen_complete_and_survives_a_journey(ask):
    question = ask("base: {model: tuto, data: cifar10}\nfactors: {lrn: [true, false]}")
    config = question.variants[0].config
    with pytest.raises(ValidationError):
        config.steps = 3
    assert pickle.loads(pickle.dumps(question)) == question
    assert Config.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_question_is_sound(path):
    question = load(path)
    assert question.baseline in {variant.name for variant in question.variants}
    assert len(question.variants) > 1
    assert question.text.startswith("#")  # its source


def test_the_shipped_questions_vary_what_they_say():
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
