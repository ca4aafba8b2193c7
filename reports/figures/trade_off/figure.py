"""The trade-off picture: test accuracy against what a variant costs, with the Pareto front."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.analysis import trade_off
from reports.figures import labels
from reports.figures.fonts import drawable
from reports.figures.labels import Label, Placement
from reports.figures.rendering import new_figure
from reports.figures.style import DARK, GREY, shortened, style_axes
from reports.figures.trade_off import captions, layout, legend
from reports.figures.trade_off.axes import add_axes, label_axes
from reports.figures.trade_off.layout import HEIGHTS, LEGEND_LINE, Layout
from reports.figures.trade_off.points import draw_points, front_line, name_of, obstacles
from reports.tables import costs
from zoo.measure.cost_axes import CostAxis, cost_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

UPRIGHT_LETTERS = 80  # of names that fit side by side under the axis
MOST_NAMED = 40  # points of one sweep; of more, those that stand out
BEST = 5


def accuracy_vs_size(frame: pd.DataFrame, axis: str = "params") -> Figure | None:
    """Mean test accuracy against a cost (one of ``cost_axes()``, on a log axis), both uncertainties, and the Pareto front.

    ``frame`` has the rows of ``variants.frame``, of one sweep or of several under each other, and of published figures
    (``store.imported``). A thin bar with caps is one standard deviation over seeds; a broad one the standard error of the
    test set (``se_test_points``), where the frame has it. Variants of the same cost are drawn side by side; where all have
    one, their names stand under the axis instead. Where the names do not fit without touching, the points are numbered and
    a key below names them; of more than ``MOST_NAMED`` variants only the baseline, the front and the ``BEST`` are named.
    None when no variant has both an accuracy and this cost.
    """
    points = trade_off.points(frame, axis)
    if points.empty:
        return None
    points = points.assign(name=points["name"].map(drawable), sweep=points["sweep"].map(drawable))
    if points["cost"].nunique() == 1:
        return _at_one_cost(points, cost_axes()[axis])
    return _at_several_costs(points, cost_axes()[axis], trade_off.axis_label(frame, axis))


def _at_several_costs(points: pd.DataFrame, axis: CostAxis, cost_label: str) -> Figure:
    cost = points["cost"].to_numpy()
    limits = layout.cost_limits(cost)
    x = layout.side_by_side(cost, limits)
    named = _named(points)
    caption = captions.caption(points, moved=not np.array_equal(x, cost), best=0 if named.all() else BEST)
    handles = legend.entries(points)
    arranged = _arranged(points, x, named, limits, len(caption), legend.lines(handles))
    figure = new_figure(arranged.layout.height / 72)
    axes = add_axes(figure, arranged.layout, axis, cost)
    label_axes(axes, cost_label)
    line = front_line(points, arranged.layout.costs[1])
    axes.plot(*line, color=GREY, linewidth=1, zorder=1, scalex=False, scaley=False)
    draw_points(axes, points, x)
    legend.draw(figure, handles)
    captions.draw_caption(figure, caption, arranged.layout.height)
    if arranged.numbered:
        captions.draw_key(figure, points, arranged.layout.height, layout.above_caption(len(caption)))
    ids = [name_of(point) for point in points[named].itertuples()]
    centers = arranged.layout.position(x[named], points.loc[named, "accuracy"])
    labels.draw(axes, arranged.labels, arranged.placement, centers, ids)
    return figure


def _named(points: pd.DataFrame) -> NDArray[np.bool_]:
    """Which points have a name [n]: all, or of very many those that stand out."""
    if len(points) <= MOST_NAMED or points["sweep"].nunique() > 1 or points["imported"].any():
        return np.ones(len(points), bool)
    is_best = points["accuracy"].rank(ascending=False, method="first") <= BEST
    return np.asarray(points["baseline"] | points["front"] | is_best, bool)


class _Arranged(NamedTuple):
    layout: Layout
    numbered: bool
    labels: list[Label]
    placement: Placement


def _arranged(
    points: pd.DataFrame,
    x: NDArray[np.float64],
    named: NDArray[np.bool_],
    limits: tuple[float, float],
    caption: int,
    legend: int,
) -> _Arranged:
    """The first layout in which every label has a position: names, then numbers, each in axes of both heights."""
    order = np.argsort(~named, kind="stable")  # those with a label first
    with_names = not named.all() or _are_distinct(points["name"])
    for numbered, height in itertools.product((False, True) if with_names else (True,), HEIGHTS):
        key = captions.key_lines(points) if numbered else 0
        tried = layout.layout(points, limits, height, caption=caption, legend=legend, key=key)
        written = _labels(points[named], numbered)
        markers, soft = obstacles(points, x, tried)
        is_last = (numbered, height) == (True, HEIGHTS[-1])
        placement = labels.place(
            labels.sizes(written),
            tried.position(x[named], points.loc[named, "accuracy"]),
            markers[order],
            soft,
            frame=tried.frame,
            give_up_early=not is_last,
        )
        if not placement.unplaced:
            break
    return _Arranged(tried, numbered, written, placement)


def _labels(points: pd.DataFrame, numbered: bool) -> list[Label]:
    return [
        Label(name, DARK if imported else "black", baseline)
        for name, imported, baseline in zip(
            _names(points, numbered), points["imported"], points["baseline"], strict=True
        )
    ]


def _names(points: pd.DataFrame, numbered: bool) -> list[str]:
    return [str(index + 1) if numbered else shortened(name) for index, name in enumerate(points["name"])]


def _are_distinct(names: pd.Series[str]) -> bool:
    """Whether names that differ still do where they are shortened."""
    return len({shortened(name) for name in names}) == len(set(names))


def _at_one_cost(points: pd.DataFrame, axis: CostAxis) -> Figure:
    """There is no trade-off: the variants side by side, named under the axis."""
    numbered = not _are_distinct(points["name"])
    names = _names(points, numbered)
    upright = numbered or len(names) * max(map(len, names)) <= UPRIGHT_LETTERS
    figure = new_figure(4.4 if upright else 5.4, layout="constrained")
    axes = figure.add_subplot()
    style_axes(axes)
    axes.set_xlim(-0.6, len(points) - 0.4)
    axes.set_ylim(*layout.accuracy_limits(points))
    draw_points(axes, points, np.arange(len(points), dtype=float))
    _name_ticks(axes, names, points["baseline"], upright)
    cost = costs.phrase(axis, points["cost"].iloc[0])
    label_axes(axes, f"all variants have {cost}" if len(names) > 1 else cost)
    _add_texts(figure, points, numbered, legend.entries(points))
    return figure


def _name_ticks(axes: Axes, names: list[str], baseline: pd.Series[bool], upright: bool) -> None:
    if upright:
        axes.set_xticks(range(len(names)), names, parse_math=False)
    else:
        angle = 35 if len(names) < 13 else 60
        axes.set_xticks(range(len(names)), names, parse_math=False, rotation=angle, ha="right", rotation_mode="anchor")
    for text, is_baseline in zip(axes.get_xticklabels(), baseline, strict=True):
        text.set_fontweight("bold" if is_baseline else "normal")


def _add_texts(figure: Figure, points: pd.DataFrame, numbered: bool, handles: list[Line2D]) -> None:
    """Caption, key and legend, with the axes squeezed between them."""
    caption = captions.caption(points, moved=False)
    bottom = layout.above_caption(len(caption))
    if numbered:
        key = layout.key_height(captions.key_lines(points))
        figure.set_figheight(figure.get_figheight() + key / 72)
        captions.draw_key(figure, points, 72 * figure.get_figheight(), bottom)
        bottom += key
    height, above = 72 * figure.get_figheight(), 10 + LEGEND_LINE * legend.lines(handles)
    figure.set_layout_engine("constrained", rect=(0, bottom / height, 1, 1 - (bottom + above) / height))
    captions.draw_caption(figure, caption, height)
    legend.draw(figure, handles)
