"""The verdicts audited by simulation: how often they are wrong where the truth is known.

    python -m reports.audit [--trials N] [--seed S]        from normal distributions
    python -m reports.audit --sweep NAME [--variant V]     from the results of real trainings

Each line is a truth, a design, and the fraction of simulated sweeps in which the verdicts say something that is not so, or
find what is so. Accuracies are drawn from normal distributions with the spread that trainings show (0.25 points between
seeds, arXiv:2304.01910 has 0.19 for 16 epochs of CIFAR-10 and 0.56 for 4), or, with ``--sweep``, without replacement from
the results of a variant that has been trained with many seeds: dealt out to several, they are variants that are the same.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

import reports
from zoo.stats import power, verdicts
from zoo.stats.verdicts import SeedSchedule, VerdictWord
from zoo.text.characters import visible
from zoo.tracking.names import RunStatus

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


def any_difference(outcomes: Sequence[verdicts.Verdict]) -> bool:
    """Whether any variant is said to help or to hurt: wrong where all are the same."""
    return any(verdict.word in (VerdictWord.HELPS, VerdictWord.HURTS) for verdict in outcomes)


def any_equivalence(outcomes: Sequence[verdicts.Verdict]) -> bool:
    """Whether any variant is said to be equivalent: wrong where all differ by the margin or more."""
    return any(verdict.word is VerdictWord.EQUIVALENT for verdict in outcomes)


def rate(
    truth: Truth,
    design: int | SeedSchedule,
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
    names = [f"variant {number}" for number in range(len(truth.differences))]
    happened, seeds = 0, 0
    for _ in range(trials):
        if pool is None:
            noise = rng.normal(size=(len(truth.sds), most)) * np.array(truth.sds)[:, None]
        else:
            noise = rng.choice(np.asarray(pool), size=(len(truth.sds), most), replace=False)
        values = dict(zip(names, noise[1:] + np.array(truth.differences)[:, None], strict=True))
        outcomes = list(verdicts.verdicts({"baseline": noise[0], **values}, "baseline", margin, schedule).values())
        happened += event(outcomes)
        seeds += sum(verdict.seeds for verdict in outcomes)
    fraction = happened / trials
    return Finding(fraction, math.sqrt(fraction * (1 - fraction) / trials), trials, seeds / trials / len(names))


class Case(NamedTuple):
    """A line of the audit: what is asked, what may come out at most or at least, and how it is simulated."""

    what: str
    bound: str  # "<= 5 %" or ">= 80 %"
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
        Case(f"{wrong}: {k} comparison{'s' if k > 1 else ''}, {n} seeds", "<= 5 %", same[k], n, any_difference)
        for k in (1, 3, 5)
        for n in (3, 5, 10)
    ]
    listed += [Case(f"{wrong}: unequal spreads, {n} seeds", "<= 5 %", uneven, n, any_difference) for n in (3, 5, 10)]
    listed += [Case(f"{wrong}: {k} compared, {interim}", "<= 5 %", same[k], grow, any_difference) for k in (1, 3)]
    listed += [
        Case(f"{outside}: {k} compared, {n} seeds", "<= 5 %", edge[k], n, any_equivalence, margin)
        for k in (1, 3)
        for n in (3, 5, 10)
    ]
    listed += [
        Case(f"{outside}: {k} compared, {interim}", "<= 5 %", edge[k], grow, any_equivalence, margin) for k in (1, 3)
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
        Case(f"{finds}, {enough}: {to_find}", ">= 80 %", one, to_find, any_difference),
        Case(f"{equates}, {enough}: {to_equate}", ">= 80 %", none, to_equate, any_equivalence, narrow),
        Case(
            f"{finds}, analysed after 3, 4, ... {to_find + 2} seeds",
            ">= 80 %",
            one,
            SeedSchedule(3, to_find + 2),
            any_difference,
        ),
        Case(
            f"{equates}, analysed after 3, 4, ... {to_equate + 2} seeds",
            ">= 80 %",
            none,
            SeedSchedule(3, to_equate + 2),
            any_equivalence,
            narrow,
        ),
    ]


def text(trials: int, seed: int, pool: Sequence[float] | None = None) -> str:
    """The audit as a Markdown table; with a ``pool`` of accuracies of one variant in percent, what that is enough for.

    The margin is then two of its standard deviations, as it is without one.
    """
    lines = ["| what | wanted | rate | seeds |", "| :-- | :-- | --: | --: |"]
    if pool is None:
        listed = cases()
    else:
        sd = float(np.std(pool, ddof=1))
        same_spread = [case for case in cases(sd, 2 * sd) if len(set(case.truth.sds)) == 1]
        listed = [case for case in same_spread if case.size <= len(pool)]
    for case in listed:
        finding = rate(case.truth, case.design, case.event, trials, seed, case.margin, pool)
        lines.append(
            f"| {case.what} | {case.bound} | {100 * finding.rate:.1f} ± {100 * finding.error:.1f} % | {finding.seeds:.1f} |"
        )
    return "\n".join(lines)


def pool_of(sweep: str, variant: str | None = None, tracking_uri: str | None = None) -> list[float]:
    """The accuracies of one variant's trainings in percent; of the baseline's, if no variant is named.

    Raises:
        ReportError: no such sweep or variant, or too few trainings for any line of the audit.
    """
    from zoo.text.suggestions import did_you_mean

    frame = reports.load(sweep, tracking_uri)
    names = list(dict.fromkeys(frame["variant"]))
    name = variant or (names[0] if names else "")
    if name not in names:
        raise reports.ReportError(
            f"no variant {name!r} in {sweep}{did_you_mean(name, names)}; there: {', '.join(names)}"
        )
    accuracies = frame[(frame["variant"] == name) & (frame["status"] == RunStatus.FINISHED)][
        "accuracy_percent"
    ].dropna()
    least = min(case.size for case in cases())
    if len(accuracies) < 2 * least:
        raise reports.ReportError(
            f"{name} of {sweep} has {len(accuracies)} results: an audit takes {2 * least} and better more"
        )
    return [float(accuracy) for accuracy in accuracies]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m reports.audit", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--trials", metavar="N", type=int, default=5000, help="simulated sweeps a line (default 5000)")
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="of the random numbers (default 0)")
    parser.add_argument("--sweep", metavar="NAME", help="deal out the results of this sweep instead of random numbers")
    parser.add_argument("--variant", metavar="V", help="whose results (default: the first variant's)")
    parser.add_argument("--tracking-uri", metavar="URI", help="of the store that has the sweep")
    options = parser.parse_args(argv)
    pool = None
    if options.sweep:
        try:
            pool = pool_of(options.sweep, options.variant, options.tracking_uri)
        except reports.ReportError as error:
            print(visible(f"python -m reports.audit: {error}"), file=sys.stderr)
            return 2
        low, high, sd = min(pool), max(pool), float(np.std(pool, ddof=1))
        print(f"{len(pool)} trainings: {low:.2f} to {high:.2f} %, standard deviation {sd:.2f} points\n")
    print(text(options.trials, options.seed, pool))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
