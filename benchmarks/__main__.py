"""``python -m benchmarks [NAME ...]``: measure, print a table, and write it with the machine's description as JSON."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from benchmarks import sweep_overhead
from zoo import machine

BENCHMARKS = {"sweep_overhead": sweep_overhead}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"{', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument(
        "--out", metavar="FILE", type=Path, default=Path("benchmarks.json"), help="where the figures go"
    )
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}")
    found = {"machine": machine.describe(), "date": time.strftime("%Y-%m-%d"), "load": _load()}
    for name in options.names or BENCHMARKS:
        found[name] = BENCHMARKS[name].measure()
        print(BENCHMARKS[name].text(found[name]), flush=True)
    options.out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(f"written to {options.out}")


def _load() -> float:
    """Processes that wanted to run in the last minute: 0 on a quiet machine."""
    load = machine.load()
    if load > 0.5:
        print(f"warning: something else runs on this machine (load {load:.1f}), so these figures are not to be trusted")
    return load


if __name__ == "__main__":
    main()
