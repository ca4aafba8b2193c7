"""``python -m zoo.models --table [MODEL,...]``: the table of ``zoo.export.table`` on a terminal."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from zoo.export import table
from zoo.export.errors import ExportError
from zoo.export.timing.__main__ import LOCK_PATIENCE_S
from zoo.host import machine_lock
from zoo.text import messages
from zoo.text.characters import visible
from zoo.text.suggestions import did_you_mean


def main(known: Sequence[str], options: argparse.Namespace) -> int:
    """Exit code 0; 1 when the machine was busy or a model failed; 2 for a bad question."""
    names = list(known) if options.table == "all" else options.table.split(",")
    for name in names:
        if name not in known:
            messages.to_stderr(f"error: no model is named {name!r}{did_you_mean(name, known)}")
            return 2
    with machine_lock.measuring(LOCK_PATIENCE_S) as is_alone:
        if not is_alone:
            messages.to_stderr(
                "error: trainings on this machine have not ended within ten minutes: nothing was measured"
            )
            return 1
        try:
            made = table.measured(names, options.input_size)
        except ExportError as error:
            messages.to_stderr(f"error: {error}")
            return 1
    print(json.dumps(table.as_json(made), indent=1) if options.json else visible(table.as_text(made)))
    return int(made.session.is_busy)
