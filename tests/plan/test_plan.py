"""Identity, shared trainings, what is left to do, and what it costs: without TensorFlow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from zoo import models
from zoo.config import load
from zoo.config.errors import QuestionError
from zoo.config.recipes import RECIPES
from zoo.config.settings import Config, leaves
from zoo.measure import Cost
from zoo.plan import costs
from zoo.plan import runs as plans
from zoo.storage.record import Record

ROOT = Path(__file__).resolve().parents[2]
SHA = "0" * 64

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
    "optimizer.name": "adam",
    "optimizer.lr": 0.01,
    "optimizer.momentum": 0.9,
    "schedule.decay_factor": 0.5,
    "schedule.decay_every_epochs": 1.0,
    "weight_decay.rule": "none",
    "weight_decay.scale": 1.0,
    "weight_decay.layers": "all_but_last",
    "precision": "bfloat16",
}


def config(**changes) -> Config:
    """A configuration with changes by dotted name (dots written as double underscores)."""
    fields = {k: dict(v) if isinstance(v, dict) else v for k, v in FIELDS.items()}
    for name, value in changes.items():
        group, _, leaf = name.partition("__")
        if leaf:
            fields[group][leaf] = value
        else:
            fields[group] = value
    return Config(**fields)


def key(settings: Config, seed: int = 0, data: str = SHA) -> str:
    return plans.identity(settings, seed, data)


def changed(name: str, value) -> Config:
    return config(**{name.replace(".", "__"): value})


def make(directory: Path, text: str = QUESTION, name: str = "q.yaml"):
    (directory / name).write_text(text)
    return plans.make(load(directory / name), directory / "runs")


def with_result(record: Record, *steps: int) -> None:
    record.write_history([{"step": step, "train/images_per_s": 1.0} for step in steps])
    for step in steps:
        record.results_file(step).parent.mkdir(parents=True, exist_ok=True)
        record.results_file(step).write_bytes(b"")


def with_checkpoints(record: Record, *steps: int) -> None:
    for step in steps:
        (record.checkpoints / f"step_{step:08d}").mkdir(parents=True)


def test_every_field_is_judged():
    assert {*SAME_WEIGHTS, *OTHER_WEIGHTS} == set(leaves())


@pytest.mark.parametrize("name", SAME_WEIGHTS)
def test_what_does_not_change_the_weights_keeps_the_key(name):
    assert key(changed(name, SAME_WEIGHTS[name])) == key(config())


@pytest.mark.parametrize("name", OTHER_WEIGHTS)
def test_what_can_change_the_weights_changes_the_key(name):
    assert key(changed(name, OTHER_WEIGHTS[name])) != key(config())


@pytest.mark.parametrize("name", FIELDS["arguments"])
def test_every_argument_of_the_model_changes_the_key(name):
    arguments = FIELDS["arguments"] | {name: "something else"}
    assert key(config(arguments=arguments)) != key(config())


def test_keys_of_results_made_earlier_still_hold(monkeypatch):
    """The key of this configuration before there were strategies: what people have on disk is not trained again."""
    monkeypatch.setattr(plans, "NUMERICS", 1)
    assert key(config()) == "51a5de0db2d39716aeec94ec6d91b962a39fb44fac40a4331d1743cc6ce07d0c"


def test_seed_data_and_numerics_change_the_key(monkeypatch):
    before = key(config())
    assert len({before, key(config(), seed=1), key(config(), data="1" * 64)}) == 3
    monkeypatch.setattr(plans, "NUMERICS", plans.NUMERICS + 1)
    assert key(config()) != before


def test_a_users_model_is_known_by_its_source(monkeypatch):
    before = key(config())
    monkeypatch.setattr(models.Entry, "source_sha256", lambda self: "of another text")
    assert key(config()) != before


def test_auto_is_the_precision_that_it_stands_for():
    resolved = plans.resolved(config(precision="auto"))
    assert resolved.precision in ("float32", "bfloat16")
    assert key(resolved) == key(config(precision=resolved.precision))


def test_keys_do_not_depend_on_the_order_of_arguments_or_the_process():
    backwards = dict(reversed(FIELDS["arguments"].items()))
    assert list(backwards) != list(FIELDS["arguments"])
    assert key(config(arguments=backwards)) == key(config())
    program = "import test_plan; print(test_plan.key(test_plan.config()))"
    for hash_seed in ("1", "2"):
        env = os.environ | {
            "PYTHONHASHSEED": hash_seed,
            "PYTHONPATH": f"{os.pathsep.join(map(str, (ROOT, ROOT / 'tests', ROOT / 'tests/plan')))}",
        }
        told = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
        assert told.stdout.strip() == key(config())


def test_planning_imports_no_tensorflow():
    program = (
        "import sys, test_plan; print([m for m in ('tensorflow', 'mlflow', 'pandas', 'scipy') if m in sys.modules])"
    )
    env = os.environ | {"PYTHONPATH": f"{os.pathsep.join(map(str, (ROOT, ROOT / 'tests', ROOT / 'tests/plan')))}"}
    told = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_trainings_come_seed_by_seed(tmp_path):
    plan = make(tmp_path)
    assert [run.name for run in plan.runs] == [
        "augment.flip=true · seed 0",
        "augment.flip=false · seed 0",
        "augment.flip=true · seed 1",
        "augment.flip=false · seed 1",
    ]
    assert len(plan.trainings) == 4 and len({run.key for run in plan.runs}) == 4
    assert [training.seed for training in plan.trainings] == [0, 0, 1, 1]


def test_readouts_share_a_training(tmp_path):
    plan = make(tmp_path, QUESTION.replace("augment.flip: [true, false]", "ema: [true, false]\n  steps: [50, 100]"))
    assert len(plan.runs) == 8 and len(plan.trainings) == 2
    first = plan.trainings[0]
    assert first.targets == (50, 100) and first.config.steps == 100 and len(first.runs) == 4
    # Two run keys a training: the weights at 50 and at 100 steps, whichever of them are read out.
    assert len({run.key for run in first.runs}) == 2
    assert all(plan.training_of(run) is first for run in first.runs)


def test_the_name_of_a_variant_and_of_the_question_do_not_count(tmp_path):
    named = "variants:\n  - {name: one, augment.flip: true}\n  - {name: other, augment.flip: false}\nbaseline: one\n"
    text = QUESTION.split("factors")[0] + named + "seeds: 2\n"
    keys = [[run.key for run in plan.runs] for plan in (make(tmp_path), make(tmp_path, text, "named.yaml"))]
    assert keys[0] == keys[1]


def test_steps_left_count_from_the_newest_checkpoint_that_helps(tmp_path):
    training = make(tmp_path, QUESTION.replace("augment.flip: [true, false]", "steps: [50, 100]")).trainings[0]
    record = training.record
    assert training.span() == (0, 100) and training.steps_left() == 100
    with_checkpoints(record, 30, 50, 60)
    assert training.span() == (30, 100)  # the result at 50 is missing still, so neither 50 nor 60 will do
    with_result(record, 50)
    assert training.span() == (60, 100) and not training.is_done()
    with_result(record, 50, 100)
    assert training.is_done() and training.steps_left() == 0


def test_a_shorter_result_that_is_missing_does_not_repeat_the_longer_one(tmp_path):
    training = make(tmp_path, QUESTION.replace("augment.flip: [true, false]", "steps: [50, 100]")).trainings[0]
    with_result(training.record, 100)
    with_checkpoints(training.record, 100)
    assert training.span() == (0, 50)


@pytest.fixture
def counted(tmp_path, monkeypatch):
    """Counting replaced: what was asked for, and what it answers."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    asked = []

    def call(function, configs, imports):
        assert function is costs._count
        asked.append(len(configs))
        return [Cost(1, 2, 3)] * len(configs)

    monkeypatch.setattr(costs.calls, "call", call)
    return asked


