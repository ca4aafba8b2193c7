"""Uncertainties: against exact enumeration, scipy's bootstrap, exact binomial intervals, and simulated worlds."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from zoo.stats import comparisons
from zoo.stats.images import uncertainty


def exact(trainings: list[list[int]], seeds: int, images: int):
    """Every way to draw so many trainings and images (with replacement) from a world of few: all equally likely."""
    kinds = range(len(trainings[0]))
    for rows in itertools.product(trainings, repeat=seeds):
        for columns in itertools.product(kinds, repeat=images):
            yield np.array([[row[column] for column in columns] for row in rows])


WORLD = [[1, 1, 0], [1, 0, 1], [1, 0, 0]]  # three trainings that can happen, three images that exist


def test_variance_over_the_distribution_is_unbiased_exactly():
    """The accuracies 2/3, 2/3 and 1/3 of the three trainings have variance 2/81. All 3^2 x 3^3 samples, equally likely."""
    found = [uncertainty.between_seeds(right).variance_distribution / 1e4 for right in exact(WORLD, 2, 3)]
    assert np.mean(found) == pytest.approx(float(Fraction(2, 81)))
    assert min(found) < 0  # an estimate may be


def test_variance_over_the_distribution_is_jordans_formula():
    """By hand: accuracies 2/4, 3/4, 1; e = (0, 1/3, 2/3, 0); V = 1/24 with n - 1 = 2/3 of 1/16."""
    right = np.array([[1, 1, 0, 0], [1, 0, 1, 1], [1, 1, 1, 1]], bool)
    e = 1 - right.mean(0)
    theirs = 3 / 2 * (right.mean(1).var() - (e * (1 - e)).sum() / 4**2)  # seeds' correction: arXiv:2304.01910
    found = uncertainty.between_seeds(right)
    assert found.variance_distribution / 1e4 == pytest.approx(4 / 3 * theirs)  # and that for a finite test set
    assert found.sd_points == pytest.approx(25.0)


def test_negative_variance_is_told_as_no_spread():
    right = np.array([[1, 0, 1, 0], [0, 1, 0, 1]])  # the same accuracy, other images: V = 0
    found = uncertainty.between_seeds(right)
    assert found.variance_distribution == pytest.approx(1e4 * 4 / 3 * (0 - 0.5 / 4))
    assert (found.sd_points, found.sd_distribution_points) == (0.0, 0.0)


def test_variances_of_the_mean_add_up_exactly():
    """Over all samples: of other images and both, the mean estimate is the true variance of the mean of 2 x 2 entries."""
    means, both = [], []
    for right in exact(WORLD, 2, 2):
        means.append(right.mean())
        error = uncertainty.between_test_sets(right).error_points
        both.append(error**2 + uncertainty.between_seeds(right).variance_distribution / 2)
    assert np.mean(both) / 1e4 == pytest.approx(np.var(means))


def test_errors_of_a_difference_by_hand():
    """Two trainings a side, four images. d = (0, 1, 0.5, -0.5): mean 1/4, variance (1/16)(1 + 9 + 1 + 9)/3 = 5/12."""
    a = np.array([[1, 1, 1, 0], [1, 1, 1, 0]])
    b = np.array([[1, 0, 1, 0], [1, 0, 0, 1]])
    found = uncertainty.difference(a, b)
    assert found.points == pytest.approx(25.0)
    assert found.error_test == pytest.approx(100 * (5 / 12 / 4) ** 0.5)
    # a: no spread. b: accuracies 1/2, 1/2: V = 0, v = (0, 0, 1/2, 1/2), T < 0, which is no spread either.
    assert found.error_both == pytest.approx(found.error_test)
    # pairs: rows (0, 1, 0, 0) and (0, 1, 1, -1): the same mean, T < 0 again
    paired = uncertainty.difference(a, b, paired=True)
    assert paired.points == pytest.approx(25.0) and paired.error_both == pytest.approx(paired.error_test)


def test_a_spread_that_all_images_share_by_hand():
    """The variant's trainings are right on all of 3 images or on none: T = 3/2 (1/2 - 1/6) = 1/2; d is 1/2 everywhere."""
    found = uncertainty.difference([[1, 1, 1], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]])
    assert found.points == 50.0 and found.error_test == 0.0
    assert found.error_both == pytest.approx(50.0)  # the root of (1/2) / 2
    assert found.degrees == 1.0


SKEWED = {
    "left": -np.random.default_rng(3).gamma(0.3, size=300),  # skewness -2.6
    "right": np.random.default_rng(4).beta(0.2, 3.0, 400),
    "little": np.random.default_rng(5).uniform(size=200),
}


