"""What a training was made with, against what the plan is made with: files, network, and the code of this package."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from zoo.host.git import git_state
from zoo.plan.identity import identity
from zoo.plan.runs import Training
from zoo.plugins import SourceChanged
from zoo.storage.errors import RecordError
from zoo.storage.records import TrainingDescription

_ZOO = Path(__file__).parents[1]
_DECIDING = ("models", "data", "training", "measure")  # packages that decide what results are


def check(training: Training) -> None:
    """Raises RecordError when a training was begun with something else than its key stands for here."""
    made = training.record.description()
    if made is None:
        return
    problem = _difference(training, made)
    if problem:
        raise RecordError(training.record.directory / "training.json", problem)


def check_key(training: Training) -> None:
    """In a worker, raises SourceChanged when the code of this process gives a training another key."""
    if identity(training.config, training.seed, training.data_sha256) != training.key:
        raise SourceChanged(
            f"the code in {_ZOO} has been edited since the sweep began, or is another one than that which planned it: "
            "nothing is trained with it under the old key; the same command plans anew"
        )


def with_same_cost(trainings: Iterable[Training]) -> tuple[list[Training], list[Training]]:
    """Those whose network costs what it did when they were trained, and those that were trained by code that differs."""
    same: list[Training] = []
    others: list[Training] = []
    for training in trainings:
        made = training.record.description()
        (same if made is None or made.cost == training.cost else others).append(training)
    return same, others


def other_code(trainings: Sequence[Training]) -> str:
    """In a sentence, which results are of another version of the code that decides them; "" when none are."""
    state = git_state(_ZOO)
    now = _version(code_sha256(), state.get("git_commit", ""), state.get("git_dirty", ""))
    versions: dict[str, int] = {}
    for training in trainings:
        made = training.record.description()
        if made is not None and made.code_sha256 != code_sha256():
            version = _version(made.code_sha256, made.git_commit, made.git_dirty)
            versions[version] = versions.get(version, 0) + 1
    if not versions:
        return ""
    made_by = "; ".join(
        f"{count} training{'s' if count > 1 else ''} of version {version}" for version, count in versions.items()
    )
    return (
        f"note: results of other code are used: {made_by}; the code is {now}. They have the same keys, so their weights "
        "should be the same; --fresh trains them again"
    )


@functools.cache
def code_sha256() -> str:
    """Checksum of the files of this package that decide results."""
    files = sorted(file for name in _DECIDING for file in (_ZOO / name).rglob("*.py"))
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(_ZOO)}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def _difference(training: Training, made: TrainingDescription) -> str:
    network = training.network
    if made.key != training.key:
        return f"it belongs to the training {made.key[:16]}, not to {training.key[:16]}"
    if made.data_sha256 != training.data_sha256:
        return f"it was trained on other data ({made.data_sha256[:16]}) than its key stands for"
    if made.source_sha256 != network.source_sha256:
        return f"it was trained with other files of the model {network.model} than its key stands for"
    if made.classes not in (None, network.classes):
        return f"its data set had {made.classes} classes when it was trained, and has {network.classes} now"
    if training.counted is not None and made.cost.params != training.cost.params:
        return (
            f"its network had {made.cost.params:,} parameters, and this version of the code makes one of "
            f"{training.cost.params:,} of the same configuration"
        )
    return ""


def _version(sha256: str, commit: str, dirty: str) -> str:
    """A short name: "1a2b3c4d5e (commit 9f8e7d6c5b with changes)"."""
    changed = " with changes" if dirty.lower() == "true" else ""
    named = f"commit {commit[:10]}{changed}" if commit else ""
    if not sha256:
        return named or "unknown"
    return sha256[:10] + (f" ({named})" if named else "")
