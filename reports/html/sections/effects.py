"""The sections that look behind a difference: its two uncertainties, and factors that depend on each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from reports.html import forest
from reports.html.cells import (
    Cell,
    Forest,
    Table,
    chance,
    difference_of,
    estimate,
    figure,
    is_number,
    number,
    plot,
    rows_of,
    sortable,
    words,
)
from reports.html.forest import Interval
from reports.html.sections.given import Given


def uncertainty(given: Given) -> dict[str, Any] | None:
    columns = ("accuracy_percent", "sd_seeds_points", "sd_distribution_points", "se_test_points")
    ends = ("difference_points", "low_test_points", "high_test_points", "low_both_points", "high_both_points")
    rows = rows_of(given.details.uncertainty, "variant", *columns, *ends)
    if not rows:
        return None
    texts = {column: "{:.2f}".format for column in columns}
    spread = Table(
        "How far one accuracy may be off, in points",
        ("variant", "accuracy, %", "between trainings", "of the networks themselves", "by the choice of images"),
        [[Cell(row["variant"]), *(figure(row[name], texts[name]) for name in columns)] for row in rows],
        note="Between trainings: standard deviation over seeds on these test images; of the networks themselves: what "
        "of it would remain on endlessly many images. By the choice of images: standard error of the mean accuracy.",
    )
    known = {row["variant"]: difference_of(row) for row in given.frame.to_dict("records")}
    plots = []
    for row in rows:
        middle = row["difference_points"]
        if not is_number(middle):
            continue
        seeds = known.get(row["variant"], Interval(math.nan, math.nan, math.nan))
        three = (
            ("other trainings", seeds),
            ("other test images", Interval(middle, row["low_test_points"], row["high_test_points"])),
            ("both", Interval(middle, row["low_both_points"], row["high_both_points"])),
        )
        plots.append((row["variant"], [(name, each) for name, each in three if is_number(each.low)]))
    plots = [(variant, three) for variant, three in plots if three]
    scale = forest.scale([each for _, three in plots for _, each in three], given.sweep.margin)
    return {"spread": spread, "difference": _three_intervals(plots, scale) if plots else None}


def _three_intervals(plots: Sequence[tuple[str, Sequence[tuple[str, Interval]]]], scale: forest.Scale) -> Forest:
    rows = [
        [
            Cell(variant, html=Markup('<span class="sr">{}</span>').format(variant) if place else None),
            Cell(name),
            plot(each, scale),
            Cell(estimate(each), each.middle),
        ]
        for variant, three in plots
        for place, (name, each) in enumerate(three)
    ]  # fmt: skip
    header = ("variant", "to be expected of", "drawn", "difference, points")
    caption = "The difference to the baseline, with 95 % intervals for three questions"
    return Forest(Table(caption, header, rows, frozenset({0, 1, 2})), forest.axis(scale), scale.margin)


def interactions(given: Given) -> dict[str, Any] | None:
    columns = ("kind", "factors", "levels", "verdict", "sentence")
    numbers = ("difference_points", "low_points", "high_points", "p_adjusted")
    rows = rows_of(given.details.interactions, *columns, *numbers)
    if not rows:
        return None
    intervals = [Interval(*(number(row[name]) for name in numbers[:3])) for row in rows]
    scale = forest.scale(intervals, given.sweep.margin)
    cells = [
        [
            Cell(words(row["factors"]), note=words(row["levels"])),
            Cell(words(row["kind"]), note=words(row["verdict"])),
            plot(each, scale),
            Cell(estimate(each), sortable(each.middle)),
            Cell(chance(row["p_adjusted"]), sortable(row["p_adjusted"])),
        ]
        for row, each in zip(rows, intervals, strict=True)
    ]
    table = Table(
        "Effects of the factors, and whether they depend on each other",
        ("factors", "kind", "drawn", "effect, points", "adjusted p"),
        cells,
        frozenset({0, 1, 2}),
    )
    sentences = [words(row["sentence"]) for row in rows if words(row["sentence"])]
    return {"forest": Forest(table, forest.axis(scale), scale.margin), "sentences": sentences}
