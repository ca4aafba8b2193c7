"""What reports say, audited by simulation: how often it is wrong where the truth is known, how often what is so is found.

    python -m reports.audit [--trials N] [--seed S]        from normal distributions
    python -m reports.audit --sweep NAME [--variant V]     from the results of real trainings

One module a kind of statement; each has ``rows()``, the lines that it adds to the table in docs/verdicts.md.
"""

from __future__ import annotations

from reports.audit import coarse, detectable, grids, looks, missing, times, unequal, welch
from reports.audit.rows import Row

KINDS = (welch, looks, coarse, unequal, grids, missing, detectable, times)


def rows() -> list[Row]:
    """Every line that is simulated from distributions, in the order of the table."""
    return [row for kind in KINDS for row in kind.rows()]
