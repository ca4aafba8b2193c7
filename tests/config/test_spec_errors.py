"""Questions that are wrong: each mistake in one line at its place, and never anything but a QuestionError."""

from __future__ import annotations

import pytest

from zoo.config import QuestionError, load

BASE = "question: q\nbase: {model: tuto, data: cifar10}\n"  # two lines: what a case adds starts in line 3
FACTORS = BASE + "factors: {lrn: [true, false]}\n"


def problems(path, *overrides, seeds=None):
    with pytest.raises(QuestionError) as raised:
        load(path, overrides, seeds)
    assert str(raised.value).splitlines() == [str(problem) for problem in raised.value.problems]
    return [str(problem).removeprefix(f"{path}:").strip() for problem in raised.value.problems]


@pytest.fixture
def wrong(tmp_path):
    def wrong(text, *overrides, seeds=None):
        path = tmp_path / "q.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return problems(path, *overrides, seeds=seeds)

    return wrong


def test_the_whole_of_a_message(wrong, tmp_path):
    text = "question: q\nbase:\n  model: tuto\n  data: cifar10\n  optimizer:\n    name: sgd\n    lernrate: 0.1\n"
    (tmp_path / "q.yaml").write_text(text)
    with pytest.raises(QuestionError) as raised:
        load(tmp_path / "q.yaml")
    message = "unknown key 'lernrate' in optimizer (did you mean 'lr'?); allowed: lr, momentum, name"
    assert str(raised.value) == f"{tmp_path / 'q.yaml'}:7:5: {message}"
    (problem,) = raised.value.problems
    assert (problem.file, problem.line, problem.column) == (str(tmp_path / "q.yaml"), 7, 5)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(wrong):
    found = wrong(
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
    assert [line.split(" ")[0] for line in found] == [
        *("1:11:", "2:1:", "3:10:", "4:10:", "5:19:", "5:23:", "6:3:", "8:8:", "10:1:", "11:12:", "--set")
    ]


# (text, the place, what the message must hold)
FIELDS = [
    ("desing: grid", "3:1", "unknown key 'desing' (did you mean 'design'?); allowed: question, base, factors"),
    ("steps: 500", "3:1", "'steps' belongs under base:"),
    ("margin: 0", "3:9", "margin must be a number of points of test accuracy above 0"),
    ("margin: true", "3:9", "not true"),
    ("margin: .inf", "3:9", ".inf is not a finite number"),
    ("margin: 1e999", "3:9", "1e999 is not a finite number"),
    ("seeds: []", "3:8", "empty list"),
    ("seeds: 0", "3:8", "1 to 10,000"),
    ("seeds: true", "3:8", "a number of repetitions (3), a list of seeds ([0, 1, 2]) or {min: 3, max: 20, until: deci"),
    (
        "seeds: {min: 3, max: 20, until: decided}",
        "3:8",
        "takes something to compare with the baseline, and there is one",
    ),
    ("seeds: {min: 3, max: 20}", "3:8", "are added until: decided"),
    ("seeds: {min: 3, max: 20, until: tired}", "3:33", "are added until: decided"),
    ("seeds: {mn: 3, until: decided}", "3:9", "unknown key 'mn' (did you mean 'min'?); allowed: min, max, until"),
    ("seeds: {3: min, until: decided}", "3:9", "unknown key '3'; allowed: min, max, until"),
    ("seeds: {min: 1, until: decided}", "3:14", "min must be 2 to 200 repetitions, not 1"),
    ("seeds: {max: 201, until: decided}", "3:14", "max must be 2 to 200 repetitions, not 201"),
    ("seeds: {max: 3, until: decided}", "3:14", "max must be above min, which is 3, not 3"),
    ("published: 81.4", "3:12", "must be a list of figures"),
    ("published: [{variant: tuto, accuracy: 81.4}]", "3:13", "a published figure needs source"),
    ("published: [{variant: tuto, accuracy: 81, source: 99999999999999999999}]", "3:51", "is larger than"),
    ("published: [{variant: tuto, source: x}]", "3:13", "has neither accuracy (percent) nor difference (points)"),
    ("published: [{variant: tuto, source: x, accuracy: 814}]", "3:50", "0 to 100, or [low, high] of them, not 814"),
    ("published: [{variant: tuto, source: x, accuracy: [82, 81]}]", "3:50", "lower first, not [82, 81]"),
    (
        "published: [{variant: tutu, source: x, accuracy: 81}]",
        "3:23",
        "no variant is named 'tutu' (did you mean 'tuto'?)",
    ),
    ("published: [{variant: tuto, source: x, difference: 1}]", "3:23", "stands on both sides"),
    ("published: [{variant: tuto, source: x, accuracy: 81, against: tuto}]", "3:54", "against belongs to a difference"),
    ("published: [{variant: tuto, source: x, accuracy: 81, seeds: 0}]", "3:61", "how many trainings the figure is the"),
    ("published: [{variant: tuto, source: x, acuracy: 81, accuracy: 81}]", "3:40", "(did you mean 'accuracy'?)"),
    ("seeds: [1, 2, 1]", "3:15", "the seed 1 is given twice"),
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


@pytest.mark.parametrize(("text", "place", "message"), FIELDS)
def test_mistakes_at_the_top(wrong, text, place, message):
    (found,) = wrong(BASE + text)
    assert found.startswith(f"{place}: ")
    assert message in found


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
    ("optimizer: adam", "4:14", "optimizer must be a mapping of name, lr, momentum, not 'adam'"),
    ("optimizer: {name: adm}", "4:21", "one of sgd, adam, not 'adm' (did you mean 'adam'?)"),
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


@pytest.mark.parametrize(("field", "place", "message"), BASE_FIELDS)
def test_mistakes_in_the_base(wrong, field, place, message):
    (found,) = wrong(f"question: q\nbase:\n  <<: {{model: tuto, data: cifar10}}\n  {field}\n")
    assert found.startswith(f"{place}: ")
    assert message in found


DESIGNS = [
    ("factors: {lrn: [true]}", "3:16", "the factor lrn has one level; it takes two"),
    ("factors: {lrn: []}", "3:16", "the factor lrn has no level"),
    ("factors: {lrn: true}", "3:16", "must be a list of levels, e.g. [true, false], not true"),
    ("factors: {lrn: [true, false, true]}", "3:30", "the factor lrn has the level true twice"),
    ("factors: {dropout: [0.5, 5e-1]}", "3:26", "the factor dropout has the level 0.5 twice"),
    ("factors: {convs: [[[5, 64]], [[5, 64]]]}", "3:30", "the factor convs has the level [[5, 64]] twice"),
    ("factors: {}", "3:10", "the design is empty"),
    ("factors: [lrn]", "3:10", "the design is empty: factors must map a field to its levels"),
    ("factors:", "3:9", "the design is empty"),
    ("factors: {lnr: [true, false]}", "3:11", "unknown key 'lnr' (did you mean 'lrn'?)"),
    ("factors: {optimizer.lrr: [1, 2]}", "3:11", "unknown key 'lrr' in optimizer"),
    ("factors: {model: [tuto, tuta]}", "3:25", "unknown model 'tuta' (did you mean 'tuto'?); known: tuto, alex0"),
    ("factors: {data: [cifar10, cifar100]}", "3:27", "unknown data set 'cifar100' (did you mean 'cifar10'?)"),
    ("factors: {steps: [10, x]}", "3:23", "steps must be a whole number"),
    ("factors: {input_size: [24, 40]}", "3:28", "input_size 40 is larger than the images of cifar10"),
    ("factors: {augment: [true, {crop: true}]}", "3:27", "come to the same configuration"),
    (
        "design: gird\nfactors: {lrn: [true, false]}",
        "3:9",
        "unknown design 'gird' (did you mean 'grid'?); known: grid, one_",
    ),
    (
        "design: leave_one_out\nfactors: {dropout: [0, 0.1, 0.2]}",
        "4:20",
        "needs two levels, on and off, and dropout has 3",
    ),
    ("design: []", "3:9", "the design is empty"),
    ("factors: {workers: [1, 2]}", "3:11", "workers says where a run is trained, not what is trained"),
    ("factors: {strategy: [mirrored, multi_worker], lrn: [true, false]}", "3:11", "give it in base"),
    ("variants: {a: {workers: 2}, b: {lrn: false}}", "3:16", "workers says where a run is trained"),
    ("variants: {}", "3:11", "the design is empty"),
    ("variants: 3", "3:11", "the design is empty: variants must map names to what changes"),
    ("variants: {a: 3}", "3:15", "the variant 'a' must be a mapping"),
    ("variants: [3]", "3:12", "a variant in a list must be a mapping with a name"),
    ("variants: [{lrn: false}]", "3:12", "this variant has no name"),
    ("variants: [{name: on}]", "3:19", "must be text, not true; put it in quotes"),
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
    ("factors: {lrn: [true, false]}\nbaseline: [lrn]", "4:11", "the baseline ['lrn'] is not a variant"),
    (
        "design: leave_one_out\nfactors: {lrn: [true, false], ema: [true, false]}\nbaseline: {lrn: false, ema: false}",
        *(
            "5:11",
            "this baseline is not a variant of the design leave_one_out; it has: lrn=true, ema=true; lrn=false; ema=f",
        ),
    ),
]


@pytest.mark.parametrize(("text", "place", "message"), DESIGNS)
def test_mistakes_in_the_design(wrong, text, place, message):
    (found,) = wrong(BASE + text)
    assert found.startswith(f"{place}: ")
    assert message in found


def test_an_argument_that_only_some_models_take(wrong):
    (found,) = wrong("question: q\nbase: {data: cifar10, hidden: [9]}\nfactors: {model: [tuto, nin0, squeeze0]}")
    assert found == "2:23: hidden is an argument of tuto, but nin0, squeeze0 of this question do not take it"
    (found,) = wrong("question: q\nbase: {data: cifar10}\nfactors: {model: [tuto, nin0], hidden: [[9], []]}")
    assert found == "3:32: hidden is an argument of tuto, but nin0 of this question does not take it"


def test_a_network_too_deep_for_the_input_is_refused_at_the_level_that_makes_it_so(wrong):
    """Five SAME pools of stride 2 take 16 pixels to 16, 8, 4, 2, 1: the fifth would see a map of one pixel."""
    levels = "[[[3, 8]], [[3, 8], [3, 8], [3, 8], [3, 8], [3, 8]]]"
    (found,) = wrong(f"question: q\nbase: {{model: tuto, data: cifar10, input_size: 16}}\nfactors: {{convs: {levels}}}")
    assert found.startswith(
        "2:48: tuto with these arguments cannot be built for an input of 16x16; it needs at least 17x17"
    )


def test_what_is_missing(wrong):
    assert wrong("seeds: 1") == [
        "1:1: no question is given; add question: and, in a sentence, what you want to know",
        *(line for line in wrong("question: q") if line.startswith("1:1: no ")),
    ]
    no_model, no_data = wrong("question: q\nbase: {steps: 5}")
    assert no_model.startswith("2:1: no model is given; add model: to the base; known: tuto, ")
    assert no_data.startswith("2:1: no data is given; add data: to the base; known: cifar10, digits")
    assert wrong("question: q\nbase: [tuto]") == [
        "2:7: base must be a mapping of fields (model: tuto, ...), not ['tuto']"
    ]


@pytest.mark.parametrize(("base", "factors"), [("", "lrn: [true, false]"), ("lrn: false, ", "hidden: [[1], []]")])
def test_an_unknown_model_brings_no_further_complaints(wrong, base, factors):
    (found,) = wrong(f"question: q\nbase: {{{base}model: tuta, data: cifar10}}\nfactors: {{{factors}}}")
    assert "unknown model 'tuta'" in found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: the file is empty"),
        ("# only a comment\n", "1:1: the file is empty"),
        ("null", "1:1: the file is empty"),
        ("- a\n- b", "1:1: the file must hold keys with values (question: ..., base: ...), not ['a', 'b']"),
        ("just words", "1:1: the file must hold keys"),
        ("question: [q", "1:13: this is not YAML: expected ',' or ']'"),
        ("question: q\nbase: {a: b\nseeds: 3", "3:6: this is not YAML"),
        ("question: q\nbase:\n\tmodel: tuto", "3:1: a tab; YAML is indented with spaces"),
        ("question: q\n---\nquestion: r", "2:1: a second document starts here"),
        ("question: *gone", "1:11: this is not YAML: found undefined alias 'gone'"),
        ("question: " + "[" * 1000, "more than 30 lists or mappings inside each other"),
        ("question: " + "{a: " * 1000, "more than 30 lists or mappings inside each other"),
        (b"question: \xff", "1:11: this is not UTF-8 text"),
        ("question: é\nbase: b".encode("utf-16"), "1:1: this is not UTF-8 text"),
        ("question: é\nbase: b".encode("latin-1"), "1:11: this is not UTF-8 text"),
        ("question: q\nbase: \0", "2:7: a character that YAML does not allow"),
        (b"x" * 200_001, "the file is larger than 200,000 bytes"),
    ],
)
def test_files_that_cannot_be_read_as_a_question(wrong, text, message):
    (found,) = wrong(text)
    assert message in found


