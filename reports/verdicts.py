"""What a comparison of repeated trainings allows to be said: helps, hurts, equivalent, or undecided and how many seeds more.

Accuracies come in points (percent), one value a training. The tests are Welch's, never pooled: the spread between seeds
differs between variants. Seeds are not paired, because one changed bit reproduces the whole variation between seeds
(arXiv:2304.01910): the same seed on both sides is worth nothing.

- A difference is found when Welch's two-sided test rejects at 5 % (the interval is away from zero).
- Equivalence is found when two one-sided tests at 5 % put the difference within the margin (Schuirmann, J. Pharmacokinetics
  and Biopharmaceutics 15, 1987), that is when the 90 % interval lies within it.
- Both are corrected for the number of comparisons in the sweep by Holm's method (Scand. J. Statistics 6, 1979).
- Where both hold, the difference is real and smaller than what the person cares about: ``equivalent``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reports import sequential

ALPHA = 0.05
POWER = 0.8
MOST_SEEDS = 1_000  # more than anybody trains; beyond it "how many" is not worth a number

HELPS, HURTS, EQUIVALENT, UNDECIDED, NONE = "helps", "hurts", "equivalent", "undecided", "none"


class Comparison(NamedTuple):
    """Welch's comparison of two samples; arrays over the leading axes."""

    difference: NDArray  # mean(a) - mean(b)
    error: NDArray  # its standard error
    degrees: NDArray  # of freedom, by Welch and Satterthwaite

    def p_difference(self) -> NDArray:
        """Two-sided, of no difference."""
        from scipy import special

        return 2 * special.stdtr(self.degrees, -np.abs(self._in_errors(self.difference)))

    def p_equivalence(self, margin: float) -> NDArray:
        """Of a difference of ``margin`` or more on either side: the larger of two one-sided p-values."""
        from scipy import special

        above = special.stdtr(self.degrees, -self._in_errors(self.difference + margin))
        below = special.stdtr(self.degrees, self._in_errors(self.difference - margin))
        return np.maximum(above, below)

    def interval(self, level: float) -> tuple[NDArray, NDArray]:
        """Low and high of the two-sided interval with confidence 1 - level."""
        from scipy import special

        half = special.stdtrit(self.degrees, 1 - level / 2) * self.error
        return self.difference - half, self.difference + half

    def _in_errors(self, distance: NDArray) -> NDArray:
        with np.errstate(divide="ignore", invalid="ignore"):  # without any spread, a distance is infinitely many errors
            return np.where(distance == 0, 0.0, distance / self.error)


