"""The texts below the trade-off picture: a caption, and a key where the points are numbered."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pandas as pd

from reports.figures.labels import FONT_POINTS
from reports.figures.style import DARK, shortened
from reports.figures.trade_off.layout import KEY_LINE, MARGIN, WIDTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION_LETTERS = 138  # that fit into a line
KEY_LETTERS = 104  # that fit into a line of the key, in one column or in two


def caption(points: pd.DataFrame, moved: bool, best: int = 0) -> list[str]:
    """The lines of the caption; ``moved`` says whether points of the same cost were drawn apart, and ``best`` how many of
    the most accurate are named where not all are."""
    only = [f"Named: the baseline, the front and the best {best}."] if best else []
    return textwrap.wrap(" ".join([*_sentences(points, moved), *only]), CAPTION_LETTERS)


def _sentences(points: pd.DataFrame, moved: bool) -> list[str]:
    ours, trade_off = points[~points["imported"]], points["cost"].nunique() > 1
    sentences = []
    if len(ours):
        counts = sorted({int(n) for n in ours["n"]})
        number = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        sentences.append("One seed each." if counts == [1] else f"Points: mean over {number} seeds.")
    if points["sd"].notna().any():
        sentences.append(
            "Thin bar with caps: one standard deviation over seeds, what another training would change (not of the mean)."
        )
    elif len(ours):
        sentences.append("Without a second seed there is no bar for the spread between trainings.")
    if points["se"].notna().any():
        sentences.append("Broad bar: standard error over test images (another test set of this size).")
    if trade_off:
        sentences.append("Line: the best accuracy at this cost or below.")
    if trade_off and points["probability"].notna().any():
        sentences.append("Fill: the probability of being on the front were the trainings repeated.")
    if points["imported"].any():
        sentences.append("Diamonds: published figures, measured elsewhere; sources in the CSV file.")
    if points["baseline"].any():
        sentences.append("Bold: the baseline.")
    if moved:
        sentences.append("Points of the same cost stand side by side.")
    return sentences


def draw_caption(figure: Figure, lines: list[str], height: float) -> None:
    figure.text(MARGIN / WIDTH, 7 / height, "\n".join(lines), fontsize=7, color=DARK, va="bottom", linespacing=1.15)


def key_lines(points: pd.DataFrame) -> int:
    return -(-len(points) // _key_columns(points))


def _key_columns(points: pd.DataFrame) -> int:
    return 2 if max(map(len, points["name"])) <= KEY_LETTERS // 2 - 4 else 1


def draw_key(figure: Figure, points: pd.DataFrame, height: float, bottom: float) -> None:
    """``1 name`` of every point, numbered down the columns; ``bottom`` is the height of the last line."""
    columns, lines = _key_columns(points), key_lines(points)
    for index, row in enumerate(points.itertuples()):
        column, line = divmod(index, lines)
        figure.text(
            (MARGIN + (WIDTH - MARGIN) / columns * column) / WIDTH,
            (bottom + KEY_LINE * (lines - line - 1)) / height,
            f"{index + 1}  {shortened(row.name, KEY_LETTERS // columns - 4)}",
            parse_math=False,
            color=DARK if row.imported else "black",
            fontsize=FONT_POINTS,
            va="bottom",
            fontweight="bold" if row.baseline else "normal",
        )
