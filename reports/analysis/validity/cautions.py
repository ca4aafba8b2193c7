"""What a careful reader should be told of a comparison that looks sound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports.analysis.details import Caution, CautionKind
from reports.store.sweep import Sweep
from zoo.stats import descriptive
from zoo.stats.comparisons import holm
from zoo.stats.effects import EffectKind
from zoo.stats.power import ALPHA
from zoo.stats.validity.selection import exaggeration, luck_of_the_best
from zoo.stats.validity.spread import p_of_equal_spreads, seeds_to_decide_range
from zoo.stats.verdicts import Verdict, VerdictWord
from zoo.text.listing import listed
from zoo.text.wording import points_text

FEWEST = 3  # variants of which a best one is chosen
FOUND = (VerdictWord.HELPS, VerdictWord.HURTS)
MOST_NAMED = 3
NOT_EXAGGERATED = 1.05  # times the true difference


def of(sweep: Sweep, variants: pd.DataFrame) -> list[Caution]:
    """In the order of ``CautionKind``; ``variants`` as ``variants.frame`` gives it."""
    if variants.empty:
        return []
    found = (_selection(sweep, variants), _exaggeration(sweep, variants), _spreads(sweep))
    return [caution for caution in found if caution is not None]


def luck(variants: pd.DataFrame) -> float:
    """By how many points the most accurate variant would look better than it is, if all were equal; nan where it is not
    known, or none was chosen."""
    known = variants[variants["accuracy_percent_sd"].notna()]
    if len(variants[variants["n"] > 0]) < FEWEST or known.empty:
        return float("nan")
    sd = descriptive.pooled_sd(known["accuracy_percent_sd"], known["n"])
    seeds = 1 / float((1 / known["n"].to_numpy(float)).mean())  # the mean variance of a mean is sd^2 / seeds
    return luck_of_the_best(int((variants["n"] > 0).sum()), sd, seeds)


def _selection(sweep: Sweep, variants: pd.DataFrame) -> Caution | None:
    points = luck(variants)
    if not points > 0:
        return None
    trained = int((variants["n"] > 0).sum())
    fresh = f" (seeds with start: {max(sweep.seeds) + 1})" if sweep.seeds else ""
    return Caution(
        CautionKind.SELECTION,
        f"The best of {trained} variants was picked by its accuracy: were they all equal, it would look {points:.2f} points "
        f"better than it is. What counts is confirmed on fresh seeds{fresh}.",
    )


def _exaggeration(sweep: Sweep, variants: pd.DataFrame) -> Caution | None:
    """Where a difference was found: how large one of the margin's size would look."""
    known = variants[variants["accuracy_percent_sd"].notna()]
    seeds, family = _found(sweep, variants)
    if seeds < 2 or known.empty or not sweep.margin:
        return None
    sd = descriptive.pooled_sd(known["accuracy_percent_sd"], known["n"])
    times = exaggeration(sweep.margin, sd, sd, seeds, ALPHA / family) if sd > 0 else 1.0
    if times < NOT_EXAGGERATED:
        return None
    more = "more than " if sweep.schedule is not None else ""  # early analyses ask for more than one at the end
    return Caution(
        CautionKind.EXAGGERATION,
        f"A difference that was found is larger than the true one, on average: with {seeds} trainings on each side and a "
        f"spread of {sd:.2f} points, a true difference of {points_text(sweep.margin)} is seen as {more}"
        f"{times * sweep.margin:.2f} where it is found.",
    )


def _found(sweep: Sweep, variants: pd.DataFrame) -> tuple[int, int]:
    """The trainings on each side of the difference that was found with the fewest, and the hypotheses that were tested; of
    the main effects where the variants are a factorial. 0 where none was found."""
    judged = sweep.judged()
    if judged is not None and judged.effects:
        mains = [each for each in judged.effects if each.kind is EffectKind.MAIN and each.verdict.word in FOUND]
        n = dict(zip(variants["variant"], variants["n"], strict=True))
        counts = [sum(min(n[name], each.verdict.seeds) for name in each.variants) // 2 for each in mains]
        return min(counts, default=0), len(judged.effects)
    found = variants[variants["verdict"].isin(FOUND)]
    family = max((verdict.comparisons for verdict in sweep.verdicts().values()), default=1)
    return int(found["seeds_at_verdict"].min()) if len(found) else 0, family


def _spreads(sweep: Sweep) -> Caution | None:
    """Variants that spread otherwise than the baseline."""
    if sweep.baseline is None:
        return None
    reference = sweep.results(sweep.baseline)["accuracy_percent"].to_numpy()
    values = {name: sweep.results(name)["accuracy_percent"].to_numpy() for name in sweep.variants}
    p = {name: p_of_equal_spreads(its, reference) for name, its in values.items() if name != sweep.baseline}
    p = {name: each for name, each in p.items() if not np.isnan(each)}
    if not p:
        return None
    unequal = [name for name, each in zip(p, holm(list(p.values())), strict=True) if each < ALPHA]
    if not unequal:
        return None
    told = [f"{name} {_times(values[name], reference)}" for name in unequal[:MOST_NAMED]]
    more = [f"{len(unequal) - MOST_NAMED} more"] if len(unequal) > MOST_NAMED else []
    return Caution(
        CautionKind.SPREADS,
        f"The spread between seeds is not that of the baseline: {listed([*told, *more])}. Where accuracies are skewed as "
        "well, a difference may be found by chance in up to 10 % of comparisons instead of 5 %.",
    )


def _times(values: np.ndarray, reference: np.ndarray) -> str:
    ratio = float(values.std(ddof=1) / reference.std(ddof=1))
    return f"({ratio:.1f} times as large)" if ratio > 1 else f"({1 / ratio:.1f} times smaller)"


# --- seeds needed ------------------------------------------------------------------------------------------------


def with_ranges(variants: pd.DataFrame, sweep: Sweep) -> pd.DataFrame:
    """With seeds_needed_low and seeds_needed_high, for every spread in its 80 % interval; NA where nothing is needed, or
    more than anybody trains."""
    verdicts = sweep.verdicts()
    ranges = [_range(verdicts.get(name), needed) for name, needed in zip(*_needed(variants), strict=True)]
    low, high = (pd.array([each[end] for each in ranges], "Int64") for end in (0, 1))
    return variants.assign(seeds_needed_low=low, seeds_needed_high=high)


def _needed(variants: pd.DataFrame) -> tuple[Sequence[str], Sequence[Any]]:
    return (list(variants["variant"]), list(variants["seeds_needed"])) if len(variants) else ((), ())


def _range(verdict: Verdict | None, needed: Any) -> tuple[Any, Any]:
    if verdict is None or verdict.needs is None or pd.isna(needed):
        return pd.NA, pd.NA
    needs = verdict.needs
    sides = 2 if needs.sd_b else 1  # of pairs the spread is that of one sample
    degrees = sides * (verdict.seeds - 1.0)
    found = seeds_to_decide_range(needs.difference, needs.sd_a, needs.sd_b, degrees, needs.margin, needs.alpha)
    low, high = (pd.NA if seeds is None else seeds for seeds in found)
    return low, high
