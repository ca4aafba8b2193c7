"""Hours, disk and budgets, with figures that can be worked out by hand; nothing is timed and nothing is trained."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.plans import make
from helpers.tracked import with_cost

from zoo.host import hardware
from zoo.measure import Cost
from zoo.plan import budget, forecast, summary
from zoo.plan.forecast import Forecast, Speed
from zoo.storage.record import Record
from zoo.storage.records import AttemptRecord, TrainingDescription
from zoo.storage.states import TrainingState
from zoo.text import wording

# Ten steps of 50 images, evaluated twice, on the 360 test images of the digits.
QUESTION = """\
question: How long?
base: {model: alex2, data: digits, steps: 10, batch: 50, evaluate_every: 5, precision: float32}
factors:
  augment.flip: [true, false]
seeds: 1
"""


@pytest.fixture(autouse=True)
def this_machine(tmp_path, monkeypatch):
    """Two cores, and nothing known yet."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(hardware, "device", lambda: "this one")
    monkeypatch.setattr(hardware, "core_numbers", lambda: [0, 1])


@pytest.fixture
def plan(tmp_path):
    return priced(make(tmp_path, QUESTION))


def priced(plan, ops: int = 100, params: int = 1000):
    return with_cost(plan, Cost(params, 1, ops))


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


def seconds(plan, runs: Path, at_once: int = 1, ops: int = 100) -> float | None:
    return Forecast(runs, at_once).seconds(priced(plan, ops).trainings[0])


def test_nothing_is_known_without_an_earlier_training_of_this_kind_here(tmp_path, plan):
    runs = tmp_path / "earlier"
    assert seconds(plan, runs) is None
    earlier(runs, "elsewhere", [9e9], device="another one")
    earlier(runs, "otherwise", [9e9], precision="bfloat16")
    earlier(runs, "unfinished")
    assert seconds(plan, runs) is None


def test_start_up_steps_and_evaluations_by_hand(tmp_path, plan):
    runs = tmp_path / "earlier"
    same = forecast.shape(plan.trainings[0].config)
    earlier(runs, "equal", [900.0, 1000.0, 5000.0], startups=[2.0, 3.0, 10.0], shape=same)
    # 3 s to start, 500 images at 1,000/s, and twice 720 images at 2,000/s.
    assert seconds(plan, runs) == pytest.approx(3 + 0.5 + 2 * 0.36)
    # With half of the cores the images take twice as long.
    assert seconds(plan, runs, at_once=2) == pytest.approx(3 + 1.0 + 2 * 0.72)
    assert Forecast(runs).is_known(plan.trainings[0])


def test_a_training_that_has_begun_takes_what_is_left(tmp_path, plan):
    runs = tmp_path / "earlier"
    earlier(runs, "equal", [1000.0], startups=[3.0], shape=forecast.shape(plan.trainings[0].config))
    (plan.trainings[0].record.checkpoints / "step_00000005").mkdir(parents=True)
    assert seconds(plan, runs) == pytest.approx(3 + 0.25 + 0.36)


def test_another_shape_is_scaled_by_its_operations(tmp_path, plan):
    runs = tmp_path / "earlier"
    earlier(runs, "smaller", [1000.0], startups=[3.0])
    # 400 operations an image instead of 100: four times as long.
    assert seconds(plan, runs, ops=400) == pytest.approx(3 + 2.0 + 2 * 1.44)
    assert not Forecast(runs).is_known(plan.trainings[0])


def test_what_is_timed_is_remembered(tmp_path, plan, monkeypatch):
    timed = []

    def call_together(function, calls):
        timed.append(len(calls))
        return [Speed(500.0, 2.0, 0.0)] * len(calls)

    monkeypatch.setattr(forecast.calls, "call_together", call_together)
    for _ in range(2):
        known = Forecast(tmp_path / "none")
        known.measure(plan, plan.trainings)
        assert known.seconds(plan.trainings[0]) == pytest.approx(2 + 1.0)
    assert timed == [1]  # the flip changes no shape
    (tmp_path / "cache" / "speeds.json").write_text('{"KEY": [1, 2')
    assert Forecast(tmp_path / "none").seconds(plan.trainings[0]) is None


@pytest.mark.parametrize(
    ("rates", "best"),
    [
        ({1: 1000.0, 2: 520.0}, 1),  # 4 % more together: not worth it
        ({1: 1000.0, 2: 600.0, 4: 310.0}, 2),  # 1,200 together, then 1,240
        ({1: 1000.0, 2: 800.0, 4: 500.0}, 4),  # and there are no more cores
    ],
)
def test_as_many_at_once_as_pay(plan, monkeypatch, rates, best):
    monkeypatch.setattr(hardware, "core_numbers", lambda: [0, 1, 2, 3])
    monkeypatch.setattr(hardware, "free_memory_bytes", lambda: 10**12)
    monkeypatch.setattr(forecast, "_timed", lambda plan, config, at_once: Speed(rates[at_once], 1.0, 1.0))
    assert forecast.best_at_once(plan, plan.trainings * 2) == best


