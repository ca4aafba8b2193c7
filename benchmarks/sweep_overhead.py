"""What a sweep costs beside its training: wall time over the summed training time of its runs.

Training time is that of the training steps alone, as ``cost/train_s`` has it: everything else is overhead, from the
start of the command to its end: imports, counting, starting workers, tracing, evaluations, checkpoints, MLflow,
latency, the report.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

# Three seeds of two variants, about a minute of training each on two cores.
QUESTION = """\
question: What does a sweep cost beside its training?
base:
  model: tuto
  data: digits
  steps: {steps}
  batch: 128
  evaluate_every: {evaluate_every}
factors:
  augment.flip: [true, false]
seeds: 3
"""


def measure(steps: int = 1200) -> dict[str, Any]:
    """Run a sweep of six runs in an empty directory, with caches as on a first day, and take its time apart."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "overhead.yaml").write_text(QUESTION.format(steps=steps, evaluate_every=steps // 2))
        env = os.environ | {"ZOO_CACHE": str(directory / "cache")}
        began = time.time()
        done = subprocess.run(
            [sys.executable, str(ROOT / "run_sweep.py"), "overhead.yaml"],
            cwd=directory,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        wall_s = time.time() - began
        if done.returncode:
            raise SystemExit(f"the sweep failed:\n{done.stdout}\n{done.stderr}")
        return _taken_apart(directory, began, wall_s)


def _taken_apart(directory: Path, began: float, wall_s: float) -> dict[str, Any]:
    attempts, training_s, evaluation_s = [], [], []
    for path in directory.glob("runs/*/attempts.json"):
        (attempt,) = json.loads(path.read_text())["attempts"]
        attempts.append(attempt)
        with open(path.with_name("history.csv"), newline="") as file:
            rows = list(csv.DictReader(file))
        training_s.append(float(rows[-1]["train_s"]))
        evaluation_s.append(sum(float(row["evaluate_s"]) for row in rows))
    first, last = min(a["began"] for a in attempts), max(a["ended"] for a in attempts)
    return {
        "runs": len(attempts),
        "wall_s": wall_s,
        "training_s": sum(training_s),
        "ratio": wall_s / sum(training_s),
        "before_the_first_run_s": first - began,
        "starting_workers_s": sum(a["startup_s"] for a in attempts),
        "evaluations_s": sum(evaluation_s),
        "after_the_last_run_s": began + wall_s - last,
    }


def text(results: dict[str, Any]) -> str:
    """The result for a person."""
    return "\n".join(
        [
            f"a sweep of {results['runs']} runs: {results['wall_s']:.1f} s, of which training "
            f"{results['training_s']:.1f} s: ratio {results['ratio']:.3f}",
            f"  before the first run     {results['before_the_first_run_s']:6.1f} s",
            f"  starting the workers     {results['starting_workers_s']:6.1f} s (to their first report)",
            f"  evaluations              {results['evaluations_s']:6.1f} s",
            f"  after the last run       {results['after_the_last_run_s']:6.1f} s (latency, MLflow, report)",
        ]
    )
