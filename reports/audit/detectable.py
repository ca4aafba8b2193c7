"""The smallest difference that a design is said to detect with 80 % power, among several comparisons."""

from __future__ import annotations

import functools

import numpy as np

from reports.audit.rows import EIGHTY_PERCENT, Finding, Row, found
from reports.audit.welch import SD
from zoo.stats import family, power
from zoo.stats.verdicts import SeedSchedule


def rows() -> list[Row]:
    designs: list[tuple[int, int | SeedSchedule, str]] = [
        (1, 3, "3 seeds"),
        (10, 3, "3 seeds"),
        (10, 5, "5 seeds"),
        (3, SeedSchedule(3, 10), "analysed after 3, ... 10 seeds"),
    ]
    return [
        Row(
            f"the smallest detectable difference found, {points:.2f} points: {k} comparison{'s' if k > 1 else ''}, {text}",
            EIGHTY_PERCENT,
            functools.partial(_simulate, k, design, points),
        )
        for k, design, text in designs
        for points in [_detectable(k, design)]
    ]


def _detectable(k: int, design: int | SeedSchedule) -> float:
    first, seeds = (None, design) if isinstance(design, int) else design
    return power.detectable_difference(SD, seeds, comparisons=k, first_analysis=first)


def _simulate(k: int, design: int | SeedSchedule, points: float, trials: int, rng: np.random.Generator) -> Finding:
    """One variant differs by so much, the others by nothing: how often it is found."""
    most, schedule = (design, None) if isinstance(design, int) else (design.last, design)
    happened, seeds = 0, 0
    for _ in range(trials):
        values = {str(number): rng.normal(0, SD, most) for number in range(k + 1)}
        verdict = family.verdicts(values | {"1": values["1"] + points}, "0", None, schedule)["1"]
        happened += verdict.is_different
        seeds += verdict.seeds
    return found(happened, trials, seeds / trials)
