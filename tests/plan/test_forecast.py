"""How long trainings will take, with figures that can be worked out by hand; nothing is timed and nothing is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zoo.measure import Cost
from zoo.plan.forecast import Forecast, forecast_errors, sweep_seconds
from zoo.plan.network import Workload
from zoo.storage.record import Record
from zoo.storage.records import AttemptRecord, TrainingDescription
from zoo.storage.states import TrainingState


def earlier(runs: Path, name: str, rates=(), startups=(), evaluate_s: float = 0.36, **described) -> Record:
    """An earlier training here: of ``rates`` images/s, evaluated twice, on 360 images, in ``evaluate_s``."""
    record = Record(runs / name)
    values = {
        "key": name,
        "question": "earlier",
        "runs": (),
        "seed": 0,
        "data_sha256": "",
        "config": {"data": "digits"},
        "shape": {},
        "precision": "float32",
        "cost": Cost(1000, 1, 100),
        "device": "this one",
        "cores": 2,
        "started": 0.0,
    }
    record.write_description(TrainingDescription(**values | described))
    record.write_history(
        [{"step": i, "train/images_per_s": rate, "evaluate_s": evaluate_s} for i, rate in enumerate(rates, 1)]
    )
    for startup_s in startups:
        record.add_attempt(AttemptRecord(state=TrainingState.DONE, began=0, ended=1, startup_s=startup_s))
    return record


def seconds(plan, runs: Path, at_once: int = 1) -> float | None:
    return Forecast(runs, at_once).seconds(plan.trainings[0])


def shape(plan) -> dict[str, Any]:
    return Workload.of(plan.trainings[0].config).shape()


def test_nothing_is_known_without_an_earlier_training_of_this_kind_here(tmp_path, ten_steps):
    plan = ten_steps()
    runs = tmp_path / "earlier"
    assert seconds(plan, runs) is None
    earlier(runs, "elsewhere", [9e9], device="another one")
    earlier(runs, "otherwise", [9e9], precision="bfloat16")
    earlier(runs, "unfinished")
    assert seconds(plan, runs) is None


def test_start_up_steps_and_evaluations_by_hand(tmp_path, ten_steps):
    plan = ten_steps()
    runs = tmp_path / "earlier"
    same = shape(plan)
    earlier(runs, "equal", [900.0, 1000.0, 5000.0], startups=[2.0, 3.0, 10.0], shape=same)
    # 3 s to start, 500 images at 1,000/s, and twice 720 images at 2,000/s.
    assert seconds(plan, runs) == pytest.approx(3 + 0.5 + 2 * 0.36)
    # With half of the cores the images take twice as long.
    assert seconds(plan, runs, at_once=2) == pytest.approx(3 + 1.0 + 2 * 0.72)
    assert Forecast(runs).is_known(plan.trainings[0])


def test_a_training_that_has_begun_takes_what_is_left(tmp_path, ten_steps):
    plan = ten_steps()
    runs = tmp_path / "earlier"
    earlier(runs, "equal", [1000.0], startups=[3.0], shape=shape(plan))
    (plan.trainings[0].record.checkpoints / "step_00000005").mkdir(parents=True)
    assert seconds(plan, runs) == pytest.approx(3 + 0.25 + 0.36)


def test_another_shape_is_scaled_by_its_operations(tmp_path, ten_steps):
    plan = ten_steps()
    runs = tmp_path / "earlier"
    earlier(runs, "smaller", [1000.0], startups=[3.0])
    # 400 operations an image instead of 100: four times as long.
    assert seconds(ten_steps(ops=400), runs) == pytest.approx(3 + 2.0 + 2 * 1.44)
    assert not Forecast(runs).is_known(plan.trainings[0])


def test_trainings_that_share_a_machine():
    # One slot has 3 s and then 1 s, the other 2 s and 2 s.
    assert sweep_seconds([3, 2, 2, 1], 2) == 4
    assert sweep_seconds([3, 2, 2, 1], 1) == 8
    assert sweep_seconds([], 2) == 0


def test_how_far_earlier_forecasts_were_off(tmp_path):
    record = Record(tmp_path / "one")
    for began, ended, expected_s in [(0, 110, 100), (50, 140, 100), (0, 9, None)]:
        record.add_attempt(AttemptRecord(state=TrainingState.DONE, began=began, ended=ended, expected_s=expected_s))
    assert forecast_errors(tmp_path) == pytest.approx([0.1, -0.1])
