"""A sweep as it stands in the store."""

from __future__ import annotations

import pandas as pd

from reports.store import levels, runs
from reports.store.client import open_client
from reports.store.experiment import find_experiment
from reports.store.histories import histories
from reports.store.sweep import Sweep
from reports.store.typed import SweepTags
from zoo.stats.verdicts import SeedSchedule
from zoo.tracking.address import resolve_uri, without_passwords
from zoo.tracking.names import ExperimentTags


def read(sweep: str, tracking_uri: str | None = None, *, with_histories: bool = True) -> Sweep:
    """The sweep with its runs, and their histories unless these, which are many, are left out.

    Raises:
        ReportError: no such store, or no such sweep in it.
    """
    uri = resolve_uri(tracking_uri)
    client = open_client(uri)
    experiment = find_experiment(client, sweep, uri)
    tags = SweepTags(sweep, experiment.tags)
    rows = runs.current_runs(client, experiment)
    variants = tags.variants or tuple(dict.fromkeys(row["variant"] for row in rows))
    seeds = tags.seeds or tuple(sorted({row["seed"] for row in rows}))
    artifacts = {row["run_id"]: row.pop("artifact_uri") for row in rows}
    rounds = {row["run_id"]: row.pop("rounds") for row in rows}
    began_s = {row["run_id"]: row.pop("began_s") for row in rows}
    frame = runs.frame(rows, variants)
    variants += tuple(name for name in dict.fromkeys(frame["variant"]) if name not in variants)
    baseline, design = tags.text(ExperimentTags.BASELINE), tags.design
    first, judged = tags.first_analysis, seeds
    if design is not None:
        first, judged = design.judged.first_analysis, design.judged.seeds
    return Sweep(
        name=sweep,
        question=" ".join(tags.text(ExperimentTags.QUESTION).split()),
        baseline=baseline if baseline in variants else None,
        margin=tags.margin if design is None else design.declared.margin,
        variants=variants,
        seeds=seeds,
        command=without_passwords(tags.text(ExperimentTags.COMMAND)) or None,  # earlier versions kept them
        runs=frame,
        histories=histories(client, uri, experiment.experiment_id, frame["run_id"].tolist() if with_histories else []),
        uri=uri,
        experiment_id=experiment.experiment_id,
        schedule=None if first is None else SeedSchedule(first, len(judged)),
        levels=levels.complete(tags.levels, frame),
        declared=tags.levels,
        published=tags.published,
        design=design,
        artifacts=artifacts,
        rounds=rounds,
        began_s=began_s,
    )


def read_runs(sweep: str, tracking_uri: str | None = None) -> pd.DataFrame:
    """As :func:`reports.load`: without the histories, which are slow to read from a server."""
    uri = resolve_uri(tracking_uri)
    client = open_client(uri)
    experiment = find_experiment(client, sweep, uri)
    rows = runs.current_runs(client, experiment)
    for row in rows:
        del row["artifact_uri"], row["rounds"], row["began_s"]
    return runs.frame(rows, SweepTags(sweep, experiment.tags).variants)
