"""matplotlib figures without pyplot, so that nothing is global, and their PNG and SVG files."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Literal

from reports.figures.fonts import drawable, families
from reports.figures.style import DPI, WIDTH_INCHES

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(height_inches: float, layout: Literal["constrained"] | None = None) -> Figure:
    """An empty figure that can be drawn and saved as it is."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_INCHES, height_inches), dpi=DPI, layout=layout)
    FigureCanvasAgg(figure)
    return figure


def png(figure: Figure) -> bytes:
    """The figure as a PNG file; the same bytes every time."""
    _make_visible(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def svg(figure: Figure, name: str) -> str:
    """The figure as ``<svg>...</svg>``, the same text every time; ids differ between figures of different ``name``.

    Letters are outlines, each drawn once and referred to: a browser's own font would be wider or narrower than the
    labels' positions allow for.
    """
    import matplotlib

    _make_visible(figure)
    buffer = io.StringIO()
    no_metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with matplotlib.rc_context({"svg.fonttype": "path", "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata=no_metadata)
    text = buffer.getvalue()
    # A hundredth of a point is enough, and half of a curve's text.
    return re.sub(r"([ML] -?\d+\.\d\d)\d* (-?\d+\.\d\d)\d*", r"\1 \2", text[text.index("<svg") :])


def _make_visible(figure: Figure) -> None:
    """No letter in a picture is one that fonts and SVG lack, or that turns the text around."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        if isinstance(text, Text) and (shown := drawable(text.get_text())) != text.get_text():
            text.set_text(shown)
        if isinstance(text, Text) and not text.get_text().isascii():
            text.set_fontfamily(families(text.get_text()))
