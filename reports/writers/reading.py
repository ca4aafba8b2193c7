"""The sweeps that are written about, read from the store, or a message that there is nothing to write."""

from __future__ import annotations

from reports.errors import ReportError
from reports.store import connection, reader
from reports.store.sweep import Sweep

MOST_MISSING = 5  # runs that a message names


def read(name: str, tracking_uri: str | None) -> Sweep:
    with connection.reading(tracking_uri):
        return reader.read(name, tracking_uri)


def require_results(sweep: Sweep, purpose: str) -> None:
    """Raises ReportError, with what is missing, for a sweep without any result; ``purpose`` as in "to report"."""
    if len(sweep.results()):
        return
    missing = sweep.missing()
    if not missing:
        raise ReportError(
            f"nothing {purpose}: the sweep {sweep.name!r} has no run and names no variant; was it made by run_sweep.py?"
        )
    named = "; ".join(f"{each.variant}, seed {each.seed}: {each.reason}" for each in missing[:MOST_MISSING])
    more = f"; and {len(missing) - MOST_MISSING} more" if len(missing) > MOST_MISSING else ""
    command = f"; run it with: {sweep.command}" if sweep.command else ""
    raise ReportError(
        f"nothing {purpose}: the sweep {sweep.name!r} has no result: 0 of {len(missing)} runs ({named}{more}){command}"
    )
