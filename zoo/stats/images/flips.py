"""Test images that change sides: which are right more often with a component than without, and how many would be by chance.

Nothing here is random, and nothing is rounded.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.stats.distributions import Floats, binomial

FLIPS = 12  # images listed, per variant and direction


class Flips(NamedTuple):
    """The images on which one side is right more often than the other, the surest first."""

    image: NDArray[np.intp]  # [k], indices
    p: Floats  # [k]
    images: int  # that are as sure as the last of the k
    images_by_chance: float  # how many would be, if the two sides did not differ at all


def flips(right: ArrayLike, reference: ArrayLike, gap: ArrayLike, paired: bool = False, most: int = FLIPS) -> Flips:
    """The images on which ``right`` [n, N] is right more often than ``reference`` [m, N], the surest first.

    By the one-sided p of Fisher's exact test of the two counts of right trainings; of ``paired`` rows (readouts of the same
    trainings) by the exact sign test of those in which the two differ (McNemar). Both are valid with any number of seeds.
    Among equal p the largest ``gap`` [N] comes first (how much more probable the true class is to the first side), then
    the first image.

    ``images_by_chance`` is exact: were all trainings of both sides alike, then given in how many of them an image is right,
    which ones these are would be chance; the probabilities of a p as small as the last one's are added up over the images.
    It is the mean over all ways to exchange trainings between the sides, without drawing any.
    """
    a, b = np.asarray(right, bool), np.asarray(reference, bool)
    x, y = ((a & ~b).sum(0), (b & ~a).sum(0)) if paired else (a.sum(0), b.sum(0))
    n, m = (len(a), len(a)) if paired else (len(a), len(b))
    chances = _chances(n, m, paired)
    p = _tails(chances)
    more = np.arange(n + 1)[:, None] * m > np.arange(m + 1) * n  # of [x, y]: the first side is right more often
    flipped = np.flatnonzero(more[x, y])
    if not flipped.size:
        return Flips(flipped, np.empty(0), 0, float("nan"))
    order = np.lexsort((flipped, -np.asarray(gap)[flipped], p[x, y][flipped]))
    kept = flipped[order[:most]]
    sure = more & (p <= p[x, y][kept[-1]] * (1 + 1e-9))
    totals = np.add.outer(np.arange(n + 1), np.arange(m + 1))
    of_total = np.bincount(totals.ravel(), np.where(sure, chances, 0.0).ravel())
    return Flips(kept, p[x, y][kept], int(sure[x, y].sum()), float(of_total[x + y].sum()))


def _chances(n: int, m: int, paired: bool) -> Floats:
    """[x, y]: the chance of just these counts, given x + y, where the sides do not differ."""
    x, y = np.arange(n + 1)[:, None], np.arange(m + 1)
    if paired:
        return np.asarray(binomial(x + y, x) / 2.0 ** (x + y))
    return np.asarray(binomial(n, x) * binomial(m, y) / binomial(n + m, x + y))


def _tails(chances: Floats) -> Floats:
    """[x, y]: the chance of x or more, given x + y."""
    tails = chances.copy()
    for x in range(len(tails) - 2, -1, -1):
        tails[x, 1:] += tails[x + 1, :-1]
    return tails
