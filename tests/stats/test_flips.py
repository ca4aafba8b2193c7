"""Images that change sides, against scipy's tests and full enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from zoo.stats.images import flips


def tables(n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of counts, one an image: [n, images] and [m, images]."""
    counts = np.array(list(itertools.product(range(n + 1), range(m + 1))))
    return np.arange(n)[:, None] < counts[:, 0], np.arange(m)[:, None] < counts[:, 1]


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 3), (5, 2), (10, 10)])
def test_p_of_flips_is_fishers(n, m):
    a, b = tables(n, m)
    found = flips.flips(a, b, np.zeros(a.shape[1]), most=10_000)
    assert set(found.image) == set(np.flatnonzero(a.mean(0) > b.mean(0)))
    for image, p in zip(found.image, found.p, strict=True):
        x, y = a[:, image].sum(), b[:, image].sum()
        assert p == pytest.approx(stats.fisher_exact([[x, n - x], [y, m - y]], "greater").pvalue)
    assert (np.diff(found.p) >= 0).all()


def test_p_of_flips_of_readouts_is_the_sign_tests():
    rng = np.random.default_rng(0)
    a, b = rng.random((6, 200)) < 0.6, rng.random((6, 200)) < 0.5
    found = flips.flips(a, b, np.zeros(200), paired=True, most=200)
    for image, p in zip(found.image, found.p, strict=True):
        wins, losses = (a & ~b)[:, image].sum(), (b & ~a)[:, image].sum()
        assert wins > losses and p == pytest.approx(stats.binomtest(wins, wins + losses, alternative="greater").pvalue)


@pytest.mark.parametrize(("n", "m"), [(3, 2), (1, 1), (3, 3)])
def test_flips_by_chance_is_the_mean_over_all_exchanges(n, m):
    rng = np.random.default_rng(n)
    a, b = rng.random((n, 60)) < rng.random(60), rng.random((m, 60)) < rng.random(60)
    found = flips.flips(a, b, np.zeros(60), most=5)
    last, all_, counts = found.p[-1] * (1 + 1e-9), np.concatenate([a, b]), []
    for ours in itertools.combinations(range(n + m), n):
        x, y = all_[list(ours)].sum(0), np.delete(all_, ours, 0).sum(0)
        p = np.array(
            [stats.fisher_exact([[i, n - i], [j, m - j]], "greater").pvalue for i, j in zip(x, y, strict=True)]
        )
        counts.append(((x * m > y * n) & (p <= last)).sum())
    assert found.images_by_chance == pytest.approx(np.mean(counts))
    assert found.images == counts[0]  # the first exchange is none


def test_flips_of_readouts_by_chance_is_the_mean_over_all_exchanges():
    rng = np.random.default_rng(4)
    a, b = rng.random((4, 50)) < 0.7, rng.random((4, 50)) < 0.5
    found = flips.flips(a, b, np.zeros(50), paired=True, most=3)
    counts = []
    for swap in itertools.product([False, True], repeat=4):
        ours, theirs = np.where(np.array(swap)[:, None], [b, a], [a, b])
        x, y = (ours & ~theirs).sum(0), (theirs & ~ours).sum(0)
        p = stats.binom.sf(x - 1, x + y, 0.5)
        counts.append(((x > y) & (p <= found.p[-1] * (1 + 1e-9))).sum())
    assert found.images_by_chance == pytest.approx(np.mean(counts)) and found.images == counts[0]


def test_equal_p_in_the_order_of_the_gap_then_of_the_images():
    a, b = np.ones((2, 4), bool), np.zeros((2, 4), bool)
    assert flips.flips(a, b, [0.1, 0.5, 0.5, 0.9], most=3).image.tolist() == [3, 1, 2]
