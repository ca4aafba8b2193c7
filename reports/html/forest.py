"""Forest plots as inline SVG: a difference and its interval against zero and the margin, one row each on a common scale.

Positions are in percent of the width and sizes in pixels, so that a plot fills whatever width it is given and its marks
and letters keep their size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

ROW_PX = 28
MOST_TICKS = 5  # what fits on a phone
EDGE_PERCENT = 4.0  # space for half a mark, or half a number, beside the scale
OUTLIER = 3.0  # an interval may be so many times as long as what has to be seen, and is cut off there


class Interval(NamedTuple):
    """In points; nan where there is none."""

    middle: float
    low: float
    high: float

    @property
    def is_away_from_zero(self) -> bool:
        return self.low > 0 or self.high < 0


class Scale(NamedTuple):
    """From ``low`` to ``high`` points, zero between them; ``margin`` is None where none was declared."""

    low: float
    high: float
    margin: float | None = None

    def percent(self, value: float) -> float:
        """The position on the width, at its edge for what lies outside."""
        fraction = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(EDGE_PERCENT + (100 - 2 * EDGE_PERCENT) * fraction, 2)


def common_scale(intervals: Iterable[Interval], margin: float | None = None) -> Scale:
    """A scale with zero, the margin, every middle and the intervals in it, except those much longer than the rest."""
    intervals = [each for each in intervals if math.isfinite(each.middle)]
    middles = [each.middle for each in intervals]
    core = max([1.4 * (margin or 0), *(1.3 * abs(middle) for middle in middles)]) or 1.0
    ends = [end for each in intervals for end in (each.low, each.high) if math.isfinite(end)]
    low = min([-1.4 * (margin or 0), *middles, *(max(end, -OUTLIER * core) for end in ends), 0.0])
    high = max([1.4 * (margin or 0), *middles, *(min(end, OUTLIER * core) for end in ends), 0.0])
    return Scale(low, high, margin) if high > low else Scale(-1.0, 1.0, margin)


def row(interval: Interval, scale: Scale, label: str, thin: Interval | None = None) -> Markup:
    """One difference; ``label`` is its text for screen readers. The mark is hollow where the interval reaches zero. A
    ``thin`` interval, at another level, is drawn below it."""
    middle_px = ROW_PX / 2
    shapes = [*_background(scale)]
    if thin is not None and thin[1:] != interval[1:] and math.isfinite(thin.low) and math.isfinite(thin.high):
        low, high = scale.percent(thin.low), scale.percent(thin.high)
        shapes.append(f'<line class="thin" x1="{low}%" x2="{high}%" y1="{middle_px}" y2="{middle_px}"/>')
    if math.isfinite(interval.low) and math.isfinite(interval.high):
        low, high = scale.percent(interval.low), scale.percent(interval.high)
        shapes.append(f'<line class="interval" x1="{low}%" x2="{high}%" y1="{middle_px}" y2="{middle_px}"/>')
        shapes.append(_interval_end(low, interval.low < scale.low, -1))
        shapes.append(_interval_end(high, interval.high > scale.high, 1))
    if math.isfinite(interval.middle):
        hollow = "" if interval.is_away_from_zero else " hollow"
        shapes.append(f'<circle class="mark{hollow}" cx="{scale.percent(interval.middle)}%" cy="{middle_px}" r="4.5"/>')
    return _svg(ROW_PX, label, shapes)


def axis(scale: Scale) -> Markup:
    """The numbers of the scale, for the eye only: each row has its own as text."""
    shapes = []
    for tick in ticks(scale):
        x = scale.percent(tick)
        shapes.append(f'<line class="tick" x1="{x}%" x2="{x}%" y1="0" y2="5"/>')
        text = f"{tick:+g}".replace("-", "\N{MINUS SIGN}") if tick else "0"
        shapes.append(f'<text x="{x}%" y="18" text-anchor="middle">{text}</text>')
    line = f'<line class="tick" x1="{scale.percent(scale.low)}%" x2="{scale.percent(scale.high)}%" y1="0.5" y2="0.5"/>'
    return Markup(f'<svg class="forest" aria-hidden="true" width="100%" height="22">{line}{"".join(shapes)}</svg>')


def ticks(scale: Scale) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten), zero among them."""
    power = 10 ** math.floor(math.log10((scale.high - scale.low) / MOST_TICKS))
    for factor in (1, 2, 5, 10):
        first, last = math.ceil(scale.low / (factor * power)), math.floor(scale.high / (factor * power))
        if last - first < MOST_TICKS:
            break
    return [round(multiple * factor * power, 10) for multiple in range(first, last + 1)]


