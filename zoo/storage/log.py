"""The end of a worker's log, with Python's own dumps of its threads in the order of a traceback."""

from __future__ import annotations

import re
from pathlib import Path

_DUMP_HEADER = "(most recent call first):"  # how faulthandler heads each thread
_DUMPED_CALLS = 5  # shown of each thread
# The threads of a worker that wait for the end of the parent, and that send heartbeats.
_IDLE = re.compile(
    r'(processes\.py", line \d+ in watch|heartbeats\.py", line \d+ in _run|machine_lock\.py", line \d+ in beat)$'
)
_LINES, _BYTES = 20, 20_000  # of a log's end: how much is shown, and read


def size(log: Path) -> int:
    """Bytes in the log so far."""
    try:
        return log.stat().st_size
    except FileNotFoundError:
        return 0


def last_output(log: Path, since: int = 0) -> str:
    """The last lines that were written after the first ``since`` bytes; of a dumped stack those of its last calls."""
    try:
        with open(log, "rb") as file:
            file.seek(max(since, size(log) - _BYTES))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    lines = _most_recent_call_last([line.rstrip() for line in text.splitlines() if line.strip()])
    return "\n".join(lines[-_LINES:])


def _most_recent_call_last(lines: list[str]) -> list[str]:
    """The lines, with a dump of threads (after a fatal signal, or of a process that hangs) as tracebacks are: the last calls
    of each thread, the most recent one at the end. The thread that is to blame, if known, comes last.
    """
    headers = [i for i, line in enumerate(lines) if line.endswith(_DUMP_HEADER)]
    if not headers:
        return lines
    before = [line for line in lines[: headers[0]] if line.startswith("Fatal Python error")]
    ends = [*headers[1:], len(lines)]
    others = [
        line for line in lines[headers[-1] + 1 :] if not line.startswith(("  File ", "  ...", "Extension modules:"))
    ]
    threads = []
    for start, end in zip(headers, ends, strict=True):
        calls = [line for line in lines[start + 1 : end] if line.startswith("  File ")]
        if not any(_IDLE.search(line) for line in calls):
            header = lines[start].replace("most recent call first", "most recent call last")
            threads.append((header, calls[:_DUMPED_CALLS][::-1]))
    # In a hang the current thread is the one that was asked for the dump; it usually waits for the others.
    threads.sort(key=lambda thread: thread[0].startswith("Current") == bool(before))
    return [*before, *(line for header, calls in threads for line in (header, *calls)), *others]
