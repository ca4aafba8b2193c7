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
    from matplotlib.transforms import Bbox

LABEL_POINTS = 8
# Distances in points from the middle of the marker to the label's nearest edge; directions in degrees, best first.
DISTANCES = (6, 9, 13, 18, 24, 31, 40, 50, 62, 76)
DIRECTIONS = (45, 0, -45, 135, 180, -135, 90, -90, 22, -22, 158, -158, 67, -67, 113, -113)
LEADER_FROM = 12  # points; a label nearer than this needs no line to its point
COVERED = 25  # points of distance that covering a soft obstacle is worth
CROSSED = 40  # points of distance that a leader through a label or a marker is worth


def place(
    axes: Axes, labels: Sequence[str], centers: np.ndarray, markers: Sequence[Bbox], soft: Sequence[Bbox]
) -> tuple[list[Text], int]:
    """Write ``labels`` [n] beside the points with these ``centers`` [n, 2]; returns the texts and how many found no place.

    Everything is in pixels of the drawn figure, whose limits must be final. A label stays inside the axes, off the
    ``markers`` and the other labels, and off the ``soft`` obstacles where that does not take it too far. One without
    a place is written on its point.
    """
    figure = axes.figure
    pixels = figure.dpi / 72
    texts = [figure.text(0, 0, label, fontsize=LABEL_POINTS, zorder=4, parse_math=False) for label in labels]
    for text in texts:
        text.set(ha="left", va="bottom")
    extents = [text.get_window_extent() for text in texts]
    gaps = np.hypot(*(centers[:, None] - centers[None]).transpose(2, 0, 1)) + np.diag(np.full(len(centers), np.inf))
    taken: list[Bbox] = []
    homeless = 0
    for point in np.argsort(gaps.min(axis=1), kind="stable") if len(centers) else []:  # the most crowded choose first
        width, height = extents[point].width, extents[point].height
        found = _best(axes, centers[point], (width, height), [*taken, *markers], soft, pixels)
        if found is None:
            homeless += 1
            corner = centers[point]
        else:
            box, distance = found
            taken.append(box)
            corner = np.array([box.x0, box.y0])
            if distance > LEADER_FROM:
                _leader(axes, centers[point], box)
        texts[point].set_position(figure.transFigure.inverted().transform(corner))
    return texts, homeless


def _best(
    axes: Axes,
    center: np.ndarray,
    size: tuple[float, float],
    hard: Sequence[Bbox],
    soft: Sequence[Bbox],
    pixels: float,
) -> tuple[Bbox, float] | None:
    """The cheapest free box of this size around the center, and its distance in points; None when none is free."""
    frame = axes.get_window_extent()
    best, lowest = None, np.inf
    for distance in DISTANCES:
        if distance >= lowest:
            break  # every further place costs more than the one found
        for rank, degrees in enumerate(DIRECTIONS):
            box = _beside(center, size, distance * pixels, np.radians(degrees))
            free = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
            if not free or any(box.overlaps(other) for other in hard):
                continue
            cost = distance + 0.2 * rank + COVERED * sum(box.overlaps(other) for other in soft)
            if distance > LEADER_FROM:
                cost += CROSSED * _crossed(center, box, hard)
            if cost < lowest:
                best, lowest = (box, distance), cost
    return best


def _beside(center: np.ndarray, size: tuple[float, float], distance: float, angle: float) -> Bbox:
    """A box whose edge is ``distance`` away from the center in that direction, with a hair of air around it."""
    from matplotlib.transforms import Bbox

    width, height = size
    middle = center + np.array([np.cos(angle) * (distance + width / 2), np.sin(angle) * (distance + height / 2)])
    return Bbox.from_bounds(middle[0] - width / 2, middle[1] - height / 2, width, height)


def _crossed(center: np.ndarray, box: Bbox, others: Sequence[Bbox]) -> int:
    """How many of the others the line from the center to the box runs through (the center's own marker excepted)."""
    end = _nearest_edge(center, box)
    along = center + np.linspace(0, 1, 25)[:, None] * (end - center)
    return sum(
        any(other.contains(x, y) for x, y in along) for other in others if not other.contains(center[0], center[1])
    )


def _nearest_edge(center: np.ndarray, box: Bbox) -> np.ndarray:
    return np.array([np.clip(center[0], box.x0, box.x1), np.clip(center[1], box.y0, box.y1)])


def _leader(axes: Axes, center: np.ndarray, box: Bbox) -> None:
    ends = axes.transData.inverted().transform([center, _nearest_edge(center, box)])
    axes.plot(ends[:, 0], ends[:, 1], color=GREY, linewidth=0.6, zorder=2, scalex=False, scaley=False)
