"""The design as it was declared: what counts as a change of it, and by which one verdicts go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from zoo.storage import designs
from zoo.storage.designs import Design, DesignHistory

BEGAN = datetime(2026, 11, 27, 12, tzinfo=UTC)


def design(seeds: int, minute: int = 0, **fields) -> Design:
    return Design(
        time=BEGAN + timedelta(minutes=minute), seeds=tuple(range(seeds)), margin=0.5, baseline="a"
    ).model_copy(update=fields)


def history(*entries: Design) -> DesignHistory:
    found = DesignHistory()
    for entry in entries:
        found = found.with_design(entry)
    return found


def test_before_the_first_result_the_last_word_is_the_declaration():
    found = history(design(3), design(5, 1, margin=1.0), design(7, 2))
    assert found.declared == found.judged == found.current == design(7, 2)
    assert found.changes == () and found.is_before_runs


def test_the_same_design_is_written_down_once():
    found = history(design(3), design(3, 5, results=4, compared=True))
    assert found.entries == (design(3),)


def test_more_seeds_after_a_comparison_do_not_count():
    found = history(design(3), design(10, 60, results=6, compared=True))
    assert found.judged == design(3)
    (change,) = found.changes
    assert (change.what, change.before.seeds, len(change.after.seeds), change.counts) == ("seeds", (0, 1, 2), 10, False)


def test_more_seeds_before_a_comparison_count_and_are_said():
    found = history(design(1), design(5, 60, results=2))
    assert len(found.judged.seeds) == 5
    assert [(change.what, change.counts) for change in found.changes] == [("seeds", True)]
    later = found.with_design(design(8, 90, results=10, compared=True))
    assert len(later.judged.seeds) == 5 and [change.counts for change in later.changes] == [False]


def test_raising_the_maximum_is_a_change_and_changing_it_back_is_none():
    raised = history(design(10, first_analysis=3), design(20, 60, first_analysis=3, results=20, compared=True))
    assert (len(raised.judged.seeds), raised.judged.first_analysis) == (10, 3)
    back = raised.with_design(design(10, 70, first_analysis=3, results=20, compared=True))
    assert back.changes == () and len(back.entries) == 3


def test_margin_and_baseline_are_those_before_the_first_result():
    found = history(
        design(1), design(1, 60, margin=95.0, results=1), design(1, 70, margin=95.0, baseline="b", results=1)
    )
    assert found.declared.margin == 0.5
    assert [(change.what, change.counts) for change in found.changes] == [("margin", False), ("baseline", False)]


def test_fresh_runs_are_a_declaration_of_their_own():
    fresh = Design(time=BEGAN + timedelta(minutes=90), seeds=(10, 11, 12), margin=0.5, baseline="a")
    found = history(design(3), design(5, 60, results=6, compared=True), fresh)
    assert found.declared == found.judged == fresh and found.changes == () and len(found.earlier) == 2
    again = history(design(3, results=6), design(3, 10))  # results that are gone
    assert again.is_before_runs and not history(design(3, results=6)).is_before_runs


def test_what_is_kept_is_what_is_read(tmp_path):
    assert not designs.read(tmp_path, "lrn")
    found = history(design(3), design(10, 60, results=6, compared=True, margin_given=False))
    designs.write(tmp_path, "lrn", found)
    assert designs.read(tmp_path, "lrn") == found
    assert b'"seeds":"0-9"' in designs.path_of(tmp_path, "lrn").read_bytes()
    merged = history(design(3)).merged(found)
    assert merged == found


@pytest.mark.parametrize(("seeds", "text"), [((0, 1, 2), "0-2"), ((5,), "5"), ((3, 1, 2, 9), "3,1-2,9"), ((), "")])
def test_seeds_as_ranges(seeds, text):
    assert designs.ranges(seeds) == text
    read = Design.model_validate({"time": BEGAN, "seeds": text, "margin": 1.0, "baseline": "a"})
    assert read.seeds == seeds


@pytest.mark.parametrize("text", ["x", "3-1", "0-9999999999", "1,,2", "-1"])
def test_what_are_no_seeds_is_refused(text):
    with pytest.raises(ValueError):
        Design.model_validate({"time": BEGAN, "seeds": text, "margin": 1.0, "baseline": "a"})