def test_trainings_that_share_a_machine():
    # One slot has 3 s and then 1 s, the other 2 s and 2 s.
    assert forecast.sweep_seconds([3, 2, 2, 1], 2) == 4
    assert forecast.sweep_seconds([3, 2, 2, 1], 1) == 8
    assert forecast.sweep_seconds([], 2) == 0


def test_how_far_earlier_forecasts_were_off(tmp_path):
    record = Record(tmp_path / "one")
    for began, ended, expected_s in [(0, 110, 100), (50, 140, 100), (0, 9, None)]:
        record.add_attempt(AttemptRecord(state=TrainingState.DONE, began=began, ended=ended, expected_s=expected_s))
    assert forecast.errors(tmp_path) == pytest.approx([0.1, -0.1])


def test_disk_by_hand(tmp_path, plan):
    # Three checkpoints of 1,000 weights and averages of 4 bytes; 360 predictions of 10 logits and a label, twice here and
    # once in MLflow; 10 metrics of 150 bytes at 2 evaluations; 300,000 bytes of small files.
    whole = 3 * 8000 + 3 * 360 * 41 + 2 * 10 * 150 + 300_000
    assert forecast.disk_bytes(plan.trainings[0]) == whole
    adam = priced(make(tmp_path, QUESTION.replace("precision", "optimizer.name: adam, precision"), "adam.yaml"))
    assert forecast.disk_bytes(adam.trainings[0]) == whole + 3 * 8000  # two moments
    momentum = priced(make(tmp_path, QUESTION.replace("precision", "optimizer.momentum: 0.9, precision"), "m.yaml"))
    assert forecast.disk_bytes(momentum.trainings[0]) == whole + 3 * 4000


def test_what_fits_into_a_budget(tmp_path):
    plan = make(tmp_path, QUESTION.replace("seeds: 1", "seeds: 2"))
    one, two, three, four = plan.trainings
    needs = {one.key: 5.0, two.key: 4.0, three.key: 2.0, four.key: 9.0}
    # One after the other: 5 s, 4 more would be 9, 2 more are 7.
    assert budget.split(plan.trainings, needs, 1, 7.0) == ([one, three], [two, four])
    assert budget.split(plan.trainings, needs, 2, 6.0) == ([one, two, three], [four])
    assert budget.split(plan.trainings, needs, 2, 1.0) == ([], list(plan.trainings))


def test_a_training_is_begun_only_if_it_will_be_done_in_time(tmp_path, plan):
    training = plan.trainings[0]
    clock = iter([100.0, 103.0, 103.5]).__next__
    may_begin = budget.gate({training.key: 4.0}, 7.0, clock)
    assert may_begin(training)  # done 7 s after the beginning
    assert not may_begin(training)


def test_the_outlook_says_hours_disk_and_what_does_not_fit(tmp_path, plan):
    needs = {plan.trainings[0].key: 3600.0, plan.trainings[1].key: 7200.0}
    said = summary.text(plan, needs, tmp_path, budget_s=3600.0)
    assert "20 steps to train, about 3 h here (no forecast has been put to the test here yet)" in said
    assert "up to 743 kB of disk, " in said  # 2 x 371,280 bytes
    assert "1 training fits into 1 h, about 1 h in all; left out:\n  augment.flip=false · seed 0 (about 2 h)" in said
    together = summary.text(plan, needs, tmp_path, at_once=2, budget_s=7200.0)
    assert "about 2 h here, 2 trainings at once" in together and "All of it fits into 2 h." in together
    Record(tmp_path / "one").add_attempt(AttemptRecord(state=TrainingState.DONE, began=0, ended=120, expected_s=100))
    assert "(the one forecast so far was off by 20 %)" in summary.text(plan, needs, tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2h", 7200), ("1h30m", 5400), ("90 min", 5400), ("45s", 45), ("0.5h", 1800), ("1h 2m 3s", 3723), ("0s", 0)],
)
def test_a_length_of_time(text, expected):
    assert wording.seconds_of(text) == expected


@pytest.mark.parametrize("text", ["", "2", "h", "2x", "-1h", "1h 30", "2h!", "1e3s", "two hours"])
def test_no_length_of_time(text):
    with pytest.raises(ValueError, match="is no length of time; write it like 2h, 90m, 1h30m or 45s"):
        wording.seconds_of(text)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (812_000, "812 kB"),
        (999_600, "1.0 MB"),
        (4_340_000, "4.3 MB"),
        (12e9, "12 GB"),
        (2.5e12, "2,500 GB"),
    ],
)
def test_amounts(size, expected):
    assert wording.amount(size) == expected
