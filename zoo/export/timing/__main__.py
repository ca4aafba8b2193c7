"""``python -m zoo.export.timing FILE...``: exported files timed side by side."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.export.errors import ExportError
from zoo.export.timing import files
from zoo.export.timing import session as sessions
from zoo.export.timing.session import Session
from zoo.host import hardware, machine_lock
from zoo.stats.costs.ratios import Ratio, RatioWord
from zoo.text import messages, output
from zoo.text.characters import visible
from zoo.text.wording import table

LOCK_PATIENCE_S = 600.0  # for trainings of this user's sweeps to end


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0; 1 when the machine was busy; 2 for a bad question."""
    options = _parser().parse_args(argv)
    try:
        calls = {
            f"{path.name}{f' x {batch}' if batch > 1 else ''}": files.call(path, batch, options.threads)
            for path in options.files
            for batch in options.batch or [1]
        }
    except ExportError as error:
        messages.to_stderr(f"error: {error}")
        return 2
    with machine_lock.measuring(LOCK_PATIENCE_S) as is_alone:
        if not is_alone:
            messages.to_stderr(
                "error: trainings on this machine have not ended within ten minutes: nothing was measured"
            )
            return 1
        session = sessions.measured(calls, rounds=options.rounds)
    baseline = next(iter(calls))
    ratios = {} if session.is_busy else session.ratios(baseline)
    if options.json:
        print(json.dumps(_as_json(session, ratios, options.threads), indent=1))
    else:
        print(visible(_report(session, ratios, baseline, options.threads)))
    return int(session.is_busy)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m zoo.export.timing",
        description="Times exported files side by side: medians and percentiles of one call, and ratios to the first file, "
        "with intervals. Other programs should not run meanwhile; where they do, the times are marked and not compared.",
    )
    parser.add_argument(
        "files", metavar="FILE", nargs="+", type=Path, help="exported files with their .json beside them"
    )
    parser.add_argument("--batch", metavar="N", type=_count, action="append", help="images of a call; may be repeated")
    parser.add_argument(
        "--threads", metavar="N", type=int, default=1, help="default 1; 0 for all that the runtime takes"
    )
    parser.add_argument(
        "--rounds", metavar="N", type=_count, default=sessions.ROUNDS, help=f"default {sessions.ROUNDS}"
    )
    parser.add_argument("--json", action="store_true", help="print all times as JSON")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _report(session: Session, ratios: dict[str, Ratio], baseline: str, threads: int) -> str:
    names = list(session.times_ms)
    rows = [(*row, _ratio_cell(ratios.get(row[0]), row[0] == baseline)) for row in sessions.as_rows(session, names)]
    heads = ("file", "median, ms", "p90", "p99", f"ratio to {baseline}" if len(baseline) < 24 else "ratio to the first")
    rounds = len(next(iter(session.times_ms.values())))
    calls = ", ".join(f"{times.size:,}" for times in session.times_ms.values())
    lines = [
        table(heads, rows, gap=2),
        "",
        f"{_threads(threads)}; {rounds} rounds in turn, {calls} calls; 95 % intervals over the rounds",
        files.circumstances(session),
    ]
    return "\n".join(lines)


def _ratio_cell(ratio: Ratio | None, is_baseline: bool) -> str:
    if is_baseline:
        return "1"
    if ratio is None or ratio.word is RatioWord.NOT_COMPARED:
        return "not compared"
    return f"{ratio.ratio:.3g} [{ratio.low:.3g}, {ratio.high:.3g}]"


def _threads(threads: int) -> str:
    return (
        "as many threads as the runtime takes" if not threads else "1 thread" if threads == 1 else f"{threads} threads"
    )


def _as_json(session: Session, ratios: dict[str, Ratio], threads: int) -> dict[str, Any]:
    versions = {}
    for name in ("tensorflow", "ai-edge-litert", "onnxruntime"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "device": hardware.device(),
        "threads": threads,
        "versions": versions,
        "others_before": session.others_before,
        "others_during": session.others_during,
        "is_busy": session.is_busy,
        "times_ms": {name: times.tolist() for name, times in session.times_ms.items()},
        "ratios": {
            name: {"ratio": each.ratio, "low": each.low, "high": each.high, "word": each.word}
            for name, each in ratios.items()
        },
    }


if __name__ == "__main__":
    sys.exit(output.run(main))
