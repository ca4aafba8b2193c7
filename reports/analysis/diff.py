"""Two runs side by side: how they were configured, what they came from, what came out, and where their answers differ."""

from __future__ import annotations

import io
import json
import math
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reports.errors import ReportError
from reports.store import reader
from reports.tables import tables
from zoo.measure import metrics
from zoo.measure.metrics import METRICS, Kind
from zoo.stats.mcnemar import PairedAnswers, compare_answers
from zoo.text.suggestions import did_you_mean
from zoo.tracking.address import resolve_uri
from zoo.tracking.names import CURRENT_RUNS

PREFIX = 6  # characters of a run id or key, at least
LISTED = 10  # candidates in a message
RUN_ID = 32  # characters
TAGS = {"git_commit": "commit", "git_dirty": "changed since", "data_sha256": "data checksum", "device": "device"}
CAVEAT = (
    "This compares these two trained networks on these test images. It says nothing about what another training of the "
    "same configurations would give: that is what a sweep's seeds and its report are for."
)


class Side(NamedTuple):
    """One of the two runs."""

    run: Any  # MLflow's
    sweep: str
    environment: dict[str, str]  # environment.json, flat
    predictions: tuple[NDArray, NDArray] | str  # labels [N] and predicted classes [N], or why there are none

    @property
    def name(self) -> str:
        return _name(self.sweep, self.run)


@dataclass(frozen=True)
class Difference:
    """What :func:`compare` found: name -> the two values, of what differs (in ``metrics``: of all that was measured)."""

    names: tuple[str, str]
    run_ids: tuple[str, str]
    statuses: tuple[str, str]
    configuration: dict[str, tuple[str | None, str | None]]
    provenance: dict[str, tuple[str | None, str | None]]
    metrics: dict[str, tuple[float, float]]  # nan where it was not measured
    agreement: PairedAnswers | str  # or why there is none


def compare(first: str, second: str, tracking_uri: str | None = None) -> Difference:
    """The runs that two references name: an MLflow run id or a run key, whole or their first characters (``PREFIX`` or
    more), or SWEEP:VARIANT:SEED.

    Raises:
        ReportError: no such store; a reference to no run, or to several; both to the same one.
    """
    uri = resolve_uri(tracking_uri)
    client = reader._client(uri)
    sweeps = {each.experiment_id: each.name for each in client.search_experiments()}
    runs = [_find(client, sweeps, reference, uri) for reference in (first, second)]
    if runs[0].info.run_id == runs[1].info.run_id:
        raise ReportError(f"{first} and {second} are the same run, {_described(sweeps, runs[0])}; name two")
    one, two = (_side(client, run, sweeps[run.info.experiment_id]) for run in runs)
    return Difference(
        names=(one.name, two.name),
        run_ids=(one.run.info.run_id, two.run.info.run_id),
        statuses=(one.run.info.status, two.run.info.status),
        configuration=_differing(one.run.data.params, two.run.data.params),
        provenance=_differing(_provenance(one), _provenance(two)),
        metrics=_metrics(one.run.data.metrics, two.run.data.metrics),
        agreement=_agreement(one, two),
    )


# --- which runs --------------------------------------------------------------------------------------------------


def _find(client: Any, sweeps: dict[str, str], reference: str, uri: str) -> Any:
    """The one run that a reference names."""
    for sweep in sorted(sweeps.values(), key=len, reverse=True):  # names may have colons too
        if reference.startswith(f"{sweep}:"):
            return _find_place(client, sweeps, sweep, reference.removeprefix(f"{sweep}:"), reference)
    found = _with_prefix(client, sweeps, reference) if len(reference) >= PREFIX else {}
    if len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise ReportError(_unknown(client, sweeps, reference, uri))
    raise ReportError(f"{reference!r} is more than one run; say which by its id or as SWEEP:VARIANT:SEED: "
                      f"{_listed(sweeps, found.values())}")  # fmt: skip


def _find_place(client: Any, sweeps: dict[str, str], sweep: str, place: str, reference: str) -> Any:
    """SWEEP:VARIANT:SEED; a variant's name may have colons in it. Of several runs the one that the reports count."""
    variant, _, seed = place.rpartition(":")
    runs = [run for run in _all(client, sweeps, CURRENT_RUNS) if sweeps[run.info.experiment_id] == sweep]
    found = [run for run in runs if _place(run) == (variant, seed)]
    if found:
        return max(found, key=_standing)
    variants = sorted({_place(run)[0] for run in runs})
    if not runs:
        raise ReportError(f"no run {reference!r}: the sweep {sweep!r} has no run yet")
    if variant not in variants:
        known = f"{', '.join(variants[:LISTED])}{', ...' if len(variants) > LISTED else ''}"
        name = variant or place
        raise ReportError(f"no run {reference!r}: {sweep!r} has no variant {name!r}{did_you_mean(name, variants)}; "
                          f"it has {known}, and a run is SWEEP:VARIANT:SEED")  # fmt: skip
    seeds = sorted((_place(run)[1] for run in runs if _place(run)[0] == variant), key=lambda text: (len(text), text))
    raise ReportError(f"no run {reference!r}: of {variant!r} there are the seeds {', '.join(seeds)}")


