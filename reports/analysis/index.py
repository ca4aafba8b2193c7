"""The sweeps of a store, each in a line: what was asked, how far it is, and what came out."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from reports.errors import ReportError
from reports.store import experiment, reader
from reports.store.client import open_client
from reports.store.sweep import Sweep
from zoo.stats.verdicts import VerdictWord
from zoo.tracking.address import resolve_uri


class Entry(NamedTuple):
    """One sweep."""

    name: str
    question: str
    variants: int
    done: int  # runs with a result
    wanted: int  # runs that it is to have by now
    verdicts: str  # "2 helps, 1 undecided", or why it cannot be read
    changed_ms: int | None  # when, since 1970


def entries(tracking_uri: str | None = None) -> list[Entry]:
    """The one that changed last first. One that cannot be read says so in its own line.

    Raises:
        ReportError: no such store.
    """
    uri = resolve_uri(tracking_uri)
    return [_entry(each.name, each.last_update_time, tracking_uri) for each in experiment.sweeps(open_client(uri), uri)]


def _entry(name: str, changed_ms: int | None, tracking_uri: str | None) -> Entry:
    try:
        sweep = reader.read(name, tracking_uri, with_histories=False)
        wanted = sum(map(len, sweep.wanted().values()))
        done = len(sweep.results())
        return Entry(name, sweep.question, len(sweep.variants), done, wanted, _verdicts(sweep), changed_ms)
    except (ReportError, ValueError) as error:
        return Entry(name, "", 0, 0, 0, f"cannot be read: {error}", changed_ms)


def _verdicts(sweep: Sweep) -> str:
    """By word, in the order in which reports list them; only what some variant has results for."""
    counts = Counter(verdict.word for name, verdict in sweep.verdicts().items() if len(sweep.results(name)))
    return ", ".join(f"{counts[word]} {_TEXT.get(word, word)}" for word in VerdictWord if counts[word])


_TEXT = {VerdictWord.NONE: "no verdict", VerdictWord.WITHHELD: "withheld"}
