"""``python -m benchmarks [NAME ...]``: measure, print a table, and write it with the machine's description as JSON."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import memory, normalization, report, start_up, step_profile, sweep_overhead, training_speed
from zoo.host import git, hardware

BENCHMARKS = {
    "training_speed": training_speed,
    "step_profile": step_profile,
    "normalization": normalization,
    "memory": memory,
    "start_up": start_up,
    "report": report,
    "sweep_overhead": sweep_overhead,
}
SPEED = tuple(name for name in BENCHMARKS if name != "sweep_overhead")  # what is measured when nothing is named


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", metavar="NAME", nargs="*", help=f"{', '.join(BENCHMARKS)} (default: {', '.join(SPEED)})"
    )
    parser.add_argument("--rounds", metavar="N", type=int, help="of each timing (default: 5; 3 of start-up and report)")
    parser.add_argument("--seconds", metavar="S", type=float, default=8.0, help="of each timing of speed (default 8)")
    parser.add_argument(
        "--model",
        metavar="NAME",
        dest="models",
        action="append",
        choices=training_speed.MODELS,
        help=f"only this network's speed; repeatable (default: {', '.join(training_speed.MODELS)})",
    )
    parser.add_argument(
        "--out", metavar="FILE", type=Path, default=Path("benchmarks.json"), help="where the figures go"
    )
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}")
    if options.seconds <= 0 or (options.rounds is not None and options.rounds < 1):
        parser.error("--rounds and --seconds must be above 0")
    results = {"machine": _machine(), "date": time.strftime("%Y-%m-%d"), "load": _load()}
    for name in options.names or SPEED:

        def keep(so_far: dict[str, Any], name: str = name) -> None:  # at once, or a failure later loses an hour
            results[name] = so_far
            options.out.write_text(json.dumps(results, indent=1), encoding="utf-8")

        keep(BENCHMARKS[name].measure(**_arguments(name, options, keep)))
        print(f"{BENCHMARKS[name].text(results[name])}\n", flush=True)
    print(f"written to {options.out}")


def _arguments(name: str, options: argparse.Namespace, keep: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """What of the command line a benchmark takes."""
    rounds = {} if options.rounds is None else {"rounds": options.rounds}
    models = {"models": tuple(options.models or training_speed.MODELS)}
    if name == "training_speed":
        return {**rounds, **models, "seconds": options.seconds, "keep": keep}
    if name == "step_profile":
        return models
    return rounds if name in ("start_up", "normalization", "report") else {}


def _machine() -> dict[str, Any]:
    described = hardware.describe() | git.git_state(Path(__file__).parent)
    if importlib.util.find_spec("torch") is not None:
        described["packages"]["torch"] = importlib.metadata.version("torch")
    return described


def _load() -> float:
    """Processes that wanted to run in the last minute: 0 on a quiet machine."""
    load = hardware.load()
    if load > 0.5:
        print(f"warning: something else runs on this machine (load {load:.1f}), so these figures are not to be trusted")
    return load


if __name__ == "__main__":
    main()
