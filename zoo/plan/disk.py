"""How much disk trainings need, and whether that is free."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo import data
from zoo.measure.readouts import evaluations
from zoo.plan.runs import Training
from zoo.text.wording import amount

_FLOAT_BYTES = 4
_SMALL_FILES_BYTES = 300_000  # samples, log, history and descriptions of one training, and what MLflow keeps of them
_POINT_BYTES = 150  # of one value in MLflow's database
_METRICS = 10  # values in MLflow an evaluation


@dataclass(frozen=True)
class DiskNeeds:
    """What trainings put on the disk, at most, and what is free there."""

    needed_bytes: int
    free_bytes: int

    @property
    def is_short(self) -> bool:
        return self.needed_bytes > self.free_bytes

    @property
    def text(self) -> str:
        """ "up to 743 kB of disk, 12 GB are free" """
        short = "; that is too little: make room, or expect runs to fail" if self.is_short else ""
        return f"up to {amount(self.needed_bytes)} of disk, {amount(self.free_bytes)} are free{short}"


def disk_needs(trainings: Sequence[Training], runs_dir: Path) -> DiskNeeds:
    """What these trainings need in ``runs_dir``. Raises OSError."""
    free = shutil.disk_usage(runs_dir if runs_dir.is_dir() else Path.cwd()).free
    return DiskNeeds(sum(training_bytes(training) for training in trainings), free)


def training_bytes(training: Training) -> int:
    """What a training puts on the disk, at most: checkpoints, results, and what MLflow keeps of its runs."""
    config = training.config
    last = max(training.targets)
    kept = {*training.targets, *(m for m in config.milestones if m <= last)}
    checkpoint = training.cost.params * _FLOAT_BYTES * (2 + config.optimizer.slots)  # weights and their averages
    info = data.info(config.data)
    logits = (info.test_images or 0) * (len(info.classes) * _FLOAT_BYTES + 1)
    in_mlflow = len(training.runs) * (logits + _METRICS * _POINT_BYTES * len(training.evaluated_steps()))
    # One checkpoint beside those at a result, and one more while it takes the place of that.
    return checkpoint * (len(kept) + 2) + len(evaluations()) * logits * len(kept) + in_mlflow + _SMALL_FILES_BYTES
