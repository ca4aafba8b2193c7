"""``python -m zoo.models``: its output and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from zoo import models
from zoo.models.__main__ import main

MINE = """
import tf_keras as keras

from zoo.models import register


@register("mine")
def mine(input_size=24, classes=10, width: int = 3):
    if input_size < 5:
        raise ValueError("too small for me")
    images = keras.Input((input_size, input_size, 3))
    return keras.Sequential([images, keras.layers.Flatten(), keras.layers.Dense(width)])
"""


def test_the_list_has_every_model_with_its_costs(capsys):
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    rows = {line.split()[0]: line.split()[1:] for line in lines[3:]}
    assert list(rows)[: len(models.names())] == models.names()
    assert rows["squeeze1"] == ["squeeze", "146,570", "11,261,952", "22,836,024"]


def test_json_of_the_list_at_another_size(capsys):
    assert main(["--json", "--input-size", "32"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["nin2"] == {
        "name": "nin2",
        "family": "nin",
        "params": 966_986,
        "macs": 222_486_528,
        "ops": 446_867_328,
    }


def test_the_layers_of_one_model_and_their_shares(capsys):
    assert main(["squeeze1"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("arguments")]
    assert max(map(len, lines)) <= 80
    rows = {line.split()[0]: line.split()[1:] for line in lines if line}
    # 3*3*32*64 weights and 64 biases; 12 * 12 places; (1 + 2 * 288 + 2) operations per output
    assert rows["fire2_3x3"] == ["12x12x64", "18,496", "12.6%", "2,654,208", "23.6%", "5,336,064", "23.4%"]
    assert rows["total"] == ["146,570", "100.0%", "11,261,952", "100.0%", "22,836,024", "100.0%"]


def test_json_of_one_model_adds_up(capsys):
    assert main(["tuto", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["arguments"]["hidden"] == [384, 192]
    assert printed["total"] == {"params": 1_068_298, "macs": 18_470_784, "ops": 37_745_098}
    for field, total in printed["total"].items():
        assert sum(layer[field] for layer in printed["layers"]) == total


def test_an_unknown_name_is_refused_in_one_line(capsys):
    assert main(["sqeeze1"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "did you mean 'squeeze1'" in captured.err


def test_a_size_that_some_models_cannot_take(capsys):
    assert main(["--input-size", "2"]) == 1
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()[3:]}
    assert "at least 3x3" in rows["tuto"]
    assert rows["nin0"].split()[2] == "120,458"
    assert main(["tuto", "--input-size", "2"]) == 1
    assert "at least 3x3" in capsys.readouterr().err


@pytest.mark.parametrize("size", ["0", "-3", "x", "2.5"])
def test_an_invalid_size(size, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--input-size", size])
    assert stopped.value.code == 2
    assert "number of pixels" in capsys.readouterr().err


def test_a_users_file_adds_its_models(tmp_path, capsys):
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    assert main(["--import", str(file), "mine"]) == 0
    assert "5,187" in capsys.readouterr().out  # 24 * 24 * 3 * 3 weights and 3 biases
    assert main(["--import", str(file), "mine", "--input-size", "4"]) == 1
    assert capsys.readouterr().err == "mine: too small for me\n"


def test_a_users_file_that_fails_is_named(tmp_path, capsys):
    file = tmp_path / "mine.py"
    file.write_text("x = 1\ny = 1 / 0\n")
    assert main(["--import", str(file)]) == 2
    assert capsys.readouterr().err == f"{file}:2: ZeroDivisionError: division by zero\n"


def test_the_command_keeps_standard_error_clean_when_its_reader_leaves(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    process = subprocess.Popen(
        [sys.executable, "-m", "zoo.models", "--import", str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1
