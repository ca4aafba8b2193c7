"""The sections of the page, in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reports.html.page_data import PageData
from reports.html.sections.answer import answer
from reports.html.sections.effects import interactions, uncertainty
from reports.html.sections.images import gallery, where
from reports.html.sections.look import look
from reports.html.sections.pictures import curves, trade_off
from reports.html.sections.sources import claims, glossary, missing, provenance
from reports.html.sections.variants import price, variants

SECTIONS: dict[str, tuple[str, Callable[[PageData], dict[str, Any] | None]]] = {  # name -> title, function
    "answer": ("Answer", answer),
    "missing": ("Runs without a result", missing),
    "trade_off": ("Accuracy against cost", trade_off),
    "variants": ("All variants", variants),
    "look": ("Look closer", look),
    "curves": ("Learning curves", curves),
    "claims": ("Published claims", claims),
    "price": ("What each costs", price),
    "interactions": ("Effects of the factors", interactions),
    "uncertainty": ("Two uncertainties", uncertainty),
    "where": ("Where it matters", where),
    "gallery": ("Images that change sides", gallery),
    "provenance": ("Where the numbers come from", provenance),
    "glossary": ("Terms and methods", glossary),
}
