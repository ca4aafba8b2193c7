"""The error of a record that cannot be used."""

from __future__ import annotations

from pathlib import Path


class RecordError(Exception):
    """A file of a record is damaged, or not one of ours; the message names it, says what is wrong and what to do."""

    def __init__(self, path: Path, problem: str):
        self.path, self.problem = path, problem
        super().__init__(
            f"{path} cannot be used: {problem}. Restore it, or move {path.parent} to another place: "
            "the same command then does this training again from the start"
        )

    def __reduce__(self) -> tuple[type[RecordError], tuple[Path, str]]:
        return RecordError, (self.path, self.problem)
