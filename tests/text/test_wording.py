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
