"""Which runs share a training, in which order they come, and what is left to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.plans import QUESTION, make, register_negated, with_checkpoints, with_result

from zoo.config import QuestionError
from zoo.host import hardware
from zoo.plan.runs import StepRange
from zoo.plan.seeds import stages

ROOT = Path(__file__).resolve().parents[2]


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
    assert training.steps_to_train() == StepRange(0, 100) and training.steps_to_train().count == 100
    with_checkpoints(record, 30, 50, 60)
    assert training.steps_to_train() == StepRange(
        30, 100
    )  # the result at 50 is missing still, so neither 50 nor 60 will do
    with_result(record, 50)
    assert training.steps_to_train() == StepRange(60, 100) and not training.is_done()
    with_result(record, 50, 100)
    assert training.is_done() and training.steps_to_train().count == 0


def test_a_shorter_result_that_is_missing_does_not_repeat_the_longer_one(tmp_path):
    training = make(tmp_path, QUESTION.replace("augment.flip: [true, false]", "steps: [50, 100]")).trainings[0]
    with_result(training.record, 100)
    with_checkpoints(training.record, 100)
    assert training.steps_to_train() == StepRange(0, 50)


def test_a_readout_that_was_added_later_is_evaluated_and_nothing_else(tmp_path):
    finished = make(tmp_path).trainings[0]
    with_result(finished.record, 100)
    with_checkpoints(finished.record, 100)
    (finished.record.checkpoints / "step_00000100" / "progress.json").write_text('{"history": [{"step": 100}]}')
    register_negated()
    unaffected = make(tmp_path)
    assert unaffected.trainings[0].is_done() and stages.accuracy(unaffected, unaffected.runs[0]) == 50
    asked = make(tmp_path, QUESTION.replace("augment.flip: [true, false]", "negated: [true, false]"))
    training, (negated, plain) = asked.trainings[0], asked.runs[:2]
    assert training.key == finished.key and not training.is_done()
    assert training.steps_to_train() == StepRange(100, 100)
    assert stages.accuracy(asked, negated) is None and stages.accuracy(asked, plain) == 50


def test_planning_imports_no_tensorflow():
    heavy = ("tensorflow", "mlflow", "pandas", "scipy")
    program = (
        f"import sys, helpers.plans, zoo.plan.seeds.stages; print([name for name in {heavy} if name in sys.modules])"
    )
    env = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_variants_that_are_the_same_on_this_machine_are_refused(tmp_path, monkeypatch):
    text = QUESTION.replace("augment.flip: [true, false]", "precision: [float32, auto]")
    monkeypatch.setattr(hardware, "precision", lambda name: "float32" if name == "auto" else name)
    with pytest.raises(
        QuestionError, match="'precision=float32' and 'precision=auto' are the same on this machine, where"
    ):
        make(tmp_path, text)
    monkeypatch.setattr(hardware, "precision", lambda name: "bfloat16" if name == "auto" else name)
    assert len(make(tmp_path, text).trainings) == 4
