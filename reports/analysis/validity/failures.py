"""Trainings that ended without a result: a part of the answer, since what is left of a variant is not all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reports.store.sweep import FAILED, Sweep
from zoo.stats.comparisons import holm
from zoo.stats.power import ALPHA
from zoo.stats.validity.failures import mean_with_failures, p_of_failures
from zoo.storage.states import FailureKind
from zoo.text.listing import listed

VERBS: dict[FailureKind | None, str] = {  # of trainings; every other kind has ``failed`` and its name
    FailureKind.DIVERGED: "diverged",
    FailureKind.OUT_OF_MEMORY: "ran out of memory",
    FailureKind.MEMORY_KILL: "were ended because memory ran short",
    FailureKind.CRASH: "crashed",
    FailureKind.HANG: "hung",
    None: "failed",
}
ONE = {FailureKind.MEMORY_KILL: "was ended because memory ran short"}
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
ENOUGH = 2  # results of a variant that a comparison takes


@dataclass(frozen=True)
class Failures:
    """Of one variant, some of whose trainings failed."""

    variant: str
    kinds: Mapping[FailureKind | None, int]  # how many failed in which way; None where it was not recorded
    left: int  # trainings with a result
    pending: int  # that are still to come
    p: float  # that they fail as often as the baseline's, by Fisher's test, adjusted by Holm's method; nan of the baseline
    others: str  # the baseline's failures in words: ``0 of 5``
    fails_more: bool  # than the baseline, as far as was seen
    with_chance_percent: float  # the mean accuracy with failures counted as chance; nan where that is not known
    chance_percent: float

    @property
    def failed(self) -> int:
        return sum(self.kinds.values())

    @property
    def is_all(self) -> bool:
        """Whether none or too few are left to compare, and no more are to come."""
        return self.failed > 0 and self.left + self.pending < ENOUGH

    @property
    def words(self) -> str:
        """``2 of 5 trainings of A diverged``."""
        ended = self.failed + self.left
        parts = [f"{number} {_verb(kind, number)}" for kind, number in self.kinds.items()]
        if len(parts) == 1:
            (kind, number), *_ = self.kinds.items()
            return f"{number} of {ended} trainings of {self.variant} {_verb(kind, number)}"
        return f"{self.failed} of {ended} trainings of {self.variant} failed ({listed(parts)})"

    @property
    def headline(self) -> str:
        """What failed, and what is then spoken of; empty where nothing did."""
        if not self.failed:
            return ""
        if self.is_all:
            left = "no result is left" if not self.left else f"{_number(self.left)} is left, too few to compare"
            return f"{self.words}; {left}."
        return f"{self.words}; this is about the other {_number(self.left)}." if self.left else f"{self.words}."

    @property
    def against_baseline(self) -> str:
        """Whether it fails more often than the baseline; empty of the baseline itself."""
        if np.isnan(self.p):
            return ""
        counts = f"{self.failed} of {self.failed + self.left} against {self.others}"
        if self.p < ALPHA:
            how = "more" if self.fails_more else "less"
            return f"It fails {how} often than the baseline: {counts} (Fisher's exact test, p = {self.p:.2g})."
        unknown = "Whether it fails more often than the baseline cannot be told"
        return f"{unknown}: {counts} (Fisher's exact test, p = {self.p:.2g})."

    @property
    def counted(self) -> str:
        """The accuracy with failures counted as chance; empty where chance is not known, or is all that is counted."""
        if not self.failed or not self.left or np.isnan(self.with_chance_percent):
            return ""
        return (
            f"With its failures counted as chance ({self.chance_percent:.1f} %), {self.variant} has "
            f"{self.with_chance_percent:.2f} % on average."
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.headline, self.against_baseline, self.counted)))


def of(sweep: Sweep, chance_percent: Mapping[str, float]) -> dict[str, Failures]:
    """Of each variant with a training that failed, and where the baseline's failed of each that is shown to fail less often.

    ``chance_percent`` has the accuracy of guessing for each variant for which it is known.
    """
    runs = sweep.runs[sweep.runs["status"].isin(FAILED[:1])]
    failed = {name: Counter(map(_kind, group["failure"])) for name, group in runs.groupby("variant", sort=False)}
    left = {name: len(sweep.results(name)) for name in sweep.variants}
    p = _p_of_each({name: kinds.total() for name, kinds in failed.items()}, left, sweep.baseline)
    wanted, found, nothing = sweep.wanted(), {}, Counter[FailureKind | None]()
    lost = failed.get(sweep.baseline or "", nothing).total()
    ended = lost + left.get(sweep.baseline or "", 0)
    for name in (name for name in sweep.variants if name in failed or p.get(name, 1.0) < ALPHA):
        values = sweep.results(name)["accuracy_percent"].to_numpy()
        kinds, chance = failed.get(name, nothing), chance_percent.get(name, float("nan"))
        number = kinds.total()
        found[name] = Failures(
            variant=name,
            kinds=dict(kinds.most_common()),
            left=left[name],
            pending=max(0, len(wanted[name]) - left[name] - number),
            p=p.get(name, float("nan")),
            others=f"{lost} of {ended}",
            fails_more=number * ended > lost * (number + left[name]),
            with_chance_percent=mean_with_failures(values, number, chance),
            chance_percent=chance,
        )
    return found


def advice(row: Mapping[str, Any], failures: Mapping[str, Failures], baseline: str, do: str) -> str:
    """What to do where trainings of the variant or of the baseline failed; empty where none did."""
    own, others = failures.get(row["variant"]), failures.get(baseline)
    if own is not None and own.is_all:
        return f"Find out why {own.words} before deciding whether to {do}."
    words = [each.words for each in (own, others) if each is not None and each.failed]
    return f"Find out first why {listed(words)}: the accuracy alone does not say whether to {do}." if words else ""


def _p_of_each(failed: Mapping[str, int], left: Mapping[str, int], baseline: str | None) -> dict[str, float]:
    """Against the baseline; of each variant, since one without a failure may be compared with a baseline that has some."""
    others = [name for name in left if name != baseline and failed.get(name, 0) + left[name]]
    if baseline is None or not failed.get(baseline, 0) + left.get(baseline, 0):
        return {}
    lost = failed.get(baseline, 0)
    p = [
        p_of_failures(failed.get(name, 0), failed.get(name, 0) + left[name], lost, lost + left[baseline])
        for name in others
    ]
    return dict(zip(others, holm(p).tolist(), strict=True)) if p else {}


def _kind(text: str) -> FailureKind | None:
    return FailureKind(text) if text in list(FailureKind) else None


def _verb(kind: FailureKind | None, number: int) -> str:
    if kind in VERBS:
        return ONE.get(kind, VERBS[kind]) if number == 1 and kind is not None else VERBS[kind]
    return "failed"


def _number(number: int) -> str:
    return NUMBERS[number] if number < len(NUMBERS) else str(number)