def bar(percent: float, maximum: float, label: str, floor: float = math.nan) -> Markup:
    """A percentage as a bar on a scale from 0 to ``maximum``, with a line across at the ``floor``."""
    length = round(100 * min(percent / maximum, 1), 2) if maximum > 0 and math.isfinite(percent) else 0
    shapes = [f'<rect class="bar" x="0" y="7" width="{length}%" height="14"/>']
    if math.isfinite(floor) and maximum > 0:
        x = round(100 * min(floor / maximum, 1), 2)
        shapes.append(f'<line class="floor" x1="{x}%" x2="{x}%" y1="2" y2="26"/>')
    return _svg(ROW_PX, label, shapes)


class DotScale(NamedTuple):
    """From ``low`` to ``high``, in the unit of what is drawn."""

    low: float
    high: float

    def percent(self, value: float) -> float:
        return round(EDGE_PERCENT + (100 - 2 * EDGE_PERCENT) * (value - self.low) / (self.high - self.low), 2)


def dot_scale(values: NDArray[np.float64]) -> DotScale:
    """A scale that holds all of ``values`` [n > 0]."""
    low, high = float(values.min()), float(values.max())
    return DotScale(low, high) if high > low else DotScale(low - 0.5, high + 0.5)


def dots(values: NDArray[np.float64], seeds: Sequence[int], scale: DotScale, label: str) -> Markup:
    """A dot for each of ``values`` [n] and its seed, and a stroke at their mean; a script may move them to another scale."""
    middle_px = ROW_PX / 2
    shapes = [
        f'<circle class="dot" cx="{scale.percent(value)}%" cy="{middle_px}" r="4" data-seed="{seed}" '
        f'data-value="{value:.4f}"/>'
        for value, seed in zip(values, seeds, strict=True)
    ]
    if len(values):
        mean = float(values.mean())
        x = scale.percent(mean)
        shapes.append(f'<line class="mean-tick" x1="{x}%" x2="{x}%" y1="3" y2="{ROW_PX - 3}" data-value="{mean:.4f}"/>')
    return _svg(ROW_PX, label, shapes)


def dot_axis(scale: DotScale) -> Markup:
    """The two ends of the scale, for the eye only."""
    texts = (
        f'<text x="{scale.percent(value)}%" y="14" text-anchor="{anchor}" data-end="{index}">{value:.2f}</text>'
        for index, (value, anchor) in enumerate(zip(scale, ("start", "end"), strict=True))
    )
    return Markup(f'<svg class="forest" aria-hidden="true" width="100%" height="18">{"".join(texts)}</svg>')


def _background(scale: Scale) -> Iterable[str]:
    """The margin's band and zero."""
    if scale.margin:
        left, right = scale.percent(-scale.margin), scale.percent(scale.margin)
        yield f'<rect class="band" x="{left}%" width="{round(right - left, 2)}%" y="0" height="100%"/>'
    zero = scale.percent(0.0)
    yield f'<line class="zero" x1="{zero}%" x2="{zero}%" y1="0" y2="100%"/>'


def _interval_end(x: float, is_cut: bool, direction: int) -> str:
    """An upright stroke, or an arrow where the interval goes on beyond the scale."""
    middle_px = ROW_PX / 2
    if not is_cut:
        return f'<line class="interval" x1="{x}%" x2="{x}%" y1="{middle_px - 4}" y2="{middle_px + 4}"/>'
    arrow = f'<path class="arrow" d="M0,-5 L{7 * direction},0 L0,5 z"/>'
    return f'<svg x="{x}%" y="{middle_px}" overflow="visible">{arrow}</svg>'


def _svg(height_px: int, label: str, shapes: Iterable[str]) -> Markup:
    return Markup(
        f'<svg class="forest" role="img" aria-label="{escape(label)}" width="100%" height="{height_px}">'
        f"{''.join(shapes)}</svg>"
    )
