"""The command line of the reports: ``python -m reports NAME`` and ``python -m reports accuracy-vs-size SWEEP...``."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from pathlib import Path

import reports

TRADE_OFF = "accuracy-vs-size"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a report and print it; 0 when written, 2 with one message when there is nothing to report."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if arguments[:1] == [TRADE_OFF]:
            asked = _trade_off_parser().parse_args(arguments[1:])
            report = reports.write_accuracy_vs_size(asked.sweeps, asked.out, asked.format, asked.tracking_uri)
        else:
            asked = _parser().parse_args(arguments)
            report = reports.write(asked.name, asked.out, asked.format, asked.tracking_uri)
    except reports.ReportError as error:
        print(f"python -m reports: {error}", file=sys.stderr)
        return 2
    print(report.summary, end="\n\n")
    for path in report.paths:
        print(f"wrote {path}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m reports",
        description="Write the report of a sweep: accuracy with its spread, what it costs, pictures.",
        epilog=f"The trade-off picture over several sweeps: python -m reports {TRADE_OFF} SWEEP...",
    )
    parser.add_argument("name", metavar="NAME", help="the sweep, which is the name of the question's file")
    _add_options(parser, reports.FORMATS, "results/NAME")
    return parser


def _trade_off_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m reports {TRADE_OFF}", description="Accuracy against size over several sweeps, in one picture."
    )
    parser.add_argument("sweeps", metavar="SWEEP", nargs="+")
    _add_options(parser, ("png", "csv"), "results")
    return parser


def _add_options(parser: argparse.ArgumentParser, formats: Sequence[str], folder: str) -> None:
    parser.add_argument("--out", metavar="DIR", type=Path, help=f"folder to write into (default {folder})")
    parser.add_argument(
        "--format",
        metavar="LIST",
        type=lambda text: tuple(name.strip() for name in text.split(",") if name.strip()),
        default=tuple(formats),
        help=f"comma-separated (default {','.join(formats)})",
    )
    parser.add_argument(
        "--tracking-uri", metavar="URI", help="the MLflow store (default MLFLOW_TRACKING_URI or sqlite:///mlflow.db)"
    )


if __name__ == "__main__":
    gc.disable()  # MLflow, pandas and matplotlib make a million objects that are there to stay
    code = main()
    gc.freeze()  # or the interpreter goes through them once more at its end, which takes a second
    sys.exit(code)
