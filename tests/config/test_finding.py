"""Questions by their names, and the list of what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

import run_sweep
from zoo.config import QuestionError, finding

QUESTION = "question: {}\nbase: {{model: alex2, data: digits, input_size: 16}}\nseeds: 1\n"


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "flip.yaml").write_text(QUESTION.format("Does the flip\n  matter?"))
    (tmp_path / "experiments" / "both.yaml").write_text(QUESTION.format("Here?"))
    (tmp_path / "both.yml").write_text(QUESTION.format("Or there?"))
    (tmp_path / "broken.yaml").write_text("a: [")
    (tmp_path / "other.yaml").write_text("services: {}\n")
    return tmp_path


def test_a_name_stands_for_its_file(project):
    assert finding.find("flip") == Path("experiments/flip.yaml")


@pytest.mark.parametrize(
    "given", ["experiments/flip.yaml", "gone.yaml", "experiments/gone", "/etc/x.yml", "experiments"]
)
def test_a_path_is_taken_as_it_is(project, given):
    assert finding.find(given) == Path(given)


def test_a_file_beside_is_not_taken_for_a_name(project):
    (project / "flip").write_text(QUESTION.format("Which?"))
    assert finding.find("flip") == Path("flip")


def test_a_name_of_several_is_refused_with_their_paths(project):
    with pytest.raises(QuestionError, match=r"several .* name: experiments/both.yaml, both.yml; give the path of one"):
        finding.find("both")


def test_an_unknown_name_is_told_with_what_there_is(project):
    with pytest.raises(QuestionError) as raised:
        finding.find("flp")
    assert str(raised.value) == (
        "flp: no question has this name (did you mean 'flip'?); there are: both, broken, flip, other"
    )


def test_without_an_argument_all_are_listed_with_what_they_ask(project, capsys):
    assert run_sweep.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["  both    Here?", "  flip    Does the flip matter?"]
    assert lines[2] == "  both    Or there?" and lines[3].startswith("  broken  cannot be read: this is not YAML")
    assert lines[4] == "  other   no question: is this another kind of file?"


def test_elsewhere_those_that_come_with_the_program(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found = finding.find("quickstart")
    assert found.is_file() and found.parts[-2:] == ("experiments", "quickstart.yaml")
    assert run_sweep.main([]) == 0 and "  quickstart " in capsys.readouterr().out


def test_a_wrong_name_ends_the_program_with_2(project, capsys):
    assert run_sweep.main(["flp", "--plan"]) == 2
    assert capsys.readouterr().err.startswith("flp: no question has this name (did you mean 'flip'?)")
