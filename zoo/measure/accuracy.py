"""Accuracy from logits: pure functions of arrays, as fractions from 0 to 1."""

from __future__ import annotations

import numpy as np


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """The fraction of examples whose largest logit is their label's: logits [N, classes], labels [N]."""
    return float(np.mean(np.argmax(logits, axis=1) == labels))


def top_k_accuracy(logits: np.ndarray, labels: np.ndarray, k: int) -> float:
    """The fraction of examples whose label is among their ``k`` largest logits: logits [N, classes], labels [N].

    Among equal logits the lower class ranks first, as in ``accuracy``.
    """
    largest = np.argsort(-logits, axis=1, kind="stable")[:, :k]
    return float(np.mean(np.any(largest == np.asarray(labels)[:, None], axis=1)))
