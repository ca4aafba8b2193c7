"""Designs, variants written out, and baselines: what they come to, and mistakes in them."""

from __future__ import annotations

import pytest
from helpers.questions import BASE

DESIGNS = [
    (
        "factors: {lrn: [true]}",
        "3:16",
        "the factor lrn must be a list of 2 to 10,000 levels, e.g. [true, false], not [true]",
    ),
    ("factors: {lrn: []}", "3:16", "must be a list of 2 to 10,000 levels, e.g. [true, false], not []"),
    ("factors: {lrn: true}", "3:16", "must be a list of 2 to 10,000 levels, e.g. [true, false], not true"),
    ("factors: {lrn: [true, false, true]}", "3:30", "true is given twice"),
    ("factors: {dropout: [0.5, 5e-1]}", "3:26", "0.5 is given twice"),
    ("factors: {convs: [[[5, 64]], [[5, 64]]]}", "3:30", "[[5, 64]] is given twice"),
    ("factors: {}", "3:10", "factors must map fields to levels (lrn: [true, false]), not {}"),
    ("factors: [lrn]", "3:10", "factors must map fields to levels (lrn: [true, false]), not ['lrn']"),
    ("factors:", "3:9", "factors must map fields to levels (lrn: [true, false]), not null"),
    ("factors: {lnr: [true, false]}", "3:11", "unknown key 'lnr' (did you mean 'lrn'?)"),
    ("factors: {optimizer.lrr: [1, 2]}", "3:11", "unknown key 'lrr' in optimizer"),
    ("factors: {model: [tuto, tuta]}", "3:25", "unknown model 'tuta' (did you mean 'tuto'?); known: tuto, alex0"),
    ("factors: {data: [cifar10, cifar11]}", "3:27", "unknown data set 'cifar11' (did you mean 'cifar10'?)"),
    ("factors: {steps: [10, x]}", "3:23", "steps must be a whole number"),
    ("factors: {input_size: [24, 40]}", "3:28", "input_size 40 is larger than the images of cifar10"),
    ("factors: {augment: [true, {crop: true}]}", "3:27", "come to the same configuration"),
    (
        "design: gird\nfactors: {lrn: [true, false]}",
        "3:9",
        "pairs, or a list of variants, not 'gird' (did you mean 'grid'?)",
    ),
    (
        "design: leave_one_out\nfactors: {dropout: [0, 0.1, 0.2]}",
        "4:20",
        "needs two levels, on and off, and dropout has 3",
    ),
    ("design: []", "3:9", "one of grid, one_at_a_time, leave_one_out, add_one, pairs, or a list of variants, not []"),
    ("factors: {workers: [1, 2]}", "3:11", "workers says where a run is trained, not what is trained"),
    ("factors: {strategy: [mirrored, multi_worker], lrn: [true, false]}", "3:11", "give it in base"),
    ("variants: {a: {workers: 2}, b: {lrn: false}}", "3:16", "workers says where a run is trained"),
    ("variants: {}", "3:11", "or list mappings with a name, not {}"),
    (
        "variants: 3",
        "3:11",
        "variants must map names to what changes (no_lrn: {lrn: false}), or list mappings with a n",
    ),
    ("variants: {a: 3}", "3:15", "the variant 'a' must be a mapping"),
    ("variants: [3]", "3:12", "a variant in a list must be a mapping with a name"),
    ("variants: [{lrn: false}]", "3:12", "this variant has no name"),
    (
        "variants: [{name: on}]",
        "3:19",
        "must be text of 1 to 180 printable characters, not true (YAML reads an unquoted",
    ),
    ("variants: [{name: a}, {name: a, lrn: false}]", "3:23", "two variants are named 'a'"),
    ("variants: {a: {}, b: {lrn: true}}", "3:19", "the variants 'a' and 'b' come to the same configuration"),
    ('variants: {"a\\nb": {}}', "3:12", "1 to 180 printable characters"),
    (f"variants: {{{'x' * 181}: {{}}}}", "3:12", "1 to 180 printable characters"),
    ("variants: {a: {lnr: 1}}", "3:16", "unknown key 'lnr' (did you mean 'lrn'?)"),
    ("variants: {a: {steps: 0}}", "3:23", "steps must be"),
    ("variants: {a: {}}\nfactors: {lrn: [true, false]}", "4:1", "take no factors"),
    ("variants: {a: {}}\ndesign: grid", "4:1", "need no design"),
    ("variants: {a: {}, b: {lrn: false}}\nbaseline: c", "4:11", "the baseline 'c' is not a variant; variants: a; b"),
    ("factors: {lrn: [true, false]}\nbaseline: lrn=flase", "4:11", "not a variant (did you mean 'lrn=false'?)"),
    (
        "factors: {lrn: [true, false]}\nbaseline: {lrn: 1}",
        "4:17",
        "1 is not a level of lrn, so the baseline is not a variant",
    ),
    ("factors: {lrn: [true, false]}\nbaseline: {lnr: true}", "4:12", "'lnr' is not a factor (did you mean 'lrn'?)"),
    (
        "factors: {lrn: [true, false]}\nbaseline: [lrn]",
        "4:11",
        "baseline must be the name of a variant, or {factor: level}, not ['lrn']",
    ),
    (
        "design: leave_one_out\nfactors: {lrn: [true, false], ema: [true, false]}\nbaseline: {lrn: false, ema: false}",
        *(
            "5:11",
            "this baseline is not a variant of the design leave_one_out; it has: lrn=true, ema=true; lrn=false; ema=f",
        ),
    ),
]