def test_what_a_file_smuggles_into_a_message_does_not_reach_the_terminal(wrong):
    found = wrong(BASE + 'factors: {"\\e[31m\\n": 3}')
    assert len(found) == 1
    assert found[0].startswith("3:23: the factor \\x1b[31m\\n must be a list")


def test_aliases_that_explode(wrong):
    levels = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10))
    assert wrong("a0: &a0 [x]\n" + levels) == [
        "1:1: with its aliases expanded the file holds more than 100,000 values; write the question without"
    ]
    merges = "".join(f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 10)}]}}\n" for i in range(1, 10))
    assert "more than 100,000 values" in wrong("a0: &a0 {x: 1}\n" + merges)[0]


def test_aliases_that_contain_themselves(wrong):
    assert wrong(BASE + "seeds: &a [*a]") == ["3:8: an alias that contains itself"]
    assert "an alias that contains itself" in "".join(wrong("question: q\nbase: &b {<<: *b}"))


def test_a_chain_of_aliases_that_nests_too_deeply(wrong):
    chain = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 100))
    assert any("more than 30 lists or mappings inside each other" in line for line in wrong(chain))


def test_files_that_are_not_there(tmp_path):
    (tmp_path / "ablation_lrn.yaml").write_text("question: q")
    (tmp_path / "other.yaml").write_text("question: q")
    assert problems(tmp_path / "ablation_lnr.yaml") == [
        f"no such file (did you mean {tmp_path / 'ablation_lrn.yaml'}?)"
    ]
    assert problems(tmp_path / "ablation_lrn") == [f"no such file (did you mean {tmp_path / 'ablation_lrn.yaml'}?)"]
    assert problems(tmp_path / "zzz.yaml") == ["no such file; questions there: ablation_lrn.yaml, other.yaml"]
    assert problems(tmp_path / "gone" / "a.yaml") == [f"no such file; there is no directory {tmp_path / 'gone'}"]
    assert problems(tmp_path) == [
        "this is a directory; name a file in it; questions there: ablation_lrn.yaml, other.yaml"
    ]
    assert problems(tmp_path / "other.yaml" / "a.yaml")[0].startswith("no such file")


