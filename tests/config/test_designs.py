"""Designs, checked against combinations written out by hand."""

from __future__ import annotations

import pytest

from zoo.config.design import designs

ON_OFF = [True, False]


def test_a_grid_is_the_full_product_with_the_last_factor_fastest():
    assert designs.combinations("grid", [2, 3], (0, 0)) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]


def test_one_at_a_time_changes_one_level_of_the_baseline():
    assert designs.combinations("one_at_a_time", [2, 3], (1, 2)) == [(1, 2), (0, 2), (1, 0), (1, 1)]


def test_pairs_adds_each_two_changes_of_different_factors():
    assert designs.combinations("pairs", [2, 3], (0, 0)) == [(0, 0), (1, 0), (0, 1), (0, 2), (1, 1), (1, 2)]
    three = designs.combinations("pairs", [2, 2, 2], (0, 0, 0))
    assert (1, 1, 1) not in three
    assert sorted(three) == [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 0, 0), (1, 0, 1), (1, 1, 0)]


def test_leave_one_out_starts_with_all_on_and_turns_each_off():
    around = designs.center("leave_one_out", [[False, True], ["new", "old"]])  # on: true, or the first level listed
    assert around == (1, 0)
    assert designs.combinations("leave_one_out", [2, 2], around) == [(1, 0), (0, 0), (1, 1)]


def test_add_one_starts_with_all_off_and_turns_each_on():
    around = designs.center("add_one", [[False, True], ["new", "old"]])
    assert around == (0, 1)
    assert designs.combinations("add_one", [2, 2], around) == [(0, 1), (1, 1), (0, 0)]


@pytest.mark.parametrize(
    ("design", "sizes", "number"),
    [
        ("grid", [2, 3, 4], 24),
        ("one_at_a_time", [2, 3, 4], 7),  # 1 + (1 + 2 + 3)
        ("leave_one_out", [2, 2, 2], 4),
        ("add_one", [2, 2, 2], 4),
        ("pairs", [2, 3, 4], 18),  # 1 + 6 + (1*2 + 1*3 + 2*3)
        ("pairs", [5], 5),
    ],
)
def test_combinations_are_counted_without_building_them(design, sizes, number):
    combined = designs.combinations(design, sizes, (0,) * len(sizes))
    assert designs.count(design, sizes) == number == len(combined) == len(set(combined))


def test_a_huge_grid_is_counted_without_building_it():
    assert designs.count("grid", [100] * 50) == 100**50


def names(design, factors):
    around = designs.center(design, list(factors.values()))
    combined = designs.combinations(design, [len(levels) for levels in factors.values()], around)
    return designs.names(design, factors, combined, around)


def test_a_grid_names_every_level_and_a_model_by_its_value_alone():
    assert names("grid", {"model": ["tuto", "nin0"], "lrn": ON_OFF}) == [
        "tuto, lrn=true",
        "tuto, lrn=false",
        "nin0, lrn=true",
        "nin0, lrn=false",
    ]


def test_other_designs_name_what_differs():
    assert names("leave_one_out", {"lrn": ON_OFF, "optimizer.lr": [0.1, 0.01]}) == [
        "lrn=true, optimizer.lr=0.1",
        "lrn=false",
        "optimizer.lr=0.01",
    ]


def test_levels_that_are_lists_or_mappings_are_written_as_in_yaml():
    assert names("grid", {"convs": [[[5, 64]], [[3, 96]]]}) == ["convs=[[5, 64]]", "convs=[[3, 96]]"]
    assert names("grid", {"augment": [False, {"flip": True}]}) == ["augment=false", "augment={flip: true}"]


def test_names_stay_short_on_one_line_and_distinct():
    long = {"convs": [[[5, 64]] * 40, [[5, 64]] * 41], "model": ["a\nb", "c"]}
    long |= {f"an_argument_with_a_long_name_{i}": [1, 2] for i in range(8)}
    labels = names("grid", long)
    assert len(labels) == 2**10 == len(set(labels))
    assert all(len(name) < 200 and name.isprintable() for name in labels)
    assert names("grid", {"convs": long["convs"]}) == ["convs=level 1", "convs=level 2"]


def test_a_word_and_a_value_that_look_alike_do_not_share_a_name():
    labels = names("grid", {"rule": [True, "true"]})
    assert len(set(labels)) == 2
