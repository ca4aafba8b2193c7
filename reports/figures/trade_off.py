"""The trade-off picture: test accuracy against what a variant costs, with the Pareto front."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from reports.analysis.trade_off import axis_label, points
from reports.figures import labels
from reports.figures.canvas import COLORS, DARK, GREY, MARKERS, blank, dress, shortened
from reports.figures.labels import LABEL_POINTS, Look
from reports.tables import costs
from zoo.measure.metrics import CostAxis, cost_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKER_POINTS = 7
BAND_POINTS = 7  # width of the bar for another test set; that for another training is a line with caps
BAND_ALPHA = 0.28
HEIGHTS = (3.3, 4.5)  # inches of the axes, tried in turn until no label touches another
WIDTH = 504.0  # points of the figure; the axes' edges below are points from its left
LEFT, RIGHT = 50.0, 489.0
KEY_LINE = 12.2  # points
KEY_LETTERS = 104  # that a line of the key has room for, in one column or in two
CAPTION_LINE = 9.5  # points
CAPTION_LETTERS = 138
LEGEND_LINE = 15.0  # points
LEGEND_LETTERS = 92  # that fit beside each other, markers and gaps not counted
PUBLISHED = "#777777"


# --- the figure --------------------------------------------------------------------------------------------------


class Layout(NamedTuple):
    """Where things stand, in points from the lower left corner of the figure, and what the ends of the axes are."""

    height: float  # of the figure
    frame: np.ndarray  # of the axes: left, low, right, high
    costs: tuple[float, float]
    accuracies: tuple[float, float]
    numbered: bool

    def place(self, cost: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
        """From data to points: [n, 2]."""
        low, high = np.log(self.costs)
        right = (np.log(cost) - low) / (high - low)
        up = (np.asarray(accuracy) - self.accuracies[0]) / (self.accuracies[1] - self.accuracies[0])
        return self.frame[:2] + np.column_stack([right, up]) * (self.frame[2:] - self.frame[:2])


def accuracy_vs_size(frame: pd.DataFrame, axis: str = "params") -> Figure | None:
    """Mean test accuracy against a cost (one of ``cost_axes()``, on a log axis), both uncertainties, and the Pareto front.

    ``frame`` has the rows of ``variants.frame``, of one sweep or of several under each other, and of published figures
    (``store.imported``). A thin bar with caps is one standard deviation over seeds; a broad one the standard error of the
    test set (``se_test_points``), where the frame has it. Variants of the same cost are drawn side by side; where all have
    one, their names stand under the axis instead. Where the names do not fit without touching, the points are numbered and
    a key below names them. None when no variant has both an accuracy and this cost.
    """
    found = points(frame, axis)
    if found.empty:
        return None
    if found["cost"].nunique() == 1:
        return _same_cost(found, cost_axes()[axis])
    low, high = _cost_limits(found["cost"].to_numpy())
    shown = _side_by_side(found["cost"].to_numpy(), (low, high))
    caption = textwrap.wrap(_caption(found, not np.array_equal(shown, found["cost"])), CAPTION_LETTERS)
    legend = _legend_entries(found)
    layouts = itertools.product((False, True) if _are_told_apart(found["name"]) else (True,), HEIGHTS)
    for numbered, height in layouts:
        looks = _looks(found, numbered)
        layout = _layout(found, height, (low, high), len(caption), _legend_lines(legend), numbered)
        insist = (numbered, height) == (True, HEIGHTS[-1])
        placed = labels.place(
            labels.sizes(looks),
            layout.place(shown, found["accuracy"]),
            *_obstacles(found, shown, layout),
            insist=insist,
        )
        if not placed.homeless:
            break
    figure = blank(layout.height / 72)
    axes = _axes(figure, layout)
    _cost_ticks(axes, cost_axes()[axis], found["cost"].to_numpy())
    _finish(axes, axis_label(frame, axis))
    line = _front_line(found, layout.costs[1])
    axes.plot(*line, color=GREY, linewidth=1, zorder=1, scalex=False, scaley=False)
    _draw_points(axes, found, shown)
    _legend(figure, legend)
    figure.text(
        10 / WIDTH, 7 / layout.height, "\n".join(caption), fontsize=7, color=DARK, va="bottom", linespacing=1.15
    )
    if numbered:
        _draw_key(figure, found, layout.height, 14 + CAPTION_LINE * len(caption))
    labels.write(axes, looks, placed, layout.place(shown, found["accuracy"]))
    return figure


def _looks(found: pd.DataFrame, numbered: bool) -> list[Look]:
    names = [str(place + 1) if numbered else shortened(name) for place, name in enumerate(found["name"])]
    return [
        Look(name, DARK if imported else "black", baseline)
        for name, imported, baseline in zip(names, found["imported"], found["baseline"], strict=True)
    ]


def _layout(
    found: pd.DataFrame, height: float, limits: tuple[float, float], caption: int, legend: int, numbered: bool
) -> Layout:
    """With the axes ``height`` inches high, over a caption and under a legend of so many lines."""
    key = KEY_LINE * _key_lines(found) + 6 if numbered else 0
    low = 14 + CAPTION_LINE * caption + key + 34
    high = low + 72 * height
    frame = np.array([LEFT, low, RIGHT, high])
    return Layout(high + 12 + LEGEND_LINE * legend, frame, limits, _accuracy_limits(found), numbered)


def _axes(figure: Figure, layout: Layout) -> Axes:
    left, low, right, high = layout.frame
    axes = figure.add_axes(
        (left / WIDTH, low / layout.height, (right - left) / WIDTH, (high - low) / layout.height), xscale="log"
    )
    axes.set(xlim=layout.costs, ylim=layout.accuracies)
    dress(axes)
    return axes


def _finish(axes: Axes, cost: str) -> None:
    axes.set_xlabel(cost, fontsize=9)
    axes.set_ylabel("test accuracy, %", fontsize=9)
    axes.tick_params(labelsize=8)


def _same_cost(found: pd.DataFrame, axis: CostAxis) -> Figure:
    """Nothing to trade: the variants side by side, named under the axis."""
    numbered = not _are_told_apart(found["name"])
    names = [str(place + 1) if numbered else shortened(name) for place, name in enumerate(found["name"])]
    upright = numbered or len(names) * max(map(len, names)) <= 80  # characters that fit side by side
    legend = _legend_entries(found)
    figure = blank(4.4 if upright else 5.4, layout="constrained")
    axes = figure.add_subplot()
    dress(axes)
    axes.set_xlim(-0.6, len(found) - 0.4)
    axes.set_ylim(*_accuracy_limits(found))
    _draw_points(axes, found, np.arange(len(found), dtype=float))
    turned = {} if upright else {"rotation": 35 if len(names) < 13 else 60, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(range(len(names)), names, parse_math=False, **turned)
    subject = (
        f"all variants have {costs.phrase(axis, found['cost'].iloc[0])}"
        if len(names) > 1
        else costs.phrase(axis, found["cost"].iloc[0])
    )
    _finish(axes, subject)
    for text, baseline in zip(axes.get_xticklabels(), found["baseline"], strict=True):
        text.set_fontweight("bold" if baseline else "normal")
    caption = textwrap.wrap(_caption(found, moved=False), CAPTION_LETTERS)
    low = 14 + CAPTION_LINE * len(caption)
    if numbered:
        figure.set_figheight(figure.get_figheight() + (KEY_LINE * _key_lines(found) + 6) / 72)
        _draw_key(figure, found, 72 * figure.get_figheight(), low)
        low += KEY_LINE * _key_lines(found) + 6
    height, above = 72 * figure.get_figheight(), 10 + LEGEND_LINE * _legend_lines(legend)
    figure.get_layout_engine().set(rect=(0, low / height, 1, 1 - (low + above) / height))
    figure.text(10 / WIDTH, 7 / height, "\n".join(caption), fontsize=7, color=DARK, va="bottom", linespacing=1.15)
    _legend(figure, legend)
    return figure


# --- the axes ----------------------------------------------------------------------------------------------------


def _cost_limits(cost: np.ndarray) -> tuple[float, float]:
    """Limits of the log axis, with a margin for the labels."""
    low, high = np.log10(cost.min()), np.log10(cost.max())
    margin = max(0.12 * (high - low), 0.02)
    return float(10 ** (low - margin)), float(10 ** (high + margin))


def _side_by_side(cost: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Where to draw each cost: its own place, and a little apart where several variants share it."""
    width = np.log10(limits[1] / limits[0])
    values, counts = np.unique(cost, return_counts=True)
    shown = np.log10(cost)
    for value, number in zip(values, counts, strict=True):
        gap = min(0.024, 0.2 / number) * width
        shown[cost == value] += gap * (np.arange(number) - (number - 1) / 2)
    return 10**shown if counts.max() > 1 else cost


