"""Questions that are read for their mistakes or for what they resolve to."""

from __future__ import annotations

import pytest

from zoo.config import QuestionError, load

BASE = "question: q\nbase: {model: tuto, data: cifar10}\n"  # two lines: what a case adds starts in line 3
FACTORS = BASE + "factors: {lrn: [true, false]}\n"


def problems(path, *overrides, seeds=None):
    """The problems of a file, one line each, without the file's name."""
    with pytest.raises(QuestionError) as raised:
        load(path, overrides, seeds)
    lines = str(raised.value).splitlines()[: len(raised.value.problems)]  # a last one says that there are more
    assert lines == [str(problem) for problem in raised.value.problems]
    return [str(problem).removeprefix(f"{path}:").strip() for problem in raised.value.problems]


def configs(question):
    """The configuration of each variant, by name."""
    return {variant.name: variant.config for variant in question.variants}
