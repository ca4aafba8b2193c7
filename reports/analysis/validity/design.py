"""The design of a sweep, when it was declared, and what was changed afterwards."""

from __future__ import annotations

from reports.analysis.details import Alert
from reports.store.sweep import Sweep
from zoo.stats import power
from zoo.storage.designs import Design
from zoo.text.wording import points_text


def alerts(sweep: Sweep) -> list[Alert]:
    """A sentence for each change of the design after its first result."""
    if sweep.design is None:
        return []
    return [Alert("design changed", (), change.text) for change in sweep.design.changes]


def facts(sweep: Sweep) -> dict[str, str]:
    """What is said of the design beside the runs: ``margin`` and ``design``."""
    told = {"margin": margin(sweep)}
    if sweep.design is not None:
        told["design"] = _declared(sweep.design.declared)
        if earlier := len(sweep.design.earlier):
            told["design"] += (
                f"; {earlier} earlier one{'s' if earlier > 1 else ''} of this name asked for other runs, and each "
                "declaration may be wrong by itself in 5 % of cases"
            )
    return told


def margin(sweep: Sweep) -> str:
    """``0.5 points, declared before the runs``, if it was."""
    if not sweep.margin:
        return "none declared"
    points = points_text(sweep.margin)
    if sweep.design is None:
        return f"{points}; when it was declared is not known"
    declared = sweep.design.declared
    if not declared.margin_given:
        return f"{points}, the default: the question declares none"
    if declared.results:
        return f"{points}, written down when {_runs(declared.results)} had results already"
    return f"{points}, declared before the runs"


def recommended_seeds(sweep: Sweep, seeds_needed: int | None) -> str:
    """``seeds: {min: 3, max: 12, until: decided}`` for as many as are needed in a fixed number; with a ``start`` where this
    design has been used up. "" where no affordable number decides."""
    if seeds_needed is None:
        return ""
    first = max(power.FEWEST_SEEDS, 0 if sweep.schedule is None else sweep.schedule.first)
    last = power.seeds_until_decided(seeds_needed, first)
    start = f", start: {max(sweep.seeds) + 1}" if sweep.seeds and len(sweep.results()) else ""
    return f"seeds: {{min: {first}, max: {last}, until: decided{start}}}"


def _declared(design: Design) -> str:
    when = f"{design.time:%Y-%m-%d %H:%M} UTC"
    if design.results:
        return f"{design.seeds_text}, written down {when}, when {_runs(design.results)} had results already"
    return f"{design.seeds_text}, declared {when}, before the first result"


def _runs(count: int) -> str:
    return f"{count} of its runs" if count > 1 else "one of its runs"
