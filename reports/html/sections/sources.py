"""The sections that say what the others rest on: published claims, missing runs, provenance, terms."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from reports.analysis import sentences
from reports.html.cells import Cell, Table, rows_of, words
from reports.html.glossary import TERMS
from reports.html.sections.given import Given
from reports.store.sweep import has_result
from reports.tables import tables


def claims(given: Given) -> dict[str, Any] | None:
    rows = rows_of(given.details.claims, "claim", "source", "published", "ours", "verdict", "sentence")
    shown = [{name: words(value, 2) for name, value in row.items()} for row in rows]
    return {"claims": shown} if shown else None


def missing(given: Given) -> dict[str, Any] | None:
    """Seeds that lack a result for the same reason share a row."""
    groups: dict[tuple[str, str], list[int]] = {}
    for each in given.sweep.missing():
        groups.setdefault((each.variant, each.reason), []).append(each.seed)
    if not groups:
        return None
    rows = [[Cell(variant), Cell(", ".join(map(str, seeds))), Cell(why)] for (variant, why), seeds in groups.items()]
    table = Table("Runs that the question asks for, and why they are missing", ("variant", "seeds", "why"), rows,
                  frozenset({0, 1, 2}))  # fmt: skip
    return {"table": table}


def provenance(given: Given) -> dict[str, Any]:
    sweep, runs = given.sweep, given.sweep.runs
    facts = {"baseline": sweep.baseline or "none"}
    facts["margin"] = "none declared" if not sweep.margin else f"{sweep.margin:g} points, declared before the runs"
    facts["seeds"] = ", ".join(map(str, sweep.seeds))
    if sweep.schedule is not None:
        first, last = sweep.schedule
        facts["schedule"] = f"looked at after every seed from {first} to {last}; a decided variant gets no more seeds"
    facts["data, SHA-256"] = _distinct(runs["data_sha256"])
    facts["device"] = _distinct(runs["device"])
    dirty = {run.git_commit for run in runs.itertuples() if run.git_dirty.lower() == "true"}
    commits = [each for each in dict.fromkeys(runs["git_commit"]) if each]
    facts["git commit"] = ", ".join(f"{each} with changes" if each in dirty else each for each in commits)
    facts |= {name: str(value) for name, value in given.details.provenance.items()}
    return {
        "commands": [sentences.command(sweep), f"python -m reports {shlex.quote(sweep.name)}"],
        "facts": {name: value for name, value in facts.items() if value},
        "runs": _runs(given) if len(runs) else None,
    }


def _runs(given: Given) -> Table:
    runs = given.sweep.runs
    rows = [
        [
            Cell(run.run_key[:12] or run.run_id[:12], link=_address(given.details.run_links.get(run.run_id))),
            Cell(run.variant),
            Cell(str(run.seed), run.seed),
            Cell(run.status.lower()),
            Cell(f"{run.accuracy_percent:.2f}", run.accuracy_percent) if finished else Cell(tables.ABSENT),
            Cell((run.git_commit[:10] or tables.ABSENT) + (" + changes" if run.git_dirty.lower() == "true" else "")),
            Cell(run.run_id, note=_place(given.details.run_links.get(run.run_id))),
        ]
        for run, finished in zip(runs.itertuples(), has_result(runs), strict=True)
    ]
    header = ("run key", "variant", "seed", "status", "accuracy, %", "git commit", "MLflow run")
    return Table("Every run", header, rows, frozenset({0, 1, 3, 5, 6}), is_sortable=True)


def _address(place: str | None) -> str | None:
    """A link for what may be one: a web or file address, or a path; nothing that would run in the page."""
    if not place or place.lower().startswith(("http://", "https://", "file://")):
        return place or None
    is_path = not re.match(r"\s*[a-zA-Z][\w+.-]*:", place) and "\n" not in place
    return quote(place) if is_path else None


def _place(place: str | None) -> str:
    """What cannot be a link is said instead."""
    return place if place and _address(place) is None else ""


def glossary(given: Given) -> dict[str, Any]:
    details = given.details
    shown = {
        "": True,
        "churn": details.churn is not None,
        "calibration": details.calibration is not None,
        "uncertainty": details.uncertainty is not None,
        "interactions": details.interactions is not None,
        "front": any(name.startswith("accuracy_vs_size") for name in given.pictures),
        "schedule": given.sweep.schedule is not None,
    }
    return {"terms": [(term, meaning) for term, meaning, of in TERMS if shown[of]]}


def _distinct(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(value for value in values if value))
