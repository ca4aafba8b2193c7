"""Positions for labels of points, so that they overlap neither each other nor the points.

A search over positions around each point, nearest first. Force-directed libraries (adjustText) spread labels well but stop
at a compromise: in a crowded picture a few labels still overlap. Here a position that overlaps is never taken; when there is
none, the caller can draw the picture larger or number the points.

Everything is in points (1/72 inch) from the lower left corner of the figure, whatever the resolution; a box is
(left, bottom, right, top).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reports.figures.fonts import drawable, families
from reports.figures.rendering import new_figure
from reports.figures.style import DPI, GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FONT_POINTS = 8
# Distances in points from the middle of the marker to the label's nearest edge; directions in degrees, best first.
DISTANCES = (6, 9, 13, 18, 24, 31, 40, 50, 62, 76)
DIRECTIONS = (45, 0, -45, 135, 180, -135, 90, -90, 22, -22, 158, -158, 67, -67, 113, -113)
LEADER_FROM = 12  # points; a label nearer than this needs no leader line to its point
# Penalties, in points of distance:
COVERS_SOFT_OBSTACLE = 25
LEADER_CROSSES = 40  # a label or a marker
NEARER_TO_ANOTHER = 30  # to another point than to its own
PADDING = 1.0  # points; programs that show a picture do not agree to the last point on how wide a word is

Array = NDArray[np.float64]


class Label(NamedTuple):
    """A label's text and how it is written."""

    text: str
    color: str = "black"
    bold: bool = False

    def arguments(self) -> dict[str, Any]:
        weight = "bold" if self.bold else "normal"
        text = drawable(self.text)
        fonts = {"fontsize": FONT_POINTS, "weight": weight, "family": families(text)}
        return {"s": text, "color": self.color, "parse_math": False} | fonts


class Placement(NamedTuple):
    """Positions of labels: boxes [n, 4], whether each needs a leader line [n], and how many have no position."""

    boxes: Array
    leaders: NDArray[np.bool_]
    unplaced: int


def sizes(labels: Sequence[Label]) -> Array:
    """Width and height [n, 2] of the labels as they will be printed."""
    return np.array([_size(label) for label in labels]).reshape(-1, 2)


@lru_cache(10_000)
def _size(label: Label) -> tuple[float, float]:
    text = _measuring_figure().text(0, 0, **label.arguments())
    extent = text.get_window_extent()
    text.remove()
    return extent.width * 72 / DPI + PADDING, extent.height * 72 / DPI + PADDING


@lru_cache(1)
def _measuring_figure() -> Figure:
    return new_figure(1.0)


def place(
    sizes: Array, centers: Array, markers: Array, soft_obstacles: Array, frame: Array, give_up_early: bool = False
) -> Placement:
    """Positions for labels of ``sizes`` [n, 2] beside the points with ``centers`` [n, 2].

    A label stays inside the ``frame`` [4], off the ``markers`` [n, 4] and the other labels, and off the ``soft_obstacles``
    [m, 4] where that does not take it too far. A label without a position gets the box on its point; with
    ``give_up_early`` the search ends at the first one.
    """
    boxes = np.hstack([centers, centers + sizes])
    leaders = np.zeros(len(centers), bool)
    taken = np.empty((0, 4))
    for point in _crowded_first(centers):
        candidates, distances = _candidates(centers[point], *sizes[point])
        cost = _costs(candidates, distances, point, centers, markers, taken, soft_obstacles, frame)
        best = int(cost.argmin())
        if np.isinf(cost[best]):
            if give_up_early:
                break
            continue
        boxes[point], leaders[point] = candidates[best], distances[best] > LEADER_FROM
        taken = np.vstack([taken, boxes[point]])
    return Placement(boxes, leaders, len(centers) - len(taken))