def _accuracy_limits(found: pd.DataFrame) -> tuple[float, float]:
    reach = found[["sd", "se"]].max(axis=1).fillna(0)
    low, high = (found["accuracy"] - reach).min(), (found["accuracy"] + reach).max()
    margin = max(0.14 * (high - low), 0.25)
    return low - margin, high + margin


def _cost_ticks(axes: Axes, axis: CostAxis, cost: np.ndarray) -> None:
    """Round numbers (1, 2, 5 times a power of ten, or of a unit of time); where the axis is too short for those, the costs
    themselves if they are counted, and otherwise other round numbers."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

    low, high = axes.get_xlim()

    def within(ticks: Iterable[float]) -> list[float]:
        return [tick for tick in ticks if low <= tick <= high]

    def apart(ticks: Iterable[float], share: float) -> list[float]:
        """Those that stand nearer to the one before than a label is wide would print over it."""
        kept: list[float] = []
        for tick in ticks:
            if not kept or np.log(tick / kept[-1]) > share * np.log(high / low):
                kept.append(float(tick))
        return kept

    is_time = costs.is_duration(axis)
    if is_time:
        ticks = within(sorted({unit * number for unit in (0.01, 0.1, 1, 60, 3600, 36000) for number in _TIMES}))
    else:
        ticks = within(LogLocator(subs=(1, 2, 5)).tick_values(low, high))
    if len(ticks) > 10 and not is_time:
        ticks = within(LogLocator(subs=(1,)).tick_values(low, high))
    ticks = apart(ticks, 0.08)
    if len(ticks) < 3 and costs.is_counted(axis):
        ticks = apart(np.unique(cost), 0.14)
    elif len(ticks) < 3:
        unit = next((unit for unit in (3600, 60) if low >= unit), 1) if is_time else 1
        ticks = within(unit * MaxNLocator(5, steps=(1, 2, 2.5, 5, 10)).tick_values(low / unit, high / unit))
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: costs.tick(axis)(value)))
    axes.xaxis.set_minor_locator(NullLocator())


_TIMES = (1, 2, 5, 10, 30)


# --- the points --------------------------------------------------------------------------------------------------


class _Style(NamedTuple):
    color: str
    marker: str


def _styles(found: pd.DataFrame) -> dict[str, _Style]:
    """A colour and a shape for each sweep."""
    names = dict.fromkeys(found.loc[~found["imported"], "sweep"])
    return {
        name: _Style(COLORS[place % len(COLORS)], MARKERS[place % len(MARKERS)]) for place, name in enumerate(names)
    }


_PUBLISHED_STYLE = _Style(PUBLISHED, "D")


def _face(color: str, share: float) -> str | tuple[float, float, float]:
    """The colour of which ``share`` is left on white paper."""
    if share in (0, 1):
        return color if share else "white"
    from matplotlib.colors import to_rgb

    return tuple(1 - share * (1 - part) for part in to_rgb(color))


def _fill(found: pd.DataFrame) -> np.ndarray:
    """How full each marker is [n]: the probability of being on the front, or whether it is on it; full without a trade."""
    if found["cost"].nunique() == 1:
        return np.ones(len(found))
    whether = found["front"].to_numpy(float)
    return np.where(found["probability"].isna(), whether, found["probability"].clip(0, 1))


def _front_line(found: pd.DataFrame, right: float) -> tuple[np.ndarray, np.ndarray]:
    """Corners of a step: at each cost, the best accuracy that this cost or a smaller one reaches."""
    best = found[found["front"]].sort_values("cost")
    cost, accuracy = best["cost"].to_numpy(), best["accuracy"].to_numpy()
    return np.append(np.repeat(cost, 2)[1:], right), np.repeat(accuracy, 2)


def _draw_points(axes: Axes, found: pd.DataFrame, shown: np.ndarray) -> None:
    found = found.assign(shown=shown, fill=_fill(found))
    styles = _styles(found)
    for (imported, sweep), rows in found.groupby(["imported", "sweep"], sort=False):
        color, marker = _PUBLISHED_STYLE if imported else styles[sweep]
        for row in rows[rows["se"].notna()].itertuples():
            ends = (row.accuracy - row.se, row.accuracy + row.se)
            band = {"linewidth": BAND_POINTS, "alpha": BAND_ALPHA, "solid_capstyle": "butt", "zorder": 2}
            axes.plot((row.shown,) * 2, ends, color=color, gid="test set", **band)
        bars = rows[rows["sd"].notna()]
        if len(bars):
            look = {"fmt": "none", "ecolor": color, "capsize": 3, "elinewidth": 1.2, "zorder": 3}
            axes.errorbar(bars["shown"], bars["accuracy"], yerr=bars["sd"], **look)
        size = MARKER_POINTS - (1 if marker == "D" else 0)
        for row in rows.itertuples():
            look = {"color": color, "markerfacecolor": _face(color, row.fill), "markersize": size, "zorder": 3.5}
            axes.plot((row.shown,), (row.accuracy,), marker, **look)


def _obstacles(found: pd.DataFrame, shown: np.ndarray, layout: Layout) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For ``labels.place``: the markers, what a label had better not cover (bars and the line), and the frame."""
    radius = MARKER_POINTS / 2 + 1
    accuracy = found["accuracy"]
    centers = layout.place(shown, accuracy)
    soft = []
    for reach, half in ((found["sd"].fillna(0), radius / 2), (found["se"].fillna(0), BAND_POINTS / 2)):
        low, high = layout.place(shown, accuracy - reach), layout.place(shown, accuracy + reach)
        aside = np.array([half, 0])
        soft.append(np.hstack([low - aside, high + aside]))
    corners = layout.place(*_front_line(found, layout.costs[1]))
    soft.append(np.hstack([np.minimum(corners[:-1], corners[1:]), np.maximum(corners[:-1], corners[1:]) + 0.5]))
    return np.hstack([centers - radius, centers + radius]), np.vstack(soft), layout.frame


