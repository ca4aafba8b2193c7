"""From runs to one row a variant, and the sentences and formatted rows that say it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports.store.sweep import Sweep
from zoo.measure import metrics
from zoo.measure.metrics import METRICS, Kind, Metric
from zoo.stats import descriptive, power, verdicts
from zoo.text.listing import listed

ABSENT = "-"


def variants(sweep: Sweep) -> pd.DataFrame:
    """One row a variant, in the question's order, unrounded.

    Columns: sweep, variant, baseline (bool), n (runs with a result), n_expected; accuracy_percent_mean and
    accuracy_percent_sd, the same for every other accuracy; difference_points to the baseline with
    difference_low_points and difference_high_points (95 % by Welch); the verdict (see ``zoo.stats.verdicts``) with
    p_difference and p_equivalence (adjusted for the number of comparisons), seeds_at_verdict and seeds_needed; the
    other metrics (``zoo.measure.metrics``): counts as they are, of what is measured the mean over the runs. Missing values
    are nan or NA.
    """
    found, wanted = sweep.verdicts(), sweep.wanted()
    rows = [_variant_row(sweep, name, found.get(name), len(wanted[name])) for name in sweep.variants]
    frame = pd.DataFrame(rows)
    counts = [metric.name for metric in metrics.of_kind(Kind.COUNT) if metric.in_variants]
    return frame.astype(dict.fromkeys((*counts, "seeds_at_verdict", "seeds_needed"), "Int64")) if rows else frame


def _variant_row(sweep: Sweep, name: str, verdict: verdicts.Verdict | None, wanted: int) -> dict:
    runs = sweep.results(name)
    row = {
        "sweep": sweep.name,
        "variant": name,
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
        "verdict": verdict.word if verdict else "",
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


# --- sentences ---------------------------------------------------------------------------------------------------


def what_ran(sweep: Sweep) -> str:
    """One sentence: how many runs of what, for how long, on which data."""
    finished = len(sweep.results())
    planned = sum(map(len, sweep.wanted().values()))
    until = "" if sweep.schedule is None else f"{sweep.schedule.first} to "
    sentence = f"{_count(len(sweep.variants), 'variant')} x {until}{_count(len(sweep.seeds), 'seed')}"
    sentence += f": {finished} of {max(planned, finished)} runs have a result"
    settings = [
        f"{label} {value}" for label, field in _SETTINGS for value in [setting(sweep.runs, field)] if value is not None
    ]
    return f"{sentence}; {', '.join(settings)}." if settings else f"{sentence}."


_SETTINGS = (
    *(("model", "model"), ("data", "data"), ("recipe", "recipe"), ("steps", "steps")),
    *(("batch", "batch"), ("input size", "input_size"), ("precision", "precision")),
)


def setting(runs: pd.DataFrame, field: str) -> str | None:
    """The runs' value of a field of the configuration; several are joined by a slash; None where it is unknown."""
    column = f"config.{field}"
    if column not in runs:
        return None
    values = list(dict.fromkeys(runs[column].dropna()))
    return " / ".join(f"{int(value):,}" if value.isdigit() else value for value in values) or None


def comparisons(frame: pd.DataFrame, margin: float | None, with_price: bool = True) -> list[str]:
    """One sentence for each variant that can be set against the baseline: the verdict, the difference and its interval, the
    price."""
    if frame.empty or not frame["baseline"].any():
        return []
    baseline = frame[frame["baseline"]].iloc[0]
    others = frame[~frame["baseline"] & frame["difference_points"].notna()]
    return [
        f"{row['variant']} {_verdict_words(row, margin)}: {row['difference_points']:+.2f} points "
        f"({_interval_words(row, baseline)}) against {baseline['variant']}{_look_words(row)}"
        f"{f'; {price(row, baseline)}' if with_price else ''}."
        f"{_seeds_words(row)}"
        for _, row in others.iterrows()
    ]