def compare(a: ArrayLike, b: ArrayLike) -> Comparison:
    """``a`` [..., n] against ``b`` [..., m], n and m at least 2: accuracies in points, one a training.

    Raises:
        ValueError: fewer than two values on a side.
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    n, m = a.shape[-1], b.shape[-1]
    if n < 2 or m < 2:
        raise ValueError(f"a spread takes two values on each side, not {n} and {m}")
    return _comparison(a.mean(-1) - b.mean(-1), a.var(-1, ddof=1), b.var(-1, ddof=1), n, m)


def _comparison(difference: ArrayLike, var_a: ArrayLike, var_b: ArrayLike, n: ArrayLike, m: ArrayLike) -> Comparison:
    share_a, share_b = np.asarray(var_a, float) / n, np.asarray(var_b, float) / m
    total = share_a + share_b
    with np.errstate(divide="ignore", invalid="ignore"):
        degrees = total**2 / (share_a**2 / (np.asarray(n) - 1) + share_b**2 / (np.asarray(m) - 1))
    fallback = np.minimum(n, m) - 1.0  # without any spread
    return Comparison(np.asarray(difference, float), np.sqrt(total), np.where(total > 0, degrees, fallback))


def holm(p: ArrayLike) -> NDArray:
    """Adjusted p-values [..., k] of the k hypotheses of a family: those below alpha are rejected (Holm 1979)."""
    p = np.asarray(p, float)
    k = p.shape[-1]
    order = np.argsort(p, axis=-1, kind="stable")
    stepped = np.take_along_axis(p, order, -1) * np.arange(k, 0, -1)
    stepped = np.minimum(np.maximum.accumulate(stepped, axis=-1), 1.0)
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, stepped, -1)
    return adjusted


@dataclass(frozen=True)
class Verdict:
    """What can be said of one variant against the baseline. Differences in points, p-values adjusted for the family."""

    word: str  # helps, hurts, equivalent, undecided, or none: it takes two seeds on each side
    difference: float
    low: float  # of the 95 % interval; nan where there is none
    high: float
    p_difference: float
    p_equivalence: float  # nan without a margin
    seeds: int  # of the variant that it rests on
    seeds_needed: int | None = None  # per variant, for 80 % power; None where it is decided, or more than MOST_SEEDS
    comparisons: int = 1  # in the family

    @property
    def is_decided(self) -> bool:
        return self.word in (HELPS, HURTS, EQUIVALENT)


class Schedule(NamedTuple):
    """Seeds are added one by one from ``first`` to ``last``, and looked at each time."""

    first: int
    last: int


def verdicts(
    accuracies: Mapping[str, ArrayLike], baseline: str, margin: float | None, schedule: Schedule | None = None
) -> dict[str, Verdict]:
    """The verdict on every variant but the baseline, from accuracies [n] in points.

    With a ``schedule``, values come in the order of the seeds, and what is told is what an onlooker would have decided at
    the first look that allowed it, from the seeds of that look alone; the baseline may have more by now.

    Raises:
        KeyError: no such baseline. ValueError: a margin that is not positive.
    """
    if margin is not None and not margin > 0:
        raise ValueError(f"a margin is a positive number of points, not {margin}")
    values = {name: np.asarray(array, float).reshape(-1) for name, array in accuracies.items()}
    reference = values[baseline]
    others = {name: array for name, array in values.items() if name != baseline}
    if schedule is None:
        return _at_one_look(others, reference, margin)
    return _at_many_looks(others, reference, margin, schedule)


def _at_one_look(others: Mapping[str, NDArray], reference: NDArray, margin: float | None) -> dict[str, Verdict]:
    known = {name: compare(array, reference) for name, array in others.items() if _can_be_compared(array, reference)}
    p_difference = _adjusted({name: float(c.p_difference()) for name, c in known.items()}, len(others))
    p_equivalence = _adjusted(
        {n: float(c.p_equivalence(margin)) for n, c in known.items()} if margin else {}, len(others)
    )
    found = {}
    for name, array in others.items():
        if name not in known:
            found[name] = _none(array, reference, len(others))
            continue
        comparison = known[name]
        word = _word(comparison, p_difference[name] < ALPHA, p_equivalence.get(name, 1.0) < ALPHA)
        low, high = (float(end) for end in comparison.interval(ALPHA))
        needed = None
        if word == UNDECIDED:
            needed = seeds_to_decide(
                float(comparison.difference), _sd(array), _sd(reference), margin, ALPHA / len(others)
            )
        found[name] = Verdict(
            word,
            float(comparison.difference),
            low,
            high,
            p_difference[name],
            p_equivalence.get(name, float("nan")),
            len(array),
            needed,
            len(others),
        )
    return found


def _at_many_looks(
    others: Mapping[str, NDArray], reference: NDArray, margin: float | None, schedule: Schedule
) -> dict[str, Verdict]:
    """Replay the looks. At each, Holm's steps go down with the levels of that look in place of alpha (Maurer and Bretz,
    "Multiple testing in group sequential trials using graphical approaches", Stat. Biopharm. Res. 5, 2013)."""
    k = len(others)
    shares = sequential.shares(schedule.first, schedule.last)
    decided: dict[str, Verdict] = {}
    latest: dict[str, Verdict] = {}
    different: set[str] = set()
    within: set[str] = set()
    for look, n in enumerate(range(schedule.first, schedule.last + 1)):
        if len(reference) < n:
            break
        at = {
            name: compare(array[:n], reference[:n])
            for name, array in others.items()
            if name not in decided and len(array) >= n and n >= 2
        }
        if not at:
            continue

        def level(left: int, sides: int, look=look) -> float:
            """Nominal, for one hypothesis of ``left``: two-sided tests share alpha, one-sided ones have it each."""
            return sequential.levels(sides * ALPHA / left, shares)[look] / sides

        p_difference = {name: float(c.p_difference()) for name, c in at.items()}
        different |= _step_down(p_difference, k - len(different), lambda left: level(left, 1))
        p_equivalence = {name: float(c.p_equivalence(margin)) for name, c in at.items()} if margin else {}
        within |= _step_down(p_equivalence, k - len(within), lambda left: level(left, 2))
        for name, comparison in at.items():
            word = _word(comparison, name in different, name in within)
            low, high = (float(end) for end in comparison.interval(level(1, 1)))
            needed = None
            if word == UNDECIDED:
                needed = seeds_to_decide(
                    float(comparison.difference), _sd(others[name][:n]), _sd(reference[:n]), margin, ALPHA / k
                )
            latest[name] = Verdict(
                word,
                float(comparison.difference),
                low,
                high,
                min(1.0, p_difference[name] * ALPHA / level(k, 1)),
                min(1.0, p_equivalence[name] * ALPHA / level(k, 2)) if margin else float("nan"),
                n,
                needed,
                k,
            )
            if latest[name].is_decided:
                decided[name] = latest[name]
    return {name: latest.get(name) or _none(array, reference, k) for name, array in others.items()}


def _step_down(p: Mapping[str, float], left: int, level) -> set[str]:
    """The hypotheses that Holm's method rejects: the smallest p at the level for all that are ``left``, and so on."""
    rejected = set()
    for name in sorted(p, key=lambda name: p[name]):
        if p[name] >= level(left - len(rejected)):
            break
        rejected.add(name)
    return rejected


