"""Mistakes in the sections of a question, each in one line at its position."""

from __future__ import annotations

import pytest
from helpers.questions import BASE

from zoo.config import QuestionError, load


def test_the_whole_of_a_message(wrong, tmp_path):
    text = "question: q\nbase:\n  model: tuto\n  data: cifar10\n  optimizer:\n    name: sgd\n    lernrate: 0.1\n"
    (tmp_path / "q.yaml").write_text(text)
    with pytest.raises(QuestionError) as raised:
        load(tmp_path / "q.yaml")
    allowed = "clip_norm, decay, lr, momentum, name, nesterov, rho"
    message = f"unknown key 'lernrate' in optimizer (did you mean 'lr'?); allowed: {allowed}"
    assert str(raised.value) == f"{tmp_path / 'q.yaml'}:7:5: {message}"
    (problem,) = raised.value.problems
    assert (problem.file, problem.line, problem.column) == (str(tmp_path / "q.yaml"), 7, 5)


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_file(wrong):
    lines = wrong(
        "question: ''\n"
        "base:\n"
        "  model: tuta\n"
        "  steps: many\n"
        "  optimizer: {lr: -1, nome: sgd}\n"
        "  lnr: true\n"
        "factors:\n"
        "  lrn: [true]\n"
        "  dropout: [0.1, x]\n"
        "desing: grid\n"
        "seeds: [0, 0]\n",
        "margin=-1",
    )
    assert [line.split(" ")[0] for line in lines] == [
        *("1:11:", "2:1:", "3:10:", "4:10:", "5:19:", "5:23:", "6:3:", "8:8:", "10:1:", "11:12:", "--set")
    ]


