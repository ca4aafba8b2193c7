"""Addresses of MLflow's store: which one is meant, and what of it may be shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoo.tracking.address import DEFAULT_URI, resolve_uri, sqlite_path, without_passwords


def test_the_argument_comes_before_the_environment_and_that_before_the_default(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert resolve_uri(None) == DEFAULT_URI
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking:5000")
    assert resolve_uri(None) == "http://tracking:5000" and resolve_uri("sqlite:///x.db") == "sqlite:///x.db"


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("sqlite:///mlflow.db", Path("mlflow.db")),
        ("sqlite:////data/a.db?timeout=5", Path("/data/a.db")),
        ("http://host:5000", None),
        ("postgresql://me:secret@db/mlflow", None),
    ],
)
def test_the_file_of_a_local_database(uri, path):
    assert sqlite_path(uri) == path


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:secret@db:5432/mlflow", "postgresql://me:***@db:5432/mlflow"),
        ("https://me:pass/word@host", "https://me:***@host"),
        ("https://me:p@ss@host/x", "https://me:***@host/x"),
        ("cannot open http://me:one@a, nor http://me:two@b", "cannot open http://me:***@a, nor http://me:***@b"),
        ("http://host:5000/path", "http://host:5000/path"),
        ("http://me@host:5000", "http://me@host:5000"),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
    ],
)
def test_passwords_are_not_shown(text, shown):
    assert without_passwords(text) == shown
