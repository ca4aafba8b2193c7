"""The command line of the reports: ``python -m reports NAME``, ``... accuracy-vs-size SWEEP...``, ``... diff RUN RUN``,
``... --index``."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from pathlib import Path

import reports
from zoo.text import output
from zoo.text.characters import visible, visible_json
from zoo.tracking.address import ArgumentParser

TRADE_OFF, DIFF, INDEX = "accuracy-vs-size", "diff", "--index"
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files that the arguments ask for and print a summary; the exit code is 0, or 2 with one message."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if INDEX in arguments:
            return _index(arguments)
        command = {TRADE_OFF: _trade_off, DIFF: _diff}.get(arguments[0]) if arguments else None
        return command(arguments[1:]) if command else _report(arguments)
    except reports.ReportError as error:
        print(visible(f"python -m reports: {error}"), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("python -m reports: interrupted; every file is as it was, or new and whole", file=sys.stderr)
        return INTERRUPTED


def _report(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    return _printed(reports.write(options.name, options.out, options.format, options.tracking_uri, allow_empty=False))


def _index(arguments: Sequence[str]) -> int:
    options = _index_parser().parse_args(arguments)
    return _printed(reports.index(options.out, options.tracking_uri))


def _trade_off(arguments: Sequence[str]) -> int:
    parser = _trade_off_parser()
    options = parser.parse_args(arguments)
    if not options.sweeps and not options.points:
        parser.error("name a sweep, or published figures with --points")
    all_axes = options.axis == ("all",)
    return _printed(
        reports.write_accuracy_vs_size(
            options.sweeps,
            options.out,
            options.format,
            options.tracking_uri,
            axes=reports.costs() if all_axes else options.axis,
            points=options.points,
            skip_unmeasured=all_axes,
        )
    )


def _diff(arguments: Sequence[str]) -> int:
    options = _diff_parser().parse_args(arguments)
    first, second = options.runs
    difference = reports.compare(first, second, options.tracking_uri)
    from reports.tables.difference import as_json, text

    print(visible_json(as_json(difference)) if options.json else visible(text(difference)))
    return 0


def _printed(report: reports.Report) -> int:
    print(visible(report.summary), end="\n\n")
    for path in report.paths:
        print(visible(f"wrote {path}"))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = ArgumentParser(
        prog="python -m reports",
        description="Write the report of a sweep: accuracy with its spread, verdicts, what it costs, pictures.",
        epilog=f"Beside it: python -m reports {TRADE_OFF} SWEEP... (several sweeps in one picture, with published figures), "
        f"python -m reports {DIFF} RUN RUN (two runs side by side), python -m reports {INDEX} (a list of all sweeps); each "
        "has its --help.",
    )
    parser.add_argument("name", metavar="NAME", help="the sweep, which is the name of the question's file")
    _add_files(parser, reports.FORMATS, reports.ALL_FORMATS, "results/NAME")
    _add_store(parser)
    return parser


def _trade_off_parser() -> argparse.ArgumentParser:
    parser = ArgumentParser(
        prog=f"python -m reports {TRADE_OFF}",
        description="Accuracy against what it costs, over several sweeps and published figures, in one picture a cost.",
    )
    parser.add_argument("sweeps", metavar="SWEEP", nargs="*", help="a sweep; none where --points are given")
    parser.add_argument(
        "--points",
        metavar="FILE",
        action="append",
        default=[],
        help="a CSV file of published figures, to be drawn too; again for another. Columns: name, accuracy_percent, any of "
        "params, macs, ops, bytes, latency_ms, and if known sd_points, source",
    )
    parser.add_argument(
        "--axis",
        metavar="LIST",
        type=_names,
        default=("params",),
        help=f"comma-separated costs (default params): {', '.join(reports.costs())}, or all that were measured",
    )
    _add_files(parser, reports.PICTURE_FORMATS, reports.ALL_PICTURE_FORMATS, "results")
    _add_store(parser)
    return parser


def _index_parser() -> argparse.ArgumentParser:
    parser = ArgumentParser(
        prog="python -m reports",
        description="All sweeps of a store: what each asks, how far it is, and what came out, in the terminal and as a page "
        "that leads to their reports.",
    )
    parser.add_argument(INDEX, action="store_true", required=True, help="list all sweeps")
    parser.add_argument("--out", metavar="DIR", type=Path, help="the folder of the reports (default results)")
    _add_store(parser)
    return parser


def _diff_parser() -> argparse.ArgumentParser:
    parser = ArgumentParser(
        prog=f"python -m reports {DIFF}",
        description="Two runs side by side: configuration, provenance, metrics, and where their predictions differ.",
    )
    parser.add_argument(
        "runs",
        metavar="RUN",
        nargs=2,
        help="an MLflow run id or a run key, or its first 6 characters or more, or SWEEP:VARIANT:SEED",
    )
    parser.add_argument("--json", action="store_true", help="print it for a program, with every number unrounded")
    _add_store(parser)
    return parser


def _add_files(
    parser: argparse.ArgumentParser, formats: Sequence[str], all_formats: Sequence[str], folder: str
) -> None:
    parser.add_argument("--out", metavar="DIR", type=Path, help=f"folder to write into (default {folder})")
    parser.add_argument(
        "--format",
        metavar="LIST",
        type=_names,
        default=tuple(formats),
        help=f"comma-separated (default {','.join(formats)}), of {', '.join(all_formats)}",
    )


def _add_store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tracking-uri", metavar="URI", help="the MLflow store (default MLFLOW_TRACKING_URI or sqlite:///mlflow.db)"
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


if __name__ == "__main__":
    gc.disable()  # MLflow, pandas and matplotlib make a million objects that are there to stay
    code = output.run(main)
    gc.freeze()  # or the interpreter goes through them once more at its end, which takes a second
    sys.exit(code)
