"""A local database of MLflow appears whole, whatever happens while it is made."""

from __future__ import annotations

import sqlite3

import mlflow
import pytest

import reports
from zoo.tracking import connection
from zoo.tracking.address import sqlite_path
from zoo.tracking.errors import TrackingError


def tables(path) -> list[str]:
    with sqlite3.connect(path) as database:
        return [name for (name,) in database.execute("select name from sqlite_master")]


def client(fails: BaseException | None = None):
    """In place of MLflow's client: it makes a table, then perhaps ends; the tables of a half made database stop it."""

    class Client:
        def __init__(self, tracking_uri: str):
            self.uri = tracking_uri

        def search_experiments(self, max_results: int) -> None:
            path = sqlite_path(self.uri)
            if "complete" not in tables(path):
                with sqlite3.connect(path) as database:
                    database.execute("create table first (x)")
                    if fails:
                        database.commit()
                        raise fails
                    database.execute("create table complete (x)")

    return Client


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), OSError(28, "No space left on device"), SystemExit(1)])
def test_a_making_that_is_broken_off_leaves_nothing_in_the_way(tmp_path, monkeypatch, failure):
    path = tmp_path / "mlflow.db"
    monkeypatch.setattr(mlflow, "MlflowClient", client(failure))
    with pytest.raises((KeyboardInterrupt, TrackingError, SystemExit)):
        connection.open_client(f"sqlite:///{path}")
    assert path.stat().st_size == 0
    (tmp_path / ".mlflow.db.making-killed").mkdir()  # as a killed process leaves it
    monkeypatch.setattr(mlflow, "MlflowClient", client())
    assert connection.open_client(f"sqlite:///{path}").uri == f"sqlite:///{path}"
    assert tables(path) == ["first", "complete"]
    assert sorted(found.name for found in tmp_path.iterdir()) == [".mlflow.db.lock", "mlflow.db"]


def test_a_database_that_is_half_made_already_is_named(tmp_path, monkeypatch):
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as database:
        database.execute("create table first (x)")
    monkeypatch.setattr(mlflow, "MlflowClient", client())
    monkeypatch.setattr(connection.time, "sleep", lambda _: None)
    with pytest.raises(TrackingError, match="its making was broken off, so nothing is in it; remove this file"):
        connection.open_client(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("revision", "advice"),
    [
        (
            "0584bdc529eb",
            "the database is of an older version of MLflow; make a copy of it, then: mlflow db upgrade sqlite:",
        ),
        ("ffffffffffff", "the database is of a newer version of MLflow than the one installed here, "),
    ],
)
def test_a_database_of_another_version_is_said_to_be_older_or_newer(revision, advice, workdir):
    with sqlite3.connect(workdir / "mlflow.db") as database:
        database.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    database.close()
    uri = f"sqlite:///{workdir}/mlflow.db"
    with pytest.raises(TrackingError) as caught:
        connection.open_client(uri)
    with pytest.raises(reports.ReportError) as refused:
        reports.load("size", uri)
    for message in (str(caught.value), str(refused.value)):
        assert advice in message and ("db upgrade" in message) == ("older" in advice), message
