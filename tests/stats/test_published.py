"""Published figures beside our own: numbers worked out by hand, and tables of Student's t."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.stats import published

OURS = [80.0, 81.0, 82.0]  # mean 81, sd 1
T_2, T_4 = 4.302653, 2.776445  # 97.5 % quantiles of Student's t, from a printed table


@pytest.mark.parametrize(
    ("low", "high", "distance", "verdict"),
    [
        (81.0, 81.0, 0.0, "agrees"),
        (80.5, 81.5, 0.0, "agrees"),
        (83.0, 84.0, -2.0, "agrees"),
        (70.0, 76.0, 5.0, "disagrees"),
        (86.0, 86.0, -5.0, "disagrees"),
    ],
)
def test_an_accuracy(low, high, distance, verdict):
    """sd 1 of 3 trainings against one training: the error of the difference is sqrt(1 / 3 + 1)."""
    held = published.compare_accuracy(OURS, low, high)
    assert (held.ours, held.distance, held.agreement) == (81.0, pytest.approx(distance), verdict)
    assert held.allowed == pytest.approx(T_2 * np.sqrt(4 / 3), rel=1e-6)


def test_a_published_mean_of_many_trainings_is_surer():
    assert published.compare_accuracy(OURS, 78.0, 78.0, seeds=1).agreement == "agrees"
    held = published.compare_accuracy(OURS, 78.0, 78.0, seeds=300)
    assert held.allowed == pytest.approx(T_2 * np.sqrt(1 / 3 + 1 / 300), rel=1e-6) and held.agreement == "disagrees"


def test_a_difference():
    """Both sides have sd 1 and n 3: Welch's degrees of freedom are 4, the error is sqrt(2 (1 / 3 + 1))."""
    held = published.compare_difference([83.0, 84.0, 85.0], OURS, 0.0, 0.0)
    assert held.ours == pytest.approx(3.0) and held.distance == pytest.approx(3.0)
    assert held.allowed == pytest.approx(T_4 * np.sqrt(8 / 3), rel=1e-6)
    assert held.agreement == "agrees"
    assert published.compare_difference([93.0, 94.0, 95.0], OURS, 0.0, 1.0).agreement == "disagrees"


def test_the_interval_covers_what_it_says():
    """Published figures of one training, from the same distribution as ours: 5 % are said to disagree."""
    rng = np.random.default_rng(5)
    wrong = sum(
        published.compare_accuracy(rng.normal(80, 0.4, 4), figure, figure).agreement == "disagrees"
        for figure in rng.normal(80, 0.4, 2000)
    )
    assert wrong / 2000 == pytest.approx(0.05, abs=0.02)


@pytest.mark.parametrize("values", [[], [81.0]])
def test_without_a_spread_nothing_can_be_said(values):
    assert published.compare_accuracy(values, 80, 80).agreement == "cannot be told"
    assert published.compare_difference(values, OURS, 0, 0).agreement == "cannot be told"


def test_equal_results_have_no_spread_and_agree_with_themselves_alone():
    assert published.compare_accuracy([81.0, 81.0], 81, 81).agreement == "agrees"
    assert published.compare_accuracy([81.0, 81.0], 80, 80).agreement == "disagrees"
    assert published.compare_difference([81.0, 81.0], [80.0, 80.0], 1, 1).agreement == "agrees"
