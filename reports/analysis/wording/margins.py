"""The margin in a sentence: only one that was declared is said to be."""

from __future__ import annotations

from reports.store.sweep import Sweep
from zoo.text.wording import points_text


def of(sweep: Sweep) -> str:
    """``the 0.5 points you said you do not care about``, if the question said so; "" where there is no margin."""
    if not sweep.margin:
        return ""
    if sweep.design is not None and sweep.design.declared.margin_given:
        return f"the {points_text(sweep.margin)} you said you do not care about"
    return f"the {'margin' if sweep.design is None else 'default margin'} of {points_text(sweep.margin)}"
