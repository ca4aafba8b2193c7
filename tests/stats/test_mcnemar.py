"""Two networks on the same images, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.stats.images import predictions

LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2])
# Of ten images: six right by both, three by the first only, none by the second only, one by neither (and differently).
FIRST = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 0])
SECOND = np.array([0, 0, 0, 0, 1, 1, 2, 2, 0, 1])


def test_agreement_by_hand():
    found = predictions.compare_answers(LABELS, FIRST, SECOND)
    assert (found.images, found.same) == (10, 6)
    assert (found.both_right, found.only_first, found.only_second, found.both_wrong) == (6, 3, 0, 1)
    # all three on one side, where either is as likely: 2 * (1/2)^3
    assert found.p == pytest.approx(0.25)


def test_mcnemar_by_hand():
    # eight images told apart, 7 to 1: 2 * (8 + 1) / 2^8
    first, second = np.zeros(10, int), np.ones(10, int)
    labels = np.array([0] * 7 + [1] + [2] * 2)
    assert predictions.compare_answers(labels, first, second).p == pytest.approx(18 / 256)
    assert predictions.compare_answers(labels, first, first).p == 1.0
