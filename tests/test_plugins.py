"""Files of the user's own: executed once, and refused with the line that is wrong."""

from __future__ import annotations

import sys

import pytest

from zoo.plugins import PluginError, load_file


def refusal(path):
    with pytest.raises(PluginError) as refused:
        load_file(path)
    return str(refused.value)


def test_a_file_is_executed_once(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "times_executed", 0, raising=False)
    file = tmp_path / "mine.py"
    file.write_text("import sys\nsys.times_executed += 1\nvalue = 5\n")
    monkeypatch.chdir(tmp_path)
    assert load_file(file).value == load_file("mine.py").value == 5
    assert sys.times_executed == 1


def test_two_files_of_one_name_are_two_modules(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.py").write_text(f"value = {folder!r}\n")
    assert [load_file(tmp_path / folder / "mine.py").value for folder in ("a", "b")] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("x = 1\n\ny = (\n", 3, "it does not parse: '(' was never closed"),
        ("def f():\n    raise KeyError('k')\n\nf()\n", 2, "KeyError: 'k'"),
        ("import no_such_module_at_all\n", 1, "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("import json\n\njson.loads('')\n", 3, "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
        ("x = 1\nraise SystemExit(3)\n", 2, "SystemExit: 3"),
        ("assert False\n", 1, "AssertionError"),
    ],
)
def test_a_file_that_fails_is_named_with_its_line(tmp_path, text, line, reason):
    file = tmp_path / "mine.py"
    file.write_text(text)
    assert refusal(file) == f"{file}:{line}: {reason}"


def test_a_file_that_failed_can_be_corrected(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("raise ValueError")
    refusal(file)
    file.write_text("value = 'corrected'\n")
    assert load_file(file).value == "corrected"


def test_files_that_are_none(tmp_path):
    assert refusal(tmp_path / "none.py").endswith("none.py:1: there is no such file")
    assert refusal(tmp_path).endswith(":1: is a directory, not a Python file")
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00\x01")
    assert refusal(tmp_path / "binary.py").startswith(f"{tmp_path / 'binary.py'}:")
