"""Variants with few results beside a baseline with many, and runs that are missing by chance."""

from __future__ import annotations

import functools

import numpy as np

from reports.audit.rows import FIVE_PERCENT, Finding, Row, found
from reports.audit.welch import SD, any_difference
from zoo.stats import family
from zoo.stats.verdicts import SeedSchedule

LOST = 0.2  # of the trainings


def rows() -> list[Row]:
    what = "helps or hurts, where nothing does"
    listed = [
        Row(
            f"{what}: {few} seeds against {many}, the few {wider}",
            FIVE_PERCENT,
            functools.partial(_unequal, few, many, factor),
        )
        for few, many in ((2, 10), (3, 10), (3, 6))
        for factor, wider in ((1.0, "with the same spread"), (2.0, "with twice the spread"))
    ]
    designs: list[tuple[int | SeedSchedule, str]] = [(5, "5 seeds"), (SeedSchedule(3, 10), "analysed after 3, ... 10")]
    return listed + [
        Row(
            f"{what}: one training in five lost, 3 comparisons, {text}",
            FIVE_PERCENT,
            functools.partial(_missing, design),
        )
        for design, text in designs
    ]


def _unequal(few: int, many: int, wider: float, trials: int, rng: np.random.Generator) -> Finding:
    """One variant with few seeds; which side has few is drawn each time."""
    wrong = 0
    for _ in range(trials):
        sides = [rng.normal(0, wider * SD, few), rng.normal(0, SD, many)]
        one, other = sides if rng.random() < 0.5 else sides[::-1]
        wrong += any_difference(list(family.verdicts({"b": one, "x": other}, "b", None).values()))
    return found(wrong, trials, few)


def _missing(design: int | SeedSchedule, trials: int, rng: np.random.Generator) -> Finding:
    """Three variants and the baseline, of which each training is lost with the same chance."""
    most, schedule = (design, None) if isinstance(design, int) else (design.last, design)
    wrong, seeds = 0, 0
    for _ in range(trials):
        values = {name: values[rng.random(most) >= LOST] for name in "bxyz" for values in [rng.normal(0, SD, most)]}
        verdicts = list(family.verdicts(values, "b", None, schedule).values())
        wrong += any_difference(verdicts)
        seeds += sum(verdict.seeds for verdict in verdicts)
    return found(wrong, trials, seeds / trials / 3)
