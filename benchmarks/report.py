"""How long ``python -m reports`` takes for a large sweep, from the start of the command to its end.

200 runs of made-up results, 100 evaluations and the predictions of 10,000 test images each, in a store of MLflow's own
on this disk.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
VARIANTS, SEEDS, EVALUATIONS = 20, 10, 100
IMAGES, CLASSES = 10_000, 10
_NAME = "large"


def measure(rounds: int = 3) -> dict[str, Any]:
    """The command ``rounds`` times in one directory; seconds of each, and the largest peak of its memory in bytes."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        fill(directory)
        seconds, peaks = [], []
        for _ in range(rounds):
            began = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-m", "reports", _NAME],
                cwd=directory,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=subprocess.DEVNULL,
            )
            _, status, used = os.wait4(process.pid, 0)
            seconds.append(time.perf_counter() - began)
            peaks.append(used.ru_maxrss * 1024)
            if status:
                raise SystemExit(f"no report was made: exit status {status}")
        written = sum(path.stat().st_size for path in (directory / "results" / _NAME).iterdir())
    return {
        "runs": VARIANTS * SEEDS,
        "evaluations": EVALUATIONS,
        "images": IMAGES,
        "seconds": seconds,
        "peak_bytes": max(peaks),
        "written_bytes": written,
    }


def fill(directory: Path) -> None:
    """Write the sweep into ``mlflow.db`` of a directory, as a sweep does."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    from mlflow import MlflowClient

    client, random = MlflowClient(tracking_uri=f"sqlite:///{directory / 'mlflow.db'}"), np.random.default_rng(0)
    variants = [f"width={16 + number}" for number in range(VARIANTS)]
    tags = {
        "question": "How wide should it be?",
        "variants": json.dumps(variants),
        "seeds": json.dumps(list(range(SEEDS))),
        "baseline": variants[0],
        "margin": "0.5",
    }
    experiment = client.create_experiment(_NAME, artifact_location=(directory / "files").as_uri(), tags=tags)
    labels = random.integers(CLASSES, size=IMAGES).astype(np.uint8)
    for number, variant in enumerate(variants):
        for seed in range(SEEDS):
            logits = random.normal(size=(IMAGES, CLASSES)).astype(np.float32)
            logits[np.arange(IMAGES), labels] += 2.5 + number / 20  # about 80 percent right, and better with the width
            _write(client, experiment, variant, seed, 1_000_000 + 10_000 * number, labels, logits)


def _write(
    client: Any, experiment: str, variant: str, seed: int, params: int, labels: np.ndarray, logits: np.ndarray
) -> None:
    from mlflow.entities import Metric, Param, RunTag

    run = client.create_run(experiment, run_name=f"{variant} · seed {seed}")
    accuracy = float((logits.argmax(1) == labels).mean())
    points = [
        Metric(metric, value, step, step)
        for step in range(100, 100 * (EVALUATIONS + 1), 100)
        for metric, value in {
            "test/accuracy": accuracy - (1 - step / (100 * EVALUATIONS)) / 2,
            "test/accuracy_ema": accuracy - (1 - step / (100 * EVALUATIONS)) / 2,
            "test/accuracy_raw": accuracy - (1 - step / (100 * EVALUATIONS)) / 2 - 0.02,
            "train/loss": 1.0 + 1000 / step,
        }.items()
    ]
    once = {
        "cost/params": params,
        "cost/macs": 18 * params,
        "cost/ops": 36 * params,
        "cost/train_s": 600 + params / 1e5,
    }
    once |= {"latency_ms/tf_p50": params / 2e6, "latency_ms/tf_p90": params / 1e6}
    tags = {"variant": variant, "seed": str(seed), "current": "true", "run_key": f"{variant}:{seed}:0123456789"}
    tags |= {"git_commit": "0" * 40, "git_dirty": "false", "device": "CPU", "data_sha256": "0" * 64}
    config = {"variant": variant, "seed": str(seed), "data": "cifar10", "steps": str(100 * EVALUATIONS)}
    client.log_batch(
        run.info.run_id,
        [*points, *(Metric(name, value, 0, 0) for name, value in once.items())],
        [Param(name, value) for name, value in config.items()],
        [RunTag(name, value) for name, value in tags.items()],
    )
    files = Path(run.info.artifact_uri.removeprefix("file://"))
    files.mkdir(parents=True)
    np.savez(files / "predictions.npz", logits=logits, labels=labels)
    client.set_terminated(run.info.run_id)


def text(results: dict[str, Any]) -> str:
    """The result for a person."""
    return (
        f"the report of {results['runs']} runs with {results['evaluations']} evaluations and {results['images']:,} test "
        f"images each: {statistics.median(results['seconds']):.1f} s (median of {len(results['seconds'])}), "
        f"{results['peak_bytes'] / 1e6:.0f} MB at its peak, {results['written_bytes'] / 1e6:.1f} MB written"
    )