def _with_prefix(client: Any, sweeps: dict[str, str], prefix: str) -> dict[str, Any]:
    """The runs whose id or key begins so, by id. Of several tries at one run the one that the reports count."""
    like = prefix.replace("'", "_").replace('"', "_")  # any letter: what is too much is left out below
    by_id = [
        run for run in _all(client, sweeps, f"attributes.run_id LIKE '{like}%'") if run.info.run_id.startswith(prefix)
    ]
    tries: dict[tuple, list[Any]] = {}
    for run in _all(client, sweeps, f"tags.run_key LIKE '{like}%'"):
        key = run.data.tags["run_key"]
        if key.startswith(prefix):
            tries.setdefault((run.info.experiment_id, key, *_place(run)), []).append(run)
    found = [*by_id, *(max(runs, key=_standing) for runs in tries.values())]
    return {run.info.run_id: run for run in found}


def _standing(run: Any) -> tuple[bool, bool, int]:
    return run.data.tags.get("current") == "true", run.info.status == "FINISHED", run.info.start_time or 0


def _all(client: Any, sweeps: dict[str, str], condition: str) -> list[Any]:
    from mlflow.exceptions import MlflowException

    found, token = [], None
    while True:
        try:
            page = client.search_runs(list(sweeps), condition, max_results=reader.PAGE, page_token=token)
        except MlflowException as error:
            raise ReportError(f"MLflow cannot search its runs: {error.message}") from error
        found += page
        token = page.token
        if not token:
            return found


def _unknown(client: Any, sweeps: dict[str, str], reference: str, uri: str) -> str:
    forms = f"a run is an MLflow run id or a run key ({PREFIX} characters or more), or SWEEP:VARIANT:SEED"
    sweep, colon, _ = reference.partition(":")
    names = sorted(name for name in sweeps.values() if name != "Default")
    if colon:
        known = f"known sweeps: {', '.join(names)}" if names else "it holds no sweep"
        return f"no run {reference!r} in {uri}: no sweep {sweep!r}{did_you_mean(sweep, names)}; {known}"
    if len(reference) < PREFIX:
        return f"{reference!r} is too short to name a run; {forms}"
    latest = sorted(_all(client, sweeps, CURRENT_RUNS), key=lambda run: -(run.info.start_time or 0))
    there = f"; there are: {_listed(sweeps, latest)}" if latest else "; it holds no run"
    return f"no run {reference!r} in {uri}; {forms}{there}"


def _place(run: Any) -> tuple[str, str]:
    tags, params = run.data.tags, run.data.params
    return tags.get("variant", params.get("variant", "?")), tags.get("seed", params.get("seed", "?"))


def _name(sweep: str, run: Any) -> str:
    return ":".join((sweep, *_place(run)))


def _described(sweeps: dict[str, str], run: Any) -> str:
    return f"{run.info.run_id[:12]} ({_name(sweeps[run.info.experiment_id], run)}, {run.info.status.lower()})"


def _listed(sweeps: dict[str, str], runs: Any) -> str:
    runs = list(runs)
    more = f", and {len(runs) - LISTED} more" if len(runs) > LISTED else ""
    return ", ".join(_described(sweeps, run) for run in runs[:LISTED]) + more


# --- what they are -----------------------------------------------------------------------------------------------


def _side(client: Any, run: Any, sweep: str) -> Side:
    environment: dict[str, str] = {}
    content = _file(client, run, "environment.json")
    if isinstance(content, bytes):
        try:
            environment = dict(_flat(json.loads(content)))
        except ValueError:
            environment = {"environment.json": "damaged"}
    return Side(run, sweep, environment, _predictions(_file(client, run, "predictions.npz")))


def _file(client: Any, run: Any, name: str) -> bytes | str:
    """The content of a file that the run has in MLflow, or why there is none."""
    from mlflow.exceptions import MlflowException

    try:
        with tempfile.TemporaryDirectory() as folder:
            if name not in {item.path for item in client.list_artifacts(run.info.run_id)}:
                return f"has no {name} in MLflow"
            return Path(client.download_artifacts(run.info.run_id, name, folder)).read_bytes()
    except (MlflowException, OSError) as error:
        return f"has a {name} that cannot be read: {str(error).partition(chr(10))[0]}"


def _predictions(content: bytes | str) -> tuple[NDArray, NDArray] | str:
    if isinstance(content, str):
        return content
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return arrays["labels"], arrays["logits"].argmax(axis=-1)
    except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile) as error:
        return f"has a predictions.npz that is damaged: {error}"


def _flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """``{"packages": {"numpy": "2.0"}}`` as ``packages.numpy`` and its text."""
    if isinstance(value, dict):
        return [pair for key in value for pair in _flat(value[key], f"{name}.{key}" if name else str(key))]
    return [(name, value if isinstance(value, str) else json.dumps(value))]


