"""A factorial design answers by factor: what each level does on average over the others, and which factors interact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from reports.analysis.details import Details
from reports.analysis.wording import names
from reports.store.sweep import Sweep
from zoo.stats.power import ALPHA
from zoo.stats.verdicts import VerdictWord
from zoo.text.listing import level_text, listed
from zoo.text.wording import points_text

MAIN, INTERACTION = "main", "interaction"
MOST_NAMED = 3
MOST_SHOWN = 3  # interactions in a paragraph


def main_effects(sweep: Sweep, details: Details) -> pd.DataFrame | None:
    """The rows of the main effects, where there is a verdict on one for every factor that varies: it is a factorial."""
    effects = details.interactions
    if effects is None or "factor" not in effects or sweep.baseline is None:
        return None
    mains = effects[(effects["kind"] == MAIN) & (effects["verdict"] != VerdictWord.DESCRIPTIVE)]
    varied = names.factors(sweep.levels)
    return mains if len(varied) > 1 and set(varied) <= set(mains["factor"]) else None


def shown_interactions(details: Details) -> pd.DataFrame:
    """The rows of the interactions that were shown, the surest first."""
    effects = details.interactions
    if effects is None or effects.empty:
        return pd.DataFrame()
    shown = effects[(effects["kind"] == INTERACTION) & (effects["p_adjusted"] < ALPHA)]
    return shown.sort_values("p_adjusted", kind="stable")


def answer(mains: pd.DataFrame, sweep: Sweep, variants: pd.DataFrame) -> tuple[str, str]:
    """Which factors matter, and a sentence for each."""
    means = marginal_means(sweep, variants)
    groups = {str(factor): rows.to_dict("records") for factor, rows in mains.groupby("factor", sort=False)}
    found = (VerdictWord.HELPS, VerdictWord.HURTS)
    matter = [factor for factor, rows in groups.items() if any(row["verdict"] in found for row in rows)]
    nothing = (VerdictWord.EQUIVALENT, VerdictWord.IDENTICAL)
    none = [f for f, rows in groups.items() if all(row["verdict"] in nothing for row in rows)]
    open_ = [factor for factor in groups if factor not in matter and factor not in none]
    parts = [f"{listed(matter)} matter{'s' if len(matter) == 1 else ''}"] if matter else []
    if none:
        makes = "makes" if len(none) == 1 else "make"
        parts.append(f"{listed(none)} {makes} no difference of more than {points_text(sweep.margin or 0)}")
    parts += [f"of {listed(open_)} it cannot be told yet"] if open_ else []
    each = [_factor(factor, rows, sweep, means) for factor, rows in groups.items()]
    return f"{'; '.join(parts)}.", " ".join(each)


def _factor(factor: str, rows: list[dict[str, Any]], sweep: Sweep, means: Mapping[tuple[str, str], float]) -> str:
    old = level_text(sweep.levels[sweep.baseline or ""][factor])
    groups = {word: [row for row in rows if row["verdict"] == word] for word in VerdictWord}
    helps = sorted(groups[VerdictWord.HELPS], key=lambda row: -row["difference_points"])
    hurts = sorted(groups[VerdictWord.HURTS], key=lambda row: row["difference_points"])
    open_ = [*groups[VerdictWord.UNDECIDED], *groups[VerdictWord.WITHHELD], *groups[VerdictWord.NONE]]
    parts = [
        f"{_levels(found)} {one if len(found) == 1 else several} the accuracy by {_points(found)}"
        f"{_from(factor, found, old, means)}"
        for found, one, several in ((helps, "raises", "raise"), (hurts, "lowers", "lower"))
        if found
    ]
    if same := groups[VerdictWord.EQUIVALENT]:
        verb = "makes" if len(same) == 1 else "make"
        within = f"no difference of more than {points_text(sweep.margin or 0)}"
        parts.append(f"{_levels(same)} {verb} {within}{_from(factor, same, old, means)}")
    if idle := groups[VerdictWord.IDENTICAL]:
        does = "does" if len(idle) == 1 else "do"
        parts.append(f"{_levels(idle)} {does} nothing: the results are the same to the bit")
    if open_:
        parts.append(f"of {_levels(open_)} it cannot be told yet{_from(factor, open_, old, means)}")
    return f"{factor}, {old} at the baseline: {'; '.join(parts)}."


def _levels(rows: list[dict[str, Any]]) -> str:
    named = [str(row["level"]) for row in rows[:MOST_NAMED]]
    more = len(rows) - MOST_NAMED
    return listed([*named, f"{more} more"] if more > 0 else named)


def _points(rows: list[dict[str, Any]]) -> str:
    points = [abs(row["difference_points"]) for row in rows]
    return f"{points[0]:.2f} points" if len(rows) == 1 else f"{min(points):.2f} to {max(points):.2f} points"


def _from(factor: str, rows: list[dict[str, Any]], old: str, means: Mapping[tuple[str, str], float]) -> str:
    """The accuracies on average over the other factors, where the difference follows from them."""
    if len(rows) != 1:
        return ""
    ours, theirs = means.get((factor, str(rows[0]["level"])), np.nan), means.get((factor, old), np.nan)
    if not abs(ours - theirs - rows[0]["difference_points"]) < 0.005:
        return ""
    return f" (on average {theirs:.2f} % to {ours:.2f} %)"


def marginal_means(sweep: Sweep, variants: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Factor and level -> mean over its variants' mean accuracies, each counting the same."""
    accuracy = dict(zip(variants["variant"], variants["accuracy_percent_mean"], strict=True))
    sums: dict[tuple[str, str], list[float]] = {}
    for name, own in sweep.levels.items():
        for factor, level in own.items():
            sums.setdefault((factor, level_text(level)), []).append(accuracy.get(name, np.nan))
    return {key: float(np.mean(values)) for key, values in sums.items()}


def interactions(details: Details) -> str:
    """Those that were shown, in their own sentences, and how many were not; "" where none was asked for."""
    effects = details.interactions
    if effects is None or not (asked := int((effects["kind"] == INTERACTION).sum())):
        return ""
    shown = shown_interactions(details)
    if shown.empty:
        return "That one factor's effect depends on another's level was not shown." if asked else ""
    sentences = list(shown["sentence"].head(MOST_SHOWN))
    if more := len(shown) - MOST_SHOWN:
        sentences += [f"So it is for {more} more pairs of levels."] if more > 0 else []
    return " ".join(sentences)
