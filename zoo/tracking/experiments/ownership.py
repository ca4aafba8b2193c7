"""Which question the MLflow experiment of a sweep belongs to: another one of the same name is refused, or told."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import socket
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.plan.runs import Plan
from zoo.tracking.address import sqlite_path, without_passwords
from zoo.tracking.errors import NameTaken
from zoo.tracking.names import ExperimentTags

if TYPE_CHECKING:
    from mlflow import MlflowClient

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Owner:
    """A question, and the project that asks it."""

    file: str  # of the question, relative to the project where it is in there
    asked: str  # digest of the runs that it asks for
    directory: str  # of the project: relative to a database file, so that both can be moved, else absolute
    host: str  # "" beside a database file
    place: str  # the identifier of the project's directory of results

    @classmethod
    def of(cls, plan: Plan, uri: str, directory: Path) -> Owner:
        """The owner of what a plan sends to a store from the project in ``directory``."""
        directory, question = directory.resolve(), plan.question.path.resolve()
        database = sqlite_path(uri)
        runs = sorted((run.name, run.key) for run in plan.runs)
        return cls(
            file=str(question.relative_to(directory) if question.is_relative_to(directory) else question),
            asked=hashlib.sha256(json.dumps([plan.question.baseline, runs]).encode()).hexdigest(),
            directory=str(directory) if database is None else os.path.relpath(directory, database.resolve().parent),
            host=socket.gethostname() if database is None else "",
            place=_identifier(plan.trainings[0].record.directory.parent),
        )

    @classmethod
    def stored(cls, tag: str | None) -> Owner | None:
        """The one in an experiment's tag, None where there is none that can be read."""
        try:
            values: Any = json.loads(tag or "null")
            return cls(**values) if all(isinstance(value, str) for value in values.values()) else None
        except (ValueError, TypeError, AttributeError):
            return None

    def is_of_same_project(self, other: Owner, base: Path) -> bool:
        """Whether two owners are in one project, which may have been moved. ``base``: where a database file is."""
        if self.directory == other.directory:
            return self.host == other.host or self.place == other.place
        is_there = self.host == other.host and (base / self.directory).is_dir()
        return self.place == other.place != "" and not is_there


def check_before(plan: Plan, uri: str, directory: Path) -> None:
    """Raises NameTaken where a local database says at once that the name is another question's; MLflow is not loaded."""
    path = sqlite_path(uri)
    if path is None or not path.is_file():
        return
    query = """
        SELECT t.value FROM experiments e JOIN experiment_tags t ON t.experiment_id = e.experiment_id
        WHERE e.name = ? AND e.lifecycle_stage = 'active' AND t.key = ?
    """
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1)
        ) as database:
            row = database.execute(query, (plan.question.name, ExperimentTags.OWNER)).fetchone()
    except sqlite3.Error:  # locked, or nothing of MLflow's: said when it is written to
        return
    _resolve(Owner.stored(row[0] if row else None), plan, uri, directory)


def claim(client: MlflowClient, experiment_id: str, plan: Plan, uri: str, directory: Path) -> None:
    """Write on the experiment whose it is. Raises NameTaken when it is another question's."""
    tags: Mapping[str, str] = client.get_experiment(experiment_id).tags
    stored = Owner.stored(tags.get(ExperimentTags.OWNER))
    owner = _resolve(stored, plan, uri, directory, is_announced=True)
    if owner != stored:
        client.set_experiment_tag(experiment_id, ExperimentTags.OWNER, json.dumps(asdict(owner), ensure_ascii=False))


def _resolve(stored: Owner | None, plan: Plan, uri: str, directory: Path, *, is_announced: bool = False) -> Owner:
    """Whose the experiment is from now on. Raises NameTaken."""
    ours, database = Owner.of(plan, uri, directory), sqlite_path(uri)
    if stored is None:  # a new one, or one of an earlier version
        return ours
    base = database.resolve().parent if database is not None else Path("/")
    name, where = plan.question.name, ""
    if stored.is_of_same_project(ours, base):
        if stored.file == ours.file or not (directory / stored.file).is_file():
            return ours
        if stored.asked == ours.asked:
            return stored  # a copy: the first one keeps the name
    else:
        where = f" in {os.path.normpath(base / stored.directory)}" + (f" on {stored.host}" if stored.host else "")
        if stored.asked == ours.asked:
            if is_announced:
                _log.warning(
                    "note: the sweep %s was last sent to this store from %s%s, whose runs are not current from now on; "
                    "--name NAME keeps the two apart",
                    name,
                    stored.file,
                    where,
                )
            return ours
    raise NameTaken(
        f"the name {name} is taken in {without_passwords(uri, uri)} by another question, {stored.file}{where}; give this "
        "one a name of its own: name: NAME in the question, or --name NAME"
    )


def _identifier(runs_dir: Path) -> str:
    """What tells a directory of results from all others, also after it has been moved; "" where none can be kept."""
    file = runs_dir / ".place"
    with contextlib.suppress(OSError):
        runs_dir.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError), open(file, "x", encoding="ascii") as new:
            new.write(uuid.uuid4().hex)
        return file.read_text(encoding="ascii").strip()
    return ""
