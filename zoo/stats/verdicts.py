"""What a comparison of repeated trainings allows to be said: helps, hurts, equivalent, or undecided and how many seeds more.

Accuracies come in points (percent), one value a training. The tests are Welch's, never pooled: the spread between seeds
differs between variants. Seeds are not paired, because one changed bit reproduces the whole variation between seeds
(arXiv:2304.01910): the same seed on both sides is worth nothing. Variants that are read from the baseline's own trainings
are paired truly, and compared training by training.

- A difference is found when Welch's two-sided test rejects at 5 % (the interval is away from zero).
- Equivalence is found when two one-sided tests at 5 % put the difference within the margin (Schuirmann, J. Pharmacokinetics
  and Biopharmaceutics 15, 1987), that is when the 90 % interval lies within it.
- Both are corrected for the number of comparisons in the sweep by Holm's method (Scand. J. Statistics 6, 1979).
- Where both hold, the difference is real and smaller than what the person cares about: ``equivalent``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.stats import sequential
from zoo.stats.power import ALPHA, seeds_to_decide

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


def compare_pairs(a: ArrayLike, b: ArrayLike) -> Comparison:
    """``a`` [..., n] against ``b`` [..., n], the same training at the same place: Student's paired comparison.

    Raises:
        ValueError: fewer than two pairs.
    """
    apart = np.asarray(a, float) - np.asarray(b, float)
    n = apart.shape[-1]
    if n < 2:
        raise ValueError(f"a spread takes two pairs, not {n}")
    error = apart.std(-1, ddof=1) / np.sqrt(n)
    return Comparison(apart.mean(-1), error, np.full_like(error, n - 1.0))


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


def in_short(verdict: Verdict) -> str:
    """``undecided (+0.12 points)``."""
    word = "without a verdict" if verdict.word == NONE else verdict.word
    return word if np.isnan(verdict.difference) else f"{word} ({verdict.difference:+.2f} points)"


class SeedSchedule(NamedTuple):
    """Seeds are added one by one from ``first`` to ``last``, and looked at each time."""

    first: int
    last: int


def verdicts(
    accuracies: Mapping[str, ArrayLike],
    baseline: str,
    margin: float | None,
    schedule: SeedSchedule | None = None,
    paired: Collection[str] = (),
) -> dict[str, Verdict]:
    """The verdict on every variant but the baseline, from accuracies [n] in points, in the order of the seeds.

    ``paired`` variants are readouts of the baseline's trainings: their n values belong to its first n, one by one.
    With a ``schedule`` what is told is what an onlooker would have decided at the first look that allowed it, from the seeds
    of that look alone; the baseline may have more by now.

    Raises:
        KeyError: no such baseline. ValueError: a margin that is not positive.
    """
    if margin is not None and not margin > 0:
        raise ValueError(f"a margin is a positive number of points, not {margin}")
    values = {name: np.asarray(array, float).reshape(-1) for name, array in accuracies.items()}
    reference = values.pop(baseline)
    pairs = {name: _Pair(array, reference, False) for name, array in values.items()}
    pairs |= {name: pairs[name].first(pairs[name].seeds)._replace(paired=True) for name in paired}
    if schedule is None:
        return _at_one_look(pairs, margin)
    return _at_many_looks(pairs, margin, schedule)


class _Pair(NamedTuple):
    """A variant's values and the baseline's."""

    values: NDArray
    reference: NDArray
    paired: bool  # value by value

    def first(self, n: int) -> _Pair:
        """What there was when both had ``n`` values."""
        return _Pair(self.values[:n], self.reference[:n], self.paired)

    @property
    def seeds(self) -> int:
        """On the side that has fewer."""
        return min(len(self.values), len(self.reference))

    @property
    def difference(self) -> float:
        if not self.seeds:
            return float("nan")
        return float(self.values.mean() - self.reference.mean())

    def comparison(self) -> Comparison:
        return (compare_pairs if self.paired else compare)(self.values, self.reference)

    def seeds_needed(self, margin: float | None, family: int) -> int | None:
        if self.paired:
            sds = float(np.std(self.values - self.reference, ddof=1)), 0.0
        else:
            sds = float(np.std(self.values, ddof=1)), float(np.std(self.reference, ddof=1))
        return seeds_to_decide(self.difference, *sds, margin, ALPHA / family)


def _at_one_look(pairs: Mapping[str, _Pair], margin: float | None) -> dict[str, Verdict]:
    k = len(pairs)
    known = {name: pair.comparison() for name, pair in pairs.items() if pair.seeds > 1}
    p_difference = _adjusted({name: float(c.p_difference()) for name, c in known.items()}, k)
    p_equivalence = _adjusted({n: float(c.p_equivalence(margin)) for n, c in known.items()} if margin else {}, k)
    found = {}
    for name, pair in pairs.items():
        if name not in known:
            found[name] = _none(pair, k)
            continue
        p, within = p_difference[name], p_equivalence.get(name, float("nan"))
        word = _word(known[name], p < ALPHA, within < ALPHA)
        needed = pair.seeds_needed(margin, k) if word == UNDECIDED else None
        found[name] = Verdict(word, *_ends(known[name], ALPHA), p, within, pair.seeds, needed, k)
    return found


def _at_many_looks(pairs: Mapping[str, _Pair], margin: float | None, schedule: SeedSchedule) -> dict[str, Verdict]:
    """Replay the looks. At each, Holm's steps go down with the levels of that look in place of alpha (Maurer and Bretz,
    "Multiple testing in group sequential trials using graphical approaches", Stat. Biopharm. Res. 5, 2013)."""
    k, shares = len(pairs), sequential.shares(schedule.first, schedule.last)
    latest: dict[str, Verdict] = {}
    different: set[str] = set()
    within: set[str] = set()
    for look, n in enumerate(range(schedule.first, schedule.last + 1)):
        open_ = [name for name in pairs if not (name in latest and latest[name].is_decided)]
        at = {name: pairs[name].first(n) for name in open_ if pairs[name].seeds >= n > 1}
        compared = {name: pair.comparison() for name, pair in at.items()}

        def level(left: int, sides: int, look: int = look) -> float:
            """Of one hypothesis among ``left``; a pair of one-sided tests has alpha on each side."""
            return sequential.levels(sides * ALPHA / left, shares)[look] / sides

        p_difference = {name: float(c.p_difference()) for name, c in compared.items()}
        p_equivalence = {name: float(c.p_equivalence(margin)) for name, c in compared.items()} if margin else {}
        different |= _step_down(p_difference, k - len(different), lambda left: level(left, 1))
        within |= _step_down(p_equivalence, k - len(within), lambda left: level(left, 2))
        for name, comparison in compared.items():
            word = _word(comparison, name in different, name in within)
            needed = at[name].seeds_needed(margin, k) if word == UNDECIDED else None
            adjusted = (
                min(1.0, p_difference[name] * ALPHA / level(k, 1)),
                min(1.0, p_equivalence[name] * ALPHA / level(k, 2)) if margin else float("nan"),
            )
            latest[name] = Verdict(word, *_ends(comparison, level(1, 1)), *adjusted, n, needed, k)
    return {name: latest.get(name) or _none(pair, k) for name, pair in pairs.items()}


def _ends(comparison: Comparison, level: float) -> tuple[float, float, float]:
    """The difference, and low and high of its interval."""
    low, high = comparison.interval(level)
    return float(comparison.difference), float(low), float(high)


def _step_down(p: Mapping[str, float], left: int, level: Callable[[int], float]) -> set[str]:
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


def _none(pair: _Pair, family: int) -> Verdict:
    nan = float("nan")
    return Verdict(NONE, pair.difference, nan, nan, nan, nan, pair.seeds, None, family)
