"""The trade-off picture: test accuracy against the number of parameters, with the Pareto front."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reports import labels, statistics
from reports.canvas import COLORS, DARK, GREY, blank, dress, shortened
from reports.labels import LABEL_POINTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKER_POINTS = 7
HEIGHTS = (4.8, 6.0)  # inches, tried in turn until no label touches another
KEY_LINE_INCHES = 0.17
KEY_COLUMNS = 2


def accuracy_vs_size(frame: pd.DataFrame) -> Figure | None:
    """Mean test accuracy against parameters (log axis), error bars of one standard deviation, and the Pareto front.

    ``frame`` has the rows of ``tables.variants``, of one sweep or of several under each other. Variants of the same
    size are drawn side by side; where all have one size, their names stand under the axis instead. Where the names
    do not fit without touching, the points are numbered and a key below names them. None when no variant has both an
    accuracy and a size.
    """
    points = frame[frame["n"] > 0] if len(frame) else frame
    points = points[points["params"].notna() & (points["params"] > 0)] if len(points) else points
    if points.empty:
        return None
    points = points.reset_index(drop=True).astype({"params": "float64"})
    if points["params"].nunique() == 1:
        return _same_size(points)
    for numbered in (False, True):
        for height in HEIGHTS:
            figure, homeless = _sizes(points, height, numbered)
            if not homeless:
                return figure
    return figure


def _same_size(points: pd.DataFrame) -> Figure:
    """Nothing to trade: the variants side by side, named under the axis."""
    names = [shortened(name) for name in points["variant"]]
    upright = len(names) * max(map(len, names)) <= 80  # characters that fit side by side
    figure = blank(4.4 if upright else 5.2, layout="constrained")
    axes = figure.add_subplot()
    dress(axes)
    places = np.arange(len(points), dtype=float)
    accuracy = points["accuracy_percent_mean"].to_numpy()
    front = statistics.pareto_front(points["params"], accuracy)
    _draw_points(axes, points, places, front)
    axes.set_xlim(-0.6, len(points) - 0.4)
    axes.set_ylim(*_accuracy_limits(points))
    turned = {} if upright else {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(places, names, fontsize=LABEL_POINTS, parse_math=False, **turned)
    _dress_up(figure, axes, points, front, f"all variants have {points['params'].iloc[0]:,.0f} parameters")
    figure.get_layout_engine().set(rect=(0, 0.0, 1, 0.92))
    figure.text(0.02, 0.96, _caption(points, moved=False), fontsize=7, color=DARK, va="center")
    return figure


def _sizes(points: pd.DataFrame, height: float, numbered: bool) -> tuple[Figure, int]:
    """The figure at this height (and its key's, when ``numbered``), and how many of its labels found no place."""
    key = _key_lines(points) if numbered else []
    below = 1.1 + KEY_LINE_INCHES * len(key)
    figure = blank(height + KEY_LINE_INCHES * len(key))
    axes = figure.add_subplot()
    dress(axes)
    total = figure.get_figheight()
    figure.subplots_adjust(left=0.1, right=0.97, top=1 - 0.5 / total, bottom=below / total)
    size, accuracy = points["params"].to_numpy(), points["accuracy_percent_mean"].to_numpy()
    front = statistics.pareto_front(size, accuracy)
    limits = _size_limits(size)
    shown = _side_by_side(size, limits)
    axes.set_xscale("log")
    axes.set_xlim(limits)
    axes.set_ylim(*_accuracy_limits(points))
    axes.plot(*_front_line(axes, points, front), color=GREY, linewidth=1, zorder=1, scalex=False, scaley=False)
    _draw_points(axes, points, shown, front)
    _size_ticks(axes, size)
    _dress_up(figure, axes, points, front, "parameters")
    caption = textwrap.wrap(_caption(points, moved=not np.array_equal(size, shown)), 135)
    figure.text(0.02, 0.1 / total, "\n".join(caption), fontsize=7, color=DARK, va="bottom")
    _draw_key(figure, key)
    return figure, _label(axes, points, shown, front, numbered)


def _dress_up(figure: Figure, axes: Axes, points: pd.DataFrame, front: np.ndarray, size_label: str) -> None:
    axes.set_xlabel(size_label, fontsize=9)
    axes.set_ylabel("test accuracy, %", fontsize=9)
    axes.tick_params(axis="y", labelsize=8)
    if points["params"].nunique() > 1:
        axes.tick_params(axis="x", labelsize=8)
        _legend(figure, points, front)


# --- the axes ----------------------------------------------------------------------------------------------------


def _size_limits(size: np.ndarray) -> tuple[float, float]:
    """Limits of the log axis, with a margin for the labels."""
    low, high = np.log10(size.min()), np.log10(size.max())
    margin = max(0.12 * (high - low), 0.02)
    return float(10 ** (low - margin)), float(10 ** (high + margin))


def _side_by_side(size: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Where to draw each size: its own place, and a little apart where several variants share it."""
    width = np.log10(limits[1] / limits[0])
    values, counts = np.unique(size, return_counts=True)
    shown = np.log10(size)
    for value, number in zip(values, counts, strict=True):
        gap = min(0.022, 0.2 / number) * width
        shown[size == value] += gap * (np.arange(number) - (number - 1) / 2)
    return 10**shown if counts.max() > 1 else size


def _accuracy_limits(points: pd.DataFrame) -> tuple[float, float]:
    sd = points["accuracy_percent_sd"].fillna(0)
    low, high = (points["accuracy_percent_mean"] - sd).min(), (points["accuracy_percent_mean"] + sd).max()
    margin = max(0.14 * (high - low), 0.25)
    return low - margin, high + margin


def _size_ticks(axes: Axes, size: np.ndarray) -> None:
    """Round numbers (1, 2, 5 times a power of ten); the sizes themselves where the axis is too short for those."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

    low, high = axes.get_xlim()
    ticks = [tick for tick in LogLocator(subs=(1, 2, 5)).tick_values(low, high) if low <= tick <= high]
    if len(ticks) < 3:
        ticks = []
        for value in np.unique(size):  # sizes that stand closer than a label is wide would print over each other
            if not ticks or np.log10(value / ticks[-1]) > 0.14 * np.log10(high / low):
                ticks.append(value)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_count(value)))
    axes.xaxis.set_minor_locator(NullLocator())


