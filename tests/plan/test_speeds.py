"""Speeds that are timed once per machine; the timing itself is replaced."""

from __future__ import annotations

import pytest

from zoo.host import hardware
from zoo.plan import speeds
from zoo.plan.forecast import Forecast
from zoo.plan.speeds import Speed


def test_what_is_timed_is_remembered(tmp_path, ten_steps, monkeypatch):
    plan, timed = ten_steps(), []

    def call_together(function, calls):
        timed.append(len(calls))
        return [Speed(500.0, 2.0, 0.0)] * len(calls)

    monkeypatch.setattr(speeds.calls, "call_together", call_together)
    for _ in range(2):
        known = Forecast(tmp_path / "none")
        assert known.measured_seconds(plan, plan.trainings) == pytest.approx({t.key: 2 + 1.0 for t in plan.trainings})
    assert timed == [1]  # the flip does not change the work of a step
    (tmp_path / "cache" / "speeds.json").write_text('{"KEY": [1, 2')
    assert Forecast(tmp_path / "none").seconds(plan.trainings[0]) is None


def test_a_cache_that_cannot_be_written_does_not_matter(tmp_path, ten_steps, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(speeds.calls, "call_together", lambda _, calls: [Speed(500.0, 2.0, 0.0)] * len(calls))
    plan = ten_steps()
    known = Forecast(tmp_path / "none").measured_seconds(plan, plan.trainings)
    assert known == pytest.approx({training.key: 3.0 for training in plan.trainings})


@pytest.mark.parametrize(
    ("rates", "best"),
    [
        ({1: 1000.0, 2: 520.0}, 1),  # 4 % more together: not worth it
        ({1: 1000.0, 2: 600.0, 4: 310.0}, 2),  # 1,200 together, then 1,240
        ({1: 1000.0, 2: 800.0, 4: 500.0}, 4),  # and there are no more cores
    ],
)
def test_as_many_at_once_as_pay(ten_steps, monkeypatch, rates, best):
    monkeypatch.setattr(hardware, "core_numbers", lambda: [0, 1, 2, 3])
    monkeypatch.setattr(hardware, "free_memory_bytes", lambda: 10**12)
    monkeypatch.setattr(
        speeds.calls, "call_together", lambda _, calls: [Speed(rates[len(calls)], 1.0, 1.0)] * len(calls)
    )
    plan = ten_steps()
    assert speeds.best_at_once(plan, plan.trainings * 2) == best
