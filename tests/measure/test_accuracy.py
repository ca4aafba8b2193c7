"""Accuracy by hand."""

from __future__ import annotations

import numpy as np

from zoo.measure.accuracy import accuracy, top_k_accuracy

LOGITS = np.array([[3.0, 1.0, 2.0], [0.0, 0.0, 0.0], [1.0, 5.0, 9.0], [np.nan, np.nan, np.nan]])
LABELS = np.array([0, 1, 0, 2], np.uint8)


def test_accuracy_counts_the_largest_logit():
    assert accuracy(LOGITS, LABELS) == 0.25  # among equals the first counts: row 1 says class 0


def test_top_k_includes_the_next_best():
    assert top_k_accuracy(LOGITS, LABELS, 1) == 0.25
    assert top_k_accuracy(LOGITS, LABELS, 2) == 0.5  # row 1: class 1 is second among equals
    assert top_k_accuracy(LOGITS, LABELS, 3) == 1.0
