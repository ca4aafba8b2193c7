"""Checkpoints: all that training needs to resume with the same bits.

A checkpoint is a directory that appears whole, by one rename: TensorFlow's own checkpoint of the model, its averages and
the optimizer, and ``progress.json`` with the sums, the clock and the history so far.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.storage.atomic import sync_directory
from zoo.storage.record import Record
from zoo.storage.records import Row
from zoo.training.network import TrainableNetwork
from zoo.training.steps import Totals

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass
class Progress:
    """How far a training has got."""

    step: int = 0
    seconds: float = 0.0  # spent in training steps, without start-up and evaluation
    interval_seconds: float = 0.0  # of them, since the last evaluation
    interval_step: int = 0  # where the last evaluation was
    totals: Totals = field(default_factory=Totals)
    history: list[Row] = field(default_factory=list)


def write(record: Record, network: TrainableNetwork, progress: Progress) -> Path:
    """Save the state at ``progress.step``; an equal checkpoint that is there already stays.

    Under a MultiWorkerMirroredStrategy all processes must call it, and each writes, whatever it finds: reading what the
    workers keep apart is a collective operation.
    """
    destination = path_of(record, progress.step)
    record.checkpoints.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=record.checkpoints, prefix=".unfinished-"))
    try:
        _tracked(network).write(str(unfinished / "state"))
        (unfinished / "progress.json").write_text(json.dumps(asdict(progress)), encoding="utf-8")
        for path in unfinished.iterdir():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
        sync_directory(unfinished)
        if destination.exists():
            shutil.rmtree(unfinished)
        else:
            os.rename(unfinished, destination)
            sync_directory(record.checkpoints)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return destination


def path_of(record: Record, step: int) -> Path:
    """Where the checkpoint at ``step`` is, or would be."""
    return record.checkpoints / f"step_{step:08d}"


def step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix("step_"))


def read(checkpoint: Path, network: TrainableNetwork) -> Progress:
    """Restore the network from a checkpoint; returns how far it was."""
    _tracked(network).read(str(checkpoint / "state")).assert_existing_objects_matched()
    values = json.loads((checkpoint / "progress.json").read_text(encoding="utf-8"))
    return Progress(**{**values, "totals": Totals(*values["totals"])})


def latest_whole(record: Record, at_most: int) -> int:
    """The step of the newest checkpoint at or before a step, 0 when there is none; damaged ones are moved out of the way."""
    while checkpoint := record.latest_checkpoint(at_most):
        problem = _damage(checkpoint)
        if not problem:
            return step_of(checkpoint)
        print(f"the checkpoint {checkpoint} is damaged and passed over: {problem}", flush=True)
        with contextlib.suppress(FileNotFoundError):  # another process of this training has done it
            checkpoint.rename(checkpoint.with_name(f".damaged-{checkpoint.name}-{os.getpid()}"))
    return 0


def _damage(checkpoint: Path) -> str:
    """What is wrong with a checkpoint, "" for nothing: all of it is read, and TensorFlow compares its checksums."""
    import tensorflow as tf

    try:
        json.loads((checkpoint / "progress.json").read_text(encoding="utf-8"))
        state = tf.train.load_checkpoint(str(checkpoint / "state"))
        for name in state.get_variable_to_shape_map():
            state.get_tensor(name)
    except (OSError, ValueError, RuntimeError, tf.errors.OpError) as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""


def keep_only(record: Record, steps: Iterable[int]) -> None:
    """Remove the checkpoints at other steps before the last of these, and what a crash left unfinished.

    Later ones are of a longer training with the same weights, which a longer run can still resume from.
    """
    kept = {f"step_{step:08d}" for step in steps}
    for path in record.checkpoints.iterdir():
        if path.name not in kept and path.name < max(kept):
            with contextlib.suppress(
                OSError
            ):  # renamed first: a kill while it is removed leaves no half of a checkpoint
                path = path if path.name.startswith(".") else path.rename(path.with_name(f".removed-{path.name}"))
            shutil.rmtree(path, ignore_errors=True)


def _tracked(network: TrainableNetwork) -> tf.train.Checkpoint:
    import tensorflow as tf

    network.optimizer.build(network.model.trainable_variables)
    return tf.train.Checkpoint(model=network.model, averages=network.averages, optimizer=network.optimizer)
