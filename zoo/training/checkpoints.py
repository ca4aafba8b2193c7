"""Checkpoints: all that training needs to go on to the bit from where it was.

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

from zoo.storage.atomic import sync_directory
from zoo.storage.record import Record
from zoo.storage.records import Row
from zoo.training.network import TrainableNetwork
from zoo.training.steps import Totals


@dataclass
class Progress:
    """How far a training is."""

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
    destination = place(record, progress.step)
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


def place(record: Record, step: int) -> Path:
    """Where the checkpoint at ``step`` is, or would be."""
    return record.checkpoints / f"step_{step:08d}"


def step_of(place: Path) -> int:
    """The step of the checkpoint at a place."""
    return int(place.name.removeprefix("step_"))


def read(place: Path, network: TrainableNetwork) -> Progress:
    """Put the state of a checkpoint into the network and say how far it was."""
    _tracked(network).read(str(place / "state")).assert_existing_objects_matched()
    found = json.loads((place / "progress.json").read_text(encoding="utf-8"))
    return Progress(**{**found, "totals": Totals(*found["totals"])})


def latest_whole(record: Record, at_most: int) -> int:
    """The step of the newest checkpoint at or before a step, 0 when there is none; damaged ones are moved out of the way."""
    while found := record.latest_checkpoint(at_most):
        problem = _damage(found)
        if not problem:
            return step_of(found)
        print(f"the checkpoint {found} is damaged and passed over: {problem}", flush=True)
        with contextlib.suppress(FileNotFoundError):  # another process of this training has done it
            found.rename(found.with_name(f".damaged-{found.name}-{os.getpid()}"))
    return 0


def _damage(place: Path) -> str:
    """What is wrong with a checkpoint, "" for nothing: all of it is read, and TensorFlow compares its checksums."""
    import tensorflow as tf

    try:
        json.loads((place / "progress.json").read_text(encoding="utf-8"))
        state = tf.train.load_checkpoint(str(place / "state"))
        for name in state.get_variable_to_shape_map():
            state.get_tensor(name)
    except (OSError, ValueError, RuntimeError, tf.errors.OpError) as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""


def keep_only(record: Record, steps: Iterable[int]) -> None:
    """Remove the checkpoints at other steps before the last of these, and what a crash left unfinished.

    Later ones are of a longer training with the same weights, which a longer run can still go on from.
    """
    kept = {f"step_{step:08d}" for step in steps}
    for path in record.checkpoints.iterdir():
        if path.name not in kept and path.name < max(kept):
            with contextlib.suppress(OSError):  # out of sight at once: a kill in mid-removal leaves no half of one
                path = path if path.name.startswith(".") else path.rename(path.with_name(f".removed-{path.name}"))
            shutil.rmtree(path, ignore_errors=True)


def _tracked(network: TrainableNetwork):
    import tensorflow as tf

    network.optimizer.build(network.model.trainable_variables)
    return tf.train.Checkpoint(model=network.model, averages=network.averages, optimizer=network.optimizer)
