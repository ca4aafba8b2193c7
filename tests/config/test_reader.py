"""Files that cannot be read, YAML and its traps."""

from __future__ import annotations

import pytest
from helpers.questions import BASE, configs, problems


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
    (problem,) = wrong(text)
    assert message in problem


def test_control_characters_of_a_file_are_escaped_in_messages(wrong):
    (problem,) = wrong(BASE + 'factors: {"\\e[31m\\n": 3}')
    assert problem.startswith("3:23: the factor \\x1b[31m\\n must be a list")


@pytest.mark.parametrize(
    ("line", "position"), [(r'margin: "\ud800"', "3:9"), (r'"\udfff": 1', "3:1"), (r'seeds: {"\ud800": 1}', "3:9")]
)
def test_half_of_a_surrogate_pair_is_refused(wrong, line, position):
    assert f"{position}: a character that YAML does not allow" in wrong(BASE + line)


def test_aliases_that_expand_without_end(wrong):
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


def test_numbers_as_people_write_them(ask):
    config = (
        ask("base: {model: tuto, data: cifar10, steps: 1e4, batch: 1_000, optimizer: {lr: 1e-3}}").variants[0].config
    )
    assert (config.steps, config.batch, config.optimizer.lr) == (10_000, 1_000, 0.001)


def test_keys_are_text_even_where_yaml_sees_a_boolean(ask):
    question = ask("base: {model: tuto, data: cifar10}\nvariants:\n  off: {lrn: no}\n  on: {lrn: yes}\nbaseline: 'on'")
    assert {name: config.arguments["lrn"] for name, config in configs(question).items()} == {"off": False, "on": True}
    assert question.baseline == "on"


def test_anchors_aliases_and_merge_keys_work(ask):
    question = ask(
        "base: {model: tuto, data: cifar10}\n"
        "variants:\n"
        "  one: &one {lrn: false, optimizer: &opt {lr: 0.2, momentum: 0.5}}\n"
        "  two: {<<: *one, dropout: 0.5}\n"
        "  three: {optimizer: {<<: *opt, lr: 0.3}}\n"
    )
    resolved = configs(question)
    assert (resolved["two"].arguments["lrn"], resolved["two"].arguments["dropout"]) == (False, 0.5)
    assert (resolved["two"].optimizer.lr, resolved["two"].optimizer.momentum) == (0.2, 0.5)
    assert (resolved["three"].optimizer.lr, resolved["three"].optimizer.momentum) == (0.3, 0.5)
