"""What can go wrong with an export."""

from __future__ import annotations


class ExportError(Exception):
    """A network that cannot be exported, or a file that cannot be used; the message says which, and what to do."""


class UnknownName(ExportError):
    """No run, model or format of that name: a mistake in the question, not in the network."""
