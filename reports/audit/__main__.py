"""The command line of the audit, see ``reports.audit``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

import numpy as np

import reports
from reports import audit
from reports.audit import times, welch
from reports.audit.rows import Row
from zoo.text.characters import visible
from zoo.tracking.names import RunStatus


def table(rows: Iterable[Row], trials: int, seed: int) -> Iterable[str]:
    """The lines of a Markdown table, each when it is known."""
    yield "| what | promised | rate | seeds |"
    yield "| :-- | :-- | --: | --: |"
    for number, row in enumerate(rows):
        finding = row.simulate(trials, np.random.default_rng([seed, number]))
        seeds = "" if np.isnan(finding.seeds) else f"{finding.seeds:.1f}"
        yield f"| {row.what} | {row.bound} | {100 * finding.rate:.1f} ± {100 * finding.error:.1f} % | {seeds} |"


def pool_of(sweep: str, variant: str | None = None, tracking_uri: str | None = None) -> tuple[list[float], list[float]]:
    """The accuracies of one variant's trainings in percent, and their seconds in the order of the seeds; of the baseline's,
    if no variant is named.

    Raises:
        ReportError: no such sweep or variant, or too few trainings for any line of the audit.
    """
    from zoo.text.suggestions import did_you_mean

    frame = reports.load(sweep, tracking_uri)
    names = list(dict.fromkeys(frame["variant"]))
    name = variant or (names[0] if names else "")
    if name not in names:
        raise reports.ReportError(
            f"no variant {name!r} in {sweep}{did_you_mean(name, names)}; there: {', '.join(names)}"
        )
    accuracies = frame[(frame["variant"] == name) & (frame["status"] == RunStatus.FINISHED)][
        "accuracy_percent"
    ].dropna()
    least = min(case.size for case in welch.cases())
    if len(accuracies) < 2 * least:
        raise reports.ReportError(
            f"{name} of {sweep} has {len(accuracies)} results: an audit takes {2 * least} and better more"
        )
    seconds = frame.loc[accuracies.index, "train_s"].dropna()
    return [float(accuracy) for accuracy in accuracies], [float(one) for one in seconds if one > 0]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m reports.audit", description=(audit.__doc__ or "").split("\n", 1)[0]
    )
    parser.add_argument("--trials", metavar="N", type=int, default=2000, help="simulated sweeps a line (default 2000)")
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="of the random numbers (default 0)")
    parser.add_argument("--sweep", metavar="NAME", help="deal out the results of this sweep instead of random numbers")
    parser.add_argument("--variant", metavar="V", help="whose results (default: the first variant's)")
    parser.add_argument("--tracking-uri", metavar="URI", help="of the store that has the sweep")
    options = parser.parse_args(argv)
    rows = audit.rows()
    if options.sweep:
        try:
            pool, seconds = pool_of(options.sweep, options.variant, options.tracking_uri)
        except reports.ReportError as error:
            print(visible(f"python -m reports.audit: {error}"), file=sys.stderr)
            return 2
        low, high, sd = min(pool), max(pool), float(np.std(pool, ddof=1))
        print(f"{len(pool)} trainings: {low:.2f} to {high:.2f} %, standard deviation {sd:.2f} points\n")
        rows = [*welch.rows_of(pool), *times.rows_of(seconds)]
    for line in table(rows, options.trials, options.seed):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