def test_the_interval_of_the_networks_own_spread():
    """Three trainings right on 100, 50 and 0 of 100 images: V is 1/4, each image's variance 1/3, and chi-squared with 2
    degrees 0.0506 and 7.378. With N / (N - 1) of 100 / 99 the ends are those of V less 1/300."""
    right = np.zeros((3, 100), int)
    right[0], right[1, :50] = 1, 1
    found = uncertainty.between_seeds(right)
    for end, chi in ((found.low_distribution_points, 7.3778), (found.high_distribution_points, 0.050636)):
        assert end == pytest.approx(100 * np.sqrt(100 / 99 * (2 / chi / 4 - 1 / 300)), rel=1e-4)
    assert found.low_distribution_points < found.sd_distribution_points < found.high_distribution_points


def test_what_images_explain_is_not_told_apart_from_none():
    """Every training wrong on another image: there is no spread at all."""
    found = uncertainty.between_seeds(1 - np.eye(4, 50, dtype=int))
    assert found.low_distribution_points == found.high_distribution_points == 0


@pytest.mark.parametrize("kind", SKEWED)
def test_interval_agrees_with_scipys_bca(kind):
    values = SKEWED[kind]
    theirs = stats.bootstrap(
        (values,), np.mean, method="BCa", n_resamples=20_000, batch=500, rng=np.random.default_rng(1)
    ).confidence_interval
    found = np.array(uncertainty.interval_of_mean(values, values.min() - 1e-9, values.max() + 1e-9))
    np.testing.assert_allclose(found, theirs, atol=0.06 * stats.sem(values))  # two errors of the draws
    if kind != "little":  # and not with the symmetric one
        assert np.abs(found - stats.norm.interval(0.95, values.mean(), stats.sem(values))).min() > 0.1 * stats.sem(
            values
        )


@pytest.mark.parametrize("wrong", [1, 3, 10, 50])
def test_interval_of_few_errors_is_near_the_exact_one(wrong):
    values = np.ones(10_000)
    values[:wrong] = 0
    exactly = stats.binomtest(wrong, 10_000).proportion_ci(0.95, "exact")
    low, high = uncertainty.interval_of_mean(values, 0.0, 1.0)
    np.testing.assert_allclose([10_000 * (1 - high), 10_000 * (1 - low)],
                               [10_000 * exactly.low, 10_000 * exactly.high], atol=0.13 * wrong**0.5 + 0.45)  # fmt: skip


@pytest.mark.parametrize("right", [np.ones((3, 100), bool), np.ones((1, 100), bool)])
def test_all_right_is_not_certain(right):
    """0.95 of all test sets of 100 images would show an error if 1 - 0.05^(1/100) = 2.95 % were wrong."""
    found = uncertainty.between_test_sets(right)
    assert found.accuracy_percent == 100 and found.error_points == 0
    assert found.low_percent == pytest.approx(100 * 0.05**0.01) and found.high_percent == 100
    alike = uncertainty.difference(right, right)
    assert (alike.points, alike.low_test) == (0.0, pytest.approx(-100 * (1 - 0.05**0.01)))
    assert alike.low_test == -alike.high_test
    if len(right) > 1:
        assert (alike.low_both, alike.high_both) == (alike.low_test, alike.high_test)


def test_one_side_always_right_and_the_other_never():
    found = uncertainty.difference(np.ones((2, 50)), np.zeros((2, 50)))
    assert (found.points, found.high_test, found.high_both) == (100.0, 100.0, 100.0)
    assert found.low_test == found.low_both == pytest.approx(100 - 200 * (1 - 0.05**0.02))


@pytest.mark.parametrize("discordant", [1, 4])
def test_few_images_on_one_side_do_not_decide(discordant):
    """McNemar's exact p of 4 against 0 is 1/8; the standard interval would be away from zero."""
    a, b = np.ones((1, 1000)), np.ones((1, 1000))
    b[0, :discordant] = 0
    found = uncertainty.difference(a, b)
    assert found.low_test < 0 < found.points < found.high_test


def test_one_seed_tells_of_images_only():
    right = np.array([[1, 0, 1, 1]])
    seeds = uncertainty.between_seeds(right)
    assert np.isnan(seeds).all()
    found = uncertainty.difference(right, [[1, 1, 0, 0], [0, 0, 0, 1]])
    assert np.isfinite([found.points, found.low_test, found.high_test]).all()
    assert np.isnan([found.error_both, found.low_both, found.high_both]).all()


def test_one_image_tells_nearly_nothing():
    found = uncertainty.between_test_sets([[1], [1]])
    assert found.accuracy_percent == 100 and found.low_percent == pytest.approx(5.0) and found.high_percent == 100
    assert np.isnan(uncertainty.between_seeds([[1], [0]]).variance_distribution)
    assert np.isnan(uncertainty.difference([[1], [1]], [[0], [1]]).low_both)


