"""One row a variant: what came out of its runs, the verdict on it, and what it costs."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reports.analysis.prices import of_sweep
from reports.analysis.wording import names
from reports.store.sweep import Sweep
from zoo.measure import metrics
from zoo.measure.metrics import Kind, Metric
from zoo.stats import descriptive, verdicts


def frame(sweep: Sweep) -> pd.DataFrame:
    """One row a variant, in the question's order, unrounded.

    Columns: sweep, variant, label (what sets it apart from the baseline), baseline (bool), n (runs with a result),
    n_expected; accuracy_percent_mean and accuracy_percent_sd, the same for every other accuracy; difference_points to
    the baseline with difference_low_points and difference_high_points (95 % by Welch); the verdict (see
    ``zoo.stats.verdicts``), what it rests on (verdict_difference_points, which is another one where there are more seeds
    by now, verdict_low_points, verdict_high_points, and verdict_level, the confidence of that interval from 0 to 1),
    whether a difference is shown (difference_shown) and, with ``helps`` and ``hurts``, that it is more than the margin
    (beyond_margin, NA where there is no margin); p_difference and p_equivalence (adjusted for the number of comparisons),
    seeds_at_verdict and seeds_needed; the other metrics (``zoo.measure.metrics``): counts as they are, of what is
    measured the mean over the runs, and for those that are costs the ratio to the baseline with its interval
    (``prices.of_sweep.columns``). Missing values are nan or NA.
    """
    by_variant, wanted = sweep.verdicts(), sweep.wanted()
    labels = names.labels(sweep.variants, sweep.levels, sweep.baseline)
    rows = [_variant_row(sweep, name, labels[name], by_variant.get(name), len(wanted[name])) for name in sweep.variants]
    variants = pd.DataFrame(rows).join(of_sweep.columns(sweep)) if rows else pd.DataFrame(rows)
    counts = [metric.name for metric in metrics.of_kind(Kind.COUNT) if metric.in_variants]
    types = dict.fromkeys((*counts, "seeds_at_verdict", "seeds_needed"), "Int64") | {"beyond_margin": "boolean"}
    return variants.astype(types) if rows else variants


def _variant_row(sweep: Sweep, name: str, label: str, verdict: verdicts.Verdict | None, wanted: int) -> dict[str, Any]:
    runs = sweep.results(name)
    row = {
        "sweep": sweep.name,
        "variant": name,
        "label": label,
        "baseline": name == sweep.baseline,
        "n": len(runs),
        "n_expected": max(wanted, len(runs)),
    }
    measured = [metric for metric in metrics.among(runs.columns) if metric.in_variants]
    for metric in measured:
        if metric.kind is Kind.ACCURACY:
            values = runs[metric.name].dropna()
            row[f"{metric.name}_mean"], row[f"{metric.name}_sd"], _ = descriptive.summary(values)
    nan = float("nan")
    row |= {
        "difference_points": verdict.difference if verdict else nan,
        "difference_low_points": verdict.low if verdict else nan,
        "difference_high_points": verdict.high if verdict else nan,
        "verdict": verdict.word.value if verdict else "",
        "verdict_difference_points": verdict.verdict_difference if verdict else nan,
        "verdict_low_points": verdict.verdict_low if verdict else nan,
        "verdict_high_points": verdict.verdict_high if verdict else nan,
        "verdict_level": verdict.level if verdict else nan,
        "difference_shown": bool(verdict and verdict.is_different),
        "beyond_margin": pd.NA if verdict is None or verdict.more_than_margin is None else verdict.more_than_margin,
        "p_difference": verdict.p_difference if verdict else nan,
        "p_equivalence": verdict.p_equivalence if verdict else nan,
        "seeds_at_verdict": verdict.seeds if verdict else pd.NA,
        "seeds_needed": verdict.seeds_needed if verdict and verdict.seeds_needed else pd.NA,
    }
    return row | {metric.name: _of_runs(metric, runs) for metric in measured if metric.kind is not Kind.ACCURACY}


def _of_runs(metric: Metric, runs: pd.DataFrame) -> Any:
    values = runs[metric.name]
    if metric.kind is not Kind.COUNT:
        return values.mean()
    known = values.dropna()  # the same for every seed of a variant
    return known.iloc[0] if len(known) else pd.NA
