"""A sweep as it stands in the store."""

from __future__ import annotations

import pandas as pd

from reports.store import runs
from reports.store.client import open_client
from reports.store.experiment import find_experiment, json_tag
from reports.store.histories import histories
from reports.store.sweep import Sweep
from zoo.stats.verdicts import SeedSchedule
from zoo.tracking.address import resolve_uri, without_passwords
from zoo.tracking.names import ExperimentTags


def read(sweep: str, tracking_uri: str | None = None) -> Sweep:
    """The sweep with its runs and histories.

    Raises:
        ReportError: no such store, or no such sweep in it.
    """
    uri = resolve_uri(tracking_uri)
    client = open_client(uri)
    experiment = find_experiment(client, sweep, uri)
    tags = experiment.tags
    rows = runs.current_runs(client, experiment)
    names: list[str] = json_tag(tags, ExperimentTags.VARIANTS, [])
    numbers: list[int] = json_tag(tags, ExperimentTags.SEEDS, [])
    variants = tuple(names) or tuple(dict.fromkeys(row["variant"] for row in rows))
    seeds = tuple(map(int, numbers)) or tuple(sorted({row["seed"] for row in rows}))
    artifacts = {row["run_id"]: row.pop("artifact_uri") for row in rows}
    frame = runs.frame(rows, variants)
    variants += tuple(name for name in dict.fromkeys(frame["variant"]) if name not in variants)
    baseline, first_look = tags.get(ExperimentTags.BASELINE), json_tag(tags, ExperimentTags.FIRST_ANALYSIS, 0)
    return Sweep(
        name=sweep,
        question=" ".join(tags.get(ExperimentTags.QUESTION, "").split()),
        baseline=baseline if baseline in variants else None,
        margin=float(tags[ExperimentTags.MARGIN]) if tags.get(ExperimentTags.MARGIN) else None,
        variants=variants,
        seeds=seeds,
        command=without_passwords(tags.get(ExperimentTags.COMMAND, "")) or None,  # earlier versions kept them
        runs=frame,
        histories=histories(client, uri, experiment.experiment_id, frame["run_id"].tolist()),
        uri=uri,
        experiment_id=experiment.experiment_id,
        schedule=SeedSchedule(first_look, len(seeds)) if first_look else None,
        levels=json_tag(tags, ExperimentTags.LEVELS, {}),
        published=tuple(json_tag(tags, ExperimentTags.PUBLISHED, [])),
        artifacts=artifacts,
    )


def read_runs(sweep: str, tracking_uri: str | None = None) -> pd.DataFrame:
    """As :func:`reports.load`: without the histories, which are slow to read from a server."""
    uri = resolve_uri(tracking_uri)
    client = open_client(uri)
    experiment = find_experiment(client, sweep, uri)
    rows = runs.current_runs(client, experiment)
    for row in rows:
        del row["artifact_uri"]
    return runs.frame(rows, tuple(json_tag(experiment.tags, ExperimentTags.VARIANTS, [])))
