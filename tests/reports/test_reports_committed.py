"""The committed results (docs/results): what was computed from their runs then is what is computed now."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reports.analysis import variants
from reports.store.sweep import Sweep
from zoo.stats.verdicts import SeedSchedule

RESULTS = Path(__file__).parents[2] / "docs" / "results"


@pytest.mark.parametrize(
    ("name", "schedule"),
    [("ablation_lrn", SeedSchedule(3, 10)), ("ablation_precision", SeedSchedule(3, 10)), ("alex_variants", None)],
)
def test_variants_of_committed_runs(name, schedule):
    runs = pd.read_csv(RESULTS / name / "runs.csv", dtype={"run_key": str, "params": "Int64", "macs": "Int64"})
    runs = runs.assign(train_others_busy=np.nan, latency_others_busy=np.nan)  # not recorded then
    committed = pd.read_csv(RESULTS / name / "variants.csv", keep_default_na=True)
    computed = variants.frame(
        Sweep(
            name=name,
            question="",
            baseline=committed.loc[committed["baseline"], "variant"].item(),
            margin=0.5,
            variants=tuple(committed["variant"]),
            seeds=tuple(range(10 if schedule else committed["n"].max())),
            command=None,
            runs=runs.fillna({"run_key": ""}),
            histories=pd.DataFrame(),
            schedule=schedule,
        )
    )
    texts = ["variant", "verdict"]
    assert computed[texts].to_numpy().tolist() == committed[texts].fillna("").to_numpy().tolist()
    shared = [column for column in computed if column in committed]  # what later versions add is not there
    numbers = [column for column in shared if committed[column].dtype.kind in "if" and column != "n_expected"]
    assert len(numbers) > 18
    for column in numbers:
        values = pd.to_numeric(computed[column]).to_numpy(float, na_value=np.nan)
        np.testing.assert_allclose(values, committed[column], rtol=1e-9, err_msg=column)
