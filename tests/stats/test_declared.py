"""Verdicts by the design that was declared, whatever was added afterwards or is still missing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from zoo.stats import declared, family
from zoo.stats.declared import Declared
from zoo.stats.family import Results
from zoo.stats.verdicts import VerdictWord

BASE = [80.0, 80.1, 80.2, 80.1, 80.0, 80.2]
NEAR = [
    80.3,
    80.0,
    80.4,
    80.6,
    80.7,
    80.5,
]  # three seeds do not tell it from BASE, six do: a mean of 80.42 against 80.1
FAR = [85.0, 85.2, 85.1, 80.0, 80.1, 80.2]  # far with three seeds, and not at all after that
THREE = Declared((0, 1, 2), margin=None)


def judged(values, design=THREE, seeds=None, untried=(), **more):
    values = {"base": BASE, **values}
    numbers = {name: list(range(len(own))) if seeds is None else seeds[name] for name, own in values.items()}
    return declared.judged(Results(values, "base", **more), numbers, design, untried)


def test_more_seeds_decide_nothing_that_the_declared_ones_left_open():
    alone = family.verdicts({"base": BASE, "near": NEAR}, "base", None)["near"]
    assert alone.word is VerdictWord.HELPS  # as if six had been declared
    verdict = judged({"near": NEAR}).verdicts["near"]
    assert verdict.word is VerdictWord.WITHHELD and not verdict.is_decided
    assert verdict.difference == pytest.approx(np.mean(NEAR) - np.mean(BASE))  # of all, with their interval
    assert (verdict.low, verdict.high) == (alone.low, alone.high)
    assert math.isnan(verdict.p_difference) and verdict.seeds_needed is None


def test_what_was_decided_stays_decided():
    first = judged({"far": FAR[:3]}).verdicts["far"]
    later = judged({"far": FAR}).verdicts["far"]
    assert first.word is later.word is VerdictWord.HELPS
    assert later.verdict_low == first.verdict_low and later.p_difference == first.p_difference


def test_without_anything_beyond_it_is_the_verdict_of_all():
    values = {"base": BASE[:3], "near": NEAR[:3]}
    expected = family.verdicts(values, "base", 0.5)
    found = declared.judged(Results(values, "base"), dict.fromkeys(values, (0, 1, 2)), THREE._replace(margin=0.5))
    assert found.verdicts == expected


def test_a_maximum_that_is_raised_afterwards_does_not_count():
    rng = np.random.default_rng(2)
    values = {"base": rng.normal(80, 0.25, 20), "x": rng.normal(80, 0.25, 20)}
    schedule = Declared(tuple(range(10)), 3)
    within = {name: own[:10] for name, own in values.items()}
    seeds = {name: list(range(10)) for name in values}
    first = declared.judged(Results(within, "base"), seeds, schedule).verdicts["x"]
    assert first.word is VerdictWord.UNDECIDED and first.seeds == 10
    seeds = {name: list(range(20)) for name in values}
    assert declared.judged(Results(values, "base"), seeds, schedule).verdicts["x"].word is VerdictWord.WITHHELD


def test_a_fixed_number_is_judged_when_all_have_been_tried():
    five = Declared(tuple(range(5)))
    waiting = judged({"far": FAR[:3], "near": NEAR[:5]}, five, untried=["far"]).verdicts
    assert waiting["far"].word is VerdictWord.NONE and math.isnan(waiting["far"].low)
    assert waiting["far"].difference == pytest.approx(np.mean(FAR[:3]) - np.mean(BASE[:5]))
    assert waiting["near"].word is VerdictWord.UNDECIDED
    all_waiting = judged({"far": FAR[:3]}, five, untried=["base"]).verdicts
    assert all_waiting["far"].word is VerdictWord.NONE
    failed = judged({"far": FAR[:3]}, five).verdicts  # two were tried, and failed
    assert failed["far"].word is VerdictWord.HELPS


def test_seeds_are_told_apart_by_their_numbers():
    """Seed 1 of the variant failed: the first three results are not those of the first three seeds."""
    values = {"base": BASE, "far": [85.0, 85.1, 80.0]}
    found = declared.judged(Results(values, "base"), {"base": list(range(6)), "far": [0, 2, 3]}, THREE)
    expected = family.verdicts({"base": BASE[:3], "far": [85.0, 85.1]}, "base", None)["far"]
    assert found.verdicts["far"].word is expected.word and found.verdicts["far"].seeds == 2


def test_another_baseline_is_shown_and_not_judged():
    verdict = judged({"far": FAR[:3]}, THREE._replace(is_baseline=False)).verdicts["far"]
    assert verdict.word is VerdictWord.WITHHELD and verdict.low > 0


def test_effects_of_a_grid_are_withheld_too():
    rng = np.random.default_rng(0)
    levels = {f"{a}{b}": {"a": a, "b": b} for a in "01" for b in "01"}
    values = {name: rng.normal(80, 0.25, 6) for name in levels}
    results = Results(values, "00", levels=levels)
    seeds = {name: list(range(6)) for name in values}
    found = declared.judged(results, seeds, THREE)
    assert [effect.verdict.word for effect in found.effects] == [VerdictWord.WITHHELD] * 3
    assert {verdict.word for verdict in found.verdicts.values()} == {VerdictWord.DESCRIPTIVE}
    waiting = declared.judged(results, seeds, Declared(tuple(range(8))), ["11"])
    assert [effect.verdict.word for effect in waiting.effects] == [VerdictWord.NONE] * 3


def test_which_variants_are_the_same_to_the_bit():
    answers = {
        "base": {0: "a", 1: "b", 2: "c"},
        "same": {0: "a", 1: "b"},  # seed 2 is still to come
        "once": {0: "a"},  # one seed says too little
        "other": {0: "x", 1: "y"},
        "like the other": {0: "x", 1: "y", 2: "z"},
        "unknown": {0: "", 1: ""},
    }
    assert declared.alike(answers) == {
        "base": "base", "same": "base", "once": "once", "other": "other", "like the other": "other", "unknown": "unknown",
    }  # fmt: skip


def test_a_variant_that_is_the_same_is_decided():
    values = {"base": BASE, "same": BASE[:3], "near": NEAR[:3]}
    numbers = {name: list(range(len(own))) for name, own in values.items()}
    found = declared.judged(Results(values, "base"), numbers, Declared(tuple(range(10)), 3), (), {"same": "base"})
    assert [found.verdicts[name].word for name in ("same", "near")] == [VerdictWord.IDENTICAL, VerdictWord.UNDECIDED]
    assert found.undecided() == [("near",)]


def test_a_factor_that_does_nothing_in_any_cell_is_the_same_and_so_is_its_interaction():
    rng = np.random.default_rng(0)
    levels = {f"{a}{b}": {"a": a, "b": b} for a in "01" for b in "01"}
    of_a = {a: rng.normal(80, 1, 3) for a in "01"}
    results = Results({name: of_a[name[0]] for name in levels}, "00", levels=levels)
    numbers = {name: [0, 1, 2] for name in levels}
    schedule = Declared(tuple(range(10)), 3)
    found = declared.judged(results, numbers, schedule, (), {"00": "00", "01": "00", "10": "10", "11": "10"})
    words = {effect.name: effect.verdict.word for effect in found.effects}
    same = VerdictWord.IDENTICAL
    assert words == {"a=1": VerdictWord.UNDECIDED, "b=1": same, "a=1 x b=1": same}
    assert found.verdicts["01"].word is same and found.verdicts["11"].word is VerdictWord.DESCRIPTIVE
    partly = declared.judged(results, numbers, schedule, (), {"00": "00", "01": "00", "10": "10", "11": "11"})
    assert same not in {effect.verdict.word for effect in partly.effects}