def planned(directory: Path, factor: str = "augment.flip: [true, false]"):
    return make(directory, QUESTION.replace("augment.flip: [true, false]", factor))


def test_one_network_is_counted_once_and_remembered(tmp_path, counted):
    said = []
    flip = planned(tmp_path)
    assert {training.cost for training in costs.count_costs(flip, said.append).trainings} == {Cost(1, 2, 3)}
    costs.count_costs(flip, said.append)
    costs.count_costs(planned(tmp_path, "batch: [32, 64]"), said.append)  # the price of one image: not the batch's
    assert counted == [1] and len(said) == 1
    costs.count_costs(planned(tmp_path, "input_size: [16, 24]"))
    assert counted == [1, 1]  # 24 is known


def test_a_cost_that_was_not_counted_is_not_taken_for_one(tmp_path):
    with pytest.raises(ValueError, match=r"the cost of augment\.flip=true · seed 0 has not been counted"):
        _ = planned(tmp_path).trainings[0].cost


@pytest.mark.parametrize("damage", ["", "{", "[1]", '{"KEY": [1, 2]}', '{"KEY": "12,3"}', '{"KEY": [1, 2, "3"]}'])
def test_a_damaged_memory_of_costs_is_not_believed(tmp_path, counted, damage):
    flip = planned(tmp_path)
    costs.count_costs(flip)
    file = tmp_path / "cache" / "costs.json"
    file.write_text(damage.replace("KEY", next(iter(json.loads(file.read_text())))))
    assert costs.count_costs(flip).trainings[0].cost == Cost(1, 2, 3)
    assert counted == [1, 1]


def test_a_memory_of_costs_that_cannot_be_written_does_not_matter(tmp_path, counted, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "file" / "cache"))
    assert costs.count_costs(planned(tmp_path)).trainings[0].cost == Cost(1, 2, 3)


def test_a_network_that_cannot_be_built_is_a_mistake_at_its_place(tmp_path, counted, monkeypatch):
    reason = "the model cannot be built: ValueError: too wide"
    monkeypatch.setattr(costs.calls, "call", lambda *_: [Cost(1, 2, 3), reason])
    sizes = planned(tmp_path, "input_size: [24, 32]")
    for _ in range(2):  # a reason is not remembered: it may go away
        with pytest.raises(QuestionError) as refused:
            costs.count_costs(sizes)
        assert str(refused.value) == f"{tmp_path / 'q.yaml'}:4:20: input_size=32: {reason}"
        monkeypatch.setattr(costs.calls, "call", lambda *_: [reason])