def draw(
    axes: Axes, labels: Sequence[Label], placement: Placement, centers: Array, ids: Sequence[str | None] | None = None
) -> None:
    """Write the labels at their positions, with leader lines to the points that are far; ``ids`` are those in SVG files."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    width, height = figure.get_size_inches() * 72
    drawn = zip(labels, placement.boxes, placement.leaders, centers, ids or [None] * len(labels), strict=True)
    for label, box, leader, center, name in drawn:
        left, bottom = (box[:2] + PADDING / 2) / (width, height)
        figure.text(left, bottom, **label.arguments(), zorder=4, ha="left", va="bottom", gid=name)
        if leader:
            ends = np.array([center, np.clip(center, box[:2], box[2:])]) / (width, height)
            ends = axes.transData.inverted().transform(figure.transFigure.transform(ends))
            axes.plot(ends[:, 0], ends[:, 1], color=GREY, linewidth=0.6, zorder=2, scalex=False, scaley=False, gid=name)


def _crowded_first(centers: Array) -> list[int]:
    """The order in which the points choose: those nearest to another first."""
    if len(centers) < 2:
        return list(range(len(centers)))
    gaps = np.linalg.norm(centers[:, None] - centers[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    order: list[int] = np.argsort(gaps.min(axis=1), kind="stable").tolist()
    return order


def _candidates(center: Array, width: float, height: float) -> tuple[Array, Array]:
    """Boxes [k, 4] of this size around the center, nearest and best first, and their distances [k]."""
    distances = np.repeat(np.array(DISTANCES, dtype=float), len(DIRECTIONS))
    angles = np.radians(np.tile(DIRECTIONS, len(DISTANCES)))
    x = center[0] + np.cos(angles) * (distances + width / 2)
    y = center[1] + np.sin(angles) * (distances + height / 2)
    return np.column_stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2]), distances


def _costs(
    boxes: Array,
    distances: Array,
    point: int,
    centers: Array,
    markers: Array,
    taken: Array,
    soft_obstacles: Array,
    frame: Array,
) -> Array:
    """The cost of each box [k, 4] in points of distance; infinite where it covers a marker or label, or leaves the frame."""
    inside = (boxes[:, :2] >= frame[:2]).all(axis=1) & (boxes[:, 2:] <= frame[2:]).all(axis=1)
    free = inside & ~_overlap(boxes, np.vstack([taken, markers])).any(axis=1)
    cost = np.full(len(boxes), np.inf)
    rank = np.tile(np.arange(len(DIRECTIONS)), len(DISTANCES))
    boxes, far = boxes[free], distances[free]
    nearest = np.clip(centers[None], boxes[:, None, :2], boxes[:, None, 2:])  # [k, n, 2]: of each box, to each point
    away = np.linalg.norm(nearest - centers[None], axis=2)
    to_own_point = away[:, point].copy()
    away[:, point] = np.inf
    others = np.vstack([taken, np.delete(markers, point, axis=0)])
    crossed = np.where(far > LEADER_FROM, crossings(centers[point], nearest[:, point], others), 0)
    cost[free] = far + 0.2 * rank[free] + COVERS_SOFT_OBSTACLE * _overlap(boxes, soft_obstacles).sum(axis=1)
    cost[free] += NEARER_TO_ANOTHER * (away.min(axis=1) <= to_own_point) + LEADER_CROSSES * crossed
    return cost


def _overlap(boxes: Array, others: Array) -> NDArray[np.bool_]:
    """Boolean [k, m]: which of ``boxes`` [k, 4] overlap which of ``others`` [m, 4]."""
    one, two = boxes[:, None], others[None]
    overlapping: NDArray[np.bool_] = np.all((one[..., :2] < two[..., 2:]) & (two[..., :2] < one[..., 2:]), axis=2)
    return overlapping


def crossings(start: Array, ends: Array, boxes: Array) -> NDArray[np.int_]:
    """The number of ``boxes`` [m, 4] that the line from ``start`` [2] to each of ``ends`` [k, 2] passes through: [k]."""
    along = (ends - start)[:, None]
    along = np.where(along == 0, 1e-9, along)
    low, high = (boxes[None, :, :2] - start) / along, (boxes[None, :, 2:] - start) / along  # [k, m, 2]
    enters, leaves = np.minimum(low, high).max(axis=2), np.maximum(low, high).min(axis=2)
    counts: NDArray[np.int_] = (np.maximum(enters, 0) < np.minimum(leaves, 1)).sum(axis=1)
    return counts