@pytest.mark.parametrize(("text", "position", "message"), DESIGNS)
def test_mistakes_in_the_design(wrong, text, position, message):
    (problem,) = wrong(BASE + text)
    assert problem.startswith(f"{position}: ")
    assert message in problem


@pytest.mark.parametrize(
    ("factors", "seeds", "message"),
    [
        (
            "{" + ", ".join(f"lrn_radius{i}: [1, 2]" for i in range(60)) + "}",
            1,
            "more than a billion variants; a question",
        ),
        ("{lrn_radius: [" + ", ".join(map(str, range(1001))) + "]}", 1, "1,001 variants; a question may have 1,000"),
        (
            "{" + ", ".join(f"lrn_radius{i}: [1, 2]" for i in range(101)) + "}",
            1,
            "101 factors; a question may have 100",
        ),
        ("{lrn: [true, false]}", 5001, "2 variants x 5,001 seeds are 10,002 runs; a question may have 10,000"),
    ],
)
def test_absurdly_large_designs_are_not_expanded(wrong, factors, seeds, message):
    assert any(message in line for line in wrong(f"{BASE}factors: {factors}\nseeds: {seeds}"))


@pytest.mark.parametrize("key", ["variants", "design"])
def test_variants_as_a_list(ask, key):
    question = ask(
        f"base: {{model: tuto, data: cifar10}}\n{key}:\n- {{name: a}}\n- {{name: b, lrn: false}}\nbaseline: b"
    )
    assert [variant.name for variant in question.variants] == ["a", "b"]
    assert (question.baseline, question.where("b")) == ("b", (6, 3))


def test_a_plain_run_has_one_variant_named_after_the_model(ask):
    question = ask("base: {model: nin0, data: digits}")
    assert [variant.name for variant in question.variants] == ["nin0"] == [question.baseline]


@pytest.mark.parametrize(
    ("design", "given", "baseline", "number"),
    [
        ("grid", "", "lrn=true, hidden=[9]", 4),
        ("grid", "baseline: {hidden: []}", "lrn=true, hidden=[]", 4),
        ("grid", "baseline: lrn=false, hidden=[9]", "lrn=false, hidden=[9]", 4),
        ("one_at_a_time", "baseline: {lrn: false}", "lrn=false, hidden=[9]", 3),
        ("leave_one_out", "", "lrn=true, hidden=[9]", 3),
        ("leave_one_out", "baseline: {lrn: false}", "lrn=false", 3),
        ("add_one", "", "lrn=false, hidden=[]", 3),
        ("pairs", "baseline: {lrn: false}", "lrn=false, hidden=[9]", 4),
    ],
)
def test_baselines(ask, design, given, baseline, number):
    question = ask(
        "base: {model: tuto, data: cifar10}\nfactors: {lrn: [true, false], hidden: [[9], []]}\n"
        f"design: {design}\n{given}"
    )
    assert (question.baseline, len(question.variants)) == (baseline, number)


def test_one_at_a_time_is_built_around_its_baseline(ask):
    question = ask(
        "base: {model: tuto, data: cifar10}\ndesign: one_at_a_time\n"
        "factors: {lrn: [true, false], dropout: [0, 0.5]}\nbaseline: {lrn: false}"
    )
    assert [(v.levels["lrn"], v.levels["dropout"]) for v in question.variants] == [(False, 0), (True, 0), (False, 0.5)]