def short_count(value: float) -> str:
    """``1M``, ``200k``, ``50`` for a round number of parameters; all digits of another one."""
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit and f"{value:.0f}".rstrip("0") == f"{value / unit:g}".replace(".", "").rstrip("0"):
            return f"{value / unit:g}{letter}"
    return f"{value:,.0f}"


# --- the points --------------------------------------------------------------------------------------------------


def _sweep_colors(points: pd.DataFrame) -> dict[str, str]:
    names = dict.fromkeys(points["sweep"])
    return {name: COLORS[place % len(COLORS)] for place, name in enumerate(names)}


def _front_line(axes: Axes, points: pd.DataFrame, front: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners of a step: at each size, the best accuracy that this size or a smaller one reaches."""
    best = points[front].sort_values("params")
    size, accuracy = best["params"].to_numpy(), best["accuracy_percent_mean"].to_numpy()
    return np.append(np.repeat(size, 2)[1:], axes.get_xlim()[1]), np.repeat(accuracy, 2)


def _draw_points(axes: Axes, points: pd.DataFrame, shown: np.ndarray, front: np.ndarray) -> None:
    """Filled on the front and hollow off it, a diamond for the baseline; with one size for all, all are filled."""
    colors = _sweep_colors(points)
    trade = points["params"].nunique() > 1
    for place, row in points.iterrows():
        color = colors[row["sweep"]]
        axes.errorbar(
            shown[place],
            row["accuracy_percent_mean"],
            yerr=None if np.isnan(row["accuracy_percent_sd"]) else row["accuracy_percent_sd"],
            fmt="D" if row["baseline"] else "o",
            color=color,
            markerfacecolor=color if front[place] or not trade else "white",
            markersize=MARKER_POINTS - (1 if row["baseline"] else 0),
            capsize=3,
            linewidth=1.2,
            zorder=3,
        )


def _legend(figure: Figure, points: pd.DataFrame, front: np.ndarray) -> None:
    """Above the axes, where it covers nothing."""
    from matplotlib.lines import Line2D

    colors = _sweep_colors(points)
    neutral = next(iter(colors.values())) if len(colors) == 1 else DARK

    def entry(marker: str, color: str, filled: bool, label: str) -> Line2D:
        face = color if filled else "white"
        return Line2D([], [], color=color, marker=marker, linestyle="", markerfacecolor=face, label=label)

    entries = [entry("o", neutral, True, "on the Pareto front")]
    if not front.all():
        entries.append(entry("o", neutral, False, "off the front"))
    if points["baseline"].any():
        entries.append(entry("D", neutral, bool(front[points["baseline"].to_numpy()].any()), "baseline"))
    if len(colors) > 1:
        entries += [entry("s", color, True, shortened(name)) for name, color in colors.items()]
    legend = figure.legend(
        handles=entries, loc="upper left", ncols=min(len(entries), 6), fontsize=8, frameon=False, handletextpad=0.2
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _caption(points: pd.DataFrame, moved: bool) -> str:
    counts = sorted(set(points["n"]))
    if counts == [1]:
        caption = "One seed each, so no error bars."
    else:
        number = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        caption = f"Points: mean over {number} seeds. Error bars: one standard deviation over seeds (not of the mean)."
    if points["params"].nunique() == 1:
        return f"{caption} Diamond: baseline." if points["baseline"].any() else caption
    caption += " Line: the best accuracy at this size or below."
    return f"{caption} Variants of the same size stand side by side." if moved else caption


# --- the labels --------------------------------------------------------------------------------------------------


def _key_lines(points: pd.DataFrame) -> list[list[str]]:
    """``1 name`` of every point, in lines of ``KEY_COLUMNS``, numbered down the columns."""
    entries = [f"{place + 1}  {shortened(name)}" for place, name in enumerate(points["variant"])]
    lines = -(-len(entries) // KEY_COLUMNS)
    return [entries[line::lines] for line in range(lines)]


def _draw_key(figure: Figure, key: list[list[str]]) -> None:
    total = figure.get_figheight()
    for line, entries in enumerate(key):
        height = (0.5 + KEY_LINE_INCHES * (len(key) - line - 1)) / total
        for column, entry in enumerate(entries):
            figure.text(
                0.02 + 0.98 / KEY_COLUMNS * column, height, entry, fontsize=LABEL_POINTS, va="bottom", parse_math=False
            )


def _label(axes: Axes, points: pd.DataFrame, shown: np.ndarray, front: np.ndarray, numbered: bool) -> int:
    """Name the points, or number them; how many labels found no place that touches nothing."""
    axes.figure.canvas.draw()  # fixes the transformation from data to pixels
    y = points["accuracy_percent_mean"].to_numpy()
    sd = points["accuracy_percent_sd"].fillna(0).to_numpy()
    radius = (MARKER_POINTS / 2 + 1) * axes.figure.dpi / 72
    centers, lows, highs = (axes.transData.transform(np.column_stack([shown, value])) for value in (y, y - sd, y + sd))
    markers = np.hstack([centers - radius, centers + radius])
    half_cap = np.array([radius / 2, 0])
    bars = np.hstack([lows - half_cap, highs + half_cap])
    corners = axes.transData.transform(np.column_stack(_front_line(axes, points, front)))
    line = np.hstack([np.minimum(corners[:-1], corners[1:]), np.maximum(corners[:-1], corners[1:]) + 1])
    names = [str(place + 1) if numbered else shortened(name) for place, name in enumerate(points["variant"])]
    sweeps = _sweep_colors(points)
    colors = [sweeps[name] if len(sweeps) > 1 else "black" for name in points["sweep"]]
    return labels.place(axes, names, colors, centers, markers, np.vstack([bars, line]))[1]
