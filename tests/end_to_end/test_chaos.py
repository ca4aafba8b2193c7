"""The short form of ``python tests/end_to_end/chaos.py``: two runs, three kills."""

from __future__ import annotations

import sys

import chaos
import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="finds its victims in /proc")
def test_a_sweep_that_is_killed_again_and_again_comes_to_the_same(tmp_path, env, capsys):
    code = chaos.main(
        ["--kills", "3", "--runs", "2", "--steps", "200", "--seed", "5", "--directory", str(tmp_path / "chaos")], env
    )
    output = capsys.readouterr().out
    assert code == 0, output
    assert "the same to the bit, every point once, nothing left over" in output
