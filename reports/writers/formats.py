"""The names of formats and costs that can be asked for, and what a report leaves behind. Imports nothing heavy."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

from reports.errors import ReportError
from zoo.text.characters import visible
from zoo.text.suggestions import did_you_mean

FORMATS = ("html", "md", "png", "csv")  # unless others are asked for
ALL_FORMATS = (*FORMATS, "svg", "parquet", "tex")
PICTURE_FORMATS = ("png", "csv")
ALL_PICTURE_FORMATS = (*PICTURE_FORMATS, "svg", "parquet")


@dataclass(frozen=True)
class Report:
    """What a report leaves behind: the files, in the order to read them, and a text for the terminal."""

    paths: tuple[Path, ...]
    summary: str

    def _repr_html_(self) -> str:
        """For a notebook: the text, the pictures that were written as PNG, and links to the files."""
        text = f'<pre style="overflow-x: auto">{escape(visible(self.summary))}</pre>'
        pictures = "".join(map(_picture, (path for path in self.paths if path.suffix == ".png")))
        links = ((escape(quote(path.as_posix())), escape(visible(str(path)))) for path in self.paths)
        files = "".join(f'<li><a href="{address}">{name}</a></li>' for address, name in links)
        return f"<div>{text}{pictures}<ul>{files}</ul></div>"


def _picture(path: Path) -> str:
    """Nothing where the file is gone by now."""
    try:
        content = base64.b64encode(path.read_bytes()).decode()
    except OSError:
        return ""
    name = escape(path.stem.replace("_", " "))
    return f'<img src="data:image/png;base64,{content}" alt="{name}" style="max-width: 50rem; width: 100%">'


def costs() -> tuple[str, ...]:
    """The costs that accuracy can be drawn against."""
    from zoo.measure.cost_axes import cost_axes

    return tuple(cost_axes())


def checked(names: Sequence[str], known: Sequence[str], kind: str) -> tuple[str, ...]:
    """The names, each once.

    Raises:
        ReportError: none, or one that is not ``known``; ``kind`` is the word for such a name.
    """
    for name in names:
        if name not in known:
            raise ReportError(f"unknown {kind} {name!r}{did_you_mean(name, known)}; there are: {', '.join(known)}")
    if not names:
        raise ReportError(f"no {kind} was named; there are: {', '.join(known)}")
    return tuple(dict.fromkeys(names))
