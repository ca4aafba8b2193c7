"""Frames as files: CSV that a spreadsheet shows and does not compute, and Parquet."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from reports.errors import ReportError
from zoo.text.characters import visible

FORMULA = frozenset("=+-@\t\r\uff1d\uff0b\uff0d\uff20")  # what a formula begins with, in full width too


def encode(frames: Mapping[str, pd.DataFrame], formats: Collection[str]) -> dict[str, bytes]:
    """File name -> content of each frame, as CSV and as Parquet, as far as ``formats`` has them."""
    contents = {}
    for name, frame in frames.items():
        if "csv" in formats:
            contents[f"{name}.csv"] = _csv(frame)
        if "parquet" in formats:
            try:
                contents[f"{name}.parquet"] = frame.to_parquet(index=False, engine="pyarrow")
            except ImportError as error:
                raise ReportError("the format parquet takes pyarrow: pip install pyarrow") from error
    return contents


def _csv(frame: pd.DataFrame) -> bytes:
    """The frame as CSV; text that a spreadsheet would take for a formula has an apostrophe before it."""
    texts = frame.select_dtypes(include=["object", "string"]).columns
    safe = frame.assign(**{name: frame[name].map(cell) for name in texts}).rename(columns=cell)
    return safe.to_csv(index=False).encode()


def cell(value: Any) -> Any:
    """A value, or text as a spreadsheet may take it."""
    if not isinstance(value, str):
        return value
    begins = value[:1] in FORMULA or value.lstrip()[:1] in FORMULA
    return visible(f"'{value}" if begins and not _is_number(value) else value)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.strip() == text
