"""The points of the trade-off picture with their bars, the Pareto front, and what labels must not cover."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.figures.style import COLORS, MARKERS
from reports.figures.trade_off.layout import Layout

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKER_POINTS = 7
BAND_POINTS = 7  # width of the bar for another test set; that for another training is a line with caps
BAND_ALPHA = 0.28

Array = NDArray[np.float64]
Color = str | tuple[float, float, float]


class PointStyle(NamedTuple):
    color: str
    marker: str


PUBLISHED = PointStyle("#777777", "D")


def styles(points: pd.DataFrame) -> dict[str, PointStyle]:
    """A colour and a marker for each sweep."""
    names = dict.fromkeys(points.loc[~points["imported"], "sweep"])
    return {
        name: PointStyle(COLORS[index % len(COLORS)], MARKERS[index % len(MARKERS)]) for index, name in enumerate(names)
    }


def face_color(color: str, fraction: float) -> Color:
    """The colour of a marker that is filled to a ``fraction``, on white paper."""
    if fraction in (0, 1):
        return color if fraction else "white"
    from matplotlib.colors import to_rgb

    red, green, blue = (1 - fraction * (1 - part) for part in to_rgb(color))
    return red, green, blue


def front_line(points: pd.DataFrame, right: float) -> tuple[Array, Array]:
    """Corners of a step: at each cost, the best accuracy that this cost or a smaller one reaches."""
    front = points[points["front"]].sort_values("cost")
    cost, accuracy = front["cost"].to_numpy(), front["accuracy"].to_numpy()
    return np.append(np.repeat(cost, 2)[1:], right), np.repeat(accuracy, 2)


def draw_points(axes: Axes, points: pd.DataFrame, x: Array) -> None:
    """Markers at ``x`` [n] with a bar for each kind of uncertainty that is known."""
    points = points.assign(x=x, fill=_fill(points))
    style_of = styles(points)
    for (imported, sweep), rows in points.groupby(["imported", "sweep"], sort=False):
        style = PUBLISHED if imported else style_of[sweep]
        _draw_bars(axes, rows, style.color)
        size = MARKER_POINTS - (1 if style.marker == "D" else 0)
        for row in rows.itertuples():
            axes.plot(
                (row.x,),
                (row.accuracy,),
                style.marker,
                color=style.color,
                markerfacecolor=face_color(style.color, row.fill),
                markersize=size,
                zorder=3.5,
                gid=name_of(row),
            )


def _draw_bars(axes: Axes, rows: pd.DataFrame, color: str) -> None:
    for row in rows[rows["se"].notna()].itertuples():
        axes.plot(
            (row.x,) * 2,
            (row.accuracy - row.se, row.accuracy + row.se),
            color=color,
            gid=f"{name_of(row)}-test-set",
            linewidth=BAND_POINTS,
            alpha=BAND_ALPHA,
            solid_capstyle="butt",
            zorder=2,
        )
    for row in rows[rows["sd"].notna()].itertuples():
        axes.plot(
            (row.x,) * 2,
            (row.accuracy - row.sd, row.accuracy + row.sd),
            "-_",
            color=color,
            gid=f"{name_of(row)}-seeds",
            linewidth=1.2,
            markersize=6,
            zorder=3,
        )


def name_of(point: Any) -> str | None:
    """What a point, and what is drawn with it, is called in SVG files, which the page goes by."""
    return None if point.imported else f"variant-{point.row}"


def _fill(points: pd.DataFrame) -> Array:
    """How full each marker is [n]: the probability of being on the front, or whether it is; full without a trade-off."""
    if points["cost"].nunique() == 1:
        return np.ones(len(points))
    on_front = points["front"].to_numpy(float)
    fill: Array = np.where(points["probability"].isna(), on_front, points["probability"].clip(0, 1))
    return fill


def obstacles(points: pd.DataFrame, x: Array, layout: Layout) -> tuple[Array, Array]:
    """The markers, which no label may cover, and what a label had better not cover: bars and the front's line."""
    radius = MARKER_POINTS / 2 + 1
    accuracy = points["accuracy"]
    centers = layout.position(x, accuracy)
    soft = []
    for spread, half_width in ((points["sd"].fillna(0), radius / 2), (points["se"].fillna(0), BAND_POINTS / 2)):
        low, high = layout.position(x, accuracy - spread), layout.position(x, accuracy + spread)
        aside = np.array([half_width, 0])
        soft.append(np.hstack([low - aside, high + aside]))
    corners = layout.position(*front_line(points, layout.costs[1]))
    soft.append(np.hstack([np.minimum(corners[:-1], corners[1:]), np.maximum(corners[:-1], corners[1:]) + 0.5]))
    return np.hstack([centers - radius, centers + radius]), np.vstack(soft)
