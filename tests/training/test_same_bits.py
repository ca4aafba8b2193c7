"""The short form of ``python tests/training/same_bits.py``, and its arithmetic on results that are made up."""

from __future__ import annotations

import subprocess
import sys

import pytest
from training import same_bits

NAMES = ["bfloat16 + dropout + pools"]


def came(outcome, losses, kernels):
    return {"outcome": outcome, "losses": losses, "kernels": kernels}


def test_two_processes_compute_the_same_with_the_same_kernels(tmp_path):
    # Of a server of their own, which notes what TensorFlow's pass for oneDNN does.
    arguments = ["--processes", "2", "--graphs", "2", "--busy", "0", "--states", "quiet", "--only", *NAMES]
    command = [sys.executable, same_bits.__file__, *arguments, "--results", str(tmp_path / "lines")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = same_bits.Results(tmp_path / "lines", same_bits.code()).of(*NAMES, "quiet")
    assert len(rows) == 4
    assert len({row["outcome"] for row in rows}) == len({row["kernel_set"] for row in rows}) == 1
    kernels = rows[0]["kernels"]
    if kernels:  # where TensorFlow computes with oneDNN
        assert [node.endswith("MaxPoolGrad") for node in kernels].count(True) == 2


def test_lines_are_read_again_and_those_of_other_code_are_not(tmp_path):
    results = same_bits.Results(tmp_path / "lines", "abc")
    for outcome, losses, kernels in [("x", [1, 2], ["p MaxPool", "g MaxPoolGrad"])] * 2 + [
        ("y", [1, 3], ["p MaxPool"])
    ]:
        results.add("a", "quiet", came(outcome, losses, kernels))
    assert [row["outcome"] for row in same_bits.Results(tmp_path / "lines", "abc").of("a", "quiet")] == ["x", "x", "y"]
    assert same_bits.Results(tmp_path / "lines", "def").of("a", "quiet") == []
    lines = same_bits.text(results, ["a"]).splitlines()
    assert lines[2].split()[:5] == ["a", "quiet", "2", "+", "1"]
    assert lines[3].endswith(
        "loss differs from step 1; computed by oneDNN in the usual one alone: ['g MaxPoolGrad'], in the other: []"
    )


@pytest.mark.parametrize("order", [["g", "p"], ["p", "g"]])
def test_kernels_are_compared_as_a_set_and_in_their_order(tmp_path, order):
    results = same_bits.Results(tmp_path / "lines", "abc")
    results.add("a", "quiet", came("x", [1], ["p", "g"]))
    results.add("a", "quiet", came("x", [1], order))
    first, second = results.of("a", "quiet")
    assert first["kernel_set"] == second["kernel_set"]
    assert (first["kernel_order"] == second["kernel_order"]) == (order == ["p", "g"])
