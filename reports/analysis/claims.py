"""Published figures beside our own, in a table with a sentence each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from zoo.stats.published import Agreement, PublishedComparison, compare_accuracy, compare_difference

COLUMNS = (
    *("variant", "claim", "source", "published", "ours", "distance_points", "allowed_points", "verdict", "sentence"),
)


def frame(published: Sequence[Mapping[str, Any]], accuracies: Mapping[str, ArrayLike]) -> pd.DataFrame:
    """One row a published figure, with ``COLUMNS``; ``accuracies`` [n] of each variant in percent.

    A figure is a mapping with variant, against ("" for an accuracy), low, high, seeds, source and claim.
    """
    return pd.DataFrame([_row(claim, accuracies) for claim in published], columns=list(COLUMNS))


def _row(claim: Mapping[str, Any], accuracies: Mapping[str, ArrayLike]) -> dict[str, Any]:
    low, high, seeds = float(claim["low"]), float(claim["high"]), int(claim.get("seeds", 1))
    values = np.asarray(accuracies.get(claim["variant"], ()), float)
    if claim.get("against"):
        comparison = compare_difference(values, accuracies.get(claim["against"], ()), low, high, seeds)
        figure, unit, form = f"difference of {claim['variant']} to {claim['against']}", "points", "+.2f"
    else:
        comparison = compare_accuracy(values, low, high, seeds)
        figure, unit, form = f"accuracy of {claim['variant']}", "%", ".2f"
    given = "+g" if claim.get("against") else "g"
    published = f"{low:{given}} {unit}" if low == high else f"{low:{given}} to {high:{given}} {unit}"
    ours = "not known yet" if np.isnan(comparison.ours) else f"{comparison.ours:{form}} {unit}"
    return {
        "variant": claim["variant"],
        "claim": claim.get("claim") or figure,
        "source": claim["source"],
        "published": published,
        "ours": ours,
        "distance_points": comparison.distance,
        "allowed_points": comparison.allowed,
        "verdict": comparison.agreement.value,
        "sentence": f"The {figure}: published {published}, here {ours} (mean of {len(values)}); {_words(comparison)}",
    }


def _words(comparison: PublishedComparison) -> str:
    if np.isnan(comparison.ours):
        return "there is nothing to compare yet."
    if comparison.agreement is Agreement.UNKNOWN:
        return "whether they agree cannot be told without a spread: it takes two seeds."
    within = f"trainings like ours may differ by {comparison.allowed:.2f} points"
    if comparison.distance == 0:
        return f"they agree: ours is within the published range ({within})."
    apart = f"{abs(comparison.distance):.2f} points {'higher' if comparison.distance > 0 else 'lower'}"
    return f"ours is {apart}, and {within}: they {'agree' if comparison.agreement is Agreement.AGREES else 'do not agree'}."
