"""Whole sweeps that add seeds until all is decided, or until there are no more."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest
from helpers.sweeps import sweep

import reports
from reports.store import reader

SIZES = """\
question: Does the size matter?
base: {model: alex2, data: digits, convs: [[3, 8]], steps: 20, evaluate_every: 10, precision: float32}
variants:
  small: {hidden: [8]}
  middle: {hidden: [16]}
seeds: {min: 3, max: 4, until: decided}
margin: 0.000001
"""


@pytest.fixture(scope="module")
def undecided(env, add_store, tmp_path_factory):
    """A sweep that no number of seeds decides: a directory, what was printed."""
    directory = add_store(tmp_path_factory.mktemp("until"))
    (directory / "size.yaml").write_text(SIZES)
    return directory, sweep(directory, env, "size.yaml", "--executor", "instant")


def test_a_sweep_goes_on_until_its_last_seed(undecided):
    directory, ended = undecided
    assert ended.returncode == 0, ended.stderr
    assert "6 to 8 runs" in ended.stdout and "[1/at most 8] small · seed 0" in ended.stdout
    analyses = re.findall(r"^after (\d) seeds: middle (\w+)", ended.stdout, re.MULTILINE)
    assert analyses == [("3", "undecided"), ("4", "undecided")]
    assert "8 of 8 trainings complete" in ended.stdout
    data = reader.read("size", f"sqlite:///{directory}/mlflow.db")
    assert data.schedule == (3, 4) and data.missing() == () and len(data.results()) == 8
    assert data.verdicts()["middle"].seeds == 4


def test_a_sweep_that_is_decided_trains_no_more(undecided, env):
    """With such a margin every difference is equivalent at the first interim analysis."""
    directory, _ = undecided
    (directory / "wide.yaml").write_text((directory / "size.yaml").read_text().replace("0.000001", "100"))
    ended = sweep(directory, env, "wide.yaml")
    assert ended.returncode == 0, ended.stderr
    assert "6 runs, all of them done already" in ended.stdout and "6 of 6 trainings complete" in ended.stdout
    assert "after 3 seeds: middle equivalent" in ended.stdout
    data = reader.read("wide", f"sqlite:///{directory}/mlflow.db")
    assert data.missing() == () and len(data.results()) == 6
    frame = reports.load("wide", f"sqlite:///{directory}/mlflow.db")
    values = frame.groupby("variant")["accuracy_percent"].mean()
    assert data.verdicts()["middle"].difference == pytest.approx(values["middle"] - values["small"])
    assert np.isfinite(values).all()


def test_a_maximum_that_is_raised_afterwards_is_said_and_decides_nothing(undecided, env, tmp_path):
    directory = tmp_path / "copy"
    shutil.copytree(undecided[0], directory)
    more = ("--executor", "instant", "--set", "seeds={min: 3, max: 5, until: decided}")
    ended = sweep(directory, env, "size.yaml", *more)
    assert ended.returncode == 0, ended.stderr
    change = "The number of seeds was changed from 3 to 4 seeds to 3 to 5 seeds after variants could be compared"
    assert f"note: {change}" in ended.stdout + ended.stderr and "after 5 seeds: middle withheld" in ended.stdout
    assert change in (directory / "results/size/report.md").read_text()
    data = reader.read("size", f"sqlite:///{directory}/mlflow.db")
    assert data.verdicts()["middle"].word == "withheld" and data.missing() == () and len(data.results()) == 10
