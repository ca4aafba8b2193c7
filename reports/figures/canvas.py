"""What the pictures of a report have in common: matplotlib figures without pyplot, so that nothing is global.

Seven inches wide, 300 dots an inch as print wants it. Colours are those of Okabe and Ito, "Color Universal Design"
(2008), which people with any of the usual colour-vision deficiencies tell apart; its yellow is left out, being faint on
white.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_INCHES = 7.0
DPI = 300
BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, BLACK = COLORS = (
    *("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#000000"),
)
MARKERS = ("o", "s", "^", "v", "P", "X", "p", "h")  # one more than colours, so that the pairs repeat late
GREY = "#888888"
DARK = "#444444"
GRID = "#e6e6e6"
LABEL_LENGTH = 34  # characters of a variant's name that a picture has room for


def blank(height_inches: float, layout: str | None = None) -> Figure:
    """An empty figure that can be drawn and saved as it is."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_INCHES, height_inches), dpi=DPI, layout=layout)
    FigureCanvasAgg(figure)
    return figure


def dress(axes: Axes) -> None:
    """A quiet grid behind the data, and no box around it."""
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def shortened(name: str, length: int = LABEL_LENGTH) -> str:
    """The name on one line, its middle left out where it is longer than ``length`` characters."""
    name = " ".join(name.split())
    if len(name) <= length:
        return name
    tail = length // 2
    return f"{name[: length - tail - 1]}…{name[-tail:]}"


def png(figure: Figure) -> bytes:
    """The figure as a PNG file; the same bytes every time."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def svg(figure: Figure, name: str) -> str:
    """The figure as ``<svg>...</svg>``, the same text every time; ids differ between figures of different ``name``.

    Letters are outlines, each drawn once and referred to: a browser's own font would be wider or narrower than the
    places that were found for the labels.
    """
    import matplotlib

    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with matplotlib.rc_context({"svg.fonttype": "path", "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata=nothing)
    text = buffer.getvalue()
    # A hundredth of a point is enough, and half of a curve's text.
    return re.sub(r"([ML] -?\d+\.\d\d)\d* (-?\d+\.\d\d)\d*", r"\1 \2", text[text.index("<svg") :])