@pytest.mark.parametrize(
    ("a", "b", "paired", "message"),
    [
        (np.ones((2, 3)), np.ones((2, 4)), False, "3 images on one side and 4"),
        (np.ones((2, 3)), np.ones((3, 3)), True, "2 trainings on one side of pairs and 3"),
        (np.ones(3), np.ones((1, 3)), False, "trainings, images"),
        (np.ones((0, 3)), np.ones((1, 3)), False, "at least one of each"),
    ],
)
def test_what_does_not_fit_is_refused(a, b, paired, message):
    with pytest.raises(ValueError, match=message):
        uncertainty.difference(a, b, paired)


# --- simulation with a known truth --------------------------------------------------------------------------------

GRID = np.linspace(-3, 3, 2001)
WEIGHTS = stats.norm.pdf(GRID) / stats.norm.pdf(GRID).sum()


def world(rng: np.random.Generator, seeds: int, images: int, shift: float, sd: float, ease: np.ndarray):
    """Trainings of quality ``shift`` + sd z on images of given ease: P(right) = Phi(2 ease + quality)."""
    quality = shift + sd * rng.standard_normal((seeds, 1))
    return rng.random((seeds, images)) < stats.norm.cdf(2 * ease + quality)


def truth(shift: float, sd: float) -> tuple[float, float]:
    """Mean and standard deviation over trainings of the accuracy on the distribution: images and z both normal."""
    per_training = (stats.norm.cdf(2 * GRID[:, None] + shift + sd * GRID) * WEIGHTS[:, None]).sum(0)
    mean = (per_training * WEIGHTS).sum()
    return mean, float(np.sqrt(((per_training - mean) ** 2 * WEIGHTS).sum()))


def test_variance_over_the_distribution_against_a_known_truth():
    rng = np.random.default_rng(5)
    _, sd = truth(1.0, 0.05)
    found = []
    for _ in range(400):
        found.append(uncertainty.between_seeds(world(rng, 4, 400, 1.0, 0.05, rng.standard_normal(400))))
    variances = np.array([each.variance_distribution for each in found]) / 1e4
    error = variances.std() / 20
    assert abs(variances.mean() - sd**2) < 3 * error
    naive = np.mean([(each.sd_points / 100) ** 2 for each in found])
    assert naive > sd**2 + 3 * error  # on the test set the spread is larger: this is what is taken off


@pytest.mark.parametrize(("seeds", "paired"), [((3, 3), False), ((5, 3), False), ((10, 10), False), ((4, 4), True)])
def test_coverage_of_both(seeds, paired):
    """Other trainings and other images: the interval has the true difference in 95 % of 500 worlds, within 3 errors."""
    rng = np.random.default_rng(11)
    sd = 0.06
    true = 100 * (truth(1.1, sd)[0] - truth(1.0, 0.0 if paired else sd)[0])
    covered, only_images = 0, 0
    for _ in range(500):
        ease = rng.standard_normal(500)
        if paired:  # the spread between trainings is the variant's own
            a, b = world(rng, seeds[0], 500, 1.1, sd, ease), world(rng, seeds[1], 500, 1.0, 0.0, ease)
        else:
            a, b = (world(rng, n, 500, shift, sd, ease) for n, shift in zip(seeds, (1.1, 1.0), strict=True))
        found = uncertainty.difference(a, b, paired)
        covered += found.low_both <= true <= found.high_both
        only_images += found.low_test <= true <= found.high_test
    assert 0.95 - 3 * np.sqrt(0.05 * 0.95 / 500) <= covered / 500 <= 0.99
    assert only_images < covered


def test_coverage_over_test_sets():
    """The trainings stay, the images change: 95 %, near to 100 % right as well."""
    rng = np.random.default_rng(2)
    for shift in (1.0, 5.0):
        covered = 0
        quality = shift + 0.1 * rng.standard_normal((3, 1))
        true = 100 * (stats.norm.cdf(2 * GRID[:, None] + quality[:, 0]) * WEIGHTS[:, None]).sum(0).mean()
        for _ in range(600):
            right = rng.random((3, 300)) < stats.norm.cdf(2 * rng.standard_normal(300) + quality)
            low, high = uncertainty.between_test_sets(right)[2:]
            covered += low <= true <= high
        assert 0.95 - 3 * np.sqrt(0.05 * 0.95 / 600) <= covered / 600 <= 0.995, shift


def test_both_sources_are_never_surer_than_trainings_alone():
    """In 200 tables of chance, where T is often estimated below zero: the interval holds that of the accuracies."""
    rng = np.random.default_rng(4)
    for n, m in [(2, 2), (3, 3), (5, 4)] * 67:
        right, reference = rng.random((n, 60)) < 0.8, rng.random((m, 60)) < 0.7
        found = uncertainty.difference(right, reference)
        least = comparisons.rounding_variance(60)
        alone = comparisons.compare(100 * right.mean(1), 100 * reference.mean(1), (least, least)).interval(0.05)
        assert found.low_both <= max(-100, alone[0]) + 1e-9 and found.high_both >= min(100, alone[1]) - 1e-9
