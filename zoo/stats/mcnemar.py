"""Two networks on the same test images: whether they are right equally often."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class PairedAnswers(NamedTuple):
    """The answers of two networks to the same test images, counted, and McNemar's exact test of their accuracies."""

    images: int
    same: int  # images with the same prediction, right or wrong
    both_right: int
    only_first: int
    only_second: int
    both_wrong: int
    p: float


def compare_answers(labels: ArrayLike, first: ArrayLike, second: ArrayLike) -> PairedAnswers:
    """Of the true classes [N] and those that two networks say [N].

    The p-value is McNemar's exact one: of the images that exactly one gets right, either is as likely to be the one
    (McNemar, Psychometrika 12, 1947).
    """
    from scipy.stats import binomtest

    answers, others = np.asarray(first), np.asarray(second)
    one, two = answers == np.asarray(labels), others == np.asarray(labels)
    only_first, only_second = int((one & ~two).sum()), int((two & ~one).sum())
    split = only_first + only_second
    p = float(binomtest(only_first, split, 0.5).pvalue) if split else 1.0
    both = int((one & two).sum())
    same = int((answers == others).sum())
    return PairedAnswers(len(one), same, both, only_first, only_second, len(one) - both - split, p)