def _verdict_words(row: pd.Series, margin: float | None) -> str:
    if row["verdict"] == verdicts.EQUIVALENT:
        return f"is equivalent within {margin:g} points"
    if row["verdict"] == verdicts.UNDECIDED:
        return "is undecided"
    return "has no verdict yet" if row["verdict"] == verdicts.NONE else row["verdict"]


def _seeds_words(row: pd.Series) -> str:
    """What it would take to decide."""
    if row["verdict"] != verdicts.UNDECIDED:
        return ""
    if pd.isna(row["seeds_needed"]):
        return f" Even {power.MOST_SEEDS:,} seeds would not decide a difference like this one."
    more = row["seeds_needed"] - row["n"]
    if more < 1:
        return " If that is the truth, one more seed or two are likely to decide."
    return f" If that is the truth, {row['seeds_needed']} seeds per variant would decide with 80 % power ({more} more)."


def _look_words(row: pd.Series) -> str:
    """After how many seeds it was decided, where there are more by now."""
    decided = row["verdict"] in (verdicts.HELPS, verdicts.HURTS, verdicts.EQUIVALENT)
    return f", decided after {row['seeds_at_verdict']} seeds" if decided and row["seeds_at_verdict"] < row["n"] else ""


def _interval_words(row: pd.Series, baseline: pd.Series) -> str:
    if np.isnan(row["difference_low_points"]):
        if min(row["n"], baseline["n"]) > 1:  # the question adds seeds one at a time, and looks first after more
            return "no interval before the first look at the seeds"
        return "no interval: it takes two seeds of each"
    return f"95 % interval {row['difference_low_points']:+.2f} to {row['difference_high_points']:+.2f}"


def price(row: pd.Series, baseline: pd.Series) -> str:
    """What the variant costs beside the baseline, in percent of the baseline's figure."""
    changes: dict[str, list[str]] = {}
    for metric in metrics.among(row.index):
        if not metric.is_cost:
            continue
        ours, theirs = row[metric.name], baseline[metric.name]
        if pd.isna(ours) or pd.isna(theirs) or not theirs:
            continue
        change = "the same" if ours == theirs else f"{100 * (ours / theirs - 1):+.1f} %"
        changes.setdefault(change, []).append(metric.label)
    parts = [f"{' and '.join(labels) if len(labels) < 3 else listed(labels)} {change}"
             for change, labels in changes.items()]  # fmt: skip
    return ", ".join(parts) or "its price is not measured yet"


def detectable(frame: pd.DataFrame) -> str:
    """The smallest difference that the design, at the spread that was seen, could detect; or why there is none."""
    repeated = frame[frame["n"] > 1] if len(frame) else frame
    if repeated.empty:
        return (
            "With one seed per variant there is no spread between seeds, so no interval and no smallest detectable "
            "difference can be given: ask for two seeds or more."
        )
    sd = descriptive.pooled_sd(repeated["accuracy_percent_sd"], repeated["n"])
    seeds = int(repeated["n"].min())
    points = power.detectable_difference(sd, seeds)
    return (
        f"Smallest difference that this design could detect: {points:.2f} points "
        f"(two-sided test at 5 %, power 80 %, {seeds} seeds per variant, spread between seeds {sd:.2f} points)."
    )


def command(sweep: Sweep) -> str:
    """The one that does the sweep."""
    return sweep.command or f"python run_sweep.py experiments/{shlex.quote(sweep.name)}.yaml"


def shared_trainings(sweep: Sweep) -> list[str]:
    """A sentence for each group of variants that are readouts of the same trainings."""
    groups: dict[frozenset, list[str]] = {}
    for name in sweep.variants:
        keys = frozenset(sweep.results(name)["run_key"]) - {""}
        if keys:
            groups.setdefault(keys, []).append(name)
    return [
        f"{listed(names)} are read from the same trainings: they differ only in the evaluation, "
        "and are compared training by training where one of them is the baseline."
        for names in groups.values()
        if len(names) > 1
    ]


