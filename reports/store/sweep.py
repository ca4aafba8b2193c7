"""One sweep as the store has it: its runs, what they say of each variant, and which of them are missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from reports.store.typed import Rounds
from zoo.stats import verdicts as statistics
from zoo.stats.verdicts import SeedSchedule, Verdict
from zoo.storage.designs import DesignHistory
from zoo.tracking.names import RunStatus

FAILED = (RunStatus.FAILED, RunStatus.KILLED)


class Missing(NamedTuple):
    """A run that the question asks for and that has no result; ``reason`` is a sentence for the reader."""

    variant: str
    seed: int
    reason: str


@dataclass(frozen=True, eq=False)
class Sweep:
    """One sweep as it stands in the store.

    ``runs`` has one row a run (see :func:`reports.load`); ``histories`` one row a point: run_id, metric (one of
    ``histories.recorded()``, without unit: accuracies are fractions here), step, value.
    """

    name: str
    question: str
    baseline: str | None  # a name in variants
    margin: float | None  # points of test accuracy, as declared
    variants: tuple[str, ...]  # in the order of the question
    seeds: tuple[int, ...]  # at most these, where there is a schedule
    command: str | None  # that ran it, where the store knows
    runs: pd.DataFrame
    histories: pd.DataFrame
    uri: str = ""
    experiment_id: str = ""
    schedule: SeedSchedule | None = None  # seeds were added until the verdicts were decided
    levels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # variant -> factor -> level, see ``levels``
    published: tuple[Mapping[str, Any], ...] = ()  # figures of others, as ``reports.analysis.claims`` reads them
    design: DesignHistory | None = None  # as it was declared; None where that is not known
    artifacts: Mapping[str, str] = field(default_factory=dict)  # run id -> address of its files
    rounds: Mapping[str, Mapping[str, Rounds]] = field(
        default_factory=dict
    )  # run id -> metric -> its latency by rounds

    def results(self, variant: str | None = None) -> pd.DataFrame:
        """The rows of ``runs`` that have a result: finished, with a finite final accuracy."""
        if variant is None:
            return self._results
        return self._results_of[variant] if variant in self._results_of else self._results.iloc[:0]

    @cached_property
    def _results(self) -> pd.DataFrame:
        return self.runs[has_result(self.runs)]

    @cached_property
    def _results_of(self) -> dict[str, pd.DataFrame]:
        return dict(iter(self._results.groupby("variant", sort=False)))

    def verdicts(self) -> dict[str, Verdict]:
        """What can be said of each variant but the baseline; nothing where there is no baseline to compare with."""
        return self._verdicts

    @cached_property
    def _verdicts(self) -> dict[str, Verdict]:
        if self.baseline is None or not len(self.results(self.baseline)):
            return {}
        values = {name: self.results(name)["accuracy_percent"].to_numpy() for name in self.variants}
        keys = self.trainings(self.baseline)
        paired = [name for name in values if name != self.baseline and keys and self.trainings(name) == keys]
        return statistics.verdicts(values, self.baseline, self.margin or None, self.schedule, paired)

    def trainings(self, variant: str) -> tuple[str, ...]:
        """The keys of the trainings that a variant's results come from, in the order of the seeds; () where unknown."""
        keys = tuple(self.results(variant)["run_key"])
        return keys if all(keys) else ()

    def missing(self) -> tuple[Missing, ...]:
        """Every variant and seed that the question asks for by now, or that was started, and that has no result."""
        rows = {(row.variant, row.seed): row for row in self.runs.itertuples()}
        done = {(row.variant, row.seed) for row in self.results().itertuples()}
        expected = [(variant, seed) for variant, seeds in self.wanted().items() for seed in seeds]
        return tuple(
            Missing(*key, _why_missing(rows.get(key))) for key in dict.fromkeys([*expected, *rows]) if key not in done
        )

    def wanted(self) -> dict[str, tuple[int, ...]]:
        """The seeds that each variant is to have by now: all, or with a schedule the first ones, and of what is undecided
        after those one more than have been tried."""
        if self.schedule is None:
            return dict.fromkeys(self.variants, self.seeds)
        verdicts, counts = self.verdicts(), {}
        for name in self.variants:
            tried = int(((self.runs["variant"] == name) & (self.runs["status"] != RunStatus.RUNNING)).sum())
            verdict = verdicts.get(name)
            analysed = verdict is not None and verdict.seeds >= self.schedule.first
            undecided = verdict is not None and not verdict.is_decided
            more = analysed and undecided and tried < self.schedule.last
            counts[name] = max(self.schedule.first, tried + 1 if more else 0)
        if self.baseline is not None:
            counts[self.baseline] = max(counts.values())
        return {name: self.seeds[: counts[name]] for name in self.variants}


def has_result(runs: pd.DataFrame) -> pd.Series:
    """Boolean [rows]: finished, with a finite final accuracy."""
    return (runs["status"] == RunStatus.FINISHED) & np.isfinite(runs["accuracy_percent"])


def _why_missing(row: Any | None) -> str:
    if row is None:
        return "not run yet"
    if row.status in FAILED:
        reason = row.status_detail.partition("\n")[0] or "no reason was recorded; see the run in MLflow"
        return f"{row.status.lower()}: {' '.join(reason.split())}"
    if row.status == RunStatus.FINISHED:
        return "finished without a final test accuracy"
    return "still running, or its process died" if row.status == RunStatus.RUNNING else row.status.lower()
