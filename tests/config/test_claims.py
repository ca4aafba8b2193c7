"""Published figures: their digits, and the configuration that they belong to."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from zoo.config import QuestionError, load

QUESTION = """\
question: Does it matter?
base: {model: tuto, data: cifar10, steps: 10000}
factors: {lrn: [true, false]}
"""


def figures(folder, published: str, *overrides: str):
    (folder / "q.yaml").write_text(f"{QUESTION}published:\n{published}")
    return load(folder / "q.yaml", overrides).published


@pytest.mark.parametrize(
    ("written", "digits"),
    [("81.4", 1), ("81.40", 2), ("81", 0), ("[81.0, 81.25]", 2), ("[80, 81]", 0), ("+81.4", 1), ("8.14e1", None)],
)
def test_the_digits_are_those_that_were_written(tmp_path, written, digits):
    (claim,) = figures(tmp_path, f"  - {{variant: lrn=true, accuracy: {written}, source: a}}\n")
    assert claim.digits == digits and claim.differs == {}


def test_a_figure_belongs_to_what_the_file_says(tmp_path):
    """Whatever the command line changes was not published; where a training is evaluated, and how often, does not count."""
    given = "  - {variant: lrn=true, accuracy: 81.4, source: a}\n  - {variant: lrn=false, difference: 0.2, source: a}\n"
    changed = figures(tmp_path, given, "base.steps=600", "base.evaluate_every=100", "base.precision=float32")
    assert [claim.differs for claim in changed] == [{"steps": [10000, 600]}] * 2
    assert [claim.differs for claim in figures(tmp_path, given, "margin=1", "seeds=2")] == [{}, {}]
    hidden = figures(tmp_path, given, "base.hidden=[64]")
    assert hidden[0].differs == {"hidden": [[384, 192], [64]]}


def test_a_figure_at_another_length_is_compared_in_the_sweep_of_that_length(tmp_path):
    given = (
        "  - {variant: lrn=true, accuracy: 81.4, at: {steps: 10000}, source: a}\n"
        "  - {variant: lrn=true, accuracy: 86.0, at: {steps: 100000, ema: false}, source: a}\n"
    )
    short, long = figures(tmp_path, given)
    assert short.differs == {} and long.differs == {"steps": [100000, 10000], "ema": [False, True]}
    short, long = figures(tmp_path, given, "base.steps=100000", "base.ema=false")
    assert short.differs == {"steps": [10000, 100000], "ema": [True, False]} and long.differs == {}


def test_fields_of_groups_and_fields_that_there_are_not(tmp_path):
    (claim,) = figures(
        tmp_path, "  - {variant: lrn=true, accuracy: 81, at: {optimizer: {lr: 0.1, momentum: 0.9}}, source: a}\n"
    )
    assert claim.differs == {"optimizer.momentum": [0.9, 0]}
    with pytest.raises(QuestionError) as caught:
        figures(tmp_path, "  - {variant: lrn=true, accuracy: 81, at: {stepz: 1}, source: a}\n")
    assert "q.yaml:5:44: 'stepz' is no field of the configuration (did you mean 'steps'?)" in str(caught.value)
    with pytest.raises(QuestionError, match="at must be a mapping of the fields"):
        figures(tmp_path, "  - {variant: lrn=true, accuracy: 81, at: 10000, source: a}\n")


def test_a_difference_that_looks_like_a_fraction_is_asked_about(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, "zoo"):
        figures(tmp_path, "  - {variant: lrn=false, difference: -0.002, source: a}\n")
    (doubt,) = caplog.messages
    assert doubt.endswith(
        "is this difference meant as a fraction? It is in points; if -0.2 points are meant, write -0.2"
    )


def test_the_shipped_figures_belong_to_what_is_asked():
    """Those of the zoo to 100,000 steps or to 10,000, of which one is asked for at a time."""
    experiments = Path(__file__).parents[2] / "experiments"
    for path in experiments.glob("*.yaml"):
        if path.stem != "zoo":
            assert all(not claim.differs for claim in load(path).published), path
    for steps, other in ((100_000, 10_000), (10_000, 100_000)):
        zoo = load(experiments / "zoo.yaml", [f"base.steps={steps}"]).published
        assert [claim.differs for claim in zoo if claim.differs] == [{"steps": [other, steps]}] * 4 and len(zoo) == 8
