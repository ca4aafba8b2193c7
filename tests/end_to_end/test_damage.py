"""The short form of ``python tests/end_to_end/damage.py``: one case of each kind that has numbers in it."""

from __future__ import annotations

import random

import damage
from damage import Case


def test_a_sweep_whose_files_are_damaged_comes_to_the_same(tmp_path, env, capsys):
    cases = [
        Case("stopped", "checkpoints/step_*/state.data-*", "emptied"),
        Case("stopped", "history.csv", "changed by a bit"),
        Case("complete", "results/step_*.npz", "cut in half"),
        Case("complete", "status.json", "emptied"),
        Case("without mlflow.db", "results/step_*.npz", "cut in half"),
    ]
    code = damage.damage_each(tmp_path, cases, random.Random(0), env)
    output = capsys.readouterr().out
    assert code == 0, output
    assert "the same to the bit in all 5 cases" in output
