"""Labels of points that touch neither each other nor the points.

A search over places around each point, nearest first. Force-directed libraries (adjustText) spread labels well but stop
at a compromise: in a crowded picture a few labels still overlap. Here a place that overlaps is never taken, and when
there is none the caller is told, so that it can draw the picture larger or number the points.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from reports.canvas import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

LABEL_POINTS = 8
# Distances in points from the middle of the marker to the label's nearest edge; directions in degrees, best first.
DISTANCES = (6, 9, 13, 18, 24, 31, 40, 50, 62, 76)
DIRECTIONS = (45, 0, -45, 135, 180, -135, 90, -90, 22, -22, 158, -158, 67, -67, 113, -113)
LEADER_FROM = 12  # points; a label nearer than this needs no line to its point
COVERED = 25  # points of distance that covering a soft obstacle is worth
CROSSED = 40  # points of distance that a leader through a label or a marker is worth
MISTAKEN = 30  # points of distance that standing nearer to another point than to one's own is worth


def place(
    axes: Axes, labels: Sequence[str], colors: Sequence[str], centers: np.ndarray, markers: np.ndarray, soft: np.ndarray
) -> tuple[list[Text], int]:
    """Write ``labels`` [n] beside the points with ``centers`` [n, 2]; returns the texts and how many found no place.

    Everything is in pixels of the drawn figure, whose limits must be final; a box is (left, low, right, high). A label
    stays inside the axes, off the ``markers`` [n, 4] and the other labels, and off the ``soft`` obstacles [m, 4] where
    that does not take it too far. One without a place is written on its point.
    """
    figure = axes.figure
    look = {"fontsize": LABEL_POINTS, "zorder": 4, "parse_math": False, "ha": "left", "va": "bottom"}
    texts = [figure.text(0, 0, label, color=color, **look) for label, color in zip(labels, colors, strict=True)]
    taken = np.empty((0, 4))
    homeless = 0
    for point in _crowded_first(centers):
        extent = texts[point].get_window_extent()
        boxes, distances = _places(centers[point], extent.width, extent.height, figure.dpi / 72)
        cost = _costs(boxes, distances, point, centers, markers, taken, soft)
        cost[~_inside(boxes, axes.get_window_extent().extents)] = np.inf
        best = int(cost.argmin())
        corner = boxes[best, :2]
        if np.isinf(cost[best]):
            homeless += 1
            corner = centers[point]
        else:
            taken = np.vstack([taken, boxes[best]])
            if distances[best] > LEADER_FROM:
                _leader(axes, centers[point], boxes[best])
        texts[point].set_position(figure.transFigure.inverted().transform(corner))
    return texts, homeless


def _crowded_first(centers: np.ndarray) -> list[int]:
    """The order in which the points choose: those nearest to another first."""
    if len(centers) < 2:
        return list(range(len(centers)))
    gaps = np.linalg.norm(centers[:, None] - centers[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    return np.argsort(gaps.min(axis=1), kind="stable").tolist()


def _places(center: np.ndarray, width: float, height: float, pixels: float) -> tuple[np.ndarray, np.ndarray]:
    """Boxes [k, 4] of this size around the center, nearest and best first, and their distances [k] in points."""
    distances = np.repeat(np.array(DISTANCES, dtype=float), len(DIRECTIONS))
    angles = np.radians(np.tile(DIRECTIONS, len(DISTANCES)))
    x = center[0] + np.cos(angles) * (distances * pixels + width / 2)
    y = center[1] + np.sin(angles) * (distances * pixels + height / 2)
    return np.column_stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2]), distances


def _costs(
    boxes: np.ndarray,
    distances: np.ndarray,
    point: int,
    centers: np.ndarray,
    markers: np.ndarray,
    taken: np.ndarray,
    soft: np.ndarray,
) -> np.ndarray:
    """What each box [k, 4] costs, in points of distance; infinite where it covers a marker or another label."""
    rank = np.tile(np.arange(len(DIRECTIONS)), len(DISTANCES))
    cost = distances + 0.2 * rank + COVERED * _overlap(boxes, soft).sum(axis=1)
    edges = np.clip(centers[None], boxes[:, None, :2], boxes[:, None, 2:])  # [k, n, 2]: of each box, nearest each point
    away = np.linalg.norm(edges - centers[None], axis=2)
    mine = away[:, point].copy()
    away[:, point] = np.inf
    cost += MISTAKEN * (away.min(axis=1) <= mine)
    hard = np.vstack([taken, markers])
    along = np.linspace(0, 1, 25)[None, :, None]
    leaders = centers[point] + along * (edges[:, point, None] - centers[point])  # [k, 25, 2]
    strangers = np.vstack([taken, np.delete(markers, point, axis=0)])
    crossed = sum(_within(leaders, box).any(axis=1) for box in strangers)
    cost += np.where(distances > LEADER_FROM, CROSSED * crossed, 0)
    cost[_overlap(boxes, hard).any(axis=1)] = np.inf
    return cost


def _overlap(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Boolean [k, m]: which of ``boxes`` [k, 4] overlap which of ``others`` [m, 4]."""
    one, two = boxes[:, None], others[None]
    return ((one[..., :2] < two[..., 2:]) & (two[..., :2] < one[..., 2:])).all(axis=2)


def _within(points: np.ndarray, box: np.ndarray) -> np.ndarray:
    return ((points >= box[:2]) & (points <= box[2:])).all(axis=-1)


def _inside(boxes: np.ndarray, frame: np.ndarray) -> np.ndarray:
    return (boxes[:, :2] >= frame[:2]).all(axis=1) & (boxes[:, 2:] <= frame[2:]).all(axis=1)


def _leader(axes: Axes, center: np.ndarray, box: np.ndarray) -> None:
    ends = axes.transData.inverted().transform([center, np.clip(center, box[:2], box[2:])])
    axes.plot(ends[:, 0], ends[:, 1], color=GREY, linewidth=0.6, zorder=2, scalex=False, scaley=False)
