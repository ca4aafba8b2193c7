"""Lengths of time and amounts in words."""

from __future__ import annotations

import pytest

from zoo.text import wording


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2h", 7200), ("1h30m", 5400), ("90 min", 5400), ("45s", 45), ("0.5h", 1800), ("1h 2m 3s", 3723), ("0s", 0)],
)
def test_a_length_of_time(text, expected):
    assert wording.seconds_of(text) == expected


@pytest.mark.parametrize("text", ["", "2", "h", "2x", "-1h", "1h 30", "2h!", "1e3s", "two hours"])
def test_no_length_of_time(text):
    with pytest.raises(ValueError, match="is no length of time; write it like 2h, 90m, 1h30m or 45s"):
        wording.seconds_of(text)


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