def _provenance(side: Side) -> dict[str, str]:
    tags = side.run.data.tags
    known = {label: tags[name] for name, label in TAGS.items() if tags.get(name)}
    return known | {name: value for name, value in side.environment.items() if name not in known}


def _differing(one: dict[str, str], two: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """In the order of the first."""
    names = dict.fromkeys([*one, *two])
    return {name: (one.get(name), two.get(name)) for name in names if one.get(name) != two.get(name)}


def _metrics(one: dict[str, float], two: dict[str, float]) -> dict[str, tuple[float, float]]:
    """Accuracies in percent, and the costs, of what either has."""
    others = filter(None, (metrics.of_key(key) for key in sorted({*one, *two})))
    known = {metric.key: metric for metric in (*METRICS.values(), *others)}
    return {
        metric.full_heading: (metric.from_store(one.get(key)), metric.from_store(two.get(key)))
        for key, metric in known.items()
        if key in one or key in two
    }


def _agreement(one: Side, two: Side) -> PairedAnswers | str:
    for side in (one, two):
        if isinstance(side.predictions, str):
            return f"{side.name} {side.predictions}"
    (labels, first), (others, second) = one.predictions, two.predictions
    if not np.array_equal(labels, others):
        return "the two were evaluated on different test images"
    return compare_answers(labels, first, second)


# --- how it is said ----------------------------------------------------------------------------------------------


def text(found: Difference) -> str:
    """For the terminal."""
    sides = [
        f"{letter}  {name}  ({run_id[:12]}, {status.lower()})"
        for letter, name, run_id, status in zip("AB", found.names, found.run_ids, found.statuses, strict=True)
    ]
    parts = ["\n".join(sides)]
    if found.configuration:
        parts.append("Configuration\n" + _table(found.configuration))
    else:
        parts.append("Configuration: the same.")
    if found.provenance:
        parts.append("Provenance\n" + _table(found.provenance))
    else:
        parts.append("Provenance: the same commit, data, device and versions, as far as they were recorded.")
    rows = [[name, _number(name, a), _number(name, b), _change(name, a, b)] for name, (a, b) in found.metrics.items()]
    parts.append(tables.text_table(["metric", "A", "B", "B - A"], rows) if rows else "Nothing was measured.")
    return "\n\n".join([*parts, _agreement_words(found.agreement)])


def _table(pairs: dict[str, tuple[str | None, str | None]]) -> str:
    rows = [[name, *(tables.ABSENT if value is None else value for value in pair)] for name, pair in pairs.items()]
    return tables.text_table(["", "A", "B"], rows, left=3)


def _number(name: str, value: float) -> str:
    if math.isnan(value):
        return tables.ABSENT
    if _is_accuracy(name):
        return f"{value:.2f}"
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else f"{value:.4g}"


def _is_accuracy(heading: str) -> bool:
    return heading in {metric.full_heading for metric in metrics.of_kind(Kind.ACCURACY)}


def _change(name: str, a: float, b: float) -> str:
    """Of accuracies in points, of costs in percent of the first."""
    if math.isnan(a) or math.isnan(b):
        return tables.ABSENT
    if _is_accuracy(name):
        return f"{b - a:+.2f} points"
    return "the same" if a == b else f"{100 * (b / a - 1):+.1f} %" if a else f"{b - a:+g}"


def _agreement_words(found: PairedAnswers | str) -> str:
    if isinstance(found, str):
        return f"Predictions cannot be compared: {found}."
    rows = [
        ["A right", f"{found.both_right:,}", f"{found.only_first:,}"],
        ["A wrong", f"{found.only_second:,}", f"{found.both_wrong:,}"],
    ]
    share = 100 * found.same / found.images if found.images else math.nan
    p = f"p = {found.p:.2g}" if found.p >= 1e-4 else "p < 0.0001"
    return "\n".join([
        f"Predictions: the same for {share:.2f} % of {found.images:,} test images.",
        tables.text_table(["images", "B right", "B wrong"], rows),
        f"McNemar's exact test: {p} that A and B are right equally often. {CAVEAT}",
    ])  # fmt: skip


def as_json(found: Difference) -> str:
    """The same for programs: every number unrounded, null where there is none."""

    def number(value: float) -> float | None:
        return None if math.isnan(value) else value

    same = found.agreement
    document = {
        "runs": [
            {"name": name, "run_id": run_id, "status": status}
            for name, run_id, status in zip(found.names, found.run_ids, found.statuses, strict=True)
        ],
        "configuration": found.configuration,
        "provenance": found.provenance,
        "metrics": {
            name: {"a": number(a), "b": number(b), "difference": number(b - a)}
            for name, (a, b) in found.metrics.items()
        },
        "predictions": None
        if isinstance(same, str)
        else {**same._asdict(), "agreement": same.same / same.images if same.images else None},
        "why_no_predictions": same if isinstance(same, str) else None,
        "note": CAVEAT,
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
