"""How well a spread is known, and whether two are unequal; against printed tables and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from zoo.stats.power import seeds_to_decide
from zoo.stats.validity.spread import p_of_equal_spreads, seeds_to_decide_range, variance_factors


def test_a_variance_of_two_degrees_against_the_printed_table():
    """Chi-squared with 2 degrees of freedom: 0.0506 and 7.378 at 2.5 and 97.5 %."""
    low, high = variance_factors(2)
    assert (low, high) == (pytest.approx(2 / 7.378, rel=1e-3), pytest.approx(2 / 0.0506, rel=1e-3))


def test_seeds_needed_at_both_ends():
    """With 4 degrees the 80 % interval of the variance is 4 / 7.779 to 4 / 1.064 times what was seen."""
    found = seeds_to_decide_range(0.3, 0.25, 0.25, 4, None)
    for seeds, chi in ((found.low, 7.7794), (found.high, 1.0636)):
        sd = 0.25 * math.sqrt(4 / chi)
        assert seeds == pytest.approx(seeds_to_decide(0.3, sd, sd, None), abs=1)  # the table's digits are four
    assert found.low < seeds_to_decide(0.3, 0.25, 0.25, None) < found.high
    assert seeds_to_decide_range(0.01, 0.25, 0.25, 4, None).high is None


def test_two_variances():
    """1 and 9 of three values each: F with 2 and 2 degrees is 9, whose tail is 1 / (1 + 9); doubled."""
    assert p_of_equal_spreads([79.0, 80.0, 81.0], [77.0, 80.0, 83.0]) == pytest.approx(0.2)
    a, b = np.array([1.0, 2.0, 4.0, 8.0]), np.array([1.0, 1.5, 1.2])
    f = a.var(ddof=1) / b.var(ddof=1)
    assert p_of_equal_spreads(a, b) == pytest.approx(2 * stats.f.sf(f, 3, 2))
    assert math.isnan(p_of_equal_spreads([80.0], [1.0, 2.0])) and math.isnan(p_of_equal_spreads([1.0, 1.0], [1.0, 2.0]))
