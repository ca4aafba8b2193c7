"""Passwords in tracking addresses: nothing that is shown or stored has them."""

from __future__ import annotations

import json
import sqlite3

import pytest
from helpers.stores import Writer, costs, curve
from helpers.sweeps import errors_of, sweep
from helpers.tracked import ask, finish

import reports
from reports import ReportError
from reports.analysis import provenance
from reports.store import reader
from zoo.config import load
from zoo.plan.runs import make_plan
from zoo.tracking.errors import TrackingError, explained
from zoo.tracking.experiments import view

VARIABLE = '--tracking-uri "${MLFLOW_TRACKING_URI:?is to be the address with its password}"'


def as_asked(workdir):
    """The plan as a sweep makes it, with the costs that its networks have."""
    return make_plan(load(ask(workdir).question.path), workdir / "runs")


def test_a_sweep_shows_and_keeps_no_password_of_its_address(workdir, env):
    (workdir / "bob:s3cret@store").mkdir()  # a database that can be opened, and an address as with a password
    database = workdir / "bob:s3cret@store" / "mlflow.db"
    uri = f"sqlite:///{workdir}//{database.parent.name}/mlflow.db"
    for training in as_asked(workdir).trainings:
        finish(training)
    done = sweep(workdir, env, "size.yaml", "--tracking-uri", uri)
    assert done.returncode == 0, done.stderr
    report = workdir / "results" / "size"
    for text in (done.stdout, done.stderr, (report / "report.md").read_text(), (report / "report.html").read_text()):
        assert "s3cret" not in text
    assert VARIABLE in (report / "report.md").read_text()
    assert 'mlflow ui --backend-store-uri "${MLFLOW_TRACKING_URI:?' in done.stdout
    with sqlite3.connect(database) as store:
        dump = "\n".join(line for line in store.iterdump() if "s3cret" in line)
    assert dump == ""


@pytest.mark.parametrize("password", ["s3cret", "12/s3@cret"])
def test_the_command_that_sends_the_rest_names_the_variable(workdir, env, password):
    finish(as_asked(workdir).trainings[0])
    done = sweep(workdir, env, "size.yaml", "--sync", "--tracking-uri", f"http://bob:{password}@127.0.0.1:9")
    errors = errors_of(done)
    assert done.returncode == 1 and f"{VARIABLE}\n" in errors
    assert "cret" not in errors + done.stdout and "http://bob:***@127.0.0.1:9 cannot be written to" in errors
    assert ("in a password of an address write / as %2F" in errors) == (password != "s3cret")


def test_a_misspelt_option_does_not_repeat_the_password(workdir, env):
    done = sweep(workdir, env, "size.yaml", "--tracking-url", "http://bob:s3cret@127.0.0.1:9")
    assert done.returncode == 2 and "http://bob:***@127.0.0.1:9" in errors_of(done)


@pytest.mark.parametrize(
    "uri",
    [
        *("http://bob:s3/cret@127.0.0.1:9", "http://bob:s3cret@[", "postgresql://bob:s3@cret@127.0.0.1:9/x"),
        *("postgresql://127.0.0.1:9/x?user=bob&password=s3cret", "odd://bob:s3cret@host", "bob://s3:s3cret@"),
    ],
)
def test_a_report_that_cannot_be_made_shows_no_password(uri, tmp_path):
    for attempt in (lambda: reports.write("x", tmp_path, tracking_uri=uri), lambda: reports.compare("a", "b", uri)):
        with pytest.raises(ReportError) as caught:
            attempt()
        assert "cret" not in str(caught.value)


def test_links_and_directions_show_no_password(tmp_path):
    assert view.directions("http://bob:s3/cret@host:80", "7", tmp_path).startswith("http://host:80/#/experiments/7/")
    shown = view.directions("postgresql://db/x?password=s3cret", "7", tmp_path)
    assert "s3cret" not in shown and "MLFLOW_TRACKING_URI" in shown


def test_a_command_that_an_earlier_version_kept_is_shown_without_its_password(tmp_path):
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    writer = Writer(uri, tmp_path)
    old = "python run_sweep.py old.yaml --tracking-uri http://bob:s3/cret@host:5000"
    name = writer.sweep("old", ["a", "b"], [0], command=old, levels=json.dumps({}))
    for variant in ("a", "b"):
        writer.run(name, variant, 0, curve(0.5), once=costs(10, 1.0))
    report = reports.write("old", tmp_path / "out", ("html", "md", "csv"), uri)
    for path in report.paths:
        assert b"cret" not in path.read_bytes()
    sweep_of_old = reader.read("old", uri)
    served = provenance.links(type(sweep_of_old)(**vars(sweep_of_old) | {"uri": "http://bob:s3cret@host:80/"}))
    assert next(iter(served.values())).startswith("http://host:80/#/experiments/")


def test_an_upgrade_of_the_database_is_a_command_without_the_password():
    with pytest.raises(TrackingError) as caught, explained("postgresql://bob:s3cret@db/x"):
        raise RuntimeError("Detected out-of-date database schema (found version 0584bdc529eb, but expected b)")
    assert 'mlflow db upgrade "${MLFLOW_TRACKING_URI:?' in str(caught.value)
