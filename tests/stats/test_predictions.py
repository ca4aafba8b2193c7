"""Calibration and churn, against numbers worked out by hand and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from zoo.measure.accuracy import top_k_accuracy
from zoo.stats.images import predictions


def test_calibration_error_by_hand():
    """Bins (0, 1/15], ..., (13/15, 14/15], (14/15, 1]: two of 0.95, one right; two of 0.5 and 0.53, both right; one of 1.

    Gaps: 0.95 and 0.95 and 1.0 share the last bin: |2 - 2.9| = 0.9; 0.5 and 0.53 the eighth: |2 - 1.03| = 0.97; of 5.
    """
    confidence, right = [0.95, 0.95, 0.5, 0.53, 1.0], [1, 0, 1, 1, 1]
    assert predictions.calibration_error(confidence, right) == pytest.approx((0.9 + 0.97) / 5)


def test_a_bin_holds_its_upper_edge():
    """With 5 bins 0.1 and 0.2 share one: |1 - 0.3| / 2; else it were (0.9 + 0.2) / 2."""
    assert predictions.calibration_error([0.1, 0.2], [1, 0], bins=5) == pytest.approx(0.35)
    assert predictions.calibration_error([0.0, 1.0], [0, 1], bins=5) == 0.0


def test_calibration_of_probabilities_by_hand():
    """Confidences 0.7 and 0.6, the second wrong: (0.3 + 0.6) / 2. Likelihoods 0.7 and 0.4."""
    found = predictions.calibration([0, 1], np.log([[0.7, 0.3], [0.6, 0.4]]))
    assert found.ece_percent == pytest.approx(45.0, rel=1e-5)
    assert found.nll == pytest.approx(-np.log(0.7 * 0.4) / 2, rel=1e-6)
    assert np.isnan(found.top5_percent)


@pytest.mark.parametrize("classes", [5, 10, 40])
def test_calibration_against_scipy_and_the_accuracy_of_trainings(classes):
    rng = np.random.default_rng(1)
    labels, logits = (
        rng.integers(classes, size=500),
        rng.normal(0, 3, (500, classes)).round().astype(np.float32),
    )  # ties
    found = predictions.calibration(labels, logits)
    assert found.nll == pytest.approx(-special.log_softmax(logits, 1)[np.arange(500), labels].mean(), rel=1e-5)
    assert found.top5_percent == pytest.approx(100 * top_k_accuracy(logits, labels, 5))


def test_many_logits_are_read_in_parts(monkeypatch):
    rng = np.random.default_rng(2)
    labels, logits = rng.integers(7, size=100), rng.normal(size=(100, 7))
    whole = predictions.calibration(labels, logits)
    monkeypatch.setattr(predictions, "AT_A_TIME", 100)  # 14 images
    assert predictions.calibration(labels, logits) == pytest.approx(whole)


def test_churn_of_readouts_leaves_the_same_training_out():
    """Of the pairs across only (a1, b2) and (a2, b1) come from different trainings."""
    a, b = np.array([[0, 0], [1, 1]]), np.array([[0, 0], [1, 2]])
    assert predictions.churn(a, b, ("s", "t"), ("s", "t")) == pytest.approx(100.0)
    assert predictions.churn(a, b, ("s", "t"), ("u", "v")) == pytest.approx(100 * (0 + 2 + 2 + 1) / 8)
    assert np.isnan(predictions.churn(a[:1], b[:1], ("s",), ("s",)))
