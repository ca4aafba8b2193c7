"""Verdicts on variants against the baseline: with a fixed number of seeds, and with seeds until decided.

Accuracies are drawn from normal distributions with the spread that trainings show (0.25 points between seeds;
arXiv:2304.01910 has 0.19 for 16 epochs of CIFAR-10 and 0.56 for 4), or without replacement from the results of a variant
that has been trained with many seeds: dealt out to several, they are variants that are the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from reports.audit.rows import EIGHTY_PERCENT, FIVE_PERCENT, Bound, Finding, Row, found
from zoo.stats import family, power
from zoo.stats.verdicts import SeedSchedule, Verdict, VerdictWord

SD = 0.25  # points between seeds
MARGIN = 0.5  # points


class Truth(NamedTuple):
    """What the variants are: their true differences to the baseline and spreads between seeds, in points."""

    differences: tuple[float, ...]
    sds: tuple[float, ...]  # that of the baseline first


Event = Callable[[Sequence[Verdict]], bool]


def any_difference(outcomes: Sequence[Verdict]) -> bool:
    """Whether any variant is said to help or to hurt: wrong where all are the same."""
    return any(verdict.word in (VerdictWord.HELPS, VerdictWord.HURTS) for verdict in outcomes)


def any_equivalence(outcomes: Sequence[Verdict]) -> bool:
    """Whether any variant is said to be equivalent: wrong where all differ by the margin or more."""
    return any(verdict.word is VerdictWord.EQUIVALENT for verdict in outcomes)


def rate(
    truth: Truth,
    design: int | SeedSchedule,
    event: Event,
    trials: int,
    rng: np.random.Generator,
    margin: float | None = MARGIN,
    pool: Sequence[float] | None = None,
) -> Finding:
    """How often ``event`` happens in simulated sweeps.

    design: seeds per variant, or a schedule that adds seeds until a variant is decided. pool: accuracies [many] of real
    trainings of one variant, from which those of all variants are drawn without replacement (the differences are added).
    """
    most = design if isinstance(design, int) else design.last
    schedule = None if isinstance(design, int) else design
    names = [f"variant {number}" for number in range(len(truth.differences))]
    happened, seeds = 0, 0
    for _ in range(trials):
        if pool is None:
            noise = rng.normal(size=(len(truth.sds), most)) * np.array(truth.sds)[:, None]
        else:
            noise = rng.choice(np.asarray(pool), size=(len(truth.sds), most), replace=False)
        values = dict(zip(names, noise[1:] + np.array(truth.differences)[:, None], strict=True))
        outcomes = list(family.verdicts({"baseline": noise[0], **values}, "baseline", margin, schedule).values())
        happened += event(outcomes)
        seeds += sum(verdict.seeds for verdict in outcomes)
    return found(happened, trials, seeds / trials / len(names))


class Case(NamedTuple):
    """A line of the audit: what is asked, what may come out at most or at least, and how it is simulated."""

    what: str
    bound: Bound
    truth: Truth
    design: int | SeedSchedule
    event: Event
    margin: float | None = (
        None  # where differences are counted: with one, many found by chance would be called equivalent
    )

    @property
    def size(self) -> int:
        """How many trainings it takes."""
        return len(self.truth.sds) * (self.design if isinstance(self.design, int) else self.design.last)

    def row(self, pool: Sequence[float] | None = None) -> Row:
        return Row(self.what, self.bound, functools.partial(_simulate, self, pool))


def _simulate(case: Case, pool: Sequence[float] | None, trials: int, rng: np.random.Generator) -> Finding:
    return rate(case.truth, case.design, case.event, trials, rng, case.margin, pool)


def rows() -> list[Row]:
    return [case.row() for case in cases()]


def rows_of(pool: Sequence[float]) -> list[Row]:
    """What a ``pool`` of accuracies of one variant in percent is enough for, with a margin of two of its standard
    deviations, as it is without a pool."""
    sd = float(np.std(pool, ddof=1))
    same_spread = [case for case in cases(sd, 2 * sd) if len(set(case.truth.sds)) == 1]
    return [case.row(pool) for case in same_spread if case.size <= len(pool)]


def cases(sd: float = SD, margin: float = MARGIN) -> list[Case]:
    """The truths and designs that are audited, for a spread between seeds of ``sd`` and a ``margin``, in points."""
    same = {k: Truth((0.0,) * k, (sd,) * (k + 1)) for k in (1, 3, 5)}
    uneven = Truth((0.0, 0.0, 0.0), (sd, sd, 2 * sd, 3.5 * sd))  # without augmentation 3.5 times the variance, and more
    edge = {k: Truth((margin,) * k, (sd,) * (k + 1)) for k in (1, 3)}
    grow = SeedSchedule(3, 10)
    interim, wrong, outside = (
        "analysed after 3, 4, ... 10 seeds",
        "helps or hurts, where nothing does",
        "equivalent, where ",
    )
    outside += "the difference is the margin"
    listed = [
        Case(f"{wrong}: {k} comparison{'s' if k > 1 else ''}, {n} seeds", FIVE_PERCENT, same[k], n, any_difference)
        for k in (1, 3, 5)
        for n in (3, 5, 10)
    ]
    listed += [
        Case(f"{wrong}: unequal spreads, {n} seeds", FIVE_PERCENT, uneven, n, any_difference) for n in (3, 5, 10)
    ]
    listed += [Case(f"{wrong}: {k} compared, {interim}", FIVE_PERCENT, same[k], grow, any_difference) for k in (1, 3)]
    listed += [
        Case(f"{outside}: {k} compared, {n} seeds", FIVE_PERCENT, edge[k], n, any_equivalence, margin)
        for k in (1, 3)
        for n in (3, 5, 10)
    ]
    listed += [
        Case(f"{outside}: {k} compared, {interim}", FIVE_PERCENT, edge[k], grow, any_equivalence, margin)
        for k in (1, 3)
    ]
    return listed + _powers(sd, margin)


def _powers(sd: float, margin: float) -> list[Case]:
    """What is so is found, with as many seeds as are said to take 80 %; and what a schedule finds of it on the way."""
    difference, narrow = 0.6 * margin, 0.6 * margin
    to_find = power.seeds_to_decide(difference, sd, sd, None)
    to_equate = power.seeds_to_decide(0.0, sd, sd, narrow)
    if to_find is None or to_equate is None:
        raise ValueError(f"a spread of {sd} points is too wide for a margin of {margin}")
    one, none = Truth((difference,), (sd, sd)), Truth((0.0,), (sd, sd))
    finds, enough = f"a difference of {difference:.2g} points found", "with the seeds that were said to take 80 %"
    equates = f"no difference shown to be within {narrow:.2g} points"
    return [
        Case(f"{finds}, {enough}: {to_find}", EIGHTY_PERCENT, one, to_find, any_difference),
        Case(f"{equates}, {enough}: {to_equate}", EIGHTY_PERCENT, none, to_equate, any_equivalence, narrow),
        Case(
            f"{finds}, analysed after 3, 4, ... {to_find + 2} seeds",
            EIGHTY_PERCENT,
            one,
            SeedSchedule(3, to_find + 2),
            any_difference,
        ),
        Case(
            f"{equates}, analysed after 3, 4, ... {to_equate + 2} seeds",
            EIGHTY_PERCENT,
            none,
            SeedSchedule(3, to_equate + 2),
            any_equivalence,
            narrow,
        ),
    ]
