"""The report as one HTML file that needs nothing else: no network, no other file, no JavaScript to be read."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import jinja2
import pandas as pd
from markupsafe import Markup

from reports import cells, imagewise, sections
from reports.store import Sweep

TEMPLATES = Path(__file__).parent / "templates"
NOTHING: Mapping = MappingProxyType({})


class Headline(NamedTuple):
    """The verdict on one compared variant, for somebody in a hurry."""

    variant: str
    word: str  # as in reports.verdicts
    sentence: str
    advice: str  # what to do


@dataclass(frozen=True, eq=False)
class Details:
    """What other rooms computed, for the page to show; whatever is left out is left out of the page.

    The frames' columns are listed beside them; more may be there, and every value may be nan.
    """

    headlines: Sequence[Headline] = ()
    per_class: pd.DataFrame | None = None  # variant label images accuracy_percent difference_points low_ high_points
    churn: pd.DataFrame | None = None  # variant churn_percent floor_percent excess_points
    # variant, and mean and sd of ece_percent, top5_percent, nll
    calibration: pd.DataFrame | None = None
    # variant image label baseline_right variant_right (shares of seeds, 0 to 1) baseline_says variant_says
    flips: pd.DataFrame | None = None
    flip_counts: pd.DataFrame | None = None  # variant direction (gained, lost) images images_by_chance
    # variant accuracy_percent sd_seeds_points sd_distribution_points se_test_points difference_points
    # low_test_points high_test_points low_both_points high_both_points
    uncertainty: pd.DataFrame | None = None
    interactions: pd.DataFrame | None = (
        None  # kind factors levels difference_points low_ high_points p_adjusted sentence
    )
    claims: pd.DataFrame | None = None  # claim source published ours verdict sentence
    front: pd.DataFrame | None = None  # variant, probability (0 to 1) of being on the Pareto front
    images: Mapping[int, bytes] = field(default_factory=dict)  # index in the test set -> PNG
    notes: Sequence[str] = ()  # sentences that belong to the answer
    run_links: Mapping[str, str] = field(default_factory=dict)  # run_id -> address or path
    provenance: Mapping[str, str] = field(default_factory=dict)  # name -> value: versions, machine, schedule


class Given(NamedTuple):
    """What a page is made of."""

    sweep: Sweep
    frame: pd.DataFrame
    pictures: Mapping[str, str]
    details: Details


class Section(NamedTuple):
    """A part of the page, ready to be put in its place."""

    name: (
        str  # of its maker (reports.sections or .imagewise), of its macro in the template, and its address in the page
    )
    title: str
    html: Markup


TITLES = {
    "answer": "Answer",
    "trade_off": "Accuracy against size",
    "variants": "All variants",
    "uncertainty": "Two uncertainties",
    "curves": "Learning curves",
    "interactions": "Do the components depend on each other?",
    "where": "Where it matters",
    "gallery": "Images that change sides",
    "claims": "Published claims",
    "price": "What it costs",
    "missing": "Runs without a result",
    "provenance": "Where the numbers come from",
    "glossary": "Terms and methods",
}
IN_IMAGES = ("where", "gallery")  # made by reports.imagewise


def render(
    sweep: Sweep, frame: pd.DataFrame, *, pictures: Mapping[str, str] = NOTHING, details: Details | None = None
) -> str:
    """The whole page. ``frame`` is ``tables.variants(sweep)``; ``pictures`` maps names to SVG text: ``learning_curves``, and
    ``accuracy_vs_size/<axis>`` for any axes. The same arguments give the same text.

    A part that fails is replaced by what went wrong with it, and the others are shown.
    """
    given = Given(sweep, frame, pictures, details or Details())
    made = [section for name, title in TITLES.items() if (section := _section(name, title, given)) is not None]
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    return _templates().get_template("page.html.j2").render(
        title=sweep.question or sweep.name,
        name=sweep.name,
        sections=made,
        style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash=b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    ) + "\n"  # fmt: skip


def _section(name: str, title: str, given: Given) -> Section | None:
    """None where there is nothing to show."""
    try:
        view: Any = getattr(imagewise if name in IN_IMAGES else sections, name)(given)
        html = None if view is None else getattr(_parts(), name)(view)
    except Exception as error:  # somebody waited hours for the other parts
        html = _parts().failed(f"{type(error).__name__}: {error}")
    return None if html is None else Section(name, title, html)


@cache
def _templates() -> jinja2.Environment:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["typeset"] = cells.typeset
    return templates


@cache
def _parts() -> Any:
    """The macros, one a section."""
    return _templates().get_template("sections.html.j2").module
