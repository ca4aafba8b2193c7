"""A real MLflow server on top of PostgreSQL, and a small plan to send to it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.servers import Between, MlflowServer, Postgres, postgres_programs
from helpers.tracked import TWO_SIZES, with_cost

from zoo.config import load
from zoo.plan import runs as plans
from zoo.plan.runs import Plan


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if sys.platform != "linux":
        pytest.skip("reads /proc to find the processes of a server")
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed; Debian: apt install postgresql")
    pytest.importorskip("psycopg", reason="PostgreSQL's driver is not installed: pip install '.[postgres]'")
    database = Postgres(programs)
    yield database
    database.remove()


@pytest.fixture(scope="session")
def server(postgres, tmp_path_factory) -> Iterator[MlflowServer]:
    running = MlflowServer(tmp_path_factory.mktemp("server"), postgres.uri)
    yield running
    running.kill()


@pytest.fixture
def between(server) -> Iterator[Callable[..., Between]]:
    """A function that puts a ``Between`` with a rule before the server."""
    started: list[Between] = []

    def put(rule) -> Between:
        started.append(Between(server.uri, rule))
        return started[-1]

    yield put
    for each in started:
        each.close()


@pytest.fixture
def two_runs(tmp_path: Path, request) -> Plan:
    """A plan of two runs, of a sweep with a name of its own on the server."""
    name = re.sub(r"\W+", "_", request.node.name).strip("_")
    (tmp_path / f"{name}.yaml").write_text(TWO_SIZES)
    return with_cost(plans.make_plan(load(tmp_path / f"{name}.yaml", seeds=1), tmp_path / "runs"))
