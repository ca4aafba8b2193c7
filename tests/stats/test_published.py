"""Published figures beside our own: numbers worked out by hand, and tables of Student's t."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.stats import published
from zoo.stats.published import Agreement, compare_accuracy, compare_difference, judge

OURS = [80.0, 81.0, 82.0]  # mean 81, sd 1
T_2, T_4 = 4.302653, 2.776445  # 97.5 % quantiles of Student's t, from a printed table


def judged(comparison: published.PublishedComparison, margin: float | None = None) -> Agreement:
    (judgement,) = judge([comparison], margin)
    return judgement.agreement


@pytest.mark.parametrize(
    ("low", "high", "distance", "agreement"),
    [
        (81.0, 81.0, 0.0, "compatible with"),
        (80.5, 81.5, 0.0, "compatible with"),
        (83.0, 84.0, -2.0, "compatible with"),
        (70.0, 76.0, 5.0, "disagrees"),
        (86.0, 86.0, -5.0, "disagrees"),
    ],
)
def test_an_accuracy(low, high, distance, agreement):
    """sd 1 of 3 trainings against one training: the error of the difference is sqrt(1 / 3 + 1)."""
    held = compare_accuracy(OURS, low, high)
    assert (held.ours, held.distance, judged(held)) == (81.0, pytest.approx(distance), agreement)
    assert held.allowed() == pytest.approx(T_2 * np.sqrt(4 / 3), rel=1e-6)


def test_a_published_mean_of_many_trainings_is_surer():
    assert judged(compare_accuracy(OURS, 78.0, 78.0, seeds=1)) == "compatible with"
    held = compare_accuracy(OURS, 78.0, 78.0, seeds=300)
    assert held.allowed() == pytest.approx(T_2 * np.sqrt(1 / 3 + 1 / 300), rel=1e-6) and judged(held) == "disagrees"


def test_a_difference():
    """Both sides have sd 1 and n 3: Welch's degrees of freedom are 4, the error is sqrt(2 (1 / 3 + 1))."""
    held = compare_difference([83.0, 84.0, 85.0], OURS, 0.0, 0.0)
    assert held.ours == pytest.approx(3.0) and held.distance == pytest.approx(3.0)
    assert held.allowed() == pytest.approx(T_4 * np.sqrt(8 / 3), rel=1e-6)
    assert judged(held) == "compatible with"
    assert judged(compare_difference([93.0, 94.0, 95.0], OURS, 0.0, 1.0)) == "disagrees"


def test_a_figure_stands_for_all_that_are_rounded_to_it():
    """81.4 is 81.35 to 81.45, and "about 3" is 2.5 to 3.5."""
    assert compare_accuracy([81.43, 81.45], 81.4, 81.4, rounding=0.1).distance == 0
    assert compare_accuracy([81.5, 81.5], 81.4, 81.4, rounding=0.1).distance == pytest.approx(0.05)
    assert compare_difference([83.4, 83.4], [81.0, 81.0], 3.0, 3.0, rounding=1.0).distance == pytest.approx(-0.1)


def test_where_chance_allows_more_than_the_margin_nothing_can_be_told():
    held = compare_accuracy(OURS, 83.0, 83.0)  # within 4.97 points
    assert judged(held, margin=5.0) == "compatible with" and judged(held, margin=4.9) == "cannot be told"
    assert judged(compare_accuracy(OURS, 70.0, 70.0), margin=4.9) == "disagrees"


def test_several_figures_are_one_family():
    """With p of 0.03 and 0.04 neither is below 0.05 / 2; with 0.03 and 0.0001 both go down Holm's steps."""
    near, far = (_with_p(p) for p in (0.03, 0.0001))
    assert near.p() == pytest.approx(0.03) and judged(near) == "disagrees"
    assert [each.agreement for each in judge([near, _with_p(0.04)], None)] == ["compatible with"] * 2
    both = judge([near, far], None)
    assert [each.agreement for each in both] == ["disagrees"] * 2
    assert both[1].allowed == pytest.approx(far.allowed(0.025)) and both[0].allowed == pytest.approx(near.allowed(0.05))


def _with_p(p: float) -> published.PublishedComparison:
    """Of ours with one degree of freedom: t is Cauchy's, whose quantiles have a closed form."""
    return published.PublishedComparison(81.0, float(np.tan(np.pi * (0.5 - p / 2))), 1.0, 1.0)


def test_figures_of_which_nothing_is_known_count_for_nothing():
    held = judge([compare_accuracy([], 80, 80), _with_p(0.04)], None)
    assert [each.agreement for each in held] == ["cannot be told", "disagrees"]


def test_the_interval_covers_what_it_says():
    """Published figures of one training, from the same distribution as ours: 5 % are said to disagree."""
    rng = np.random.default_rng(5)
    wrong = sum(
        judged(compare_accuracy(rng.normal(80, 0.4, 4), figure, figure)) == "disagrees"
        for figure in rng.normal(80, 0.4, 2000)
    )
    assert wrong / 2000 == pytest.approx(0.05, abs=0.02)


@pytest.mark.parametrize("values", [[], [81.0]])
def test_without_a_spread_nothing_can_be_said(values):
    assert judged(compare_accuracy(values, 80, 80)) == "cannot be told"
    assert judged(compare_difference(values, OURS, 0, 0)) == "cannot be told"


def test_results_that_are_equal_have_the_spread_of_their_rounding():
    """Of 100 images an accuracy is a multiple of 1 point: variance 1 / 12, error sqrt((1 / 2 + 1) / 12), t of 1 degree."""
    held = compare_accuracy([81.0, 81.0], 80, 80, least_variance=1 / 12)
    assert (
        held.allowed() == pytest.approx(12.706205 * np.sqrt(1.5 / 12), rel=1e-6) and judged(held) == "compatible with"
    )
    assert judged(compare_accuracy([81.0, 81.0], 81, 81)) == "compatible with"
    assert judged(compare_accuracy([81.0, 81.0], 80, 80)) == "disagrees"
    assert judged(compare_difference([81.0, 81.0], [80.0, 80.0], 1, 1)) == "compatible with"
