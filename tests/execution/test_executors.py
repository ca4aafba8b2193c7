"""Executors are found by their names; another one is registered."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from helpers.scripted_executor import ScriptedExecutor

import run_sweep
from zoo.execution import executors
from zoo.execution.executor import Executor, ExecutorEntry, ExecutorOptions

ROOT = Path(__file__).parents[2]
OPTIONS = ExecutorOptions(at_once=1, jobs=None, gpus_per_run=None, address=None, runs_dir=Path("runs"))


@pytest.fixture
def forgotten():
    """What a test registers is forgotten at its end."""
    with executors.restored():
        yield


def test_the_shipped_executors_are_found_without_importing_them():
    program = (
        "import sys; from zoo.execution import executors; print(*executors.names());"
        "print(*sorted({'tensorflow', 'pydantic', 'numpy', 'ray'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    names, imported = done.stdout.split("\n")[:2]
    assert {"local", "ray"} <= set(names.split()) and imported == ""


def test_a_registered_executor_is_offered_and_made_with_the_options(forgotten, capsys):
    made = []

    def create(options: ExecutorOptions) -> Executor:
        made.append(options)
        return ScriptedExecutor(3)

    executors.register("scripted", ExecutorEntry(create))
    assert "scripted" in executors.names()
    executor = executors.entry("scripted").create(OPTIONS)
    assert executor.slots == 3 and made == [OPTIONS]
    executors.entry("scripted").check(OPTIONS)  # nothing is checked by default
    with pytest.raises(SystemExit):
        run_sweep.main(["--help"])
    assert "scripted" in capsys.readouterr().out


def test_what_was_registered_for_a_while_is_forgotten():
    with executors.restored():
        executors.register("scripted", ExecutorEntry(lambda options: ScriptedExecutor(1)))
    assert "scripted" not in executors.names()
