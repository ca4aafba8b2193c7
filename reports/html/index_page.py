"""The list of all sweeps as one HTML file, in the style of their pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from reports.analysis.index import Entry
from reports.html import page
from zoo.text.characters import visible


class Row(NamedTuple):
    """A sweep, and what stands beside its name."""

    entry: Entry
    runs: str  # "4 of 6"
    changed: str  # the day
    link: str | None  # to its page, relative to this one


def render(rows: Sequence[Row], store: str) -> str:
    """The whole page. ``store`` is the address of the store, without passwords."""
    style = Markup((page.TEMPLATES / "page.css").read_text(encoding="utf-8"))
    html = page.templates().get_template("index.html.j2").render(rows=rows, store=store, style=style)
    return visible(html) + "\n"
