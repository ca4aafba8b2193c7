"""Arithmetic on what rounds have measured: rates, ratios within a round, shares of the machine's peak.

A machine that others share drifts by ten percent within minutes. What is compared is therefore measured in the same
round, one right after the other, and a ratio is the median of the rounds' ratios, not the ratio of medians.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

OPS_PER_MAC_TRAINED = 6  # a multiplication and an addition: forward, gradient of the input, gradient of the weights


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """The median over rounds of numerator / denominator, both [rounds]. Raises ValueError for unequal lengths."""
    return statistics.median(n / d for n, d in zip(numerators, denominators, strict=True))


def percent_of_peak(macs: int, images_per_s: Sequence[float], peak_ops_per_s: Sequence[float]) -> float:
    """How much of the matmul peak of its own round a training reaches, in percent: the median over rounds.

    macs: of one image, forward. Raises ValueError for unequal lengths.
    """
    return 100 * OPS_PER_MAC_TRAINED * macs * median_ratio(images_per_s, peak_ops_per_s)


def spread(values: Sequence[float]) -> float:
    """(largest - smallest) / median: how far the rounds are apart."""
    return (max(values) - min(values)) / statistics.median(values)
