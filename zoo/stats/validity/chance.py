"""Whether a network learned anything: its accuracy beside that of always naming the largest class of the test set."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from zoo.stats.power import ALPHA


def largest_share(labels: ArrayLike) -> float:
    """The fraction of ``labels`` [N] that are of the largest class: what is right when that one is always named.

    Raises:
        ValueError: no labels.
    """
    given = np.asarray(labels).reshape(-1)
    if not given.size:
        raise ValueError("there are no labels")
    return float(np.unique(given, return_counts=True)[1].max() / given.size)


def p_of_guessing(accuracy: float, share: float, images: int) -> float:
    """The chance that guesses, each right with probability ``share``, reach the fraction ``accuracy`` of N ``images``.

    The upper tail of the binomial distribution (Clopper and Pearson, Biometrika 26, 1934), continued between whole numbers
    of images by the incomplete beta function, since an accuracy may be the mean of several trainings.
    """
    from scipy import special

    right = accuracy * images
    if right <= 0:
        return 1.0
    return float(special.betainc(min(right, images), max(images - right, 0.0) + 1, share))


def is_learned(accuracy: float, share: float, images: int, alpha: float = ALPHA) -> bool:
    """Whether an ``accuracy`` (a fraction) can be told from guessing at level ``alpha``, one-sided.

    Of the mean of several trainings it is asked as if it were that of one: they share their images.
    """
    return p_of_guessing(accuracy, share, images) < alpha
