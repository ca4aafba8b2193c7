"""Addresses of MLflow's store. Imports nothing heavy."""

from __future__ import annotations

import os
import re
from pathlib import Path

DEFAULT_URI = "sqlite:///mlflow.db"  # what a bare ``mlflow ui`` opens in the same directory


def resolve_uri(uri: str | None = None) -> str:
    """The address that was given, else MLFLOW_TRACKING_URI, else ``DEFAULT_URI``."""
    return uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI


def sqlite_path(uri: str) -> Path | None:
    """The file behind a ``sqlite:///`` address (relative to the working directory), or None for another store."""
    return Path(uri.removeprefix("sqlite:///").split("?")[0]) if uri.startswith("sqlite:///") else None


def without_passwords(text: str) -> str:
    """An address, or a text with some in it, with *** for each password."""
    # Up to the last @ of a word: a password that was not quoted as addresses demand may hold an @ or a slash itself.
    return re.sub(r"(//[^/:@\s]*):\S*@", r"\1:***@", text)
