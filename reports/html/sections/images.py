"""The sections that go into the test images: classes, churn, calibration, and the gallery of those that flip."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from reports.html import forest
from reports.html.cells import (
    DRAWING,
    Cell,
    ForestTable,
    Table,
    as_text,
    drawing_cell,
    estimate,
    forest_cell,
    is_number,
    number,
    number_cell,
    rows_of,
)
from reports.html.forest import Interval
from reports.html.page_data import PageData
from reports.tables import tables
from zoo.text.listing import listed

MOST_CLASSES = 4  # in a sentence
MOST_IMAGES = 240  # in the gallery: with 32 x 32 pixels about half a megabyte


# --- where it matters --------------------------------------------------------------------------------------------


def where(data: PageData) -> dict[str, Any] | None:
    views = {"classes": _classes(data), "churn": _churn(data), "calibration": _calibration(data)}
    return {"fold": _where_words(data), **views} if any(views.values()) else None


def _where_words(data: PageData) -> str:
    """What the classes say, in a sentence."""
    numbers = ("low_points", "high_points")
    rows = rows_of(data.details.per_class, "variant", "label", *numbers)
    rows = [row for row in rows if all(is_number(row[name]) for name in numbers)]
    shown = [row for row in rows if row["low_points"] > 0 or row["high_points"] < 0]
    if not rows:
        return "Images that are answered differently, and calibration."
    if not shown:
        return "No class can be told to differ from the baseline. Churn and calibration."
    named = [f"{as_text(row['label'])} ({as_text(row['variant'])})" for row in shown[:MOST_CLASSES]]
    more = len(shown) - MOST_CLASSES
    names = listed([*named, f"{more} more"] if more > 0 else named)
    return f"Shown to differ from the baseline: {names}. Churn and calibration."


def _classes(data: PageData) -> list[tuple[str, ForestTable]]:
    """One plot a variant, all on one scale, the class that loses most first."""
    numbers = ("difference_points", "low_points", "high_points")
    rows = rows_of(data.details.per_class, "variant", "label", "images", "accuracy_percent", *numbers)
    rows = [row for row in rows if is_number(row["difference_points"])]
    scale = forest.common_scale([Interval(*(number(row[name]) for name in numbers)) for row in rows])
    axis, groups = forest.axis(scale), dict.fromkeys(row["variant"] for row in rows)
    plots = []
    for variant in groups:
        of_variant = (row for row in rows if row["variant"] == variant)
        cells = []
        for row in sorted(of_variant, key=lambda row: row["difference_points"]):
            each = Interval(*(number(row[name]) for name in numbers))
            images = f"{row['images']:,.0f} images" if is_number(row["images"]) else ""
            cells.append(
                [
                    Cell(as_text(row["label"]), note=images),
                    number_cell(row["accuracy_percent"], "{:.1f}".format),
                    forest_cell(each, scale, 1),
                    Cell(estimate(each, 1), each.middle),
                ]
            )
        header = ("class", "accuracy, %", DRAWING, "difference, points")
        table = Table(f"{variant}: accuracy on each class, against the baseline", header, cells, frozenset({0, 2}))
        plots.append((variant, ForestTable(table, axis, None)))
    return plots


def _churn(data: PageData) -> Table | None:
    rows = rows_of(data.details.churn, "variant", "churn_percent", "floor_percent", "excess_points")
    rows = [row for row in rows if is_number(row["churn_percent"])]
    if not rows:
        return None
    percents = [row[name] for row in rows for name in ("churn_percent", "floor_percent") if is_number(row[name])]
    cells = []
    for row in rows:
        churn, floor = row["churn_percent"], number(row["floor_percent"])
        label = f"{churn:.1f} % answered differently" + (f", floor {floor:.1f} %" if is_number(floor) else "")
        cells.append(
            [
                Cell(row["variant"]),
                Cell(f"{churn:.1f} %", churn),
                drawing_cell(forest.bar(churn, 1.05 * max(percents), label, floor)),
                number_cell(floor, "{:.1f} %".format),
                number_cell(row["excess_points"], "{:+.1f}".format),
            ]
        )
    return Table(
        "Test images that are answered differently",
        ("variant", "churn", DRAWING, "floor", "beyond the floor, points"),
        cells,
        frozenset({0, 2}),
        note="Two trainings of the same network disagree on some images too: that is the floor, the line across the bar. "
        "What lies beyond it is the variant's doing.",
    )


def _calibration(data: PageData) -> Table | None:
    kinds = {
        "ece_percent": ("calibration error, %", "{:.2f}"),
        "top5_percent": ("top-5 accuracy, %", "{:.2f}"),
        "nll": ("negative log-likelihood", "{:.3f}"),
    }
    columns = [f"{kind}_{of}" for kind in kinds for of in ("mean", "sd")]
    rows = rows_of(data.details.calibration, "variant", *columns)
    known = {kind: format for kind, format in kinds.items() if any(is_number(row[f"{kind}_mean"]) for row in rows)}
    if not known:
        return None
    cells = [
        [Cell(row["variant"]), *(_mean_sd(row, kind, write) for kind, (_, write) in known.items())] for row in rows
    ]
    note = "Mean ± standard deviation over seeds. A network is calibrated when it is right as often as it is confident."
    return Table(
        "Confidence held against accuracy", ("variant", *(title for title, _ in known.values())), cells, note=note
    )


def _mean_sd(row: Mapping[str, Any], kind: str, write: str) -> Cell:
    mean, sd = row[f"{kind}_mean"], row[f"{kind}_sd"]
    if not is_number(mean):
        return Cell(tables.ABSENT)
    return Cell(write.format(mean) + (f" ± {write.format(sd)}" if is_number(sd) else ""), mean)


# --- the gallery -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FlippedImage:
    """A test image that one of the two gets right more often than the other."""

    index: str
    source: str  # data: address
    label: str
    baseline: str  # how often it is right, and which class it gives
    variant: str


class FlipGroup(NamedTuple):
    """The images that one of the two gets right more often."""

    title: str
    counted: str  # how many there are, and would be by chance
    flips: list[FlippedImage]


def gallery(data: PageData) -> dict[str, Any] | None:
    """By variant, and there by who is right more often."""
    columns = ("baseline_right", "baseline_says", "variant_right", "variant_says")
    rows = rows_of(data.details.flips, "variant", "image", "label", *columns)
    rows = [row for row in rows if is_number(row["image"]) and int(row["image"]) in data.details.images]
    counted = rows_of(data.details.flip_counts, "variant", "direction", "images", "images_by_chance")
    counts = {(row["variant"], row["direction"]): row for row in counted}
    groups: dict[str, dict[str, FlipGroup]] = {}
    for row in rows[:MOST_IMAGES]:
        direction = "gained" if number(row["variant_right"]) > number(row["baseline_right"]) else "lost"
        title = f"More often right with the {'variant' if direction == 'gained' else 'baseline'}"
        group = FlipGroup(title, _counted(counts.get((row["variant"], direction))), [])
        groups.setdefault(row["variant"], {}).setdefault(direction, group).flips.append(_flip(row, data.details.images))
    if not groups:
        return None
    number_of_images = sum(len(group.flips) for directions in groups.values() for group in directions.values())
    return {
        "fold": f"{number_of_images} test images that one side gets right more often than the other.",
        "groups": [(variant, list(directions.values())) for variant, directions in groups.items()],
        "left_out": len(rows) - MOST_IMAGES,
    }


def _flip(row: Mapping[str, Any], images: Mapping[int, bytes]) -> FlippedImage:
    index = int(row["image"])
    return FlippedImage(
        str(index),
        f"data:image/png;base64,{b64encode(images[index]).decode()}",
        as_text(row["label"]),
        _says(row["baseline_right"], row["baseline_says"]),
        _says(row["variant_right"], row["variant_says"]),
    )


def _counted(row: Mapping[str, Any] | None) -> str:
    if row is None or not is_number(row["images"]):
        return ""
    by_chance = row["images_by_chance"]
    expected = f"; {by_chance:,.0f} would be, were there no difference" if is_number(by_chance) else ""
    return f"{row['images']:,.0f} test images differ at least as surely as these{expected}."


def _says(right: Any, says: Any) -> str:
    fraction = f"{100 * right:.0f} % right" if is_number(right) else as_text(right)
    return ", ".join(part for part in (fraction, f"says {as_text(says)}" if as_text(says) else "") if part)
