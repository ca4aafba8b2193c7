"""Where the files of a sweep's runs are, also after a project or its store has been moved or copied.

MLflow keeps an absolute address with each experiment and run. Beside a database file they are in ``mlruns/``.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from zoo.tracking.address import sqlite_path
from zoo.tracking.errors import TrackingError
from zoo.tracking.names import ARTIFACTS_COMPLETE, RunTags

if TYPE_CHECKING:
    from mlflow import MlflowClient

_log = logging.getLogger(__name__)

_FOLDER = "mlruns"
_RUN_PARTS = 3  # of a run's address after the folder: the experiment's, the run's, "artifacts"


def default_address(name: str, uri: str, directory: Path) -> str | None:
    """For the files of a new experiment; None where a server has them."""
    if uri.startswith(("http://", "https://", "databricks")):
        return None
    return _default(name, directory).absolute().as_uri()


def local_path(address: str) -> Path | None:
    """The directory that an address names, None when it is not on this machine's disk."""
    if address.startswith("file:"):
        return Path(url2pathname(urlsplit(address).path))
    return Path(address) if address.startswith("/") else None


def run_directory(address: str, uri: str) -> Path | None:
    """The directory of a run's files: the one beside the database file, else the one that MLflow has the address of."""
    recorded = local_path(address)
    if recorded is None:
        return None
    beside = _beside(recorded, uri, _RUN_PARTS)
    return beside if beside is not None and beside.is_dir() else recorded


def settle(
    client: MlflowClient, experiment_id: str, uri: str, directory: Path, run_keys: Collection[str], *, repair: bool
) -> None:
    """Give an experiment of a project in ``directory`` its files' new address where they have been moved.

    Raises TrackingError when there are some, and they are not to be found; with ``repair`` they get the address at which
    they are then made again, as far as their runs are among ``run_keys``.
    """
    experiment = client.get_experiment(experiment_id)
    recorded = local_path(experiment.artifact_location or "")
    default = _default(experiment.name, directory).absolute()
    if recorded is None or recorded == default:
        return
    database, beside = sqlite_path(uri), _beside(recorded, uri, 1)
    is_in_project = database is not None and database.resolve().parent == directory.resolve()
    if beside is not None and (beside.is_dir() or is_in_project):
        target = beside
    elif default.is_dir() and not recorded.is_dir():
        target = default
    elif recorded.parent.is_dir():
        return
    elif repair or not _has_files(client, experiment_id):
        target = default
    else:
        raise TrackingError(
            f"the files of the sweep {experiment.name} in MLflow are to be in {recorded}, and there is no "
            f"{recorded.parent}: move them to {default}, or have them made again from the results in runs/ by the same "
            "command with --sync"
        )
    if target != recorded:
        _log.info("the files of the sweep %s in MLflow are in %s now, no more in %s", experiment.name, target, recorded)
        _relocate(uri, experiment_id, recorded, target, run_keys)


def _default(name: str, directory: Path) -> Path:
    return directory / _FOLDER / re.sub(r"[^\w.-]", "_", name)


def _beside(recorded: Path, uri: str, parts: int) -> Path | None:
    """Where a directory of files is if it lies beside the database file of a store."""
    database, tail = sqlite_path(uri), recorded.parts[-parts:]
    if database is None or len(recorded.parts) <= parts or recorded.parts[-parts - 1] != _FOLDER:
        return None
    return database.resolve().parent.joinpath(_FOLDER, *tail)


def _has_files(client: MlflowClient, experiment_id: str) -> bool:
    """Whether files of any of its runs have been sent."""
    return bool(
        client.search_runs([experiment_id], f"tags.{RunTags.ARTIFACTS} = '{ARTIFACTS_COMPLETE}'", max_results=1)
    )


def _relocate(uri: str, experiment_id: str, old: Path, new: Path, run_keys: Collection[str]) -> None:
    """Change the addresses in the database, for which MLflow has no command.

    A run whose files are still at the old place keeps its address; so does one whose files are gone, unless it is among
    ``run_keys``, which are sent again.
    """
    import sqlalchemy

    database = sqlalchemy.create_engine(uri)
    query = (
        "SELECT r.run_uuid, r.artifact_uri, t.value FROM runs r "
        "LEFT JOIN tags t ON t.run_uuid = r.run_uuid AND t.key = :key WHERE r.experiment_id = :id"
    )
    try:
        with database.begin() as connection:
            connection.execute(
                sqlalchemy.text("UPDATE experiments SET artifact_location = :new WHERE experiment_id = :id"),
                {"new": new.as_uri(), "id": int(experiment_id)},
            )
            rows = connection.execute(sqlalchemy.text(query), {"key": RunTags.RUN_KEY, "id": int(experiment_id)})
            for run_id, address, run_key in rows.fetchall():
                path = local_path(address or "")
                if path is None or not path.is_relative_to(old):
                    continue
                moved = new / path.relative_to(old)
                if moved.is_dir() or (run_key in run_keys and not path.is_dir()):
                    connection.execute(
                        sqlalchemy.text("UPDATE runs SET artifact_uri = :new WHERE run_uuid = :id"),
                        {"new": moved.as_uri(), "id": run_id},
                    )
    finally:
        database.dispose()
