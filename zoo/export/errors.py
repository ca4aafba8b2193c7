"""What can go wrong with an export."""

from __future__ import annotations


class ExportError(Exception):
    """A network that cannot be exported, or a file that cannot be used; the message says which, and what to do."""


class UnknownName(ExportError):
    """No run, model or format of that name: a mistake in the question, not in the network."""


def first_line(error: BaseException) -> str:
    """What an error says, in one line; its kind where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
