"""Checkpoints: all that training needs to resume with the same bits.

A checkpoint is a directory that appears whole, by one rename: TensorFlow's own checkpoint of the model, its averages and
the optimizer, ``progress.json`` with the sums, the clock and the history so far, and ``checksums.json`` of all these files.
Checkpoints of earlier versions have no checksums: of them everything is read, and TensorFlow compares its own.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import shutil
import threading
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from zoo.storage import checksums, damage
from zoo.storage.atomic import sync_directory
from zoo.storage.record import Record
from zoo.storage.records import Row
from zoo.training.errors import ForeignCheckpoint, UnusableCheckpoint
from zoo.training.network import TrainableNetwork
from zoo.training.steps import Totals

if TYPE_CHECKING:
    import tensorflow as tf
    import tf_keras as keras

_CHECKSUMS, _PROGRESS = "checksums.json", "progress.json"
_ADDED_LATER = {"others_s"}  # fields that the checkpoints of earlier versions lack


@dataclass
class Progress:
    """How far a training has got."""

    step: int = 0
    seconds: float = 0.0  # spent in training steps, without start-up and evaluation
    interval_seconds: float = 0.0  # of them, since the last evaluation
    interval_step: int = 0  # where the last evaluation was
    others_s: float = math.nan  # the machine's time that others took of them; nan where that is not known
    totals: Totals = field(default_factory=Totals)
    history: list[Row] = field(default_factory=list)


def write(record: Record, network: TrainableNetwork, progress: Progress) -> Path:
    """Save the state at ``progress.step``; an equal checkpoint that is there already stays, a damaged one is set aside.

    Under a MultiWorkerMirroredStrategy all processes must call it, and each writes, whatever it finds: reading what the
    workers keep apart is a collective operation.
    """
    destination = path_of(record, progress.step)
    record.checkpoints.mkdir(parents=True, exist_ok=True)
    unfinished = record.checkpoints / f".unfinished-{os.getpid()}-{threading.get_ident()}-{os.urandom(4).hex()}"
    unfinished.mkdir()  # with the rights of its directory, unlike what tempfile makes
    try:
        _tracked(network).write(str(unfinished / "state"))
        (unfinished / _PROGRESS).write_text(json.dumps(asdict(progress)), encoding="utf-8")
        sums = {path.name: checksums.sha256(path) for path in unfinished.iterdir()}
        (unfinished / _CHECKSUMS).write_text(json.dumps(sums), encoding="utf-8")
        for path in unfinished.iterdir():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
        sync_directory(unfinished)
        if destination.exists() and (problem := _damage(destination)):
            damage.set_aside(destination, problem)
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
    """Put the state of a checkpoint into the network and say how far it was.

    Raises ForeignCheckpoint for one of another network, which is set aside: the network may have got a part of it.
    """
    import tensorflow as tf

    progress = _progress(checkpoint)
    try:
        _tracked(network).read(str(checkpoint / "state")).assert_existing_objects_matched()
    except (AssertionError, ValueError, tf.errors.InvalidArgumentError, tf.errors.NotFoundError) as error:
        damage.set_aside(checkpoint, "it is of another network")
        raise ForeignCheckpoint(
            f"the checkpoint {checkpoint} is of another network and has been set aside; the same command goes on from the "
            "one before it"
        ) from error
    return progress


def read_weights(checkpoint: Path, model: keras.Model, averages: Sequence[tf.Variable]) -> None:
    """Put the weights of a checkpoint into a model, and their averages into variables; nothing on disk is touched.

    Raises UnusableCheckpoint for a damaged one, and one of another network, and OSError.
    """
    import tensorflow as tf

    if problem := _damage(checkpoint):
        raise UnusableCheckpoint(f"the checkpoint {checkpoint} is damaged: {problem}")
    state = tf.train.Checkpoint(model=model, averages=list(averages))
    try:
        status = state.read(str(checkpoint / "state"))
        status.assert_existing_objects_matched().expect_partial()
    except (AssertionError, ValueError, tf.errors.InvalidArgumentError, tf.errors.NotFoundError):
        raise UnusableCheckpoint(f"the checkpoint {checkpoint} is of another network") from None


def _progress(checkpoint: Path) -> Progress:
    """The contents of ``progress.json``. Raises ValueError, OSError."""
    found = json.loads((checkpoint / _PROGRESS).read_text(encoding="utf-8"))
    names = {each.name for each in fields(Progress)}
    if not isinstance(found, dict) or not names - _ADDED_LATER <= found.keys() <= names:
        raise ValueError(f"{_PROGRESS} is not what this program writes")
    TypeAdapter(Progress).validate_python(found)
    progress = Progress(**{**found, "totals": Totals(*found["totals"])})
    if progress.step != step_of(checkpoint):
        raise ValueError(f"its {_PROGRESS} is of step {progress.step}")
    return progress


def latest_whole(record: Record, step: int) -> int:
    """The step of the newest checkpoint from which the result at ``step`` can be had, 0 when there is none.

    Damaged ones on the way are set aside. Raises RecordError where one cannot be renamed, and OSError.
    """
    for found in record.checkpoints_by_age():
        if step_of(found) <= step and not _set_aside_if_damaged(found) and record.leads_to(found, step):
            return step_of(found)
    return 0


def restore_history(record: Record) -> None:
    """Put into the history of a record what only its newest checkpoint has: the file may have been damaged or lost."""
    for checkpoint in record.checkpoints_by_age():
        if not _set_aside_if_damaged(checkpoint):
            rows = _progress(checkpoint).history
            if any(record.row_at(int(row["step"])) is None for row in rows):
                record.write_history(rows)
            return


def _set_aside_if_damaged(checkpoint: Path) -> bool:
    problem = _damage(checkpoint)
    if problem:
        damage.set_aside(checkpoint, problem)
    return bool(problem)


def _damage(checkpoint: Path) -> str:
    """What is wrong with a checkpoint, "" for nothing. Raises OSError when it cannot be read, which is no damage."""
    try:
        _progress(checkpoint)
        expected = _checksums(checkpoint)
        if expected is None:
            return _unreadable(checkpoint)
        changed = [name for name, digest in expected.items() if checksums.sha256(checkpoint / name) != digest]
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        return f"{error.strerror}: {Path(error.filename).name}"
    except ValueError as error:  # also of pydantic and json
        return str(error).splitlines()[0]
    return f"the contents of {', '.join(changed)} have changed since they were written" if changed else ""


def _checksums(checkpoint: Path) -> dict[str, Any] | None:
    """The checksums by name of a file, None in a checkpoint of an earlier version. Raises ValueError, OSError."""
    try:
        found = json.loads((checkpoint / _CHECKSUMS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if not isinstance(found, dict) or not found.keys() >= {_PROGRESS, "state.index"}:
        raise ValueError(f"{_CHECKSUMS} is not what this program writes")
    return found


def _unreadable(checkpoint: Path) -> str:
    """What is wrong with a checkpoint without checksums, "" for nothing. Raises OSError, and TensorFlow's like."""
    import tensorflow as tf

    for path in checkpoint.iterdir():
        checksums.sha256(path)  # a disk's or a network's errors have their own types here, not in TensorFlow
    try:
        state = tf.train.load_checkpoint(str(checkpoint / "state"))
        for name in state.get_variable_to_shape_map():
            state.get_tensor(name)
    except (MemoryError, tf.errors.PermissionDeniedError, tf.errors.ResourceExhaustedError):
        raise
    except Exception as error:  # of damaged bytes TensorFlow makes many kinds, an IndexError too
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""


def keep_only(record: Record, steps: Iterable[int]) -> None:
    """Remove the checkpoints at other steps before the last of these, and what a crash left unfinished.

    Later ones are of a longer training with the same weights, which a longer run can still resume from. What was set aside,
    and what is not of this program, stays.
    """
    kept = set(steps)
    for path in record.checkpoints_by_age():
        if step_of(path) not in kept and step_of(path) < max(kept):
            with contextlib.suppress(OSError):  # out of sight at once: a kill in mid-removal leaves no half of one
                path.rename(path.with_name(f".removed-{path.name}"))
    for path in record.checkpoints.iterdir():
        if re.match(r"\.(removed|unfinished)-", path.name):
            shutil.rmtree(path, ignore_errors=True)


def _tracked(network: TrainableNetwork) -> tf.train.Checkpoint:
    import tensorflow as tf

    network.optimizer.build(network.model.trainable_variables)
    return tf.train.Checkpoint(model=network.model, averages=network.averages, optimizer=network.optimizer)
