"""What a sweep and its variants say, in sentences."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import numpy as np
import pandas as pd

from reports.analysis.details import PartOfAnswer
from reports.analysis.prices import words
from reports.store.sweep import Sweep
from zoo.stats import descriptive, power
from zoo.stats.verdicts import VerdictWord
from zoo.text.listing import listed
from zoo.text.wording import points_text


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
    return " / ".join(map(_grouped, values)) or None


def _grouped(value: str) -> str:
    """A whole number with its thousands apart; anything else as it is."""
    return f"{int(value):,}" if value.isascii() and value.isdecimal() and len(value) < 20 else value


def comparisons(frame: pd.DataFrame, margin: float | None, with_price: bool = True) -> list[str]:
    """One sentence for each variant that can be set against the baseline: the verdict, the difference and its interval, the
    price."""
    if frame.empty or not frame["baseline"].any():
        return []
    baseline = frame[frame["baseline"]].iloc[0]
    others = frame[~frame["baseline"] & frame["difference_points"].notna()]
    return [
        f"{row['variant']}{_verdict_words(row, margin)}: {row['difference_points']:+.2f} points "
        f"({_interval_words(row, baseline)}) against {baseline['variant']}{_decided_words(row)}"
        f"{f'; {words.in_short(row, baseline)}' if with_price else ''}."
        f"{_seeds_words(row)}"
        for _, row in others.iterrows()
    ]


def _verdict_words(row: pd.Series, margin: float | None) -> str:
    if row["verdict"] == VerdictWord.EQUIVALENT:
        real = " (a real difference, smaller than what you care about)" if row["difference_shown"] else ""
        return f" is equivalent within {points_text(margin)}{real}"
    if row["verdict"] in (VerdictWord.HELPS, VerdictWord.HURTS):
        beyond = (
            "" if pd.isna(row["beyond_margin"]) or not row["beyond_margin"] else f" by more than {points_text(margin)}"
        )
        return f" {row['verdict']}{beyond}"
    words = {
        VerdictWord.UNDECIDED: " is undecided",
        VerdictWord.NONE: " has no verdict",
        VerdictWord.DESCRIPTIVE: "",  # the effects of the factors are judged
        VerdictWord.WITHHELD: " is shown without a verdict",
        VerdictWord.IDENTICAL: " gives the same answers to the bit",
    }
    return words.get(row["verdict"], f" {row['verdict']}")


def _seeds_words(row: pd.Series) -> str:
    """What it would take to decide."""
    if row["verdict"] != VerdictWord.UNDECIDED:
        return ""
    if pd.isna(row["seeds_needed"]):
        return f" Even {power.MOST_SEEDS:,} seeds would not decide a difference like this one."
    more = row["seeds_needed"] - row["n"]
    if more < 1:
        return " If that is the truth, a seed or two beyond these would be likely to decide."
    return f" If that is the truth, {row['seeds_needed']} seeds per variant would decide with 80 % power."


def _decided_words(row: pd.Series) -> str:
    """After how many seeds it was decided, where there are more by now."""
    decided = row["verdict"] in (VerdictWord.HELPS, VerdictWord.HURTS, VerdictWord.EQUIVALENT)  # with a test
    if not decided or row["seeds_at_verdict"] >= row["n"]:
        return ""
    return f", decided after {row['seeds_at_verdict']} seeds at {row['verdict_difference_points']:+.2f} points"


def _interval_words(row: pd.Series, baseline: pd.Series) -> str:
    if np.isnan(row["difference_low_points"]):
        if row["seeds_at_verdict"] > 1 and not row["accuracy_percent_sd"] and not baseline["accuracy_percent_sd"]:
            return "no interval: no two trainings of a side differ, and on how many images is not known"
        if min(row["n"], baseline["n"]) > 1:  # seeds are added one at a time, and the first analysis takes more
            return "no interval before the first interim analysis"
        return "no interval: it takes two seeds of each"
    return f"95 % interval {row['difference_low_points']:+.2f} to {row['difference_high_points']:+.2f}"


def design(sweep: Sweep, frame: pd.DataFrame, parts: Sequence[PartOfAnswer] = ()) -> list[str]:
    """What the design could detect, of each part by itself, and which variants share trainings; nothing without a result."""
    if not len(sweep.results()):
        return []
    compared = [part for part in parts if len(part.variants) > 1 and part.sweep.baseline is not None]
    found = [f"With {part.label}: {detectable(part.sweep, part.variants)}" for part in compared]
    return [*(found or [detectable(sweep, frame)]), *shared_trainings(sweep)]


def detectable(sweep: Sweep, frame: pd.DataFrame) -> str:
    """The smallest difference that the design, at the spread that was seen, could detect; or why there is none."""
    repeated = frame[frame["n"] > 1] if len(frame) else frame
    if repeated.empty:
        return (
            "With one seed per variant there is no spread between seeds, so no interval and no smallest detectable "
            "difference can be given: ask for two seeds or more."
        )
    sd = descriptive.pooled_sd(repeated["accuracy_percent_sd"], repeated["n"])
    comparisons = max((verdict.comparisons for verdict in sweep.verdicts().values()), default=1)
    declared = sweep.seeds if sweep.design is None else sweep.design.judged.seeds
    first, seeds = (None, len(declared)) if sweep.schedule is None else sweep.schedule
    points = power.detectable_difference(sd, seeds, comparisons=comparisons, first_analysis=first)
    together = f" for all {comparisons} comparisons together" if comparisons > 1 else ""
    planned = f"{seeds} seeds" if first is None else f"{first} to {seeds} seeds"
    return (
        f"Smallest difference that this design could detect: {points:.2f} points (two-sided tests at 5 %{together}, "
        f"power 80 %, {planned} per variant, spread between seeds {sd:.2f} points)."
    )


def command(sweep: Sweep) -> str:
    """The one that does the sweep."""
    return sweep.command or f"python run_sweep.py experiments/{shlex.quote(sweep.name)}.yaml"


def shared_trainings(sweep: Sweep) -> list[str]:
    """A sentence for each group of variants that are readouts of the same trainings."""
    groups: dict[frozenset[str], list[str]] = {}
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


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
