"""Effects in factorial designs as values; their numbers are tested through the table (tests/reports)."""

from __future__ import annotations

import math

import numpy as np
import pytest

from zoo.stats import family, sequential
from zoo.stats.effects import Change, EffectKind, effects, is_factorial
from zoo.stats.family import Results, judged
from zoo.stats.verdicts import SeedSchedule, VerdictWord

LEVELS = {name: {"a": name[0], "b": name[1]} for name in ("00", "10", "01", "11")}
BASE = {"a": "0", "b": "0"}


def test_main_effects_then_interactions_each_with_its_changes():
    cells = {"00": [80.0, 80.2], "10": [82.0, 82.2], "01": [80.0, 80.2], "11": [83.0, 83.2]}
    a, b, both = effects(cells, LEVELS, BASE, margin=5.0)
    assert (a.kind, a.changes, a.averaged_over) == (EffectKind.MAIN, (Change("a", "1", "0"),), ("b",))
    assert [each.verdict.difference for each in (a, b, both)] == pytest.approx([2.5, 0.5, 1.0])
    assert {each.verdict.word for each in (a, b, both)} == {VerdictWord.EQUIVALENT}  # within 5 points
    assert both.kind is EffectKind.INTERACTION and both.name == "a=1 x b=1"
    assert both.changes == (Change("a", "1", "0"), Change("b", "1", "0")) and both.averaged_over == ()
    assert set(both.variants) == set(cells)


def test_main_effects_and_interactions_are_one_family_and_its_cells_are_described():
    """Of three effects the clearest is tested at 5 % / 3, at each interim analysis at that part of its own level."""
    noise = np.array([-0.1, 0.0, 0.1, 0.05])
    cells = {"00": 80 + noise, "10": 82 + noise, "01": 80 + noise, "11": 82 + noise}
    found = judged(Results(cells, "00", levels=LEVELS), None)
    assert [each.verdict.comparisons for each in found.effects] == [3, 3, 3]
    assert found.effects[0].verdict.level == pytest.approx(1 - 0.05 / 3)
    assert {name: verdict.word for name, verdict in found.verdicts.items()} == dict.fromkeys(
        ("10", "01", "11"), VerdictWord.DESCRIPTIVE
    )
    assert found.verdicts["11"].difference == pytest.approx(2) and math.isnan(found.verdicts["11"].p_difference)
    early = judged(Results(cells, "00", levels=LEVELS), None, SeedSchedule(3, 6)).effects[0].verdict
    first = sequential.levels(0.05 / 3, sequential.information_fractions(3, 6))[0]
    assert (early.word, early.seeds, early.level) == (VerdictWord.HELPS, 3, pytest.approx(1 - first))
    assert set(found.family) == {"a=1", "b=1", "a=1 x b=1"}


def test_more_seeds_are_wanted_of_the_cells_of_what_is_undecided():
    noise = np.array([-0.3, 0.0, 0.3])
    cells = {"00": 80 + noise, "10": 82 + noise, "01": 80 + noise, "11": 82 + noise}
    found = judged(Results(cells, "00", levels=LEVELS), 0.1, SeedSchedule(3, 6))
    assert [str(each.verdict.word) for each in found.effects] == ["helps", "undecided", "undecided"]
    assert [set(names) for names in found.undecided()] == [set(cells)] * 2
    assert found.undecided(least=4) == []


@pytest.mark.parametrize(
    ("cells", "expected", "size"),
    [
        (("00", "10", "01", "11"), True, 3),
        (("00", "10", "01"), False, 2),  # one at a time
        (("00", "10", "01", "11", "20"), True, 4),  # another level of a factor that is crossed
        (("00", "10", "01", "11", "22"), False, 4),  # with no part in any effect
    ],
)
def test_what_is_a_factorial_and_how_large_its_family_is(cells, expected, size):
    levels = {name: {"a": name[0], "b": name[1]} for name in cells}
    assert is_factorial(levels, "00", cells) == expected
    assert family.size(levels, "00", cells) == size
    assert not is_factorial(levels | {"10": {"a": "1"}}, "00", cells)  # where levels are left out it is not known
    assert not is_factorial(levels, "00", [*cells, "other"])


def test_one_seed_gives_a_difference_and_no_verdict():
    a, *_ = effects({name: [80.0 + name.count("1")] for name in LEVELS}, LEVELS, BASE)
    assert a.verdict.difference == pytest.approx(1.0) and math.isnan(a.p) and a.verdict.word is VerdictWord.NONE


def test_one_change_at_a_time_has_no_effects():
    assert effects({name: [80.0, 80.1] for name in ("00", "10", "01")}, LEVELS, BASE) == []
