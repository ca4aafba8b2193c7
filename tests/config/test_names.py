"""A question is named after its file: names that are none, or that a store or a terminal could not take."""

from __future__ import annotations

import os

import pytest
from helpers.plans import QUESTION

from zoo.config import QuestionError, load


@pytest.mark.parametrize("name", ["..yaml", "...yaml", "a\x1b[2Jb.yaml", "a\u202eb.yaml", os.fsdecode(b"a\xff.yaml")])
def test_a_file_whose_name_is_no_name_is_refused(name, tmp_path):
    (tmp_path / name).write_text(QUESTION)
    with pytest.raises(QuestionError, match=r"is no name; add name: or rename the file"):
        load(tmp_path / name)


def test_other_letters_are_fine(tmp_path):
    (tmp_path / "lärn 日本.v2.yaml").write_text(QUESTION)
    assert load(tmp_path / "lärn 日本.v2.yaml").name == "lärn 日本.v2"


def test_half_a_surrogate_pair_is_refused_in_a_question_and_on_the_command_line(tmp_path):
    (tmp_path / "q.yaml").write_text(QUESTION.replace("question: Does it matter?", 'question: "half \\ud800"'))
    with pytest.raises(QuestionError, match="a character that YAML does not allow"):
        load(tmp_path / "q.yaml")
    (tmp_path / "q.yaml").write_text(QUESTION)
    with pytest.raises(QuestionError):
        load(tmp_path / "q.yaml", ["question=" + os.fsdecode(b"half \xff")])
