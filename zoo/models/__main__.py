"""``python -m zoo.models [NAME]``: the registered models and their costs, or the layers of one of them."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from zoo.host.quiet_import import quiet_import
from zoo.measure import Cost, LayerCost, cost, layer_costs
from zoo.models import registry
from zoo.plugins import PluginError, load_file
from zoo.text import messages, output
from zoo.text.characters import visible
from zoo.text.suggestions import did_you_mean
from zoo.text.wording import table

T = TypeVar("T")


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0; 1 when a model could not be built or counted; 2 for a bad question."""
    options = _parser().parse_args(argv)
    try:
        for path in options.imports:
            load_file(path)
    except PluginError as error:
        return _refuse(str(error))
    known = registry.names()
    if options.table:
        # That package stands above this one, and adds to this command by itself.
        return int(importlib.import_module("zoo.export.table_command").main(known, options))
    if options.name is None:
        return _list_models(known, options)
    if options.name not in known:
        return _refuse(
            f"no model is named {options.name!r}{did_you_mean(options.name, known)}; "
            "`python -m zoo.models` lists them all"
        )
    return _show_model(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m zoo.models",
        description="The registered models with their parameters, multiply-adds (MACs) and operations for one image; "
        "with a NAME, that model's arguments and layers.",
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="show the layers of this model")
    parser.add_argument(
        "--input-size", metavar="N", type=_pixels, default=24, help="pixels, height = width (default 24)"
    )
    parser.add_argument(
        "--table",
        metavar="MODEL,...",
        nargs="?",
        const="all",
        help="sizes of files and measured times as well: of all models, or of these, beside the first one",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument(
        "--import",
        metavar="FILE",
        dest="imports",
        action="append",
        default=[],
        help="a Python file of your own that registers models; may be repeated",
    )
    return parser


def _pixels(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of pixels: give an integer of at least 1")
    return int(text)


def _list_models(known: Sequence[str], options: argparse.Namespace) -> int:
    costs = [(registry.entry(name), _attempt(cost, name, options.input_size)) for name in known]
    if options.json:
        _print_json([{"name": e.name, "family": e.family, **_json_of(counted)} for e, counted in costs])
    else:
        rows = [
            (e.name, e.family, *(f"{value:,}" for value in counted))
            if isinstance(counted, Cost)
            else (e.name, e.family)
            for e, counted in costs
        ]
        print(f"{len(rows)} models at {options.input_size}x{options.input_size}x3, 10 classes, for one image")
        notes = ["" if isinstance(counted, Cost) else counted for _, counted in costs]
        print(visible(table(("name", "family", "params", "MACs", "ops"), rows, left=2, notes=notes)))
    return int(any(isinstance(counted, str) for _, counted in costs))


def _json_of(counted: Cost | str) -> dict[str, Any]:
    return counted._asdict() if isinstance(counted, Cost) else {"error": counted}


def _show_model(options: argparse.Namespace) -> int:
    rows = _attempt(layer_costs, options.name, options.input_size)
    if isinstance(rows, str):
        messages.to_stderr(f"{options.name}: {rows}")
        return 1
    total = Cost(*(sum(getattr(row, field) for row in rows) for field in Cost._fields))
    entry = registry.entry(options.name)
    arguments = {name: parameter.default for name, parameter in entry.parameters().items()}
    if options.json:
        _print_json(
            {
                "name": entry.name,
                "family": entry.family,
                "input_size": options.input_size,
                "arguments": arguments,
                "layers": [row._asdict() for row in rows],
                "total": total._asdict(),
            }
        )
        return 0
    listed = ", ".join(f"{name}={json.dumps(value, default=repr)}" for name, value in arguments.items())
    size = f"{options.input_size}x{options.input_size}x3"
    print(visible(f"{entry.name} ({entry.family}) at {size}, 10 classes, for one image\narguments: {listed}\n"))
    print(visible(_layer_table(rows, total)))
    return 0


def _layer_table(rows: Sequence[LayerCost], total: Cost) -> str:
    def cells(counted: LayerCost | Cost) -> list[str]:
        both = ((getattr(counted, field), getattr(total, field)) for field in Cost._fields)
        return [text for value, whole in both for text in (f"{value:,}", f"{value / whole:.1%}" if whole else "-")]

    lines = [(row.name, "x".join(map(str, row.output_shape)), *cells(row)) for row in rows]
    heads = ("layer", "output", "params", "share", "MACs", "share", "ops", "share")
    return table(heads, [*lines, ("total", "", *cells(total))], left=2, rule_before_last=True)


def _attempt(count: Callable[[Any], T], name: str, input_size: int) -> T | str:
    """What ``count`` returns for the model, or one line that says why it cannot be counted."""
    with quiet_import():
        import tf_keras as keras

    keras.backend.clear_session()  # or the graphs of all the models stay in memory
    try:
        return count(registry.build(name, input_size))
    except Exception as error:  # a user's own function may raise anything; the other models are still counted
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        return reason if isinstance(error, ValueError) else f"{type(error).__name__}: {reason}"


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, default=repr))


def _refuse(message: str) -> int:
    messages.to_stderr(message)
    return 2


if __name__ == "__main__":
    sys.exit(output.run(main))
