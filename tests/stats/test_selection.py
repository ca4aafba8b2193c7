"""What looks better than it is because it was chosen: published expectations, and what scipy draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from zoo.stats.validity.selection import exaggeration, expected_maximum, luck_of_the_best


@pytest.mark.parametrize(
    ("k", "expected"), [(1, 0.0), (2, 0.56419), (3, 0.84628), (5, 1.16296), (10, 1.53875), (50, 2.24907)]
)
def test_the_largest_of_k_against_harters_table(k, expected):
    assert expected_maximum(k) == pytest.approx(expected, abs=1e-5)


def test_the_best_of_equal_variants():
    """Of five with a spread of 0.25 points and three trainings: 1.163 * 0.25 / sqrt(3)."""
    assert luck_of_the_best(5, 0.25, 3) == pytest.approx(0.1679, abs=1e-4)
    with pytest.raises(ValueError, match="no maximum of 0"):
        expected_maximum(0)


@pytest.mark.parametrize(("difference", "seeds", "alpha"), [(0.3, 3, 0.05), (0.5, 3, 0.01), (0.3, 10, 0.05)])
def test_exaggeration_is_that_of_welchs_test(difference, seeds, alpha):
    rng = np.random.default_rng(1)
    a, b = rng.normal(difference, 0.25, (60_000, seeds)), rng.normal(0, 0.25, (60_000, seeds))
    found = stats.ttest_ind(a, b, axis=1, equal_var=False).pvalue < alpha
    seen = np.abs(a.mean(1) - b.mean(1))[found] / difference
    assert exaggeration(difference, 0.25, 0.25, seeds, alpha) == pytest.approx(
        seen.mean(), abs=5 * seen.std() / found.sum() ** 0.5
    )


def test_a_difference_that_is_always_found_is_not_exaggerated():
    assert exaggeration(10.0, 0.25, 0.25, 5) == pytest.approx(1.0, abs=1e-6)
    with pytest.raises(ValueError, match="above zero"):
        exaggeration(0.0, 0.25, 0.25, 3)
