"""Mistakes in the fields of the base and in the arguments of models."""

from __future__ import annotations

import pytest

BASE_FIELDS = [
    ("lnr: true", "4:3", "unknown key 'lnr' (did you mean 'lrn'?); allowed: model, data, recipe, input_size"),
    ("lr: 1", "4:3", "(did you mean 'optimizer.lr'?)"),
    ("batch_size: 1", "4:3", "(did you mean 'batch'?)"),
    ("classes: 3", "4:3", "the data set says how many classes"),
    ("optimizer.lrr: 1", "4:3", "unknown key 'lrr' in optimizer (did you mean 'lr'?)"),
    ("foo.bar: 1", "4:3", "unknown key 'foo.bar'"),
    ("augment: {rotate: true}", "4:13", "unknown key 'rotate' in augment; allowed: brightness, contrast, crop, flip"),
    ("augment: {flip: {left: true}}", "4:19", "augment.flip must be true or false, not {left: true}"),
    ("augment: 3", "4:12", "augment must be true, false or a mapping of crop, flip, brightness, contrast, not 3"),
    ("augment.brightness: 300", "4:23", "from 0 (off) to 255, or true or false, not 300"),
    ("augment.contrast: [2, 1]", "4:21", "0 <= lowest <= highest, or true or false, not [2, 1]"),
    ("augment.contrast: 1", "4:21", "two numbers"),
    (
        "optimizer: adam",
        "4:14",
        "optimizer must be a mapping of name, lr, clip_norm, momentum, nesterov, decay, rho, not 'adam'",
    ),
    ("optimizer: {name: adm}", "4:21", "one of sgd, adam, adamw, rmsprop, not 'adm' (did you mean 'adam'?)"),
    ("optimizer: {lr: 0}", "4:19", "above 0, at most 1,000, not 0"),
    ("optimizer: {momentum: 1}", "4:25", "from 0 to below 1, not 1"),
    ("optimizer: {lr: 1, lr: 2}", "4:22", "duplicate key 'lr'; it stands in line 4 already"),
    ("optimizer.lr: 1\n  optimizer: {lr: 2}", "5:15", "optimizer.lr is given twice here"),
    ("steps: 0", "4:10", "steps must be a whole number, 1 to 100,000,000, not 0"),
    ("steps: 100000001", "4:10", "not 100000001"),
    ("steps: '10'", "4:10", "not '10'"),
    ("steps: 1.5", "4:10", "not 1.5"),
    ("steps: yes", "4:10", "not true"),
    ("steps:", "4:9", "not null"),
    ("batch: [1]", "4:10", "not [1]"),
    ("batch: -5", "4:10", "1 to 65,536, not -5"),
    ("milestones: [10, x]", "4:15", "a list of whole numbers of steps"),
    ("ema: 1", "4:8", "ema must be true or false, not 1"),
    ("ema_decay: 1", "4:14", "above 0, below 1, not 1"),
    ("precision: off", "4:14", "one of auto, float32, bfloat16, not false (YAML reads an unquoted yes, no, on or off"),
    ("schedule: {decay_factor: 2}", "4:28", "above 0, at most 1, not 2"),
    ("weight_decay: {rule: per_leyer}", "4:24", "(did you mean 'per_layer'?)"),
    ("weight_decay: {scale: .nan}", "4:25", ".nan is not a finite number"),
    ("recipe: sandbx", "4:11", "unknown recipe 'sandbx' (did you mean 'sandbox'?); known: sandbox, tutorial"),
    ("recipe: on", "4:11", "recipe must be the name of a recipe, not true"),
    ("lrn: 1", "4:8", "lrn of tuto must be true or false, not 1"),
    ("lrn: 'yes'", "4:8", "lrn of tuto must be true or false, not 'yes'"),
    ("hidden: 384", "4:11", "hidden of tuto must be a list, not 384"),
    ("hidden: [384, 0]", "4:17", "hidden[1] of tuto must be above 0, not 0"),
    ("convs: []", "4:10", "convs of tuto must be a list of at least 1, not []"),
    ("convs: [[5]]", "4:11", "convs[0] of tuto must be a list of at least 2, not [5]"),
    ("convs: [[5, 64, 1]]", "4:11", "convs[0] of tuto must be a list of at most 2, not [5, 64, 1]"),
    ("initializer: xavi", "4:16", "(did you mean 'xavier'?)"),
    ("dropout: 1", "4:12", "dropout of tuto must be below 1, not 1"),
    ("input_size: 33", "4:15", "input_size 33 is larger than the images of cifar10, 32x32"),
    ("input_size: 2", "4:15", "cannot be built for an input of 2x2; it needs at least 3x3"),
    ("input_size: 0", "4:15", "1 to 4,096"),
    ("workers: 65", "4:12", "workers must be a whole number of processes, 1 to 64, not 65"),
    ("workers: 2", "4:12", "only with strategy: multi_worker, not with mirrored"),
    ("strategy: multi_worker", "4:13", "say to how many, e.g. workers: 2"),
    ("strategy: multi_worker\n  workers: 3", "5:12", "3 workers cannot share a batch of 128 evenly"),
    ("strategy: multiworker", "4:13", "not 'multiworker' (did you mean 'multi_worker'?)"),
]