# --- what explains it --------------------------------------------------------------------------------------------


def _legend_entries(found: pd.DataFrame) -> list:
    """Handles: the fill, the sweeps where there are several kinds of points, the bars."""
    from matplotlib.lines import Line2D
    from matplotlib.path import Path

    styles = _styles(found)
    several = len(styles) + found["imported"].any() > 1
    neutral = DARK if several or not styles else next(iter(styles.values())).color
    shape = "o" if several or not styles else next(iter(styles.values())).marker

    def entry(label: str, color: str, marker, share: float = 1, **more) -> Line2D:
        look = {"linestyle": "", "markerfacecolor": _face(color, share), "markersize": 6} | more
        return Line2D([], [], color=color, marker=marker, label=label, **look)

    entries = []
    if found["cost"].nunique() > 1:
        if found["probability"].notna().any():
            words = (("surely on the Pareto front", 1), ("on it with probability ½", 0.5), ("surely off", 0))
            entries += [entry(word, neutral, shape, share) for word, share in words]
        else:
            entries.append(entry("on the Pareto front", neutral, shape))
            if not found["front"].all():
                entries.append(entry("off the front", neutral, shape, 0))
    if several:
        entries += [entry(shortened(name), *style) for name, style in styles.items()]
    if found["imported"].any():
        entries.append(entry("published figures", *_PUBLISHED_STYLE))
    if found["sd"].notna().any():
        beam = Path([(-0.4, -1), (0.4, -1), (0, -1), (0, 1), (-0.4, 1), (0.4, 1)], [1, 2, 1, 2, 1, 2])
        entries.append(entry("± 1 sd, another training", neutral, beam, markersize=10, markeredgewidth=1.2))
    if found["se"].notna().any():
        wide = {"markersize": 10, "markeredgewidth": BAND_POINTS, "alpha": BAND_ALPHA}
        entries.append(entry("± 1 se, another test set", neutral, "|", **wide))
    return entries


