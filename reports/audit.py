"""The verdicts audited by simulation: how often they are wrong where the truth is known.

    python -m reports.audit [--trials N] [--seed S]

Each line is a truth, a design, and the share of simulated sweeps in which the verdicts say something that is not so, or
find what is so. Accuracies are drawn from normal distributions with the spread that trainings show (0.25 points between
seeds, arXiv:2304.01910 has 0.19 for 16 epochs of CIFAR-10 and 0.56 for 4), or drawn without replacement from results of
trainings that were made, where ``pool`` gives them.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from reports import power, verdicts
from reports.verdicts import EQUIVALENT, HELPS, HURTS, Schedule

SD = 0.25  # points between seeds
MARGIN = 0.5  # points


class Truth(NamedTuple):
    """What the variants are: their true differences to the baseline and spreads between seeds, in points."""

    differences: tuple[float, ...]
    sds: tuple[float, ...]  # that of the baseline first


class Finding(NamedTuple):
    """A rate with its standard error, over so many simulated sweeps, and the seeds that a variant took on average."""

    rate: float
    error: float
    trials: int
    seeds: float


Event = Callable[[Sequence[verdicts.Verdict]], bool]


def any_difference(found: Sequence[verdicts.Verdict]) -> bool:
    """Whether any variant is said to help or to hurt: wrong where all are the same."""
    return any(verdict.word in (HELPS, HURTS) for verdict in found)


def any_equivalence(found: Sequence[verdicts.Verdict]) -> bool:
    """Whether any variant is said to be equivalent: wrong where all differ by the margin or more."""
    return any(verdict.word == EQUIVALENT for verdict in found)


def rate(
    truth: Truth,
    design: int | Schedule,
    event: Event,
    trials: int,
    seed: int,
    margin: float | None = MARGIN,
    pool: Sequence[float] | None = None,
) -> Finding:
    """How often ``event`` happens in simulated sweeps.

    design: seeds per variant, or a schedule that adds seeds until a variant is decided. pool: accuracies [many] of real
    trainings of one variant, from which those of all variants are drawn without replacement (the differences are added).
    """
    rng = np.random.default_rng(seed)
    most = design if isinstance(design, int) else design.last
    schedule = None if isinstance(design, int) else design
    names = [f"variant {place}" for place in range(len(truth.differences))]
    happened, seeds = 0, 0
    for _ in range(trials):
        if pool is None:
            noise = rng.normal(size=(len(truth.sds), most)) * np.array(truth.sds)[:, None]
        else:
            noise = rng.choice(np.asarray(pool), size=(len(truth.sds), most), replace=False)
        values = dict(zip(names, noise[1:] + np.array(truth.differences)[:, None], strict=True))
        found = list(verdicts.verdicts({"baseline": noise[0], **values}, "baseline", margin, schedule).values())
        happened += event(found)
        seeds += sum(verdict.seeds for verdict in found)
    share = happened / trials
    return Finding(share, math.sqrt(share * (1 - share) / trials), trials, seeds / trials / len(names))


class Case(NamedTuple):
    """A line of the audit: what is asked, what may come out at most or at least, and how it is simulated."""

    what: str
    bound: str  # "<= 5 %" or ">= 80 %"
    truth: Truth
    design: int | Schedule
    event: Event

    @property
    def margin(self) -> float | None:
        """None where differences are counted: with a margin, many that are found by chance would be called equivalent."""
        return MARGIN if self.event is any_equivalence else None


def cases() -> list[Case]:
    """The truths and designs that are audited."""
    same = {k: Truth((0.0,) * k, (SD,) * (k + 1)) for k in (1, 3, 5)}
    uneven = Truth((0.0, 0.0, 0.0), (SD, SD, 2 * SD, 3.5 * SD))  # without augmentation 3.5 times the variance, and more
    edge = {k: Truth((MARGIN,) * k, (SD,) * (k + 1)) for k in (1, 3)}
    grow = Schedule(3, 10)
    wrong, found = "helps or hurts, where nothing does", "found, with the seeds that were said to take 80 %"
    needed = power.seeds_to_decide(0.3, SD, SD, None)
    to_equate = power.seeds_to_decide(0.0, SD, SD, 0.3)
    assert needed is not None and to_equate is not None
    listed = [
        Case(f"{wrong}: {k} comparison{'s' if k > 1 else ''}, {n} seeds", "<= 5 %", same[k], n, any_difference)
        for k in (1, 3, 5)
        for n in (3, 5, 10)
    ]
    listed += [Case(f"{wrong}: unequal spreads, {n} seeds", "<= 5 %", uneven, n, any_difference) for n in (3, 5, 10)]
    listed += [
        Case(f"{wrong}: {k} compared, looked at after 3, 4, ... 10 seeds", "<= 5 %", same[k], grow, any_difference)
        for k in (1, 3)
    ]
    outside = "equivalent, where the difference is the margin"
    listed += [
        Case(f"{outside}: {k} compared, {n} seeds", "<= 5 %", edge[k], n, any_equivalence)
        for k in (1, 3)
        for n in (3, 5, 10)
    ]
    listed += [
        Case(f"{outside}: {k} compared, looked at after 3, 4, ... 10 seeds", "<= 5 %", edge[k], grow, any_equivalence)
        for k in (1, 3)
    ]
    listed += [
        Case(
            f"a difference of 0.3 points {found}: {needed}", ">= 80 %", Truth((0.3,), (SD, SD)), needed, any_difference
        ),
    ]
    return listed


def text(trials: int, seed: int) -> str:
    """The audit as a Markdown table."""
    lines = ["| what | wanted | rate | seeds |", "| :-- | :-- | --: | --: |"]
    for case in cases():
        found = rate(case.truth, case.design, case.event, trials, seed, case.margin)
        lines.append(
            f"| {case.what} | {case.bound} | {100 * found.rate:.1f} ± {100 * found.error:.1f} % | {found.seeds:.1f} |"
        )
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m reports.audit", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--trials", metavar="N", type=int, default=5000, help="simulated sweeps a line (default 5000)")
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="of the random numbers (default 0)")
    options = parser.parse_args(argv)
    print(text(options.trials, options.seed))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
