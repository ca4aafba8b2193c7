"""Addresses of MLflow's store: which one is meant, and what of it may be shown."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from zoo.tracking.address import (
    DEFAULT_URI,
    as_argument,
    command_line,
    needs_quoting,
    resolve_uri,
    sqlite_path,
    without_passwords,
    without_user,
)


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
        ("postgresql://db/runs?user=me&password=se/cr@et&x=1", "postgresql://db/runs?user=me&password=***&x=1"),
        (
            "postgresql://db:5432/runs?sslmode=require&sslpassword=secret",
            "postgresql://db:5432/runs?sslmode=require&sslpassword=***",
        ),
        ("postgresql://me:one@db/runs?password=two", "postgresql://me:***@db/runs?password=***"),
        ("http://host:5000/path", "http://host:5000/path"),
        ("http://me@host:5000", "http://me@host:5000"),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
    ],
)
def test_passwords_are_not_shown(text, shown):
    assert without_passwords(text) == shown


@pytest.mark.parametrize(
    ("address", "error", "shown"),
    [
        ("http://bob:a secret@host", "no answer: http://bob:a secret@host/api", "no answer: http://bob:***@host/api"),
        ("http://bob:sec%2Fret@host", "login as bob with sec/ret", "login as bob with ***"),
        ("http://bob:sec/ret@host", "port 'sec' of bob, path '/ret@host'", "port '***' of bob, path '/***@host'"),
        ("postgresql://bob:p1@ss2@db/x", "no host 'ss2@db'", "no host '***@db'"),
        ("http://host:5000", "port 5000 of host", "port 5000 of host"),
    ],
)
def test_the_password_of_a_known_address_is_not_shown_in_any_form_or_piece(address, error, shown):
    assert without_passwords(error, address) == shown


def test_a_password_that_ends_the_address_is_said_to_need_quoting():
    assert needs_quoting("http://bob:sec/ret@host") and needs_quoting("http://bob:p@ss@host")
    assert not needs_quoting("http://bob:secret@host") and not needs_quoting("http://host:5000/x")


def test_a_link_is_without_user_and_password():
    assert without_user("https://bob:sec/ret@host:80/x") == "https://host:80/x"
    assert without_user("https://bob@host:80/x") == "https://host:80/x"
    assert without_user("https://host:80/x") == "https://host:80/x"


ASKED = '"${MLFLOW_TRACKING_URI:?is to be the address with its password}"'


def test_a_command_names_the_environment_variable_instead_of_an_address_with_a_password():
    assert as_argument("sqlite:///my runs.db") == "'sqlite:///my runs.db'"
    secret = "http://bob:secret@host"
    assert (
        command_line(["run.py", "--tracking-uri", secret, "--fresh"], ["--fresh"]) == f"run.py --tracking-uri {ASKED}"
    )
    assert command_line(["run.py", f"--tracking-uri={secret}", "q.yaml"]) == f"run.py --tracking-uri={ASKED} q.yaml"
    assert command_line(["run.py", "my q.yaml", "--ray-address", "ray://a:secret@b"]) == (
        "run.py 'my q.yaml' --ray-address 'ray://a:***@b'"
    )


@pytest.mark.skipif(shutil.which("sh") is None, reason="no shell")
def test_the_shell_gives_the_address_from_the_environment_or_says_that_it_is_wanted():
    line = command_line(["printf", "%s", "--tracking-uri", "http://bob:secret@host"])
    set_up = os.environ | {"MLFLOW_TRACKING_URI": "http://bob:secret@host"}
    given = subprocess.run(["sh", "-c", line], env=set_up, capture_output=True, text=True, check=True)
    assert given.stdout == "--tracking-urihttp://bob:secret@host"
    unset = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    refused = subprocess.run(["sh", "-c", line], env=unset, capture_output=True, text=True, check=False)
    assert refused.returncode and "is to be the address with its password" in refused.stderr
