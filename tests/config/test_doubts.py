"""What is allowed but likely meant otherwise is asked about; keys of one's own are left alone."""

from __future__ import annotations

import logging

import pytest

from zoo.config import QuestionError, load

QUESTION = """\
question: Does it matter?
base: {model: alex2, data: digits, steps: 100}
factors: {augment.flip: [true, false]}
"""


def doubts(tmp_path, caplog, more: str, **kwargs) -> list[str]:
    (tmp_path / "q.yaml").write_text(QUESTION + more)
    with caplog.at_level(logging.WARNING, "zoo"):
        load(tmp_path / "q.yaml", **kwargs)
    return [message.removeprefix(str(tmp_path) + "/") for message in caplog.messages]


@pytest.mark.parametrize(("margin", "points"), [("0.005", "0.5"), ("0.01", "1"), ("2e-2", "2")])
def test_a_margin_that_looks_like_a_fraction_is_asked_about(margin, points, tmp_path, caplog):
    (doubt,) = doubts(tmp_path, caplog, f"margin: {margin}\n")
    assert doubt == (
        f"q.yaml:4:9: is the margin meant as a fraction? It is in points, so this is {float(margin):g} of a point; "
        f"if {points} points are meant, write {points}"
    )


@pytest.mark.parametrize(("seeds", "said"), [(1, "1 seed no spread"), (2, "2 seeds the spread")])
def test_few_seeds_are_warned_of(seeds, said, tmp_path, caplog):
    (doubt,) = doubts(tmp_path, caplog, f"seeds: {seeds}\n")
    assert doubt.startswith(f"q.yaml:4:8: with {said} between trainings is ") and doubt.endswith("take 3 or more")
    caplog.clear()
    assert doubts(tmp_path, caplog, "seeds: 3\n") == []


def test_it_is_asked_about_on_the_command_line_too(tmp_path, caplog):
    (doubt,) = doubts(tmp_path, caplog, "", overrides=["margin=0.005"])
    assert "--set margin=0.005" in doubt and "if 0.5 points are meant" in doubt


@pytest.mark.parametrize(("accuracy", "percent"), [("0.24", "24"), ("[0.2, 0.25]", "25"), ("1.0", "100")])
def test_a_published_accuracy_that_looks_like_a_fraction_is_asked_about(accuracy, percent, tmp_path, caplog):
    more = f"published:\n  - {{variant: augment.flip=true, accuracy: {accuracy}, source: a paper}}\n"
    (doubt,) = doubts(tmp_path, caplog, more)
    assert doubt.startswith("q.yaml:5:") and doubt.endswith(
        f"is this accuracy meant as a fraction? It is in percent; if {percent} % is meant, write {percent}"
    )


@pytest.mark.parametrize("more", ["margin: 0.5", "margin: 0.05", "margin: 0.000001", "margin: 1"])
def test_nothing_else_is_asked_about(more, tmp_path, caplog):
    figures = "published:\n  - {variant: augment.flip=true, accuracy: 81.4, source: a}\n"
    figures += "  - {variant: augment.flip=false, difference: 0.2, source: a}\n"
    assert doubts(tmp_path, caplog, f"{more}\n{figures}") == []


def test_keys_that_begin_with_x_hold_anchors(tmp_path):
    (tmp_path / "q.yaml").write_text("""\
x-common: &common {model: alex2, data: digits}
x-levels: &levels [true, false]
question: Does it matter?
base: {<<: *common, steps: 100}
factors: {augment.flip: *levels}
""")
    question = load(tmp_path / "q.yaml")
    assert [variant.config.model for variant in question.variants] == ["alex2", "alex2"]
    (tmp_path / "q.yaml").write_text(QUESTION + "xcommon: 1\n")
    with pytest.raises(QuestionError, match="unknown key 'xcommon'"):
        load(tmp_path / "q.yaml")
    (tmp_path / "q.yaml").write_text(QUESTION + "x-common: 1\nmargin: none\n")
    with pytest.raises(QuestionError) as caught:  # beside a mistake, too
        load(tmp_path / "q.yaml")
    assert "margin must be" in str(caught.value) and "x-common" not in str(caught.value)
