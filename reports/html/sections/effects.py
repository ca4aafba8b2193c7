"""The sections behind a difference: its two uncertainties, and factors that depend on each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from reports.html import forest
from reports.html.cells import (
    DRAWING,
    Cell,
    ForestTable,
    Table,
    as_text,
    difference_of,
    estimate,
    forest_cell,
    is_number,
    number,
    number_cell,
    p_value,
    rows_of,
    sortable,
)
from reports.html.forest import Interval
from reports.html.page_data import PageData
from reports.tables import tables
from zoo.stats.power import ALPHA


def uncertainty(data: PageData) -> dict[str, Any] | None:
    columns = ("accuracy_percent", "sd_seeds_points", "se_test_points")
    networks = ("sd_distribution_points", "low_distribution_points", "high_distribution_points")
    ends = ("difference_points", "low_test_points", "high_test_points", "low_both_points", "high_both_points")
    rows = rows_of(data.details.uncertainty, "variant", *columns, *networks, *ends)
    if not rows:
        return None
    spread = Table(
        "How far one accuracy may be off, in points",
        ("variant", "accuracy, %", "between trainings", "of the networks themselves", "by the choice of images"),
        [_spread_cells(row, columns, networks) for row in rows],
        note="Between trainings: standard deviation over seeds on these test images; of the networks themselves: what "
        "of it would remain on endlessly many images, with its 95 % interval. By the choice of images: standard error of "
        "the mean accuracy.",
    )
    known = {row["variant"]: difference_of(row) for row in data.frame.to_dict("records")}
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
    scale = forest.common_scale([each for _, three in plots for _, each in three], data.sweep.margin)
    return {
        "fold": _spread_words(rows),
        "spread": spread,
        "difference": _three_intervals(plots, scale) if plots else None,
    }


def _spread_words(rows: Sequence[Mapping[str, Any]]) -> str:
    """Both, in a sentence."""
    spreads = [number(row["sd_seeds_points"]) for row in rows if is_number(row["sd_seeds_points"])]
    errors = [number(row["se_test_points"]) for row in rows if is_number(row["se_test_points"])]
    parts = [f"trainings of one variant spread by {_range(spreads)} points"] if spreads else []
    parts += [f"the choice of test images is worth {_range(errors)}"] if errors else []
    text = "; ".join(parts) or "how far one accuracy may be off"
    return f"{text[:1].upper()}{text[1:]} (standard deviations)." if parts else f"{text[:1].upper()}{text[1:]}."


def _range(values: Sequence[float]) -> str:
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low} to {high}"


def _spread_cells(row: Mapping[str, Any], columns: Sequence[str], networks: Sequence[str]) -> list[Cell]:
    accuracy, seeds, images = (number_cell(row[name], "{:.2f}".format) for name in columns)
    text = tables.of_the_networks(*(number(row[name]) for name in networks))
    return [Cell(row["variant"]), accuracy, seeds, Cell(text, sortable(row[networks[0]])), images]


def _three_intervals(plots: Sequence[tuple[str, Sequence[tuple[str, Interval]]]], scale: forest.Scale) -> ForestTable:
    rows = [
        [
            Cell(variant, html=Markup('<span class="sr">{}</span>').format(variant) if index else None),
            Cell(name),
            forest_cell(each, scale),
            Cell(estimate(each), each.middle),
        ]
        for variant, three in plots
        for index, (name, each) in enumerate(three)
    ]  # fmt: skip
    header = ("variant", "to be expected of", DRAWING, "difference, points")
    caption = "The difference to the baseline, with 95 % intervals for three questions"
    return ForestTable(Table(caption, header, rows, frozenset({0, 1, 2})), forest.axis(scale), scale.margin)


def interactions(data: PageData) -> dict[str, Any] | None:
    columns = ("kind", "factors", "levels", "verdict", "sentence")
    numbers = ("difference_points", "low_points", "high_points", "p_adjusted")
    rows = rows_of(data.details.interactions, *columns, *numbers)
    if not rows:
        return None
    intervals = [Interval(*(number(row[name]) for name in numbers[:3])) for row in rows]
    scale = forest.common_scale(intervals, data.sweep.margin)
    cells = [
        [
            Cell(as_text(row["factors"]), note=as_text(row["levels"])),
            Cell(as_text(row["kind"]), note=as_text(row["verdict"])),
            forest_cell(each, scale),
            Cell(estimate(each), sortable(each.middle)),
            Cell(p_value(row["p_adjusted"]), sortable(row["p_adjusted"])),
        ]
        for row, each in zip(rows, intervals, strict=True)
    ]
    table = Table(
        "Effects of the factors, and whether they depend on each other",
        ("factors", "kind", DRAWING, "effect, points", "adjusted p"),
        cells,
        frozenset({0, 1, 2}),
    )
    sentences = [as_text(row["sentence"]) for row in rows if as_text(row["sentence"])]
    shown = sum(is_number(row["p_adjusted"]) and row["p_adjusted"] < ALPHA for row in rows)
    return {
        "fold": f"{len(rows)} effects and interactions with adjusted p, {shown} of them shown to be other than 0.",
        "forest": ForestTable(table, forest.axis(scale), scale.margin),
        "sentences": sentences,
    }
