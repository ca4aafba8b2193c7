"""One sweep as the store has it: its runs, what they say of each variant, and which of them are missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from reports.store.typed import Rounds
from zoo import data
from zoo.measure import task
from zoo.stats import declared
from zoo.stats.declared import Declared
from zoo.stats.effects import Effect, effects
from zoo.stats.family import Judged, Results
from zoo.stats.verdicts import SeedSchedule, Verdict
from zoo.storage.designs import DesignHistory
from zoo.text.listing import level_text
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
    began_s: Mapping[str, float] = field(default_factory=dict)  # run id -> when its training began, seconds since 1970
    rounds: Mapping[str, Mapping[str, Rounds]] = field(
        default_factory=dict
    )  # run id -> metric -> its latency by rounds
    declared: Mapping[str, Mapping[str, Any]] | None = None  # levels as the question has them; None: the same

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
        """What can be said of each variant but the baseline, or that of its part; nothing where there is no baseline to
        compare with."""
        if self.parts:
            return {name: verdict for part in self.parts.values() for name, verdict in part.verdicts().items()}
        return judged.verdicts if (judged := self._judged) else {}

    @cached_property
    def parts(self) -> dict[str, Sweep]:
        """Where the variants are not all tested alike (``zoo.measure.task``): what is tested, as ``data digits``, and the
        sweep of these variants alone, with a baseline of its own; the part of the baseline first. Else nothing."""
        if self.baseline is None or any(name not in self.levels for name in self.variants):
            return {}
        levels = _texts(self.levels)
        found = task.split({name: levels[name] for name in self.variants}, self.baseline)
        return {part.label: self._restricted(part) for part in found} if len(found) > 1 else {}

    def _restricted(self, part: task.Part) -> Sweep:
        return replace(
            self,
            variants=part.variants,
            baseline=part.baseline,
            runs=self.runs[self.runs["variant"].isin(part.variants)],
            levels={name: _without(self.levels[name], part.task) for name in part.variants},
            declared=self.declared and {name: _without(own, part.task) for name, own in self.declared.items()},
        )

    def judged(self) -> Judged | None:
        """The verdicts of the family that this sweep is judged by; None without a baseline to compare with."""
        return self._judged

    @cached_property
    def _judged(self) -> Judged | None:
        if self.baseline is None or not len(self.results(self.baseline)):
            return None
        seeds = {name: self.results(name)["seed"].tolist() for name in self.variants}
        same = declared.alike(self._answers())
        return declared.judged(self._statistics(self.baseline), seeds, self._declared_design, self._untried(), same)

    @property
    def _declared_design(self) -> Declared:
        """What verdicts go by: the design as it was declared, or as it is where that is not known."""
        first = None if self.schedule is None else self.schedule.first
        if self.design is None:
            return Declared(self.seeds, first, self.margin or None)
        is_baseline = self.design.declared.baseline == self.design.current.baseline
        return Declared(self.design.judged.seeds, first, self.margin or None, is_baseline)

    def _untried(self) -> list[str]:
        """The variants of which seeds that were declared have neither a result nor failed."""
        tried = self.runs[self.runs["status"].isin((RunStatus.FINISHED, RunStatus.FAILED))]
        seeds = {name: set(rows["seed"]) for name, rows in tried.groupby("variant", sort=False)}
        planned = set(self._declared_design.seeds)
        return [name for name in self.variants if planned - seeds.get(name, set())]

    def _answers(self) -> dict[str, dict[int, str]]:
        """Checksums of the answers of each variant, by seed."""
        if "logits_sha256" not in self.runs:
            return {}
        results = {name: self.results(name) for name in self.variants}
        return {name: dict(zip(rows["seed"], rows["logits_sha256"], strict=True)) for name, rows in results.items()}

    def effects(self) -> list[Effect]:
        """Of the factors, where two of them are crossed: judged where the question is a factorial, else only described.

        Raises:
            ValueError: the levels in the store are of no design.
        """
        judged = self._judged
        if judged is None or self.baseline is None or self.baseline not in self.levels or judged.effects:
            return judged.effects if judged else []
        results = self._statistics(self.baseline)
        texts = _texts(self.levels)
        return effects(
            results.accuracies,
            texts,
            texts[self.baseline],
            results.trainings,
            test_images=results.test_images,
            are_judged=False,
        )

    def _statistics(self, baseline: str) -> Results:
        return Results(
            {name: self.results(name)["accuracy_percent"].to_numpy() for name in self.variants},
            baseline,
            {name: keys for name in self.variants if (keys := self.trainings(name))},
            {name: self.test_images(name) for name in self.variants},
            _texts(self.levels if self.declared is None else self.declared),
        )

    def test_images(self, variant: str) -> int | None:
        """On how many a variant's accuracies are counted: as recorded, or else what is known of the data set; None where
        neither is, or its runs differ."""
        runs = self.results(variant)
        known = set(pd.to_numeric(runs["test_images"], "coerce").dropna()) if "test_images" in runs else set()
        if known:
            return int(known.pop()) if len(known) == 1 else None
        names = set(runs["config.data"].dropna()) if "config.data" in runs else set()
        try:
            return data.info(names.pop()).test_images if len(names) == 1 else None
        except data.DataError:
            return None

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
        first = None if self.schedule is None else self.schedule.first
        if self.design is not None:
            first = self.design.current.first_analysis
        if first is None:
            return dict.fromkeys(self.variants, self.seeds)
        if self.parts:
            of_parts = {name: seeds for part in self.parts.values() for name, seeds in part.wanted().items()}
            return {name: of_parts[name] for name in self.variants}
        tried = self.runs.loc[self.runs["status"] != RunStatus.RUNNING, "variant"].value_counts()
        counts = dict.fromkeys(self.variants, first)
        judged = self.judged()
        for names in judged.undecided(first) if judged else ():
            wanted = min(len(self.seeds), 1 + min(int(tried.get(name, 0)) for name in names))
            counts |= {name: max(counts[name], wanted) for name in names}
        if self.baseline is not None:
            counts[self.baseline] = max(counts.values())
        return {name: self.seeds[: counts[name]] for name in self.variants}


def _texts(levels: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    return {name: {factor: level_text(level) for factor, level in own.items()} for name, own in levels.items()}


def _without(levels: Mapping[str, Any], fields: Collection[str]) -> dict[str, Any]:
    return {factor: level for factor, level in levels.items() if factor not in fields}


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
