"""Published figures beside our own, in a table with a sentence each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from zoo.stats.comparisons import rounding_variance
from zoo.stats.published import Agreement, Judgement, PublishedComparison, compare_accuracy, compare_difference, judge
from zoo.text.listing import level_text, listed

COLUMNS = (
    *("variant", "claim", "source", "published", "ours", "distance_points", "allowed_points", "verdict", "sentence"),
)
MOST_FIELDS = 3  # in which configurations differ that are named
LIKE_A_FRACTION = 0.05  # how near a hundred times the published figure is to ours, as a part of it


def frame(
    published: Sequence[Mapping[str, Any]],
    accuracies: Mapping[str, ArrayLike],
    margin: float | None = None,
    test_images: Mapping[str, int | None] = MappingProxyType({}),
) -> pd.DataFrame:
    """One row a published figure, with ``COLUMNS``; ``accuracies`` [n] of each variant in percent.

    A figure is a mapping with variant, against ("" for an accuracy), low, high, seeds, source and claim, digits (after the
    point, as published) and differs (field -> what was published, what was asked). ``test_images`` are those on which each
    variant's accuracies are counted, where that is known.
    """
    comparisons = [
        _compared(claim, accuracies, rounding_variance(test_images.get(claim["variant"]))) for claim in published
    ]
    comparable = [i for i, claim in enumerate(published) if not claim.get("differs")]
    judged = dict(zip(comparable, judge([comparisons[i] for i in comparable], margin), strict=True))
    other = Judgement(Agreement.NOT_COMPARABLE, float("nan"))
    rows = [
        _row(claim, comparison, judged.get(i, other), len(np.atleast_1d(accuracies.get(claim["variant"], ()))), margin)
        for i, (claim, comparison) in enumerate(zip(published, comparisons, strict=True))
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _compared(
    claim: Mapping[str, Any], accuracies: Mapping[str, ArrayLike], least_variance: float
) -> PublishedComparison:
    digits, against = claim.get("digits"), claim.get("against")
    low, high, seeds = float(claim["low"]), float(claim["high"]), int(claim.get("seeds", 1))
    rounding = 0.0 if digits is None else 10.0**-digits
    values = accuracies.get(claim["variant"], ())
    if against:
        reference = accuracies.get(against, ())
        return compare_difference(values, reference, low, high, seeds, rounding, least_variance)
    return compare_accuracy(values, low, high, seeds, rounding, least_variance)


def _row(
    claim: Mapping[str, Any], comparison: PublishedComparison, judged: Judgement, n: int, margin: float | None
) -> dict[str, Any]:
    if claim.get("against"):
        figure, unit, form = f"difference of {claim['variant']} to {claim['against']}", "points", "+.2f"
    else:
        figure, unit, form = f"accuracy of {claim['variant']}", "%", ".2f"
    published = f"{_as_published(claim)} {unit}"
    ours = "not known yet" if np.isnan(comparison.ours) else f"{comparison.ours:{form}} {unit}"
    if judged.agreement is Agreement.NOT_COMPARABLE:
        theirs, own = _configurations(claim["differs"])
        published, ours = f"{published} at {theirs}", f"{ours} at {own}"
    words = _words(comparison, judged, margin)
    return {
        "variant": claim["variant"],
        "claim": claim.get("claim") or figure,
        "source": claim["source"],
        "published": published,
        "ours": ours,
        "distance_points": comparison.distance,
        "allowed_points": judged.allowed,
        "verdict": judged.agreement.value,
        "sentence": f"The {figure}: published {published}, here {ours} (mean of {n}); {words}{_doubt(claim, comparison)}",
    }


def _as_published(claim: Mapping[str, Any]) -> str:
    """With the digits that it was published with: ``81.0 to 81.4``, ``+3``."""
    digits, sign = claim.get("digits"), "+" if claim.get("against") else ""
    form = f"{sign}g" if digits is None else f"{sign}.{digits}f"
    low, high = float(claim["low"]), float(claim["high"])
    return f"{low:{form}}" if low == high else f"{low:{form}} to {high:{form}}"


def _configurations(differs: Mapping[str, Sequence[Any]]) -> tuple[str, str]:
    """What was published and what was asked, field by field: ``steps 10000``, ``steps 600``."""
    fields = list(differs)[:MOST_FIELDS]
    more = [f"{len(differs) - MOST_FIELDS} more"] if len(differs) > MOST_FIELDS else []
    theirs, ours = (
        listed([*(f"{field} {level_text(differs[field][side])}" for field in fields), *more]) for side in (0, 1)
    )
    return theirs, ours


def _words(comparison: PublishedComparison, judged: Judgement, margin: float | None) -> str:
    if judged.agreement is Agreement.NOT_COMPARABLE:
        return "these are different configurations, so the two are not comparable."
    if np.isnan(comparison.ours):
        return "there is nothing to compare yet."
    if np.isnan(judged.allowed):
        return "whether they agree cannot be told without a spread: it takes two seeds."
    apart = f"{abs(comparison.distance):.2f} points {'higher' if comparison.distance > 0 else 'lower'}"
    ours = f"ours is {apart}" if comparison.distance else "ours is within the published figure"
    within = f"trainings like ours may differ by {judged.allowed:.2f} points"
    if judged.agreement is Agreement.DISAGREES:
        return f"{ours}, and {within}: they disagree."
    if judged.agreement is Agreement.UNKNOWN:
        return f"{ours}, but {within}, more than the margin of {margin:g}: whether they agree cannot be told."
    return f"{ours}, and {within}: compatible with each other."


def _doubt(claim: Mapping[str, Any], comparison: PublishedComparison) -> str:
    """Whether a percentage was given as a fraction: 0.24 beside 24.03."""
    percent = 100 * float(claim["high"])
    if claim.get("against") or not 0 < percent <= 100 or np.isnan(comparison.ours):
        return ""
    if abs(percent - comparison.ours) > LIKE_A_FRACTION * comparison.ours:
        return ""
    return f" Is it meant as a fraction? If {percent:g} % is meant, write {percent:g}."