def _adjusted(p: Mapping[str, float], family: int) -> dict[str, float]:
    """Holm's adjusted p-values; comparisons that cannot be made yet count as not rejected."""
    names = list(p)
    padded = [*p.values(), *[1.0] * (family - len(names))]
    return dict(zip(names, holm(padded).tolist(), strict=False)) if padded else {}


def _word(comparison: Comparison, different: bool, within: bool) -> str:
    if within:
        return EQUIVALENT
    if different:
        return HELPS if comparison.difference > 0 else HURTS
    return UNDECIDED


def _can_be_compared(a: NDArray, b: NDArray) -> bool:
    return len(a) > 1 and len(b) > 1


def _none(array: NDArray, reference: NDArray, family: int) -> Verdict:
    nan = float("nan")
    difference = float(array.mean() - reference.mean()) if len(array) and len(reference) else nan
    return Verdict(NONE, difference, nan, nan, nan, nan, len(array), None, family)


def _sd(values: NDArray) -> float:
    return float(values.std(ddof=1))


# --- how many seeds it takes --------------------------------------------------------------------------------------


def power_to_find(difference: ArrayLike, sd_a: ArrayLike, sd_b: ArrayLike, seeds: ArrayLike, alpha: float) -> NDArray:
    """Chance that Welch's two-sided test at ``alpha`` finds a true ``difference`` with so many ``seeds`` a side.

    From the noncentral t distribution with seeds - 1 degrees of freedom, Welch's lower bound (see
    ``statistics.power_of_test``).
    """
    from scipy import special

    degrees, error = np.asarray(seeds) - 1, np.hypot(sd_a, sd_b) / np.sqrt(seeds)
    critical = special.stdtrit(degrees, 1 - alpha / 2)
    return 1 - _nct(degrees, difference / error, critical) + _nct(degrees, difference / error, -critical)


def power_to_equate(
    difference: ArrayLike, sd_a: ArrayLike, sd_b: ArrayLike, seeds: ArrayLike, margin: float, alpha: float
) -> NDArray:
    """Chance that two one-sided tests at ``alpha`` put a true ``difference`` within the margin, ``seeds`` a side.

    From below: the chance that one of two tests misses is at most the sum of both (Bonferroni), near to it where either
    is small.
    """
    from scipy import special

    degrees, error = np.asarray(seeds) - 1, np.hypot(sd_a, sd_b) / np.sqrt(seeds)
    critical = special.stdtrit(degrees, 1 - alpha)
    above = 1 - _nct(degrees, (difference + margin) / error, critical)
    below = _nct(degrees, (difference - margin) / error, -critical)
    return np.maximum(0.0, above + below - 1)


def seeds_to_decide(
    difference: float, sd_a: float, sd_b: float, margin: float | None, alpha: float = ALPHA, power: float = POWER
) -> int | None:
    """The fewest seeds per variant that decide with that power, if the truth is what was seen; None beyond MOST_SEEDS.

    By a difference that is found, or by equivalence that is shown, whichever takes fewer.
    """
    seeds = np.arange(2, MOST_SEEDS + 1)
    if sd_a == 0 and sd_b == 0:
        return 2
    chance = power_to_find(difference, sd_a, sd_b, seeds, alpha)
    if margin:
        chance = np.maximum(chance, power_to_equate(difference, sd_a, sd_b, seeds, margin, alpha))
    enough = np.flatnonzero(chance >= power)
    return int(seeds[enough[0]]) if len(enough) else None


def _nct(degrees: NDArray, shift: NDArray, at: NDArray) -> NDArray:
    """Distribution function of the noncentral t; far out, where scipy gives nan, it is 0 or 1."""
    from scipy import special

    found = special.nctdtr(degrees, shift, at)
    return np.where(np.isnan(found), np.asarray(at) > np.asarray(shift), found)
