"""The legend of the trade-off picture, above the axes, where it covers nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from reports.figures.style import DARK, shortened
from reports.figures.trade_off.points import BAND_ALPHA, BAND_POINTS, PUBLISHED, PointStyle, face_color, styles

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.path import Path

LETTERS = 92  # that fit beside each other, markers and gaps not counted
MOST_COLUMNS = 6


def entries(points: pd.DataFrame) -> list[Line2D]:
    """Handles: the fill, the sweeps where there are several kinds of points, the bars."""
    style_of = styles(points)
    several_kinds = len(style_of) + points["imported"].any() > 1
    neutral = PointStyle(DARK, "o") if several_kinds or not style_of else next(iter(style_of.values()))
    handles = _fill_entries(points, neutral) if points["cost"].nunique() > 1 else []
    if several_kinds:
        handles += [_entry(shortened(name), *style) for name, style in style_of.items()]
    if points["imported"].any():
        handles.append(_entry("published figures", *PUBLISHED))
    return handles + _bar_entries(points, neutral.color)


def _fill_entries(points: pd.DataFrame, style: PointStyle) -> list[Line2D]:
    if points["probability"].notna().any():
        levels = (("probably on the Pareto front", 1), ("on it with probability ½", 0.5), ("probably off", 0))
        return [_entry(label, *style, fraction) for label, fraction in levels]
    handles = [_entry("on the Pareto front", *style)]
    return handles if points["front"].all() else [*handles, _entry("off the front", *style, 0)]


def _bar_entries(points: pd.DataFrame, color: str) -> list[Line2D]:
    from matplotlib.path import Path

    handles = []
    if points["sd"].notna().any():
        bar = Path([(-0.4, -1), (0.4, -1), (0, -1), (0, 1), (-0.4, 1), (0.4, 1)], [1, 2, 1, 2, 1, 2])
        handles.append(_entry("± 1 sd, another training", color, bar, markersize=10, markeredgewidth=1.2))
    if points["se"].notna().any():
        wide = {"markersize": 10, "markeredgewidth": BAND_POINTS, "alpha": BAND_ALPHA}
        handles.append(_entry("± 1 se, another test set", color, "|", **wide))
    return handles


def _entry(label: str, color: str, marker: str | Path, fraction: float = 1, **arguments: Any) -> Line2D:
    from matplotlib.lines import Line2D

    arguments = {"linestyle": "", "markerfacecolor": face_color(color, fraction), "markersize": 6} | arguments
    return Line2D([], [], color=color, marker=marker, label=label, **arguments)


def lines(handles: list[Line2D]) -> int:
    return -(-len(handles) // _columns(handles)) if handles else 0


def _columns(handles: list[Line2D]) -> int:
    """As many as fit beside each other: a column is as wide as its widest entry."""
    lengths = [len(str(handle.get_label())) for handle in handles]
    for columns in range(min(len(handles), MOST_COLUMNS), 1, -1):
        rows = -(-len(handles) // columns)
        if sum(max(lengths[start : start + rows]) + 4 for start in range(0, len(lengths), rows)) <= LETTERS:
            return columns
    return 1


def draw(figure: Figure, handles: list[Line2D]) -> None:
    if not handles:
        return
    legend = figure.legend(
        handles=handles,
        loc="upper left",
        ncols=_columns(handles),
        fontsize=8,
        frameon=False,
        handletextpad=0.2,
        columnspacing=1.2,
        labelspacing=0.45,
        borderpad=0.2,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
