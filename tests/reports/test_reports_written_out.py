"""Variants that are written out, each with fields of its own: what they are read as, and that each set has a report."""

from __future__ import annotations

import random

import pandas as pd
import pytest
import yaml
from helpers.answered import answered
from helpers.questions import configs

from reports.analysis import answer as analysis
from reports.analysis.wording import names
from reports.html import page
from reports.store import levels
from reports.writers import latex, markdown, summary
from zoo.config import QuestionError, load

BASE = {"model": "tuto", "data": "digits", "steps": 10}
FIELDS = {
    **{"lrn": [True, False], "input_size": [20, 24], "augment": [True, False], "augment.flip": [True, False]},
    **{"augment.contrast": [False, [0.5, 1.5]], "ema": [True, False], "steps": [10, 20], "hidden": [[8], [16]]},
    **{"optimizer": [{"name": "adam", "lr": 0.001}, {"name": "sgd", "lr": 0.1, "momentum": 0.9}]},
    **{"optimizer.lr": [0.1, 0.01], "model": ["tuto", "alex2", "cs231n"], "weight_decay": [{"rule": "none"}]},
    **{"data": ["digits", "cifar10"], "recipe": ["sandbox", "tutorial"], "initializer": ["he", "xavier"]},
}


def ask(folder, base=None, **question):
    path = folder / "asked.yaml"
    path.write_text(yaml.safe_dump({"question": "What?", "base": BASE | (base or {})} | question, sort_keys=False))
    return load(path)


def odd_question(folder, seed: int):
    """A question with odd variants; None where it is refused."""
    rng = random.Random(seed)
    base = {field: rng.choice(FIELDS[field]) for field in rng.sample(list(FIELDS), rng.randint(0, 3))}
    pool = rng.sample(list(FIELDS), rng.randint(1, 4))
    variants = {
        name: {field: rng.choice(FIELDS[field]) for field in rng.sample(pool, rng.randint(0, len(pool)))} or None
        for name in rng.sample(["a", "b", "none", "x=1", "lrn", "(c)"], rng.randint(2, 6))
    }
    try:
        return ask(folder, base, variants=variants, seeds=rng.choice([1, 3, {"min": 3, "max": 5, "until": "decided"}]))
    except QuestionError:
        return None


def trained(question, seed: int):
    """With accuracies that are made up, and some runs that failed or are still to come."""
    rng = random.Random(seed)
    return answered(
        question,
        {
            variant.name: [
                "loss is nan at step 3" if rng.random() < 0.1 else round(rng.gauss(70 + rng.choice([0, 3]), 0.3), 2)
                for _ in range(rng.choice([len(question.seeds), rng.randint(0, len(question.seeds))]))
            ]
            for variant in question.variants
        },
    )


def test_any_variants_that_are_accepted_have_a_report(tmp_path):
    accepted = 0
    for seed in range(60):
        question = odd_question(tmp_path, seed)
        if question is None:
            continue
        accepted += 1
        answer = analysis.of(trained(question, seed))
        html = page.render(answer.sweep, answer.variants, details=answer.details)
        said = [summary.summary(answer), markdown.render(answer, {}), latex.render(answer.sweep, answer.variants), html]
        assert not any("instead of null" in text or "use null" in text for text in said)
        assert "could not be made" not in html and "are not shown: by the tag" not in html
    assert accepted > 15


def test_levels_are_equal_exactly_where_the_configurations_are(tmp_path):
    """Of each field that some variant names, in the configurations that the question was resolved to. What two variants
    name alike is alike, though a group of fields can be completed by different recipes."""
    compared = 0
    for seed in range(60):
        question = odd_question(tmp_path, seed)
        if question is None:
            continue
        flat = {name: config.flat() for name, config in configs(question).items()}
        written = {variant.name: variant.levels for variant in question.variants}
        found = answered(question, {name: [70.0] for name in flat}).levels
        for one in flat:
            for other in flat:
                for field in found[one].keys() & found[other].keys():
                    is_same = _resolved(flat[one], field) == _resolved(flat[other], field)
                    is_written = field in written[one] and written[one][field] == written[other].get(field)
                    assert (found[one][field] == found[other][field]) == (is_same or is_written), (one, other, field)
                    compared += 1
    assert compared > 300


def _resolved(flat: dict, field: str) -> dict:
    return {name: value for name, value in flat.items() if name == field or name.startswith(f"{field}.")}


def test_a_field_that_is_left_out_is_the_bases_and_not_the_baselines(tmp_path):
    """The second variant has the base's hidden layers, and not those of the baseline, which is the first."""
    question = ask(
        tmp_path, {"lrn": True, "hidden": [16]}, variants={"small": {"hidden": [8]}, "no lrn": {"lrn": False}}
    )
    found = answered(question, {"small": [70.0], "no lrn": [71.0]}).levels
    assert found == {"small": {"hidden": [8], "lrn": True}, "no lrn": {"hidden": [16], "lrn": False}}
    change = names.steps(found["no lrn"], found["small"])
    assert change == "use hidden [16] instead of [8] and drop lrn"


def test_a_group_of_fields_is_named_as_it_was_written(tmp_path):
    question = ask(tmp_path, variants={"as it is": None, "plain": {"augment": False}, "all": {"ema": False}})
    found = answered(question, {key: [70.0] for key in ["as it is", "plain", "all"]}).levels
    assert found["as it is"] == {"augment": levels.OF_THE_BASE, "ema": True}
    assert names.steps(found["plain"], found["as it is"]) == "use augment false instead of that of the base"
    named = ask(tmp_path, variants={"a": {"augment": True}, "b": {"augment": False}, "c": {"ema": False}})
    assert answered(named, {key: [70.0] for key in "abc"}).levels["c"] == {"augment": True, "ema": False}


def test_a_group_and_a_member_of_it_are_told_apart_by_members(tmp_path):
    question = ask(tmp_path, variants={"a": {"augment.flip": True}, "b": {"augment": {"flip": False, "crop": True}}})
    found = answered(question, {"a": [70.0], "b": [71.0]}).levels
    assert found == {"a": {"augment.flip": True}, "b": {"augment.flip": False}}


def test_only_variants_that_are_a_factorial_have_effects(tmp_path):
    """Two changes, alone and together, are one; two changes alone are none, whatever fields they leave out."""
    values = {"as it is": [80.0, 80.1], "a": [81.0, 81.1], "b": [82.0, 82.1], "both": [84.0, 84.1]}
    crossed = {"as it is": None, "a": {"lrn": False}, "b": {"ema": False}, "both": {"lrn": False, "ema": False}}
    frame = analysis.of(answered(ask(tmp_path, {"lrn": True}, variants=crossed, seeds=2), values)).details.interactions
    assert frame["difference_points"].tolist() == pytest.approx([1.5, 2.5, 1.0])  # lrn, ema, and their interaction
    alone = {name: crossed[name] for name in ("a", "b")}
    assert analysis.of(answered(ask(tmp_path, variants=alone, seeds=2), values)).details.interactions is None


def test_of_a_variant_that_has_not_begun_only_what_is_written_is_known():
    written = {"a": {"lrn": True}, "b": {}}
    runs = pd.DataFrame({"variant": ["a"], "config.lrn": ["true"]})
    assert levels.complete(written, runs) == {"a": {"lrn": True}, "b": {}}
