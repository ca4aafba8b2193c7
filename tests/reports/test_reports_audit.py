"""The audit of what reports say, in short: its lines with few simulated sweeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reports import audit
from reports.audit import __main__ as command
from reports.audit import looks, times, welch
from reports.audit.rows import FIVE_PERCENT
from zoo.stats.declared import Declared
from zoo.stats.verdicts import SeedSchedule


@pytest.mark.parametrize("row", audit.rows(), ids=lambda row: row.what.replace(" ", "_"))
def test_the_audit_in_short(row):
    """200 simulated sweeps: a true rate at its bound lies within three standard errors of it."""
    found = row.simulate(200, np.random.default_rng(11))
    assert row.bound.is_kept(found), found


def test_without_what_was_declared_each_look_is_one_more_chance_to_be_wrong():
    """One seed more each time, judged as if that many had been asked for: 20 % in place of 5, simulated elsewhere."""

    def as_asked(history):
        return Declared(history.current.seeds, history.current.first_analysis)

    rng, wrong = np.random.default_rng(5), 0
    for _ in range(150):
        values = rng.normal(scale=welch.SD, size=(2, looks.MOST_SEEDS))
        read = looks.reports(values, (None, 3), looks.one_more, as_asked)
        wrong += any(welch.any_difference(verdicts) for _, verdicts in read)
    assert wrong / 150 > 0.05 + 3 * np.sqrt(0.05 * 0.95 / 150)


def test_the_audit_draws_from_results_that_were_made():
    same = welch.Truth((0.0,), (0.0, 0.0))
    pool = [80.0, 80.1, 80.2, 80.3, 80.4, 80.5]
    found = welch.rate(same, 3, welch.any_difference, 200, np.random.default_rng(1), None, pool)
    assert found.trials == 200 and found.rate <= 0.1 + 3 * np.sqrt(0.09 / 200)  # 2 of 20 splits are extreme


REAL = Path(__file__).parents[2] / "docs" / "results" / "spread_between_seeds" / "runs.csv"


@pytest.mark.parametrize(
    ("design", "event", "difference"),
    [
        (5, welch.any_difference, 0.0),
        (SeedSchedule(3, 10), welch.any_difference, 0.0),
        (5, welch.any_equivalence, 2.0),
        (SeedSchedule(3, 10), welch.any_equivalence, 2.0),
    ],
)
def test_the_audit_with_real_trainings_in_short(design, event, difference):
    """64 seeds of one network on the digits, dealt out to three variants and a baseline: the same, or a margin apart."""
    pool = pd.read_csv(REAL)["accuracy_percent"]
    margin = 2 * pool.std()
    truth = welch.Truth((difference / 2 * margin,) * 3, (pool.std(),) * 4)
    rng = np.random.default_rng(3)
    found = welch.rate(truth, design, event, 200, rng, margin if difference else None, pool)
    assert FIVE_PERCENT.is_kept(found), found


@pytest.mark.parametrize("row", times.rows_of(pd.read_csv(REAL)["train_s"]), ids=lambda row: row.what.replace(" ", "_"))
def test_the_audit_with_the_times_of_real_trainings_in_short(row):
    found = row.simulate(200, np.random.default_rng(3))
    assert row.bound.is_kept(found), found


def test_an_audit_takes_many_seeds_of_one_variant(tmp_path, capsys):
    assert command.main(["--sweep", "nothing", "--tracking-uri", f"sqlite:///{tmp_path}/none.db"]) == 2
    assert "no database" in capsys.readouterr().err
