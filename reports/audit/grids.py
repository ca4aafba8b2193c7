"""Grids: main effects and interactions are one family, in which nothing at all is wrongly shown."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable

import numpy as np

from reports.audit.rows import EIGHTY_PERCENT, FIVE_PERCENT, Finding, Row, found
from reports.audit.welch import MARGIN, SD
from zoo.stats import family
from zoo.stats.family import Judged, Results
from zoo.stats.verdicts import SeedSchedule

_Event = Callable[[Judged], bool]


def rows() -> list[Row]:
    grow = SeedSchedule(3, 10)
    nothing = "anything shown in a grid, where nothing is"
    other = "anything else shown in a grid, where one factor adds 1 point"
    cases: list[tuple[str, tuple[int, ...], int | SeedSchedule]] = [
        ("2 x 2, 3 seeds", (2, 2), 3),
        ("2 x 2, 5 seeds", (2, 2), 5),
        ("2 x 2 x 2, 3 seeds", (2, 2, 2), 3),
        ("3 x 2, 5 seeds", (3, 2), 5),
        ("2 x 2, analysed after 3, ... 10 seeds", (2, 2), grow),
        ("2 x 2 x 2, analysed after 3, ... 10 seeds", (2, 2, 2), grow),
    ]
    return [
        *(Row(f"{nothing}: {text}", FIVE_PERCENT, _case(sizes, design, 0.0, _any)) for text, sizes, design in cases),
        *(
            Row(f"{other}: {text}", FIVE_PERCENT, _case(sizes, design, 1.0, _others))
            for text, sizes, design in cases[:5]
        ),
        Row(
            "equivalent, where the main effect is the margin: 2 x 2, 5 seeds",
            FIVE_PERCENT,
            _case((2, 2), 5, MARGIN, lambda judged: judged.effects[0].verdict.word == "equivalent", MARGIN),
        ),
        Row(
            "a main effect of 1 point found: 2 x 2, analysed after 3, ... 10 seeds",
            EIGHTY_PERCENT,
            _case((2, 2), grow, 1.0, lambda judged: judged.effects[0].verdict.is_different),
        ),
    ]


def _any(judged: Judged) -> bool:
    return any(effect.verdict.is_different for effect in judged.effects)


def _others(judged: Judged) -> bool:
    """Any effect but the main ones of the first factor."""
    return any(
        effect.verdict.is_different
        for effect in judged.effects
        if effect.changes[0].factor != "0" or effect.changes[1:]
    )


def _case(
    sizes: tuple[int, ...], design: int | SeedSchedule, points: float, event: _Event, margin: float | None = None
) -> Callable[[int, np.random.Generator], Finding]:
    return functools.partial(_simulate, sizes, design, points, event, margin)


def _simulate(
    sizes: tuple[int, ...],
    design: int | SeedSchedule,
    points: float,
    event: _Event,
    margin: float | None,
    trials: int,
    rng: np.random.Generator,
) -> Finding:
    """A grid of factors with so many levels; every level of the first one but the baseline's adds ``points``."""
    most, schedule = (design, None) if isinstance(design, int) else (design.last, design)
    cells = ["".join(map(str, cell)) for cell in itertools.product(*map(range, sizes))]
    levels = {cell: {str(factor): level for factor, level in enumerate(cell)} for cell in cells}
    happened, seeds = 0, 0
    for _ in range(trials):
        values = {cell: rng.normal(points * (cell[0] != "0"), SD, most) for cell in cells}
        judged = family.judged(Results(values, cells[0], levels=levels), margin, schedule)
        happened += event(judged)
        seeds += max(effect.verdict.seeds for effect in judged.effects)
    return found(happened, trials, seeds / trials)
