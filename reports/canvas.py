"""What the pictures of a report have in common: matplotlib figures without pyplot, so that nothing is global.

Seven inches wide at 150 dpi. Colours are those of Okabe and Ito, "Color Universal Design" (2008), which people with
any of the usual colour-vision deficiencies tell apart; its yellow is left out, being faint on white.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_INCHES = 7.0
DPI = 150
BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, BLACK = COLORS = (
    *("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#000000"),
)
GREY = "#888888"
DARK = "#444444"
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
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def shortened(name: str) -> str:
    """The name on one line, its middle left out where it is too long for a picture (both ends tell variants apart)."""
    name = " ".join(name.split())
    if len(name) <= LABEL_LENGTH:
        return name
    tail = LABEL_LENGTH // 2
    return f"{name[: LABEL_LENGTH - tail - 1]}…{name[-tail:]}"
