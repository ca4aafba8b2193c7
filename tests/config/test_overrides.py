"""Values given on the command line, and mistakes in them."""

from __future__ import annotations

import pytest
from helpers.questions import BASE, FACTORS, configs

from zoo.config import QuestionError, load


def test_overrides_reach_every_field_and_are_kept(ask):
    text = "base: {model: tuto, data: cifar10, augment: {flip: true}}\nfactors: {lrn: [true, false]}"
    overrides = (
        "base.steps=500",
        "base.augment.flip=false",
        "base.optimizer={lr: 1e-2}",
        "factors.dropout=[0, 0.5]",
        "margin=2",
        "seeds=[7]",
        "baseline.lrn=false",
        "question=Why=not?",
    )
    question = ask(text, *overrides)
    config = question.variants[0].config
    assert (config.steps, config.augment.flip, config.optimizer.lr, config.optimizer.momentum) == (500, False, 0.01, 0)
    assert (len(question.variants), question.margin, question.seeds) == (4, 2.0, (7,))
    assert question.baseline == "lrn=false, dropout=0"
    assert (question.question, question.overrides) == ("Why=not?", overrides)


def test_an_override_of_a_group_replaces_what_is_given_of_it(ask):
    text = "base: {model: tuto, data: cifar10, augment.flip: true, augment.brightness: 5}"
    augment = ask(text, "base.augment=false").variants[0].config.augment
    assert (augment.flip, augment.brightness) == (False, 0)


def test_overrides_of_written_out_variants(ask):
    text = "base: {model: tuto, data: cifar10}\nvariants: {a.b: {}, c: {lrn: false}}"
    assert configs(ask(text, "variants.a.b.augment.flip=false"))["a.b"].augment.flip is False
    listed = "base: {model: tuto, data: cifar10}\nvariants: [{name: a}, {name: c, lrn: false}]"
    assert configs(ask(listed, "variants.c.steps=5"))["c"].steps == 5


OVERRIDES = [
    ("base.steps=abc", "steps must be a whole number, 1 to 100,000,000, not 'abc'"),
    ("base.steps", "must be KEY=VALUE"),
    ("=3", "must be KEY=VALUE"),
    ("base..lr=3", "must be KEY=VALUE"),
    ("base.\x1b=3", "must be KEY=VALUE"),
    ("factors.\ud800=[1, 2]", "must be KEY=VALUE"),
    ("base.steps=[", "this is not YAML"),
    ("base.steps=.nan", ".nan is not a finite number"),
    ("base.stesp=3", "unknown key 'stesp' (did you mean 'steps'?)"),
    ("base.lrn=false", "lrn is a factor of this question, so the base does not decide it; set factors.lrn"),
    ("base.optimizer.lrr=1", "unknown key 'lrr' in optimizer"),
    ("base.augment=[1]", "augment must be true, false or a mapping"),
    ("sedes=3", "unknown key 'sedes' (did you mean 'seeds'?)"),
    ("question.a=3", "question is not a mapping here, so it holds no a"),
    ("margin=", "not null"),
    ("factors.lrn=[true]", "the factor lrn must be a list of 2 to 10,000 levels, e.g. [true, false], not [true]"),
    ("factors.dropout=[0, x]", "dropout of tuto must be a number, not 'x'"),
    ("baseline.lrn=3", "3 is not a level of lrn"),
]


@pytest.mark.parametrize(("override", "message"), OVERRIDES)
def test_mistakes_on_the_command_line_are_reported_with_the_option(wrong, override, message):
    (problem,) = wrong(FACTORS, override)
    option = override.encode("unicode_escape").decode()
    assert problem.startswith(f"--set {option}: ")
    assert message in problem


def test_an_unknown_variant_on_the_command_line(wrong):
    (problem,) = wrong(BASE + "variants: [{name: aaa}, {name: b, lrn: false}]", "variants.aab.steps=3")
    assert problem == "--set variants.aab.steps=3: no variant is named 'aab' (did you mean 'aaa'?); variants: aaa; b"


def test_a_wrong_number_of_seeds_on_the_command_line(wrong):
    assert wrong(FACTORS, seeds=0) == [
        "--seeds 0: seeds must be 1 to 10,000 repetitions (3), a list of seeds ([0, 1, 2]) or "
        "{min: 3, max: 20, until: decided}, not 0"
    ]


@pytest.mark.parametrize(
    ("line", "override"),
    [
        ("steps: .nan", "base.steps=7"),
        ("optimizer: {lr: .inf}", "base.optimizer={lr: 0.1}"),
        ("steps: !!set {a}", "base={model: tuto, data: cifar10}"),
    ],
)
def test_an_override_replaces_a_value_that_cannot_be_read(tmp_path, line, override):
    (tmp_path / "q.yaml").write_text(f"question: q\nbase:\n  model: tuto\n  data: cifar10\n  {line}\n")
    assert load(tmp_path / "q.yaml", [override]).variants[0].config.model == "tuto"


def test_an_override_mends_what_the_file_has_wrong(tmp_path):
    (tmp_path / "q.yaml").write_text("question: q\nbase: {model: tuto, data: cifar10, steps: .nan}")
    assert load(tmp_path / "q.yaml", ["base.steps=7"]).variants[0].config.steps == 7


def test_the_name_is_that_of_the_file_unless_it_is_given(tmp_path):
    (tmp_path / "lrn.yaml").write_text("question: Why?\nbase: {model: tuto, data: digits}\n")
    assert load(tmp_path / "lrn.yaml").name == "lrn"
    assert load(tmp_path / "lrn.yaml", name="lrn of y").name == "lrn of y"
    (tmp_path / "lrn.yaml").write_text("question: Why?\nname: v1.2\nbase: {model: tuto, data: digits}\n")
    assert load(tmp_path / "lrn.yaml").name == "v1.2"
    assert load(tmp_path / "lrn.yaml", name="other").name == "other"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", " a", "a ", "a\n", "x" * 101, "~a", "a\\b", ".hidden"])
def test_a_name_is_one_of_a_file(tmp_path, name):
    (tmp_path / "lrn.yaml").write_text("question: Why?\nbase: {model: tuto, data: digits}\n")
    with pytest.raises(QuestionError, match="name must be 1 to 100 letters, digits, spaces and"):
        load(tmp_path / "lrn.yaml", name=name)
