"""The variants as rows of text, rounded for reading, and tables for the terminal."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zoo.measure import metrics
from zoo.measure.metrics import METRICS, Metric
from zoo.stats.verdicts import VerdictWord

ABSENT = "-"


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


def meanings() -> str:
    """What the metrics under ``header()`` are, a sentence each."""
    return " ".join(f"{_capitalized(metric.term)}: {metric.meaning}" for metric in shown_metrics() if metric.meaning)


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def formatted(frame: pd.DataFrame) -> list[list[str]]:
    """The rows under ``header()``, one a variant, rounded for reading."""
    return [
        [
            f"{row['variant']} (baseline)" if row["baseline"] else row["variant"],
            mean_sd(row, "accuracy_percent") + _incomplete(row),
            _difference(row),
            ABSENT if row["verdict"] in ("", VerdictWord.NONE) else row["verdict"],
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
    return ABSENT if value is None or pd.isna(value) else metrics.count(value)


def duration(seconds: float) -> str:
    """``42 s``, ``12.5 min`` or ``3.2 h``."""
    return ABSENT if np.isnan(seconds) else metrics.duration(seconds)
