"""Effects in factorial designs as values; their numbers are tested through the table (tests/reports)."""

from __future__ import annotations

import math

import pytest

from zoo.stats.effects import Change, EffectKind, effects
from zoo.stats.verdicts import VerdictWord

LEVELS = {name: {"a": name[0], "b": name[1]} for name in ("00", "10", "01", "11")}
BASE = {"a": "0", "b": "0"}


def test_main_effects_then_interactions_each_with_its_changes():
    cells = {"00": [80.0, 80.2], "10": [82.0, 82.2], "01": [80.0, 80.2], "11": [83.0, 83.2]}
    a, b, both = effects(cells, LEVELS, BASE, margin=5.0)
    assert (a.kind, a.changes, a.averaged_over) == (EffectKind.MAIN, (Change("a", "1", "0"),), ("b",))
    assert (a.points, b.points, both.points) == pytest.approx((2.5, 0.5, 1.0))
    assert a.verdict is b.verdict is VerdictWord.EQUIVALENT  # within 5 points
    assert both.kind is EffectKind.INTERACTION and both.verdict is None
    assert (
        both.changes == (Change("a", "1", "0"), Change("b", "1", "0")) and both.averaged_over == () and both.cells == 4
    )


def test_one_seed_gives_a_difference_and_no_verdict():
    a, *_ = effects({name: [80.0 + name.count("1")] for name in LEVELS}, LEVELS, BASE)
    assert a.points == pytest.approx(1.0) and math.isnan(a.p) and a.verdict is VerdictWord.NONE


def test_one_change_at_a_time_has_no_effects():
    assert effects({name: [80.0, 80.1] for name in ("00", "10", "01")}, LEVELS, BASE) == []
