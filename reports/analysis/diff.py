"""Two runs compared: how they were configured, what they came from, what came out, and where their answers differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reports.errors import ReportError
from reports.store import files
from reports.store.references import StoredRun, find_runs
from reports.store.typed import loaded_object
from zoo.measure import metrics
from zoo.measure.metrics import METRICS, Metric
from zoo.stats.images.predictions import PairedAnswers, compare_answers
from zoo.tracking.address import resolve_uri
from zoo.tracking.names import Artifacts, RunTags

PROVENANCE = {  # tag -> what it is called
    RunTags.GIT_COMMIT: "commit",
    RunTags.GIT_DIRTY: "changed since",
    RunTags.DATA_SHA256: "data checksum",
    RunTags.DEVICE: "device",
}


@dataclass(frozen=True)
class Difference:
    """What :func:`compare` found: name -> the two values, of what differs (in ``metrics``: of all that was measured)."""

    names: tuple[str, str]
    run_ids: tuple[str, str]
    statuses: tuple[str, str]
    configuration: dict[str, tuple[str | None, str | None]]
    provenance: dict[str, tuple[str | None, str | None]]
    metrics: dict[str, tuple[float, float]]  # by ``Metric.full_heading``; nan where it was not measured
    measured: frozenset[str]  # of ``metrics``, those that have a spread: two values of them may differ by chance
    agreement: PairedAnswers | str  # or why there is none


def compare(first: str, second: str, tracking_uri: str | None = None) -> Difference:
    """The runs that two references name: an MLflow run id or a run key, whole or their first characters
    (``references.PREFIX`` or more), or SWEEP:VARIANT:SEED.

    Raises:
        ReportError: no such store; a reference to no run, or to several; both to the same one.
    """
    uri = resolve_uri(tracking_uri)
    one, two = find_runs((first, second), uri)
    if one.run_id == two.run_id:
        raise ReportError(f"{first} and {second} are the same run, {one}; name two")
    known = _known(one.metrics, two.metrics)
    return Difference(
        names=(one.name, two.name),
        run_ids=(one.run_id, two.run_id),
        statuses=(one.status, two.status),
        configuration=_differing(one.params, two.params),
        provenance=_differing(_provenance(one, uri), _provenance(two, uri)),
        metrics={
            metric.full_heading: (metric.from_store(one.metrics.get(key)), metric.from_store(two.metrics.get(key)))
            for key, metric in known.items()
        },
        measured=frozenset(metric.full_heading for metric in known.values() if metric.is_measured),
        agreement=_agreement(one, two, uri),
    )


def _provenance(run: StoredRun, uri: str) -> dict[str, str]:
    known = {label: run.tags[name] for name, label in PROVENANCE.items() if run.tags.get(name)}
    return known | {name: value for name, value in _environment(run, uri).items() if name not in known}


def _environment(run: StoredRun, uri: str) -> dict[str, str]:
    """environment.json, flat: what cannot be read is no difference."""
    try:
        content = files.download(uri, run.run_id, Artifacts.ENVIRONMENT)
    except ReportError:
        return {}
    environment = {} if content is None else loaded_object(content)
    return {Artifacts.ENVIRONMENT: "damaged"} if environment is None else dict(_flat(environment))


def _flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """``{"packages": {"numpy": "2.0"}}`` as ``packages.numpy`` and its text."""
    if isinstance(value, dict):
        return [pair for key in value for pair in _flat(value[key], f"{name}.{key}" if name else str(key))]
    return [(name, value if isinstance(value, str) else json.dumps(value))]


def _differing(one: Mapping[str, str], two: Mapping[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """In the order of the first."""
    names = dict.fromkeys([*one, *two])
    return {name: (one.get(name), two.get(name)) for name in names if one.get(name) != two.get(name)}


def _known(one: Mapping[str, float], two: Mapping[str, float]) -> dict[str, Metric]:
    """Accuracies and costs, of what either has, by MLflow's names."""
    others = filter(None, (metrics.of_key(key) for key in sorted({*one, *two})))
    known = {metric.key: metric for metric in (*METRICS.values(), *others)}
    return {key: metric for key, metric in known.items() if key in one or key in two}


def _agreement(one: StoredRun, two: StoredRun, uri: str) -> PairedAnswers | str:
    answers = []
    for run in (one, two):
        predictions = _predictions(run, uri)
        if isinstance(predictions, str):
            return f"{run.name} {predictions}"
        answers.append(predictions)
    first, second = answers
    if not np.array_equal(first.labels, second.labels):
        return "the two were evaluated on different test images"
    return compare_answers(first.labels, first.logits.argmax(axis=-1), second.logits.argmax(axis=-1))


def _predictions(run: StoredRun, uri: str) -> files.Predictions | str:
    """Those of a run, or why there are none."""
    name = Artifacts.PREDICTIONS
    try:
        content = files.download(uri, run.run_id, name)
        return f"has no {name} in MLflow" if content is None else files.parse_predictions(content)
    except ReportError as error:
        return f"has a {name} that cannot be read: {str(error.__cause__ or error).partition(chr(10))[0]}"
    except files.DamagedFile as error:
        return f"has a {name} that is damaged: {error}"
