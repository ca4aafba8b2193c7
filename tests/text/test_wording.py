"""Tables, durations and amounts as text."""

from __future__ import annotations

import pytest

from zoo.text import wording


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2h", 7200), ("1h30m", 5400), ("90 min", 5400), ("45s", 45), ("0.5h", 1800), ("1h 2m 3s", 3723), ("0s", 0)],
)
def test_durations_are_parsed(text, expected):
    assert wording.parsed_duration(text) == expected


@pytest.mark.parametrize("text", ["", "2", "h", "2x", "-1h", "1h 30", "2h!", "1e3s", "two hours"])
def test_other_text_is_not_a_duration(text):
    with pytest.raises(ValueError, match="is not a duration; write it like 2h, 90m, 1h30m or 45s"):
        wording.parsed_duration(text)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (812_000, "812 kB"),
        (999_600, "1.0 MB"),
        (4_340_000, "4.3 MB"),
        (12e9, "12 GB"),
        (2.5e12, "2,500 GB"),
    ],
)
def test_amounts(size, expected):
    assert wording.amount(size) == expected


def test_durations():
    texts = {0.4: "0 s", 59.4: "59 s", 59.5: "1 min", 200: "3 min 20 s", 3600: "1 h", 7500: "2 h 5 min"}
    assert {seconds: wording.duration(seconds) for seconds in texts} == texts


def test_a_table_aligns_its_columns():
    table = wording.table(["name", "ops"], [["a", "1,000"], ["total", "2"]], gap=2, rule_before_last=True)
    assert table.splitlines() == [
        "name     ops",
        "-----  -----",
        "a      1,000",
        "-----  -----",
        "total      2",
    ]


def test_a_note_takes_the_place_of_missing_cells():
    table = wording.table(["name", "ops"], [["a", "1"], ["b"]], notes=["", "not built"])
    assert table.splitlines() == ["name ops", "---- ---", "a      1", "b    not built"]


HEADS = ["variant", "test accuracy, %", "difference, points", "verdict"]
ROWS = [
    ["no local response normalisation", "81.42 ± 0.15 (7)", "-0.02 [-0.50, +0.47]", "did not learn"],
    ["b", "", "-", "-"],
]


def test_a_table_that_is_too_wide_wraps_by_words():
    assert wording.fitted_table(HEADS, ROWS, 60).splitlines() == [
        "variant        test accuracy,     difference,        verdict",
        "                            %          points",
        "-------------  --------------  --------------  -------------",
        "no local         81.42 ± 0.15   -0.02 [-0.50,  did not learn",
        "response                  (7)          +0.47]",
        "normalisation",
        "b                                           -              -",
    ]


def test_a_table_with_room_is_as_wide_as_its_cells():
    lines = wording.fitted_table(HEADS, ROWS, 200).splitlines()
    assert len(lines) == 4 and max(map(len, lines)) == 31 + 2 + 16 + 2 + 20 + 2 + 13


def test_words_are_broken_only_where_nothing_else_helps():
    lines = wording.fitted_table(["a", "b"], [["x" * 30, "1"]], 20).splitlines()
    assert lines[2:] == ["x" * 17 + "  1", "x" * 13]


def test_a_paragraph_keeps_addresses_whole():
    address = "http://host/" + "a" * 40
    assert wording.wrapped(f"see {address} for more", 30) == f"see\n{address}\nfor more"
