"""What a server of MLflow has of a sweep, and whether that is all."""

from __future__ import annotations

from zoo.tracking.connection import open_client
from zoo.tracking.names import Artifacts

BY_STEP = {
    *("train/loss", "train/accuracy", "train/learning_rate", "train/images_per_s"),
    *("test/accuracy", "test/accuracy_raw", "test/accuracy_ema", "test/top5"),
}


def steps_of(client, run) -> dict[str, list[int]]:
    return {
        metric: sorted(point.step for point in client.get_metric_history(run.info.run_id, metric))
        for metric in run.data.metrics
    }


def steps_on(server, plan) -> list[int]:
    """The steps of the first run that the server has of a sweep."""
    client = open_client(server.uri)
    runs = client.search_runs([client.get_experiment_by_name(plan.question.name).experiment_id])
    return steps_of(client, runs[0]).get("train/loss", []) if runs else []


def assert_hand_made(client, run) -> None:
    """What ``tracked.finish`` leaves on disk is there, each point once, and all files."""
    once = {name: [0] for name in run.data.metrics if name.startswith(("cost/", "latency_ms/"))}
    assert len(once) == 7
    assert steps_of(client, run) == {name: [10, 20] for name in BY_STEP} | once
    assert {item.path for item in client.list_artifacts(run.info.run_id)} == set(Artifacts.ALL)
