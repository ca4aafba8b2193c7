"""The variants as rows of text, rounded for reading, and tables for the terminal."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zoo.measure import metrics, readouts
from zoo.measure.metrics import METRICS, Metric
from zoo.stats.verdicts import VerdictWord
from zoo.text.listing import listed

ABSENT = "-"
NO_VERDICT = "no verdict"


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
            _verdict(row["verdict"]),
            *(figure(metric, row) for metric in shown_metrics()),
        ]
        for _, row in frame.iterrows()
    ]


def _verdict(word: str) -> str:
    if word == VerdictWord.NONE:
        return NO_VERDICT
    return ABSENT if word in ("", VerdictWord.DESCRIPTIVE) else word


def figure(metric: Metric, row: pd.Series) -> str:
    """The row's value, with another statistic behind it: ``0.8 (p90 1.6)``; the unit stands in the heading."""
    value = row.get(metric.name)
    if value is None or pd.isna(value):
        return ABSENT
    other, second = METRICS.get(metric.in_brackets), row.get(metric.in_brackets)
    if other is None or second is None or pd.isna(second):
        return metric.format(value)
    return f"{metric.format(value)} ({other.statistic} {other.format(second)})"


def evaluations_title() -> str:
    return _capitalized(listed([each.label for each in readouts.evaluations()]))


def evaluations_header() -> tuple[str, ...]:
    """The columns of ``formatted_evaluations``: each evaluation of a training, and the gain over the first."""
    first, *others = readouts.evaluations()
    accuracies = (f"{each.label}, %" for each in (first, *others))
    return ("variant", *accuracies, *(f"{each.short_label} - {first.short_label}, points" for each in others))


def formatted_evaluations(frame: pd.DataFrame) -> list[list[str]]:
    """The rows under ``evaluations_header()``, one a variant; none where nothing was recorded."""
    columns = [metric.name for each in readouts.evaluations() if (metric := metrics.of_key(each.accuracy))]
    rows = []
    for _, row in frame.iterrows():
        first, *others = means = [row.get(f"{column}_mean", np.nan) for column in columns]
        if not np.isnan(means).all():
            gains = [ABSENT if np.isnan(mean - first) else f"{mean - first:+.2f}" for mean in others]
            rows.append([row["variant"], *(mean_sd(row, column) for column in columns), *gains])
    return rows


def mean_sd(row: pd.Series, column: str) -> str:
    """``81.23 ± 0.15 (3)``: mean, standard deviation and n; without the deviation where there is none."""
    mean, sd, n = row.get(f"{column}_mean", np.nan), row.get(f"{column}_sd", np.nan), row["n"]
    if np.isnan(mean):
        return ABSENT
    return f"{mean:.2f} ({n})" if np.isnan(sd) else f"{mean:.2f} ± {sd:.2f} ({n})"


def of_the_networks(spread: float, low: float, high: float) -> str:
    """The spread of the networks themselves with its 95 % interval, in points: ``0.12 (0.03 to 0.55)``, or that it cannot be
    told from none."""
    if np.isnan(spread):
        return ABSENT
    if np.isnan(low):
        return f"{spread:.2f}"
    return f"{spread:.2f} ({low:.2f} to {high:.2f})" if low > 0 else f"not told apart from 0, up to {high:.2f}"


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
