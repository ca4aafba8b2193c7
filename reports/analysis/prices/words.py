"""What a variant costs beside the baseline, in words.

A ratio of measured times is spoken of only where its interval excludes 1 and it is 5 percent or more, and "the same" only
where the whole interval lies within 5 percent (``zoo.stats.costs.ratios``). Counts and sizes are exact; where they are
the same, or as good as the same (+0.0 %), no price is made of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from zoo.measure import metrics
from zoo.measure.metrics import Kind, Metric
from zoo.stats.costs.ratios import NotCompared, RatioWord
from zoo.text.listing import listed


class Price(NamedTuple):
    """What a variant costs less, and more, than the baseline, in words; what is the same; and what cannot be told, or was
    not compared, in sentences without a stop."""

    saves: tuple[str, ...] = ()
    costs: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()

    @property
    def is_the_same(self) -> bool:
        """Whether every cost that was measured is shown to be the same."""
        return bool(self.same) and not (self.saves or self.costs or self.untold)


def price(row: Mapping[str, Any], baseline: Mapping[str, Any]) -> Price:
    """From two rows of ``variants.frame``; what was not measured is left out."""
    saves: list[str] = []
    costs: list[str] = []
    same: list[str] = []
    untold: dict[tuple[str, str], list[str]] = {}
    changes: dict[tuple[bool, str], list[str]] = {}
    for metric in sorted(metrics.among(row.keys()), key=lambda metric: metric.kind is not Kind.TIME):  # times first
        if not metric.is_cost:
            continue
        if metric.is_measured:
            word = row.get(f"{metric.name}_ratio_word") or None
            if word == RatioWord.SAME:
                same.append(_same_words(row, metric))
            elif word in (RatioWord.FASTER, RatioWord.SLOWER):
                (saves if word == RatioWord.FASTER else costs).append(_ratio_words(row, metric))
            elif word is not None and row.get(f"{metric.name}_ratio_note") != NotCompared.UNMEASURED:
                untold.setdefault(_untold_words(row, metric), []).append(metric.activity or metric.label)
        elif (ratio := _exact_ratio(row, baseline, metric)) is not None:
            if _is_nearly_one(ratio):
                same.append(metric.label)
            else:
                changes.setdefault((ratio > 1, _change_words(metric, ratio)), []).append(metric.label)
    for (is_more, change), names in changes.items():
        (costs if is_more else saves).append(f"{listed(names)} {change}")
    sentences = [f"{prefix}{listed(names)} {words}" for (prefix, words), names in untold.items()]
    return Price(tuple(saves), tuple(costs), tuple(same), tuple(sentences))


def in_short(row: Mapping[str, Any], baseline: Mapping[str, Any]) -> str:
    """Every cost in one list of words: what is saved, what is paid, what is the same, what is not known."""
    found = price(row, baseline)
    same = [f"the same {listed(list(found.same))}"] if found.same else []
    return ", ".join([*found.saves, *found.costs, *same, *found.untold]) or "its price is not measured yet"


def change_text(row: Mapping[str, Any], baseline: Mapping[str, Any], metric: Metric) -> str:
    """A cost beside the baseline's, as a table has it: "+10.0 %", "1.20 times (1.12 to 1.28)"; "" where it is not known."""
    if not metric.is_measured:
        ratio = _exact_ratio(row, baseline, metric)
        if ratio is None:
            return ""
        return "the same" if ratio == 1 else _percent(ratio) if ratio < 2 else f"{_exact(ratio)} times"
    word = row.get(f"{metric.name}_ratio_word") or ""
    if not word or word == RatioWord.NOT_COMPARED:
        note = row.get(f"{metric.name}_ratio_note") or ""
        return f"not compared: {note}" if note and note != NotCompared.UNMEASURED else ""
    ratio, low, high = _of(row, metric)
    interval = f"{_end(low)} to {_end(high)}"
    if word == RatioWord.SAME:
        return "the same" if low == high == 1 else f"the same ({interval} times)"
    return (
        f"not told apart ({interval} times)"
        if word == RatioWord.CANNOT_BE_TOLD
        else f"{times(ratio)} times ({interval})"
    )


def times(ratio: float) -> str:
    """A ratio as it is read: "1.05", "2.4", "16"."""
    decimals = 2 if ratio < 1.995 else 1 if ratio < 9.95 else 0
    return f"{ratio:.{decimals}f}"


def _end(ratio: float) -> str:
    """The end of an interval: one that excludes 1 does not read "1.00"."""
    decimals = next((n for n in range(2, 5) if float(f"{ratio:.{n}f}") != 1), 2)
    return times(ratio) if decimals == 2 else f"{ratio:.{decimals}f}"


def _of(row: Mapping[str, Any], metric: Metric) -> tuple[float, float, float]:
    """The ratio, and low and high of its interval."""
    ratio, low, high = (float(row[f"{metric.name}_ratio{end}"]) for end in ("", "_low", "_high"))
    return ratio, low, high


def _ratio_words(row: Mapping[str, Any], metric: Metric) -> str:
    """Of a ratio that is spoken of."""
    ratio, low, high = _of(row, metric)
    what = metric.activity or metric.label
    if metric.kind is not Kind.TIME:
        return f"{what} {times(ratio)} times as much ({_end(low)} to {_end(high)})"
    if ratio > 1:
        return f"{what} takes {times(ratio)} times as long ({_end(low)} to {_end(high)})"
    return f"{what} {times(1 / ratio)} times as fast ({_end(1 / high)} to {_end(1 / low)})"


def _same_words(row: Mapping[str, Any], metric: Metric) -> str:
    _, low, high = _of(row, metric)
    return metric.noun if low == high == 1 else f"{metric.noun} ({_end(low)} to {_end(high)} times)"


def _untold_words(row: Mapping[str, Any], metric: Metric) -> tuple[str, str]:
    """What stands before and after what was measured."""
    is_time = metric.kind is Kind.TIME
    prefix = "the times of " if is_time else "the figures of "
    note = row.get(f"{metric.name}_ratio_note")
    if note:
        return prefix, f"are not compared: {note}"
    _, low, high = _of(row, metric)
    interval = f"({_end(low)} to {_end(high)} times as {'long' if is_time else 'much'})"
    if low <= 1 <= high:
        return prefix, f"cannot be told apart {interval}"
    return prefix, f"differ by too little to speak of {interval}"


def _exact_ratio(row: Mapping[str, Any], baseline: Mapping[str, Any], metric: Metric) -> float | None:
    ours, theirs = row.get(metric.name), baseline.get(metric.name)
    if ours is None or theirs is None or pd.isna(ours) or pd.isna(theirs) or not theirs or not ours > 0:
        return None
    return float(ours) / float(theirs)


def _is_nearly_one(ratio: float) -> bool:
    """Whether the change would read "+0.0 %"."""
    return abs(100 * (ratio - 1)) < 0.05


def _percent(ratio: float) -> str:
    return f"{100 * (ratio - 1):+.1f} %"


def _change_words(metric: Metric, ratio: float) -> str:
    if ratio < 2:
        return _percent(ratio)
    return f"{_exact(ratio)} times as {'many' if metric.kind is Kind.COUNT else 'large'}"


def _exact(ratio: float) -> str:
    """Of counts: "2", "2.5", "16"."""
    return f"{ratio:.3g}" if ratio < 10 else f"{ratio:,.0f}"
