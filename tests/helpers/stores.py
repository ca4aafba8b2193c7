"""An MLflow store with runs as a sweep leaves them, written without any training."""

from __future__ import annotations

import json
import os
from pathlib import Path

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

# A name of a variant that LaTeX and Markdown must escape.
ODD = r"a_b 50% & #1 {x} $y$ ~^\ <|> [z] ''`` --,, é λ ± 1" "\u00d72"


class Writer:
    """Writes runs as a sweep does, by the client only."""

    def __init__(self, uri: str, folder: Path):
        from mlflow import MlflowClient

        self.client, self.folder = MlflowClient(tracking_uri=uri), folder

    def sweep(self, name: str, variants: list[str], seeds: list[int], **tags: str) -> str:
        tags = {"variants": json.dumps(variants), "seeds": json.dumps(seeds), "baseline": variants[0]} | tags
        tags = {"question": "Does it matter?", "margin": "0.5"} | tags
        return self.client.create_experiment(name, artifact_location=(self.folder / name).as_uri(), tags=tags)

    def run(
        self, experiment: str, variant: str, seed: int, curve=None, status="FINISHED", once=None, **tags: str
    ) -> str:
        from mlflow.entities import Metric, Param, RunTag

        tags = {
            "variant": variant,
            "seed": str(seed),
            "current": "true",
            "run_key": f"{variant}:{seed}:0123456789",
        } | tags
        tags = {
            "git_commit": "abcdef0123456789",
            "git_dirty": "false",
            "device": "CPU",
            "data_sha256": "feed" * 16,
        } | tags
        config = {"variant": variant, "seed": str(seed), "data": "digits", "steps": "10000", "precision": "float32"}
        points = [
            Metric(name, value, 1000 + step, step)
            for step, fraction in (curve or {}).items()
            for name, value in {
                "test/accuracy": fraction,
                "test/accuracy_ema": fraction,
                "test/accuracy_raw": fraction - 0.02,
                "train/loss": 1 - fraction,
            }.items()
        ]
        points += [Metric(name, value, 5000, 0) for name, value in (once or {}).items()]
        run = self.client.create_run(experiment, run_name=f"{variant} · seed {seed}")
        run_tags = [RunTag(key, value) for key, value in tags.items()]
        params = [Param(key, value) for key, value in config.items()]
        self.client.log_batch(run.info.run_id, points, params, run_tags)
        self.client.set_terminated(run.info.run_id, status)
        return run.info.run_id


def curve(final: float) -> dict[int, float]:
    return {100: final - 0.4, 200: final + 0.05, 300: final}  # the best is not the last: the last counts


def costs(ops: int, train_s: float, latency_ms: float | None = None) -> dict[str, float]:
    once = {"cost/params": 1068298, "cost/macs": 18472512, "cost/ops": ops, "cost/train_s": train_s}
    return once | ({} if latency_ms is None else {"latency_ms/tf_p50": latency_ms, "latency_ms/tf_p90": 2 * latency_ms})
