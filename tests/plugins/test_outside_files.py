"""A file that a question runs from outside its directory: said, or asked about, before the first time."""

from __future__ import annotations

import logging
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.sweeps import command, environment

from zoo.config import QuestionError, load
from zoo.plugins import OutsideFiles

QUESTION = """\
question: What?
imports: [{}]
base: {{model: alex2, data: digits, input_size: 16}}
seeds: 1
"""


@pytest.fixture
def asked(tmp_path) -> Path:
    """A question beside a folder with a file that it imports, which imports a helper; a file is written when it runs."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "net.py").write_text("import widths\nopen('has_run', 'w').close()\n")
    (tmp_path / "theirs" / "widths.py").write_text("WIDTH = 4\n")
    (tmp_path / "mine" / "q.yaml").write_text(QUESTION.format("../theirs/net.py"))
    return tmp_path


def notes(project: Path, question: Path, caplog) -> list[str]:
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        OutsideFiles(project / "runs" / ".outside_files").may_run(question.parent / "../theirs/net.py", question)
    return [record.getMessage() for record in caplog.records]


def test_said_with_the_path_once_for_each_content(asked, caplog, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    question = asked / "mine" / "q.yaml"
    (said,) = notes(asked, question, caplog)
    assert said == (
        f"note: {question} runs a Python file outside its directory, for the first time with this content: "
        f"{asked}/theirs/net.py"
    )
    assert notes(asked, question, caplog) == []
    assert len(notes(asked / "elsewhere", question, caplog)) == 1, "another project has not heard of it"
    (asked / "theirs" / "widths.py").write_text("WIDTH = 64\n")
    assert len(notes(asked, question, caplog)) == 1, "what it imports beside it is part of its content"
    (asked / "theirs" / "net.py").write_text("")
    assert len(notes(asked, question, caplog)) == 1


def test_a_file_in_the_directory_of_the_question_is_the_question_s_own(asked, caplog):
    (asked / "mine" / "below").mkdir()
    (asked / "mine" / "below" / "net.py").write_text("")
    may_run = OutsideFiles(asked / "runs" / ".outside_files").may_run
    assert may_run(asked / "mine" / "below" / "net.py", asked / "mine" / "q.yaml")
    assert not caplog.records and not (asked / "runs").exists()


def test_a_link_out_of_the_directory_is_outside(asked, caplog):
    (asked / "mine" / "net.py").symlink_to(asked / "theirs" / "net.py")
    may_run = OutsideFiles(asked / "runs" / ".outside_files").may_run
    assert may_run(asked / "mine" / "net.py", asked / "mine" / "q.yaml")
    assert f"{asked}/theirs/net.py" in caplog.text


def test_what_may_not_run_is_not_run(asked, monkeypatch):
    monkeypatch.chdir(asked)
    with pytest.raises(QuestionError, match=r"q\.yaml:2:11: not run, as you answered: .*net\.py$"):
        load(asked / "mine" / "q.yaml", may_run=lambda file, question: False)
    assert not (asked / "has_run").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="a terminal")
@pytest.mark.parametrize(("answer", "runs"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_on_a_terminal_the_person_decides_under_plan_too(asked, answer, runs):
    ours, terminal = pty.openpty()
    process = subprocess.Popen(
        command("mine/q.yaml", "--plan", "--set", "base.model=no_such_model"),
        cwd=asked,
        env=environment(asked / "cache"),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    seen = b""
    while b"[y/N]" not in seen:
        seen += os.read(ours, 1000)
    assert f"{asked}/theirs/net.py".encode() in seen.replace(b"\r\n", b"")
    assert not (asked / "has_run").exists()
    os.write(ours, answer.encode())
    assert process.wait(60) == 2
    os.close(ours)
    assert (asked / "has_run").exists() == runs
    assert (asked / "runs" / ".outside_files").exists() == runs


def test_without_a_terminal_a_plan_says_it_too(asked):
    done = subprocess.run(
        command("mine/q.yaml", "--plan", "--set", "base.model=no_such_model"),
        cwd=asked,
        env=environment(asked / "cache"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"runs a Python file outside its directory, for the first time with this content: {asked}/theirs/net.py" in (
        done.stderr
    )
    assert done.returncode == 2 and (asked / "has_run").exists()