@pytest.mark.parametrize(
    ("factors", "seeds", "message"),
    [
        ("{" + ", ".join(f"lrn_radius{i}: [1, 2]" for i in range(60)) + "}", 1, f"{2**60:,} variants x 1 seeds are"),
        ("{lrn: [true, false]}", 5001, "2 variants x 5,001 seeds are 10,002 runs; a question may have 10,000"),
    ],
)
def test_absurdly_large_designs_are_not_expanded(wrong, factors, seeds, message):
    assert any(message in line for line in wrong(f"{BASE}factors: {factors}\nseeds: {seeds}"))


def test_a_users_file_that_fails_is_reported_where_it_is_named(wrong, tmp_path):
    (tmp_path / "broken.py").write_text("x = 1\nraise ValueError('no')\n")
    (found,) = wrong("imports: [broken.py]\nquestion: q\nbase: {model: mine, data: cifar10, depth: 3}")
    assert found == f"1:11: cannot import: {tmp_path / 'broken.py'}:2: ValueError: no"


def test_a_users_model_with_an_argument_named_like_a_field(wrong, tmp_path):
    (tmp_path / "clash.py").write_text(
        "from zoo.models import register\n"
        "@register('spec_clash')\ndef f(input_size, classes, steps=3): ...\n"
        "@register('spec_needy')\ndef g(input_size, classes, depth): ...\n"
    )
    (found,) = wrong("imports: clash.py\nquestion: q\nbase: {model: spec_clash, data: cifar10}")
    assert "spec_clash has arguments named like fields of a question: steps" in found
    (found,) = wrong("imports: clash.py\nquestion: q\nbase: {model: spec_needy, data: cifar10}")
    assert found.startswith("3:15: the model spec_needy needs the argument depth")


