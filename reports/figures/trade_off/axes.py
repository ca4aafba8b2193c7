"""The axes of the trade-off picture: a logarithmic one of the cost with round numbers, and one of the accuracy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reports.figures.style import style_axes
from reports.figures.trade_off.layout import WIDTH, Layout
from reports.tables import costs
from zoo.measure.cost_axes import CostAxis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROUND_TIMES = (1, 2, 5, 10, 30)  # of a unit of time
MOST_TICKS = 10
GAP = 0.08  # from one tick to the next, as a fraction of the axis, so that round numbers do not overlap
COUNT_GAP = 0.14  # for counts with all their digits


def add_axes(figure: Figure, layout: Layout, axis: CostAxis, cost: NDArray[np.float64]) -> Axes:
    """Axes with the limits of ``layout`` and ticks for the costs [n]."""
    left, bottom, right, top = layout.frame
    axes = figure.add_axes(
        (left / WIDTH, bottom / layout.height, (right - left) / WIDTH, (top - bottom) / layout.height), xscale="log"
    )
    axes.set(xlim=layout.costs, ylim=layout.accuracies)
    style_axes(axes)
    _set_cost_ticks(axes, axis, cost)
    return axes


def label_axes(axes: Axes, cost: str) -> None:
    axes.set_xlabel(cost, fontsize=9)
    axes.set_ylabel("test accuracy, %", fontsize=9)
    axes.tick_params(labelsize=8)


def _set_cost_ticks(axes: Axes, axis: CostAxis, cost: NDArray[np.float64]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    write = costs.tick(axis)
    axes.xaxis.set_major_locator(FixedLocator(_ticks(axis, cost, axes.get_xlim())))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    axes.xaxis.set_minor_locator(NullLocator())


def _ticks(axis: CostAxis, cost: NDArray[np.float64], limits: tuple[float, float]) -> list[float]:
    """Round numbers (1, 2, 5 times a power of ten, or of a unit of time). Where the axis is too short for those: the costs
    themselves if they are counts, and otherwise other round numbers."""
    from matplotlib.ticker import MaxNLocator

    is_time = costs.is_duration(axis)
    ticks = _spaced(_round_times(limits) if is_time else _round_numbers(limits), limits, GAP)
    if len(ticks) >= 3:
        return ticks
    if costs.is_counted(axis):
        return _spaced(np.unique(cost).tolist(), limits, COUNT_GAP)
    low, high = limits
    unit = next((unit for unit in (3600, 60) if low >= unit), 1) if is_time else 1
    ticks = list(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(low / unit, high / unit))
    return _within([unit * tick for tick in ticks], limits)


def _round_times(limits: tuple[float, float]) -> list[float]:
    units = (0.01, 0.1, 1, 60, 3600, 36000)
    return _within(sorted({unit * number for unit in units for number in ROUND_TIMES}), limits)


def _round_numbers(limits: tuple[float, float]) -> list[float]:
    from matplotlib.ticker import LogLocator

    ticks = _within(LogLocator(subs=(1, 2, 5)).tick_values(*limits), limits)
    return ticks if len(ticks) <= MOST_TICKS else _within(LogLocator(subs=(1,)).tick_values(*limits), limits)


def _within(ticks: Iterable[float], limits: tuple[float, float]) -> list[float]:
    low, high = limits
    return [float(tick) for tick in ticks if low <= tick <= high]


def _spaced(ticks: Iterable[float], limits: tuple[float, float], gap: float) -> list[float]:
    """Without ticks nearer to the one before than ``gap``, a fraction of the axis: their numbers would overlap."""
    low, high = limits
    kept: list[float] = []
    for tick in ticks:
        if not kept or np.log(tick / kept[-1]) > gap * np.log(high / low):
            kept.append(float(tick))
    return kept
