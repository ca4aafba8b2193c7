"""Positions and limits of the trade-off picture, in points from the lower left corner of the figure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

HEIGHTS = (3.3, 4.5)  # inches of the axes, tried in turn until no label touches another
WIDTH = 504.0  # of the figure
LEFT, RIGHT = 50.0, 489.0  # edges of the axes
MARGIN = 10.0  # left of the texts
AXIS_LABEL_SPACE = 34  # below the axes, for the numbers and the label of the cost
BOTTOM = 14  # below the lowest line of the figure, with the gap above the caption
KEY_LINE = 12.2  # height of a line
CAPTION_LINE = 9.5
LEGEND_LINE = 15.0


class Layout(NamedTuple):
    """Sizes of the figure and its axes, and the limits of the axes in data."""

    height: float  # of the figure
    frame: Array  # of the axes: left, bottom, right, top
    costs: tuple[float, float]
    accuracies: tuple[float, float]

    def position(self, cost: ArrayLike, accuracy: ArrayLike) -> Array:
        """From data to points: [n, 2]."""
        low, high = np.log(self.costs)
        right = (np.log(cost) - low) / (high - low)
        up = (np.asarray(accuracy) - self.accuracies[0]) / (self.accuracies[1] - self.accuracies[0])
        positions: Array = self.frame[:2] + np.column_stack([right, up]) * (self.frame[2:] - self.frame[:2])
        return positions


def layout(
    points: pd.DataFrame, costs: tuple[float, float], inches: float, *, caption: int, legend: int, key: int
) -> Layout:
    """With axes ``inches`` high, under a legend and over a key and a caption of so many lines each."""
    bottom = above_caption(caption) + key_height(key) + AXIS_LABEL_SPACE
    top = bottom + 72 * inches
    frame = np.array([LEFT, bottom, RIGHT, top])
    return Layout(top + 12 + LEGEND_LINE * legend, frame, costs, accuracy_limits(points))


def above_caption(lines: int) -> float:
    """The height at which what stands above a caption begins."""
    return BOTTOM + CAPTION_LINE * lines


def key_height(lines: int) -> float:
    return KEY_LINE * lines + 6 if lines else 0


def cost_limits(cost: Array) -> tuple[float, float]:
    """Limits of the log axis, with a margin for the labels."""
    low, high = np.log10(cost.min()), np.log10(cost.max())
    margin = max(0.12 * (high - low), 0.02)
    return float(10 ** (low - margin)), float(10 ** (high + margin))


def accuracy_limits(points: pd.DataFrame) -> tuple[float, float]:
    """Limits that hold all bars, with a margin."""
    spread = points[["sd", "se"]].max(axis=1).fillna(0)
    low, high = (points["accuracy"] - spread).min(), (points["accuracy"] + spread).max()
    margin = max(0.14 * (high - low), 0.25)
    return low - margin, high + margin


def side_by_side(cost: Array, limits: tuple[float, float]) -> Array:
    """The cost at which to draw each point: a little apart where several points share one."""
    width = np.log10(limits[1] / limits[0])
    values, counts = np.unique(cost, return_counts=True)
    drawn = np.log10(cost)
    for value, number in zip(values, counts, strict=True):
        gap = min(0.024, 0.2 / number) * width
        drawn[cost == value] += gap * (np.arange(number) - (number - 1) / 2)
    return np.power(10.0, drawn) if counts.max() > 1 else cost