OVERRIDES = [
    ("base.steps=abc", "steps must be a whole number, 1 to 100,000,000, not 'abc'"),
    ("base.steps", "must be KEY=VALUE"),
    ("=3", "must be KEY=VALUE"),
    ("base..lr=3", "must be KEY=VALUE"),
    ("base.steps=[", "this is not YAML"),
    ("base.steps=.nan", ".nan is not a finite number"),
    ("base.stesp=3", "unknown key 'stesp' (did you mean 'steps'?)"),
    ("base.lrn=false", "lrn is a factor of this question, so the base does not decide it; set factors.lrn"),
    ("base.optimizer.lrr=1", "unknown key 'lrr' in optimizer"),
    ("base.augment=[1]", "augment must be true, false or a mapping"),
    ("sedes=3", "unknown key 'sedes' (did you mean 'seeds'?)"),
    ("question.a=3", "question is not a mapping here, so it holds no a"),
    ("margin=", "not null"),
    ("factors.lrn=[true]", "the factor lrn has one level"),
    ("factors.dropout=[0, x]", "dropout of tuto must be a number, not 'x'"),
    ("baseline.lrn=3", "3 is not a level of lrn"),
]


@pytest.mark.parametrize(("override", "message"), OVERRIDES)
def test_mistakes_on_the_command_line_are_told_with_the_option(wrong, override, message):
    (found,) = wrong(FACTORS, override)
    assert found.startswith(f"--set {override}: ")
    assert message in found


def test_an_unknown_variant_on_the_command_line(wrong):
    (found,) = wrong(BASE + "variants: [{name: aaa}, {name: b, lrn: false}]", "variants.aab.steps=3")
    assert found == "--set variants.aab.steps=3: no variant is named 'aab' (did you mean 'aaa'?); variants: aaa; b"


def test_a_wrong_number_of_seeds_on_the_command_line(wrong):
    assert wrong(FACTORS, seeds=0) == ["--seeds 0: seeds must be 1 to 10,000 repetitions, not 0"]


def test_an_override_mends_what_the_file_has_wrong(tmp_path):
    (tmp_path / "q.yaml").write_text("question: q\nbase: {model: tuto, data: cifar10, steps: .nan}")
    assert load(tmp_path / "q.yaml", ["base.steps=7"]).variants[0].config.steps == 7
