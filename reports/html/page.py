"""The report as one HTML file that needs nothing else: no network, no other file, no JavaScript to be read."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import jinja2
import pandas as pd
from markupsafe import Markup

from reports.analysis.details import Details
from reports.html import cells
from reports.html.contents import SECTIONS
from reports.html.page_data import PageData
from reports.store.sweep import Sweep
from zoo.text.characters import visible

TEMPLATES = Path(__file__).parent / "templates"
NO_PICTURES: Mapping[str, str] = MappingProxyType({})


class Section(NamedTuple):
    """A part of the page, ready to be put in its place."""

    name: str  # in SECTIONS, of its macro in the template, and its address in the page
    title: str
    html: Markup
    fold: str = ""  # what it says in a sentence, where it is folded away behind that


def render(
    sweep: Sweep, frame: pd.DataFrame, *, pictures: Mapping[str, str] = NO_PICTURES, details: Details | None = None
) -> str:
    """The whole page. ``frame`` is ``variants.frame(sweep)``; ``pictures`` maps names to SVG text: ``learning_curves``, and
    ``accuracy_vs_size/<axis>`` for any axes. The same arguments give the same text.

    A section that fails is replaced by its error, and the others are shown.
    """
    data = PageData(sweep, frame, pictures, details or Details())
    sections = [section for name in SECTIONS if (section := _section(name, data)) is not None]
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    html = (
        templates()
        .get_template("page.html.j2")
        .render(
            title=sweep.question or sweep.name,
            name=sweep.name,
            sections=sections,
            style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
            script=Markup(script),
            script_hash=b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )
    return visible(html) + "\n"


def _section(name: str, data: PageData) -> Section | None:
    """None where there is nothing to show."""
    title, make_view = SECTIONS[name]
    fold = ""
    try:
        view = make_view(data)
        fold = str((view or {}).get("fold", ""))
        html = None if view is None else getattr(_macros(), name)(view)
    except Exception as error:  # somebody waited hours for the other sections
        html = _macros().failed(f"{type(error).__name__}: {error}")
    return None if html is None else Section(name, title, html, fold)


@cache
def templates() -> jinja2.Environment:
    """Everything that they put into a page is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["typeset"] = cells.typeset
    return environment


@cache
def _macros() -> Any:
    """The template's macros, one a section."""
    return templates().get_template("sections.html.j2").module
