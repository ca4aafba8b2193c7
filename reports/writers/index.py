"""The list of all sweeps in a store: a page that leads to their reports, and a table for the terminal."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from reports.analysis import index
from reports.analysis.index import Entry
from reports.errors import ReportError
from reports.store import connection
from reports.writers import files
from reports.writers.formats import Report
from zoo.text.wording import table
from zoo.tracking.address import resolve_uri, without_passwords

MOST_CHARACTERS = 60  # of a question in the terminal


def write(folder: Path, tracking_uri: str | None) -> Report:
    """Write index.html into the folder below which the reports are. As ``reports.index``."""
    from reports.html import index_page

    files.check_folder(folder)
    uri = resolve_uri(tracking_uri)
    with connection.reading(tracking_uri):
        entries = index.entries(tracking_uri)
    if not entries:
        raise ReportError(f"{without_passwords(uri, uri)} holds no sweep yet; run one: python run_sweep.py QUESTION")
    links = {each.name: link for each in entries if (link := _link(folder, each.name))}
    rows = [index_page.Row(each, _runs(each), _day(each), links.get(each.name)) for each in entries]
    page = index_page.render(rows, without_passwords(uri, uri))
    return Report(files.save({"index.html": page.encode()}, folder), summary(entries))


def summary(entries: list[Entry]) -> str:
    """For the terminal."""
    rows = [[each.name, _runs(each), _day(each), each.verdicts or "-", _shortened(each.question)] for each in entries]
    return table(["sweep", "runs", "changed", "verdicts", "question"], rows, left=5, gap=2)


def _link(folder: Path, name: str) -> str | None:
    """The page of a sweep, where ``reports.write`` puts it."""
    parts = Path(name).parts
    if Path(name).is_absolute() or ".." in parts or "\0" in name:
        return None
    return quote(f"{name}/report.html") if (folder / name / "report.html").is_file() else None


def _runs(entry: Entry) -> str:
    """``4 of 6``."""
    return f"{entry.done} of {entry.wanted}"


def _day(entry: Entry) -> str:
    return "-" if entry.changed_ms is None else f"{datetime.fromtimestamp(entry.changed_ms / 1000):%Y-%m-%d}"


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 3]}..."