@pytest.mark.parametrize(("field", "position", "message"), BASE_FIELDS)
def test_mistakes_in_the_base(wrong, field, position, message):
    (problem,) = wrong(f"question: q\nbase:\n  <<: {{model: tuto, data: cifar10}}\n  {field}\n")
    assert problem.startswith(f"{position}: ")
    assert message in problem


def test_an_argument_that_only_some_models_take(wrong):
    (problem,) = wrong("question: q\nbase: {data: cifar10, hidden: [9]}\nfactors: {model: [tuto, nin0, squeeze0]}")
    assert problem == "2:23: hidden is an argument of tuto, but nin0, squeeze0 of this question do not take it"
    (problem,) = wrong("question: q\nbase: {data: cifar10}\nfactors: {model: [tuto, nin0], hidden: [[9], []]}")
    assert problem == "3:32: hidden is an argument of tuto, but nin0 of this question does not take it"


def test_a_network_too_deep_for_the_input_is_refused_at_the_level_that_makes_it_so(wrong):
    """Five SAME pools of stride 2 take 16 pixels to 16, 8, 4, 2, 1: the fifth would see a map of one pixel."""
    levels = "[[[3, 8]], [[3, 8], [3, 8], [3, 8], [3, 8], [3, 8]]]"
    (problem,) = wrong(
        f"question: q\nbase: {{model: tuto, data: cifar10, input_size: 16}}\nfactors: {{convs: {levels}}}"
    )
    assert problem.startswith(
        "2:48: tuto with these arguments cannot be built for an input of 16x16; it needs at least 17x17"
    )


@pytest.mark.parametrize(("base", "factors"), [("", "lrn: [true, false]"), ("lrn: false, ", "hidden: [[1], []]")])
def test_an_unknown_model_causes_no_further_messages(wrong, base, factors):
    (problem,) = wrong(f"question: q\nbase: {{{base}model: tuta, data: cifar10}}\nfactors: {{{factors}}}")
    assert "unknown model 'tuta'" in problem


def test_a_users_file_that_fails_is_reported_where_it_is_named(wrong, tmp_path):
    (tmp_path / "broken.py").write_text("x = 1\nraise ValueError('no')\n")
    (problem,) = wrong("imports: [broken.py]\nquestion: q\nbase: {model: mine, data: cifar10, depth: 3}")
    assert problem == f"1:11: cannot import: {tmp_path / 'broken.py'}:2: ValueError: no"


def test_a_users_model_with_an_argument_named_like_a_field(wrong, tmp_path):
    (tmp_path / "clash.py").write_text(
        "from zoo.models import register\n"
        "@register('spec_clash')\ndef f(input_size, classes, steps=3): ...\n"
        "@register('spec_needy')\ndef g(input_size, classes, depth): ...\n"
    )
    (problem,) = wrong("imports: clash.py\nquestion: q\nbase: {model: spec_clash, data: cifar10}")
    assert "spec_clash has arguments named like fields of a question: steps" in problem
    (problem,) = wrong("imports: clash.py\nquestion: q\nbase: {model: spec_needy, data: cifar10}")
    assert problem.startswith("3:15: the model spec_needy needs the argument depth")
