"""Fields that do nothing: refused where they do nothing at all, warned of where they act in a part of a design."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from zoo import models
from zoo.config import load
from zoo.config.design import idle
from zoo.models import registry

HEAD = "question: Does it?\nseeds: 3\n"
BASE = "base: {model: tuto, data: cifar10, steps: 10"


@pytest.mark.parametrize(("base", "factor", "why"), [
    ("", "schedule.decay_factor: [0.1, 0.5]", "decay_every_epochs is 0"),
    (", schedule: {decay_every_epochs: 5, decay_factor: 1}", "schedule.decay_every_epochs: [1, 5]", "decay_factor is 1"),
    ("", "schedule: [{name: staircase, decay_every_epochs: 0}, {name: constant}]", "decay_every_epochs is 0"),
    (", weight_decay.rule: none", "weight_decay.scale: [1, 2]", "rule is none"),
    (", weight_decay.scale: 0", "weight_decay.rule: [constant, none]", "scale is 0"),
    (", ema: false", "ema_decay: [0.9, 0.99]", "ema is false"),
    (", lrn: false", "lrn_radius: [2, 4]", "lrn is false"),
    (", lrn: false", "lrn_alpha: [0.1, 0.2]", "lrn is false"),
    (", lrn: false", "model: [tuto, alex2]", "these names stand for the same network"),
    (", input_size: 32", "augment.crop: [true, false]", "the input is as large as the images"),
    ("", "evaluate_every: [5, 10]", "results are those of the last step"),
])  # fmt: skip
def test_a_factor_that_does_nothing_is_refused(base, factor, why, wrong):
    (problem,) = wrong(f"{HEAD}{BASE}{base}}}\nfactors: {{{factor}}}\n")
    name = factor.partition(":")[0]
    assert problem == f"4:11: {name} does nothing here ({why}); remove it"


def test_momentum_under_adam_is_no_setting(wrong):
    (problem,) = wrong(
        f"{HEAD}{BASE}, optimizer: {{name: adam, lr: 0.001}}}}\nfactors: {{optimizer.momentum: [0, 0.9]}}\n"
    )
    assert problem == "4:11: optimizer.momentum is no setting of the optimizer adam; allowed: name, lr, clip_norm"


def test_of_variants_that_are_written_out_one_is_refused(wrong):
    text = f"{HEAD}{BASE}}}\nvariants:\n  a: {{lrn: false}}\n  b: {{lrn: false, lrn_radius: 2}}\n"
    (problem,) = wrong(text)
    assert problem == (
        "6:3: the variants 'a' and 'b' come to the same training, because they differ only in lrn_radius (lrn is false); "
        "remove one"
    )


@pytest.mark.parametrize(("factors", "warning"), [
    ("lrn: [true, false], lrn_radius: [2, 4]",
     "warning: 'lrn=false, lrn_radius=2' and 'lrn=false, lrn_radius=4' differ only in lrn_radius (lrn is false): their "
     "results will be the same, and each is trained"),
    ("batch: [8, 16], ema: [true, false], ema_decay: [0.9, 0.99]",
     "warning: 'batch=8, ema=false, ema_decay=0.9' and 'batch=8, ema=false, ema_decay=0.99' differ only in ema_decay "
     "(ema is false): their results will be the same, and each is trained; so it is with 1 more of these"),
    ("augment.brightness: [63, false]",
     "warning: augment.brightness is undone by the standardization that follows it: variants that differ only in it "
     "differ by rounding, and so by chance"),
])  # fmt: skip
def test_a_field_that_does_nothing_in_a_part_of_a_design_is_warned_of(factors, warning, ask, caplog):
    with caplog.at_level(logging.WARNING, "zoo"):
        ask(f"{BASE}}}\nfactors: {{{factors}}}\n")
    assert [message for message in caplog.messages if "no spread between trainings" not in message] == [warning]


@pytest.mark.parametrize("factors", [
    "lrn_radius: [2, 4]",
    "schedule.decay_every_epochs: [0, 5], schedule.decay_factor: [0.5, 0.1]",
    "weight_decay: [{rule: none}, {rule: constant, scale: 0.1}]",
    "ema: [true, false]",
    "augment: [true, false]",
    "standardize: [true, false], augment.brightness: [63, false]",
])  # fmt: skip
def test_what_acts_is_not_refused(factors, ask):
    ask(f"{BASE}}}\nfactors: {{{factors}}}\n")


def test_what_a_family_says_does_nothing_changes_no_weight_and_no_answer():
    """Each argument that is said to be idle, changed: the same network to the bit."""
    changed = {"lrn_radius": 2, "lrn_bias": 2.0, "lrn_alpha": 0.3, "lrn_beta": 0.5}
    images = np.random.default_rng(0).normal(size=(2, 24, 24, 3)).astype("float32")
    for name in ("alex2", "nin0", "squeeze0"):
        reasons = models.idle_arguments(name, lrn=False)
        assert set(reasons) == set(changed)
        one, other = models.build(name), models.build(name, **changed)
        other.set_weights(one.get_weights())
        assert np.array_equal(one(images), other(images))
        assert models.idle_arguments(name, lrn=True) == {}


def test_a_model_of_ones_own_says_what_does_nothing_or_that_it_cannot(wrong):
    with registry.restored():

        @registry.register("mine", idle=lambda depth, width: {"width": "depth is 0"} if not depth else {})
        def mine(input_size: int = 24, classes: int = 10, depth: int = 0, width: int = 8):
            raise NotImplementedError

        question = f"{HEAD}base: {{model: mine, data: digits, steps: 10}}\nfactors: {{width: [8, 16]}}\n"
        assert wrong(question) == ["4:11: width does nothing here (depth is 0); remove it"]

        @registry.register("broken", idle=lambda: {})
        def broken(input_size: int = 24, classes: int = 10, width: int = 8):
            raise NotImplementedError

        (problem,) = wrong(question.replace("mine", "broken"))
        assert problem.startswith("4:19: the model broken cannot say what does nothing: TypeError: ")


def test_every_field_of_a_question_is_idle_or_part_of_what_acts(tmp_path):
    """No reason is given for a field that there is not."""
    path = tmp_path / "q.yaml"
    path.write_text(f"{HEAD}{BASE}, lrn: false, ema: false, weight_decay.rule: none}}\n")
    (variant,) = load(path).variants
    assert set(idle.idle(variant.config)) <= set(variant.config.flat())
