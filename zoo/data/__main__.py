"""``python -m zoo.data``: gets and verifies a data set, or lists the known ones."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from zoo.data import cache
from zoo.data.errors import DataError
from zoo.data.loading import digest, load
from zoo.data.registry import SPLITS, info, names
from zoo.text import messages, output
from zoo.text.characters import visible


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0, 1 when the data could not be had, 2 for bad usage or a name that is not known."""
    options = _parser().parse_args(arguments)
    try:
        with messages.shown_by(messages.to_stderr):
            return _list() if options.command == "list" else _fetch(options.name, options.data_dir)
    except KeyboardInterrupt:
        print("stopped; nothing half-written is left behind", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m zoo.data", description="The data sets, verified by checksum.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    fetch = commands.add_parser("fetch", help="get a data set, verify it, and keep one copy in the cache")
    fetch.add_argument("name", help="such as cifar10")
    fetch.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="a directory with the files; nowhere else is tried",
    )
    commands.add_parser("list", help="the known data sets and where they are cached")
    return parser


def _fetch(name: str, data_dir: Path | None) -> int:
    try:
        known = info(name)
    except DataError as error:
        return _failed(error, 2)
    try:
        counts = [len(load(name, split, data_dir)[1]) for split in SPLITS]
        sha256 = digest(name, data_dir)
    except DataError as error:
        return _failed(error, 1)
    location = visible(f"in {cache.directory() / name}") if cache.present(name) else "not cached"
    print(
        f"{name}: {counts[0]:,} training and {counts[1]:,} test images, "
        f"{known.image_size}x{known.image_size} pixels, {len(known.classes)} classes, verified, {location}\nsha256 {sha256}"
    )
    return 0


def _list() -> int:
    rows = [("name", "training images", "classes", "pixels", "cached in")]
    for known in map(info, names()):
        location = str(cache.directory() / known.name) if cache.present(known.name) else "-"
        count = f"{known.train_images:,}" if known.train_images is not None else "?"
        rows.append((known.name, count, str(len(known.classes)), f"{known.image_size}x{known.image_size}", location))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print(visible("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()))
    return 0


def _failed(error: DataError, code: int) -> int:
    messages.to_stderr(f"error: {error}")
    return code


if __name__ == "__main__":
    sys.exit(output.run(main))
