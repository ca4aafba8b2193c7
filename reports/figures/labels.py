"""Labels of points that touch neither each other nor the points.

A search over places around each point, nearest first. Force-directed libraries (adjustText) spread labels well but stop
at a compromise: in a crowded picture a few labels still overlap. Here a place that overlaps is never taken, and when
there is none the caller is told, so that it can draw the picture larger or number the points.

Everything is in points (1/72 inch) from the lower left corner of the figure, whatever the resolution; a box is
(left, low, right, high).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from reports.figures.canvas import DPI, GREY, blank

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABEL_POINTS = 8
# Distances in points from the middle of the marker to the label's nearest edge; directions in degrees, best first.
DISTANCES = (6, 9, 13, 18, 24, 31, 40, 50, 62, 76)
DIRECTIONS = (45, 0, -45, 135, 180, -135, 90, -90, 22, -22, 158, -158, 67, -67, 113, -113)
LEADER_FROM = 12  # points; a label nearer than this needs no line to its point
COVERED = 25  # points of distance that covering a soft obstacle is worth
CROSSED = 40  # points of distance that a leader through a label or a marker is worth
MISTAKEN = 30  # points of distance that standing nearer to another point than to one's own is worth
ROOM = 1.0  # points; programs that show a picture do not agree to the last point on how wide a word is


class Look(NamedTuple):
    """How a label is written."""

    text: str
    color: str = "black"
    bold: bool = False

    def arguments(self) -> dict:
        weight = "bold" if self.bold else "normal"
        return {"s": self.text, "color": self.color, "weight": weight, "fontsize": LABEL_POINTS, "parse_math": False}


class Placed(NamedTuple):
    """Where labels stand: boxes [n, 4], whether each needs a line to its point [n], and how many found no place."""

    boxes: np.ndarray
    leaders: np.ndarray
    homeless: int


def sizes(looks: Sequence[Look]) -> np.ndarray:
    """Width and height [n, 2] of the labels as they will be printed."""
    return np.array([_size(look) for look in looks]).reshape(-1, 2)


@lru_cache(10_000)
def _size(look: Look) -> tuple[float, float]:
    text = _scrap().text(0, 0, **look.arguments())
    extent = text.get_window_extent()
    text.remove()
    return extent.width * 72 / DPI + ROOM, extent.height * 72 / DPI + ROOM


@lru_cache(1)
def _scrap() -> Figure:
    return blank(1.0)


def place(
    sizes: np.ndarray,
    centers: np.ndarray,
    markers: np.ndarray,
    soft: np.ndarray,
    frame: np.ndarray,
    insist: bool = True,
) -> Placed:
    """Places for labels of ``sizes`` [n, 2] beside the points with ``centers`` [n, 2].

    A label stays inside the ``frame`` [4], off the ``markers`` [n, 4] and the other labels, and off the ``soft`` obstacles
    [m, 4] where that does not take it too far. One without a place gets the box on its point; unless
    ``insist``, the search ends with it.
    """
    boxes = np.hstack([centers, centers + sizes])
    leaders = np.zeros(len(centers), bool)
    taken = np.empty((0, 4))
    for point in _crowded_first(centers):
        offered, distances = _places(centers[point], *sizes[point])
        cost = _costs(offered, distances, point, centers, markers, taken, soft, frame)
        best = int(cost.argmin())
        if np.isinf(cost[best]):
            if insist:
                continue
            break
        boxes[point], leaders[point] = offered[best], distances[best] > LEADER_FROM
        taken = np.vstack([taken, boxes[point]])
    return Placed(boxes, leaders, len(centers) - len(taken))


def write(axes: Axes, looks: Sequence[Look], placed: Placed, centers: np.ndarray) -> None:
    """Write the labels where they were placed, with lines to the points that are far."""
    figure = axes.figure
    width, height = figure.get_size_inches() * 72
    for look, box, leader, center in zip(looks, placed.boxes, placed.leaders, centers, strict=True):
        left, low = (box[:2] + ROOM / 2) / (width, height)
        figure.text(left, low, **look.arguments(), zorder=4, ha="left", va="bottom")
        if leader:
            ends = np.array([center, np.clip(center, box[:2], box[2:])]) / (width, height)
            ends = axes.transData.inverted().transform(figure.transFigure.transform(ends))
            axes.plot(ends[:, 0], ends[:, 1], color=GREY, linewidth=0.6, zorder=2, scalex=False, scaley=False)


def _crowded_first(centers: np.ndarray) -> list[int]:
    """The order in which the points choose: those nearest to another first."""
    if len(centers) < 2:
        return list(range(len(centers)))
    gaps = np.linalg.norm(centers[:, None] - centers[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    return np.argsort(gaps.min(axis=1), kind="stable").tolist()


def _places(center: np.ndarray, width: float, height: float) -> tuple[np.ndarray, np.ndarray]:
    """Boxes [k, 4] of this size around the center, nearest and best first, and their distances [k]."""
    distances = np.repeat(np.array(DISTANCES, dtype=float), len(DIRECTIONS))
    angles = np.radians(np.tile(DIRECTIONS, len(DISTANCES)))
    x = center[0] + np.cos(angles) * (distances + width / 2)
    y = center[1] + np.sin(angles) * (distances + height / 2)
    return np.column_stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2]), distances


def _costs(
    boxes: np.ndarray,
    distances: np.ndarray,
    point: int,
    centers: np.ndarray,
    markers: np.ndarray,
    taken: np.ndarray,
    soft: np.ndarray,
    frame: np.ndarray,
) -> np.ndarray:
    """What each box [k, 4] costs, in points of distance; infinite where it covers a marker or a label, or leaves."""
    inside = (boxes[:, :2] >= frame[:2]).all(axis=1) & (boxes[:, 2:] <= frame[2:]).all(axis=1)
    free = inside & ~_overlap(boxes, np.vstack([taken, markers])).any(axis=1)
    cost = np.full(len(boxes), np.inf)
    rank = np.tile(np.arange(len(DIRECTIONS)), len(DISTANCES))
    boxes, far = boxes[free], distances[free]
    edges = np.clip(centers[None], boxes[:, None, :2], boxes[:, None, 2:])  # [k, n, 2]: of each box, nearest each point
    away = np.linalg.norm(edges - centers[None], axis=2)
    mine = away[:, point].copy()
    away[:, point] = np.inf
    strangers = np.vstack([taken, np.delete(markers, point, axis=0)])
    crossed = np.where(far > LEADER_FROM, _crossed(centers[point], edges[:, point], strangers), 0)
    cost[free] = far + 0.2 * rank[free] + COVERED * _overlap(boxes, soft).sum(axis=1)
    cost[free] += MISTAKEN * (away.min(axis=1) <= mine) + CROSSED * crossed
    return cost


def _overlap(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Boolean [k, m]: which of ``boxes`` [k, 4] overlap which of ``others`` [m, 4]."""
    one, two = boxes[:, None], others[None]
    return ((one[..., :2] < two[..., 2:]) & (two[..., :2] < one[..., 2:])).all(axis=2)


def _crossed(start: np.ndarray, ends: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """How many ``boxes`` [m, 4] the line from ``start`` [2] to each of ``ends`` [k, 2] goes through: [k]."""
    along = (ends - start)[:, None]
    along = np.where(along == 0, 1e-9, along)
    low, high = (boxes[None, :, :2] - start) / along, (boxes[None, :, 2:] - start) / along  # [k, m, 2]
    enters, leaves = np.minimum(low, high).max(axis=2), np.maximum(low, high).min(axis=2)
    return (np.maximum(enters, 0) < np.minimum(leaves, 1)).sum(axis=1)
