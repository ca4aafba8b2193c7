"""Colours, sizes and axes that the pictures of a report share.

Colours are those of Okabe and Ito, "Color Universal Design" (2008), which people with any of the usual colour-vision
deficiencies tell apart; its yellow is left out because it is faint on white.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from reports.figures.fonts import drawable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH_INCHES = 7.0
DPI = 300  # for print
BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, BLACK = COLORS = (
    *("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#000000"),
)
MARKERS = ("o", "s", "^", "v", "P", "X", "p", "h")  # one more than colours, so that the pairs repeat late
GREY = "#888888"
DARK = "#444444"
REST = "#c4c4c4"  # what is drawn behind
GRID = "#e6e6e6"
NAME_LENGTH = 34  # characters of a variant's name that fit into a picture


def style_axes(axes: Axes) -> None:
    """A light grid behind the data, and no frame at the top and the right."""
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    hide_upper_frame(axes)


def hide_upper_frame(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def shortened(name: str, length: int = NAME_LENGTH) -> str:
    """The name on one line, as it can be drawn; its end is left out where it is longer than ``length`` letters."""
    name = " ".join(drawable(name).split())
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in name)
    length -= round(wide * length / (len(name) + wide)) if wide else 0  # such a letter takes the place of two
    return name if len(name) <= length else f"{name[: length - 1].rstrip()}…"