# --- formatted rows ----------------------------------------------------------------------------------------------


def header() -> tuple[str, ...]:
    """The columns of ``formatted``: what came out, and the metrics of the registry that tables show."""
    return (
        "variant",
        "test accuracy, %",
        "difference, points",
        "verdict",
        *(m.column_heading for m in shown_metrics()),
    )


def shown_metrics() -> list[Metric]:
    return [metric for metric in METRICS.values() if metric.in_table]


def formatted(frame: pd.DataFrame) -> list[list[str]]:
    """The rows under ``header()``, one a variant, rounded for reading."""
    return [
        [
            f"{row['variant']} (baseline)" if row["baseline"] else row["variant"],
            mean_sd(row, "accuracy_percent") + _incomplete(row),
            _difference(row),
            ABSENT if row["verdict"] in ("", verdicts.NONE) else row["verdict"],
            *(figure(metric, row) for metric in shown_metrics()),
        ]
        for _, row in frame.iterrows()
    ]


def figure(metric: Metric, row: pd.Series) -> str:
    """The row's value, with the 90th percentile behind a median: ``0.8 (p90 1.6)``; the unit stands in the heading."""
    value = row.get(metric.name)
    if value is None or pd.isna(value):
        return ABSENT
    ninetieth = row.get(metric.name.replace("_p50_", "_p90_")) if metric.statistic == "median" else None
    beside = "" if ninetieth is None or pd.isna(ninetieth) else f" (p90 {metric.format(ninetieth)})"
    return metric.format(value) + beside


AVERAGES_HEADER = ("variant", "raw weights, %", "averaged weights, %", "averaged - raw, points")


def formatted_averages(frame: pd.DataFrame) -> list[list[str]]:
    """The rows under ``AVERAGES_HEADER``: both readings of the same trainings; none where neither was recorded."""
    rows = []
    for _, row in frame.iterrows():
        raw, averaged = row["accuracy_raw_percent_mean"], row["accuracy_ema_percent_mean"]
        if np.isnan(raw) and np.isnan(averaged):
            continue
        gain = ABSENT if np.isnan(averaged - raw) else f"{averaged - raw:+.2f}"
        rows.append([row["variant"], mean_sd(row, "accuracy_raw_percent"), mean_sd(row, "accuracy_ema_percent"), gain])
    return rows


def mean_sd(row: pd.Series, column: str) -> str:
    """``81.23 ± 0.15 (3)``: mean, standard deviation and n; without the deviation where there is none."""
    mean, sd, n = row[f"{column}_mean"], row[f"{column}_sd"], row["n"]
    if np.isnan(mean):
        return ABSENT
    return f"{mean:.2f} ({n})" if np.isnan(sd) else f"{mean:.2f} ± {sd:.2f} ({n})"


def _incomplete(row: pd.Series) -> str:
    return f" of {row['n_expected']}" if 0 < row["n"] < row["n_expected"] else ""


def _difference(row: pd.Series) -> str:
    if np.isnan(row["difference_points"]):
        return ABSENT
    if np.isnan(row["difference_low_points"]):
        return f"{row['difference_points']:+.2f} [n/a]"
    low, high = row["difference_low_points"], row["difference_high_points"]
    return f"{row['difference_points']:+.2f} [{low:+.2f}, {high:+.2f}]"


def count(value: int | None) -> str:
    return ABSENT if pd.isna(value) else metrics.count(value)


def duration(seconds: float) -> str:
    """``42 s``, ``12.5 min`` or ``3.2 h``."""
    return ABSENT if np.isnan(seconds) else metrics.duration(seconds)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def text_table(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """Columns aligned for the terminal: the first ``left`` to the left, the others to the right."""
    rows = [list(header), *map(list, rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = [
        "  ".join(cell.ljust(width) if column < left else cell.rjust(width)
                  for column, (cell, width) in enumerate(zip(row, widths, strict=True))).rstrip()
        for row in rows
    ]  # fmt: skip
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
