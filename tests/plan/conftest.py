"""A machine of which nothing is known yet, and a small plan on it."""

from __future__ import annotations

import pytest
from helpers.plans import make
from helpers.tracked import with_cost

from zoo.host import hardware
from zoo.measure import Cost
from zoo.plan.runs import Plan

# Ten steps of 50 images, evaluated twice, on the 360 test images of the digits.
TEN_STEPS = """\
question: How long?
base: {model: alex2, data: digits, steps: 10, batch: 50, evaluate_every: 5, precision: float32}
factors:
  augment.flip: [true, false]
seeds: 1
"""


@pytest.fixture
def this_machine(tmp_path, monkeypatch):
    """Two cores, and nothing known yet."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(hardware, "device", lambda: "this one")
    monkeypatch.setattr(hardware, "core_numbers", lambda: [0, 1])


@pytest.fixture
def ten_steps(tmp_path, this_machine):
    """``ten_steps(old, new)`` is the plan of ``TEN_STEPS`` with a text replaced, its networks of 1,000 weights."""

    def plan(old: str = "", new: str = "", ops: int = 100) -> Plan:
        text = TEN_STEPS.replace(old, new) if old else TEN_STEPS
        return with_cost(make(tmp_path, text), Cost(1000, 1, ops))

    return plan
