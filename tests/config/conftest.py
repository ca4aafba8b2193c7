"""Fixtures that write a question to a file and read it."""

from __future__ import annotations

import pytest
from helpers.questions import problems

from zoo.config import load


@pytest.fixture
def ask(tmp_path):
    """Load a question whose first two lines are given."""

    def ask(text, *overrides, seeds=None, head="question: What?\nseeds: 1\n"):
        path = tmp_path / "q.yaml"
        path.write_text(head + text, encoding="utf-8")
        return load(path, overrides, seeds)

    return ask


@pytest.fixture
def wrong(tmp_path):
    """The problems of a question that is not valid."""

    def wrong(text, *overrides, seeds=None):
        path = tmp_path / "q.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return problems(path, *overrides, seeds=seeds)

    return wrong
