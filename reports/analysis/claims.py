"""Published figures beside our own: whether they agree within the uncertainty of both.

A published figure is the mean of so many trainings (one, unless the question says more), whose spread nobody has published;
it is taken to be that of ours. Then the difference between the two means has the standard error sd sqrt(1/n + 1/m), and they
agree when it is within the 95 % interval of Student's t (a prediction interval: G. Hahn and W. Meeker, "Statistical
Intervals", 1991, section 4.7). The test images are the same ones, so their choice adds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from zoo.stats.power import ALPHA

AGREES, DISAGREES, UNKNOWN = "agrees", "disagrees", "cannot be told"
COLUMNS = [
    "variant",
    "claim",
    "source",
    "published",
    "ours",
    "distance_points",
    "allowed_points",
    "verdict",
    "sentence",
]


class Held(NamedTuple):
    """A published figure held against ours. All in points; ``distance`` is ours minus the nearest end of a range."""

    ours: float
    distance: float
    allowed: float  # nan where our spread is unknown
    verdict: str


def hold_accuracy(values: ArrayLike, low: float, high: float, seeds: int = 1, alpha: float = ALPHA) -> Held:
    """Our accuracies [n] in percent against a published one, or a range of them, the mean of ``seeds`` trainings."""
    values = np.asarray(values, float).reshape(-1)
    n = len(values)
    spread = values.std(ddof=1) if n > 1 else np.nan
    return _held(values.mean() if n else np.nan, low, high, spread * np.sqrt(1 / max(n, 1) + 1 / seeds), n - 1, alpha)


def hold_difference(
    values: ArrayLike, reference: ArrayLike, low: float, high: float, seeds: int = 1, alpha: float = ALPHA
) -> Held:
    """Our difference, of accuracies [n] and [m] in percent, against a published one of ``seeds`` trainings on each side.

    The degrees of freedom are Welch's and Satterthwaite's.
    """
    a, b = (np.asarray(side, float).reshape(-1) for side in (values, reference))
    difference = a.mean() - b.mean() if len(a) and len(b) else np.nan
    if min(len(a), len(b)) < 2:
        return _held(difference, low, high, np.nan, 0, alpha)
    parts = [side.var(ddof=1) * (1 / len(side) + 1 / seeds) for side in (a, b)]
    total = sum(parts)
    shares = sum(part**2 / (len(side) - 1) for part, side in zip(parts, (a, b), strict=True))
    degrees = total**2 / shares if total else min(len(a), len(b)) - 1
    return _held(difference, low, high, np.sqrt(total), degrees, alpha)


def _held(ours: float, low: float, high: float, error: float, degrees: float, alpha: float) -> Held:
    from scipy import special

    distance = float(ours - np.clip(ours, low, high))
    allowed = float(special.stdtrit(degrees, 1 - alpha / 2) * error) if degrees > 0 else float("nan")
    if np.isnan(distance) or np.isnan(allowed):
        return Held(float(ours), distance, allowed, UNKNOWN)
    return Held(float(ours), distance, allowed, AGREES if abs(distance) <= allowed else DISAGREES)


def frame(published: Sequence[Mapping[str, Any]], accuracies: Mapping[str, ArrayLike]) -> pd.DataFrame:
    """One row a published figure, with ``COLUMNS``; ``accuracies`` [n] of each variant in percent.

    A figure is a mapping with variant, against ("" for an accuracy), low, high, seeds, source and claim.
    """
    return pd.DataFrame([_row(claim, accuracies) for claim in published], columns=COLUMNS)


def _row(claim: Mapping[str, Any], accuracies: Mapping[str, ArrayLike]) -> dict[str, Any]:
    low, high, seeds = float(claim["low"]), float(claim["high"]), int(claim.get("seeds", 1))
    values = np.asarray(accuracies.get(claim["variant"], ()), float)
    if claim.get("against"):
        held = hold_difference(values, accuracies.get(claim["against"], ()), low, high, seeds)
        figure, unit, form = f"difference of {claim['variant']} to {claim['against']}", "points", "+.2f"
    else:
        held = hold_accuracy(values, low, high, seeds)
        figure, unit, form = f"accuracy of {claim['variant']}", "%", ".2f"
    given = "+g" if claim.get("against") else "g"
    published = f"{low:{given}} {unit}" if low == high else f"{low:{given}} to {high:{given}} {unit}"
    ours = "not known yet" if np.isnan(held.ours) else f"{held.ours:{form}} {unit}"
    return {
        "variant": claim["variant"],
        "claim": claim.get("claim") or figure,
        "source": claim["source"],
        "published": published,
        "ours": ours,
        "distance_points": held.distance,
        "allowed_points": held.allowed,
        "verdict": held.verdict,
        "sentence": f"The {figure}: published {published}, here {ours} (mean of {len(values)}); {_words(held)}",
    }


def _words(held: Held) -> str:
    if np.isnan(held.ours):
        return "there is nothing to compare yet."
    if held.verdict == UNKNOWN:
        return "whether they agree cannot be told without a spread: it takes two seeds."
    within = f"trainings like ours may differ by {held.allowed:.2f} points"
    if held.distance == 0:
        return f"they agree: ours is within the published range ({within})."
    apart = f"{abs(held.distance):.2f} points {'higher' if held.distance > 0 else 'lower'}"
    return f"ours is {apart}, and {within}: they {'agree' if held.verdict == AGREES else 'do not agree'}."
