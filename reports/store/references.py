"""The runs that a person names: by an MLflow run id, a run key, the beginning of one, or SWEEP:VARIANT:SEED."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.errors import ReportError
from reports.store.client import PAGE, open_client
from zoo.text.suggestions import did_you_mean
from zoo.tracking.names import CURRENT_RUNS, Params, RunStatus, RunTags

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

PREFIX = 6  # characters of a run id or key, at least
LISTED = 10  # candidates in a message


@dataclass(frozen=True)
class StoredRun:
    """One run as the store has it."""

    run_id: str
    sweep: str
    variant: str
    seed: str
    status: str
    start_ms: int
    params: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Mapping[str, float]

    @property
    def name(self) -> str:
        return f"{self.sweep}:{self.variant}:{self.seed}"

    def __str__(self) -> str:
        return f"{self.run_id[:12]} ({self.name}, {self.status.lower()})"


def find_runs(references: Iterable[str], uri: str) -> list[StoredRun]:
    """One run for each reference.

    Raises:
        ReportError: no such store; a reference to no run, or to several.
    """
    search = _Search(open_client(uri), uri)
    return [search.find(reference) for reference in references]


class _Search:
    def __init__(self, client: MlflowClient, uri: str):
        self._client, self._uri = client, uri
        self._sweeps = {each.experiment_id: each.name for each in client.search_experiments()}

    def find(self, reference: str) -> StoredRun:
        for sweep in sorted(self._sweeps.values(), key=len, reverse=True):  # names may have colons too
            if reference.startswith(f"{sweep}:"):
                return self._by_name(sweep, reference)
        candidates = self._by_prefix(reference) if len(reference) >= PREFIX else []
        if len(candidates) == 1:
            return candidates[0]
        if not candidates:
            raise ReportError(self._why_none(reference))
        raise ReportError(
            f"{reference!r} is more than one run; say which by its id or as SWEEP:VARIANT:SEED: {_listed(candidates)}"
        )

    def _by_name(self, sweep: str, reference: str) -> StoredRun:
        """SWEEP:VARIANT:SEED; a variant's name may have colons in it. Of several runs the one that the reports count."""
        rest = reference.removeprefix(f"{sweep}:")
        variant, _, seed = rest.rpartition(":")
        runs = [run for run in self._all(CURRENT_RUNS) if run.sweep == sweep]
        candidates = [run for run in runs if (run.variant, run.seed) == (variant, seed)]
        if candidates:
            return max(candidates, key=_precedence)
        variants = sorted({run.variant for run in runs})
        if not runs:
            raise ReportError(f"no run {reference!r}: the sweep {sweep!r} has no run yet")
        if variant not in variants:
            known = f"{', '.join(variants[:LISTED])}{', ...' if len(variants) > LISTED else ''}"
            name = variant or rest
            raise ReportError(
                f"no run {reference!r}: {sweep!r} has no variant {name!r}{did_you_mean(name, variants)}; "
                f"it has {known}, and a run is SWEEP:VARIANT:SEED"
            )
        seeds = sorted((run.seed for run in runs if run.variant == variant), key=lambda text: (len(text), text))
        raise ReportError(f"no run {reference!r}: of {variant!r} there are the seeds {', '.join(seeds)}")

    def _by_prefix(self, prefix: str) -> list[StoredRun]:
        """The runs whose id or key begins so. Of several tries at one run the one that the reports count."""
        like = prefix.replace("'", "_").replace('"', "_")  # any letter: what is too much is left out below
        by_id = [run for run in self._all(f"attributes.run_id LIKE '{like}%'") if run.run_id.startswith(prefix)]
        tries: dict[tuple[str, ...], list[StoredRun]] = {}
        for run in self._all(f"tags.{RunTags.RUN_KEY} LIKE '{like}%'"):
            key = run.tags[RunTags.RUN_KEY]
            if key.startswith(prefix):
                tries.setdefault((run.sweep, key, run.variant, run.seed), []).append(run)
        candidates = [*by_id, *(max(runs, key=_precedence) for runs in tries.values())]
        return list({run.run_id: run for run in candidates}.values())

    def _all(self, condition: str) -> list[StoredRun]:
        from mlflow.exceptions import MlflowException

        runs: list[StoredRun] = []
        token = None
        while True:
            try:
                page = self._client.search_runs(list(self._sweeps), condition, max_results=PAGE, page_token=token)
            except MlflowException as error:
                raise ReportError(f"MLflow cannot search its runs: {error.message}") from error
            runs += [self._stored(run) for run in page]
            token = page.token
            if not token:
                return runs

    def _stored(self, run: Run) -> StoredRun:
        tags, params = run.data.tags, run.data.params
        return StoredRun(
            run_id=run.info.run_id,
            sweep=self._sweeps[run.info.experiment_id],
            variant=tags.get(RunTags.VARIANT, params.get(Params.VARIANT, "?")),
            seed=tags.get(RunTags.SEED, params.get(Params.SEED, "?")),
            status=run.info.status,
            start_ms=run.info.start_time or 0,
            params=params,
            tags=tags,
            metrics=run.data.metrics,
        )

    def _why_none(self, reference: str) -> str:
        forms = f"a run is an MLflow run id or a run key ({PREFIX} characters or more), or SWEEP:VARIANT:SEED"
        sweep, colon, _ = reference.partition(":")
        names = sorted(name for name in self._sweeps.values() if name != "Default")
        if colon:
            known = f"known sweeps: {', '.join(names)}" if names else "it holds no sweep"
            return f"no run {reference!r} in {self._uri}: no sweep {sweep!r}{did_you_mean(sweep, names)}; {known}"
        if len(reference) < PREFIX:
            return f"{reference!r} is too short to name a run; {forms}"
        latest = sorted(self._all(CURRENT_RUNS), key=lambda run: -run.start_ms)
        there = f"; there are: {_listed(latest)}" if latest else "; it holds no run"
        return f"no run {reference!r} in {self._uri}; {forms}{there}"


def _precedence(run: StoredRun) -> tuple[bool, bool, int]:
    return run.tags.get(RunTags.CURRENT) == "true", run.status == RunStatus.FINISHED, run.start_ms


def _listed(runs: list[StoredRun]) -> str:
    more = f", and {len(runs) - LISTED} more" if len(runs) > LISTED else ""
    return ", ".join(str(run) for run in runs[:LISTED]) + more
