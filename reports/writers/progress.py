"""How far a running sweep is, in its page: put into the report that is there, or a page of its own until there is one.

Imports nothing heavy: the process that runs the sweep does this after every training.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

from reports.writers import files
from zoo.text.characters import visible

RELOAD_S = 30
_ABSENT = "\N{EN DASH}"
PAGE = "report.html"
_TEMPLATES = Path(__file__).parents[1] / "html" / "templates"
_MARKED = re.compile(
    r"<!--progress-->.*?<!--/progress-->\n", re.DOTALL
)  # text of others has no comments: it is escaped
_BODY, _HEAD = "<body>\n", "</head>\n"


def marked(page: str, text: str, *, is_running: bool) -> str:
    """A page that says how far its sweep is, and loads itself again while that runs; no text: it does neither any more.

    The page's own script reloads it; without JavaScript the browser does.
    """
    page = _MARKED.sub("", page)
    if not text:
        return page
    again = f"<noscript>{_refresh()}</noscript>" if is_running else ""
    return _with(page, _notice(text, is_running), again)


def show(
    folder: Path, title: str, text: str, accuracies: Mapping[str, Sequence[float]], *, is_running: bool = True
) -> Path:
    """Put into the page in ``folder`` how far its sweep is. As ``reports.show_progress``.

    Raises:
        ReportError: the folder or the page cannot be written.
    """
    path = folder / PAGE
    try:
        page = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        page = ""
    is_report = "<main>" in page and _BODY in page and 'id="no-report"' not in page
    new = marked(page, text, is_running=is_running) if is_report else _page(title, text, accuracies, is_running)
    files.save({PAGE: new.encode()}, folder)
    return path


def _page(title: str, text: str, accuracies: Mapping[str, Sequence[float]], is_running: bool) -> str:
    rows = "\n".join(
        f'<tr><th scope="row">{_text(name)}</th><td>{", ".join(f"{value:.2f}" for value in values) or _ABSENT}</td></tr>'
        for name, values in accuracies.items()
    )
    template = Template((_TEMPLATES / "progress.html").read_text(encoding="utf-8"))
    style = (_TEMPLATES / "page.css").read_text(encoding="utf-8")
    page = template.substitute(title=_text(title), style=style, rows=rows)
    return _with(page, _notice(text, is_running), _refresh() if is_running else "")


def _with(page: str, notice: str, in_head: str) -> str:
    """The page with what is in the head and in the body only while the sweep runs."""
    head = f"<!--progress-->{in_head}<!--/progress-->\n{_HEAD}" if in_head else _HEAD
    return page.replace(_HEAD, head, 1).replace(_BODY, f"{_BODY}<!--progress-->{notice}<!--/progress-->\n", 1)


def _notice(text: str, is_running: bool) -> str:
    reload = f' data-reload="{RELOAD_S}"' if is_running else ""
    word = "<b>Running:</b> " if is_running else ""
    return f'<p class="notice" id="progress" role="status"{reload}>{word}{_text(text)}.</p>'


def _refresh() -> str:
    return f'<meta http-equiv="refresh" content="{RELOAD_S}">'


def _text(text: str) -> str:
    return escape(visible(text))
