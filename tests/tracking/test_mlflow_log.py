"""MLflow's own account of an error, with its traceback, is in a file and not on the terminal."""

from __future__ import annotations

import logging

import pytest

from zoo.tracking import mlflow_log


@pytest.fixture
def logger():
    import mlflow  # noqa: F401

    parent = logging.getLogger("mlflow")
    before = {name: logging.getLogger(name).handlers for name in ("mlflow", "sqlalchemy.engine", "alembic")}
    yield parent.getChild("store.db.utils")
    for handler in parent.handlers:
        handler.close()
    for name, handlers in before.items():
        logging.getLogger(name).handlers = handlers


def fail(logger) -> None:
    try:
        raise OSError(28, "No space left on device")
    except OSError as error:
        logger.exception("SQLAlchemy database error. The following exception is caught.\n%s", error)


def test_it_is_in_the_file(logger, tmp_path, capfd):
    mlflow_log.keep_in(tmp_path / "mlflow.log")
    assert not (tmp_path / "mlflow.log").exists()
    fail(logger)
    assert "Traceback" in (tmp_path / "mlflow.log").read_text() and capfd.readouterr() == ("", "")


@pytest.mark.parametrize("path", ["none/mlflow.log", "/dev/full"])
def test_a_file_that_cannot_be_written_is_no_second_error(logger, tmp_path, capfd, path):
    mlflow_log.keep_in(tmp_path / path)
    fail(logger)
    assert capfd.readouterr() == ("", "")


def test_the_file_of_an_earlier_sweep_in_this_process_is_closed(logger, tmp_path):
    mlflow_log.keep_in(tmp_path / "one.log")
    fail(logger)
    (earlier,) = logging.getLogger("mlflow").handlers
    assert earlier.stream is not None
    mlflow_log.keep_in(tmp_path / "other.log")
    assert earlier.stream is None
    fail(logger)
    assert (tmp_path / "one.log").read_text().count("Traceback") == 1
    assert (tmp_path / "other.log").read_text().count("Traceback") == 1