# (text, the position, what the message must hold)
SECTIONS = [
    (
        "published: [{variant: tuto, source: x, difference: -101}]",
        "3:52",
        "-100 to 100, or a range [low, high], not -101",
    ),
    ("published: [{variant: tuto, source: x, accuracy: 1, difference: 2}]", "3:65", "and not both"),
    ("published: [{variant: tuto, source: yes, accuracy: 1}]", "3:37", "source must be text, not true (YAML reads"),
    ("published: [tuto]", "3:13", "a published figure must be a mapping ({variant: tuto, accuracy: 81.4, source: wher"),
    (f"seeds: [{', '.join(map(str, range(10_001)))}]", "3:8", "seeds must be 1 to 10,000 repetitions (3), a list"),
    ("baseline: 3", "3:11", "baseline must be the name of a variant, or {factor: level}, not 3"),
    ("imports: ['']", "3:11", "an import must be the path of a Python file, not ''"),
    ("desing: grid", "3:1", "unknown key 'desing' (did you mean 'design'?); allowed: question, base, factors"),
    ("steps: 500", "3:1", "'steps' belongs under base:"),
    ("margin: 0", "3:9", "margin must be a number of points of test accuracy above 0"),
    ("margin: true", "3:9", "not true"),
    ("margin: .inf", "3:9", ".inf is not a finite number"),
    ("margin: 1e999", "3:9", "1e999 is not a finite number"),
    ("seeds: []", "3:8", "a list of seeds ([0, 1, 2]) or {min: 3, max: 20, until: decided}, not []"),
    ("seeds: 0", "3:8", "1 to 10,000"),
    ("seeds: true", "3:8", "1 to 10,000 repetitions (3), a list of seeds ([0, 1, 2]) or {min: 3, max: 20, until: deci"),
    (
        "seeds: {min: 3, max: 20, until: decided}",
        "3:8",
        "takes something to compare with the baseline, and there is one",
    ),
    ("seeds: {min: 3, max: 20}", "3:8", "are added until: decided"),
    ("seeds: {min: 3, max: 20, until: tired}", "3:33", "until must be decided, not 'tired'"),
    ("seeds: {mn: 3, until: decided}", "3:9", "unknown key 'mn' (did you mean 'min'?); allowed: min, max, until"),
    ("seeds: {3: min, until: decided}", "3:9", "unknown key '3'; allowed: min, max, until"),
    (
        "seeds: {min: 1, until: decided}",
        "3:14",
        "min must be 3 to 200 repetitions: with fewer, chance decides too easily, not 1",
    ),
    ("seeds: {min: 2, until: decided}", "3:14", "min must be 3 to 200 repetitions"),
    (
        "seeds: {max: 201, until: decided}",
        "3:14",
        "max must be 3 to 200 repetitions: with fewer, chance decides too easily, not 201",
    ),
    ("seeds: {max: 3, until: decided}", "3:14", "max must be above min, which is 3, not 3"),
    ("published: 81.4", "3:12", "must be a list of figures"),
    ("published: [{variant: tuto, accuracy: 81.4}]", "3:13", "a published figure needs source"),
    ("published: [{variant: tuto, accuracy: 81, source: 99999999999999999999}]", "3:51", "is larger than"),
    ("published: [{variant: tuto, source: x}]", "3:13", "an accuracy (percent) or a difference (points), and not both"),
    ("published: [{variant: tuto, source: x, accuracy: 814}]", "3:50", "0 to 100, or a range [low, high], not 814"),
    (
        "published: [{variant: tuto, source: x, accuracy: [82, 81]}]",
        "3:50",
        "0 to 100, or a range [low, high], not [82, 81]",
    ),
    (
        "published: [{variant: tutu, source: x, accuracy: 81}]",
        "3:23",
        "no variant is named 'tutu' (did you mean 'tuto'?)",
    ),
    ("published: [{variant: tuto, source: x, difference: 1}]", "3:23", "stands on both sides"),
    ("published: [{variant: tuto, source: x, accuracy: 81, against: tuto}]", "3:54", "against belongs to a difference"),
    ("published: [{variant: tuto, source: x, accuracy: 81, seeds: 0}]", "3:61", "how many trainings the figure is the"),
    ("published: [{variant: tuto, source: x, acuracy: 81, accuracy: 81}]", "3:40", "(did you mean 'accuracy'?)"),
    ("seeds: [1, 2, 1]", "3:15", "1 is given twice"),
    ("seeds: [-1]", "3:9", "from 0 to 2,147,483,647, not -1"),
    ("seeds: [2147483648]", "3:9", "not 2147483648"),
    ("seeds: [1.5]", "3:9", "not 1.5"),
    ("seeds: 99999999999999999999", "3:8", "is larger than"),
    ("seeds: !!python/object:os.system x", "3:8", "the tag !!python/object:os.system is not allowed"),
    ("margin: !!float x", "3:9", "'x' is not a number"),
    ("imports: 3", "3:10", "imports must be a list of Python files, not 3"),
    ("imports: [gone.py]", "3:11", "cannot import: "),
    ("? [a]\n: b", "3:3", "a key must be a plain word"),
    ("margin: 1\nmargin: 2", "4:1", "duplicate key 'margin'; it stands in line 3 already"),
    ("<<: 3", "3:1", "'<<' takes an alias of a mapping"),
]


@pytest.mark.parametrize(("text", "position", "message"), SECTIONS)
def test_mistakes_in_the_sections(wrong, text, position, message):
    (problem,) = wrong(BASE + text)
    assert problem.startswith(f"{position}: ")
    assert message in problem


def test_mistakes_in_published_figures_are_reported_with_those_of_the_variants(wrong):
    lines = wrong(
        "question: q\n"
        "base: {model: tuto, data: cifar10, steps: many}\n"
        "factors: {lrn: [true, false]}\n"
        "published:\n"
        "- {variant: lrn=maybe, accuracy: 81}\n"
        "- {variant: lrn=true, difference: 1, against: lrn=flase, source: x}\n"
        "- 81\n"
    )
    assert [line.split(" ")[0] for line in lines] == ["2:43:", "5:3:", "5:13:", "6:47:", "7:3:"]
    assert "(did you mean 'lrn=false'?); variants: lrn=true; lrn=false" in lines[3]


def test_what_is_missing(wrong):
    assert wrong("seeds: 1") == [
        "1:1: no question is given; add question: and, in a sentence, what you want to know",
        *(line for line in wrong("question: q") if line.startswith("1:1: no ")),
    ]
    no_model, no_data = wrong("question: q\nbase: {steps: 5}")
    assert no_model.startswith("2:1: no model is given; add model: to the base; known: tuto, ")
    assert no_data.startswith("2:1: no data is given; add data: to the base; known: cifar10, cifar100, digits")
    assert wrong("question: q\nbase: [tuto]") == [
        "2:7: base must be a mapping of fields (model: tuto, ...), not ['tuto']"
    ]
