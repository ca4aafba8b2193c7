"""The sections that the others rest on: published claims, missing runs, provenance, terms."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any

from reports.analysis.validity import design
from reports.analysis.wording import sentences
from reports.html.cells import Cell, Table, as_text, rows_of
from reports.html.glossary import terms
from reports.html.page_data import PageData
from reports.store.sweep import has_result
from reports.tables import tables


def claims(data: PageData) -> dict[str, Any] | None:
    rows = rows_of(data.details.claims, "claim", "source", "published", "ours", "verdict", "sentence")
    if not rows:
        return None
    cells = [
        [
            Cell(as_text(row["claim"])),
            Cell(as_text(row["published"])),
            Cell(as_text(row["ours"])),
            Cell(as_text(row["verdict"]), note=_reason(as_text(row["sentence"]))),
            Cell(as_text(row["source"])),
        ]
        for row in rows
    ]
    header = ("claim", "published", "here", "do they agree?", "source")
    return {"table": Table("What others published, and what came out here", header, cells, frozenset({0, 3, 4}))}


def _reason(sentence: str) -> str:
    """The part of a claim's sentence that the table does not have: after its figures."""
    return sentence.partition("; ")[2] or sentence


def missing(data: PageData) -> dict[str, Any] | None:
    """Seeds that lack a result for the same reason share a row."""
    groups: dict[tuple[str, str], list[int]] = {}
    for each in data.sweep.missing():
        groups.setdefault((each.variant, each.reason), []).append(each.seed)
    if not groups:
        return None
    rows = [[Cell(variant), Cell(", ".join(map(str, seeds))), Cell(why)] for (variant, why), seeds in groups.items()]
    table = Table("Runs that the question asks for, and why they are missing", ("variant", "seeds", "why"), rows,
                  frozenset({0, 1, 2}))  # fmt: skip
    return {"table": table}


def provenance(data: PageData) -> dict[str, Any]:
    sweep, runs = data.sweep, data.sweep.runs
    facts = {"baseline": sweep.baseline or "none"}
    facts |= design.facts(sweep)
    facts["seeds"] = ", ".join(map(str, sweep.seeds))
    if sweep.schedule is not None:
        first, last = sweep.schedule
        facts["schedule"] = f"analysed after every seed from {first} to {last}; a decided variant gets no more seeds"
    facts["data, SHA-256"] = _distinct(runs["data_sha256"])
    facts["device"] = _distinct(runs["device"])
    dirty = {run.git_commit for run in runs.itertuples() if run.git_dirty.lower() == "true"}
    commits = [each for each in dict.fromkeys(runs["git_commit"]) if each]
    facts["git commit"] = ", ".join(f"{each} with changes" if each in dirty else each for each in commits)
    facts |= {name: str(value) for name, value in data.details.provenance.items()}
    return {
        "commands": [sentences.command(sweep), f"python -m reports {shlex.quote(sweep.name)}"],
        "facts": {name: value for name, value in facts.items() if value},
        "runs": _runs(data) if len(runs) else None,
    }


def _runs(data: PageData) -> Table:
    runs = data.sweep.runs
    rows = [
        [
            Cell(run.run_key[:12] or run.run_id[:12], link=_address(data.details.run_links.get(run.run_id))),
            Cell(run.variant),
            Cell(str(run.seed), run.seed),
            Cell(run.status.lower()),
            Cell(f"{run.accuracy_percent:.2f}", run.accuracy_percent) if finished else Cell(tables.ABSENT),
            Cell((run.git_commit[:10] or tables.ABSENT) + (" + changes" if run.git_dirty.lower() == "true" else "")),
            Cell(run.run_id, note=_unlinked(data.details.run_links.get(run.run_id))),
        ]
        for run, finished in zip(runs.itertuples(), has_result(runs), strict=True)
    ]
    header = ("run key", "variant", "seed", "status", "accuracy, %", "git commit", "MLflow run")
    return Table("Every run", header, rows, frozenset({0, 1, 3, 5, 6}), is_sortable=True)


def _address(link: str | None) -> str | None:
    """A link for what may be one: an address on the web. Files are not where a page is read that was sent."""
    return link if link and link.lower().startswith(("http://", "https://")) else None


def _unlinked(link: str | None) -> str:
    """The text of what cannot be a link."""
    return link if link and _address(link) is None else ""


def glossary(data: PageData) -> dict[str, Any]:
    details = data.details
    topics = {
        "": True,
        "churn": details.churn is not None,
        "calibration": details.calibration is not None,
        "uncertainty": details.uncertainty is not None,
        "interactions": details.interactions is not None,
        "front": any(name.startswith("accuracy_vs_size") for name in data.pictures),
        "schedule": data.sweep.schedule is not None,
        "ratios": any(name.endswith("_ratio") and data.frame[name].notna().any() for name in data.frame),
    }
    known = [(each.term, each.meaning) for each in terms() if topics[each.topic]]
    return {"fold": f"{len(known)} terms explained.", "terms": known}


def _distinct(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(value for value in values if value))
