"""Failures compared, and counted as chance."""

from __future__ import annotations

import math

import pytest

from zoo.stats.validity.failures import mean_with_failures, p_of_failures


@pytest.mark.parametrize(
    ("counts", "p"),
    [
        ((5, 5, 0, 5), 2 / 252),  # of the 252 ways to choose 5 of 10 that fail, one each way is as extreme
        ((2, 5, 0, 5), 2 * 10 / 45),  # C(5, 2) of the C(10, 2) ways, and as many on the other side
        ((0, 3, 0, 3), 1.0),
        ((3, 4, 1, 4), 34 / 70),  # Fisher's tea: 1 + 16 ways of 70 on each side
    ],
)
def test_fishers_exact_test(counts, p):
    assert p_of_failures(*counts) == pytest.approx(p)


def test_more_failures_than_trainings_are_refused():
    with pytest.raises(ValueError, match="3 of 2"):
        p_of_failures(3, 2, 0, 2)


def test_failures_count_as_chance():
    assert mean_with_failures([80.0, 82.0, 84.0], 2, 10.0) == pytest.approx((246 + 20) / 5)
    assert mean_with_failures([], 3, 10.0) == 10.0
    assert math.isnan(mean_with_failures([], 0, 10.0)) and math.isnan(mean_with_failures([80.0], 1, math.nan))