def _legend_columns(entries: list) -> int:
    """As many as fit beside each other: a column is as wide as its widest entry."""
    lengths = [len(entry.get_label()) for entry in entries]
    for columns in range(min(len(entries), 6), 1, -1):
        lines = -(-len(entries) // columns)
        if sum(max(lengths[start : start + lines]) + 4 for start in range(0, len(lengths), lines)) <= LEGEND_LETTERS:
            return columns
    return 1


def _legend_lines(entries: list) -> int:
    return -(-len(entries) // _legend_columns(entries)) if entries else 0


def _legend(figure: Figure, entries: list) -> None:
    """Above the axes, where it covers nothing."""
    if not entries:
        return
    spacing = {"handletextpad": 0.2, "columnspacing": 1.2, "labelspacing": 0.45, "borderpad": 0.2}
    legend = figure.legend(
        handles=entries, loc="upper left", ncols=_legend_columns(entries), fontsize=8, frameon=False, **spacing
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _caption(found: pd.DataFrame, moved: bool) -> str:
    ours, trade = found[~found["imported"]], found["cost"].nunique() > 1
    parts = []
    if len(ours):
        counts = sorted({int(n) for n in ours["n"]})
        number = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        parts.append("One seed each." if counts == [1] else f"Points: mean over {number} seeds.")
    if found["sd"].notna().any():
        parts.append(
            "Thin bar with caps: one standard deviation over seeds, what another training would change (not of the mean)."
        )
    elif len(ours):
        parts.append("Without a second seed there is no bar for the spread between trainings.")
    if found["se"].notna().any():
        parts.append("Broad bar: standard error over test images (another test set of this size).")
    if trade:
        parts.append("Line: the best accuracy at this cost or below.")
    if trade and found["probability"].notna().any():
        parts.append("Fill: the probability of being on the front were the trainings repeated.")
    if found["imported"].any():
        parts.append("Diamonds: published figures, measured elsewhere; sources in the CSV file.")
    if found["baseline"].any():
        parts.append("Bold: the baseline.")
    if moved:
        parts.append("Points of the same cost stand side by side.")
    return " ".join(parts)


def _are_told_apart(names: pd.Series) -> bool:
    """Whether names that differ still do where they are shortened."""
    return len({shortened(name) for name in names}) == names.nunique()


def _key_columns(found: pd.DataFrame) -> int:
    return 2 if max(map(len, found["name"])) <= KEY_LETTERS // 2 - 4 else 1


def _key_lines(found: pd.DataFrame) -> int:
    return -(-len(found) // _key_columns(found))


def _draw_key(figure: Figure, found: pd.DataFrame, height: float, low: float) -> None:
    """``1 name`` of every point, numbered down the columns; ``low`` is where the last line stands."""
    columns, lines = _key_columns(found), _key_lines(found)
    for place, row in enumerate(found.itertuples()):
        column, line = divmod(place, lines)
        left, up = 10 + (WIDTH - 10) / columns * column, low + KEY_LINE * (lines - line - 1)
        look = {"fontsize": LABEL_POINTS, "va": "bottom", "fontweight": "bold" if row.baseline else "normal"}
        entry = f"{place + 1}  {shortened(row.name, KEY_LETTERS // columns - 4)}"
        figure.text(left / WIDTH, up / height, entry, parse_math=False, color=DARK if row.imported else "black", **look)
