"""The report as one HTML file that needs nothing else: no network, no other file, no JavaScript to be read."""

from __future__ import annotations

import hashlib
import logging
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
from reports.html import cells, look_data
from reports.html.contents import SECTIONS
from reports.html.page_data import PageData
from reports.store.sweep import Sweep
from zoo.text.characters import visible

TEMPLATES, SCRIPTS = (Path(__file__).parent / folder for folder in ("templates", "scripts"))
STYLES = ("page.css", "look.css")
SCRIPT_FILES = (
    "page.js",
    "look.js",
    "variants.js",
    "tables.js",
    "curves.js",
    "begin.js",
)  # in the order in which they run
_log = logging.getLogger(__name__)

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
    script = _script()
    html = (
        templates()
        .get_template("page.html.j2")
        .render(
            title=sweep.question or sweep.name,
            name=sweep.name,
            sections=sections,
            style=Markup("".join((TEMPLATES / name).read_text(encoding="utf-8") for name in STYLES)),
            look_data=_look_data(data),
            script=Markup(script),
            script_hash=b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )
    return visible(html) + "\n"


def _script() -> str:
    """The scripts after each other: one element, one checksum."""
    return "".join((SCRIPTS / name).read_text(encoding="utf-8") for name in SCRIPT_FILES)


def _look_data(data: PageData) -> Markup:
    """What the script is about; without it, where that fails, the page is as it is without JavaScript."""
    try:
        return Markup(look_data.as_json(data))
    except Exception:
        _log.warning(
            "warning: the page of %s cannot be filtered and looked at more closely", data.sweep.name, exc_info=True
        )
        return Markup("")


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
