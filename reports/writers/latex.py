"""The variants as a LaTeX table, for a paper: booktabs rules, and names that may hold any character."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from reports.store.sweep import Sweep
from zoo.measure.metrics import METRICS, Kind, Metric
from zoo.stats.verdicts import VerdictWord
from zoo.text.characters import visible
from zoo.text.wording import points_text

GREEK = (  # from alpha on; omicron and the other sigma have no name
    *(
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
    ),
    *("", "pi", "rho", "", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"),
)
SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
    "[": r"{[}",  # at the beginning of a row it would be read as a part of the row break before it, as would a star
    "]": r"{]}",
    "*": r"{*}",
    "±": r"\ensuremath{\pm}",
    "\u2212": r"\ensuremath{-}",
    "\u00d7": r"\ensuremath{\times}",
    "µ": r"\ensuremath{\mu}",
    "→": r"\ensuremath{\rightarrow}",
    "≤": r"\ensuremath{\leq}",
    "≥": r"\ensuremath{\geq}",
    "≈": r"\ensuremath{\approx}",
    "∞": r"\ensuremath{\infty}",
    "…": r"\ldots{}",
    **{chr(0x3B1 + index): rf"\ensuremath{{\{name}}}" for index, name in enumerate(GREEK) if name},
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
}
ABSENT = "--"
KNOWN_TO_PDFLATEX = re.compile(r"[\x20-\x7e\u00a1-\u017f]")
HEAD = r"""% Table of the sweep {name}. Into a document whose preamble has
%   \usepackage[T1]{{fontenc}}
%   \usepackage{{booktabs}}
% it goes with \input{{report.tex}}.
"""
OTHER_LETTERS = r"""% Names in it have letters that pdfLaTeX does not know: compile it with LuaLaTeX or XeLaTeX,
% without fontenc and with \usepackage{fontspec} and \setmainfont{...} of a font that has them.
"""


def render(sweep: Sweep, frame: pd.DataFrame, answer: Sequence[str] = ()) -> str:
    """A ``table`` environment to be read into a document, below the paragraphs of the ``answer`` as comments. ``frame`` is
    ``variants.frame(sweep)``."""
    costs = [metric for metric in METRICS.values() if metric.in_paper]
    header = ("variant", "test accuracy, %", "difference, points", "verdict", *map(_heading, costs))
    rows = [_cells(row, costs) for _, row in frame.iterrows()]
    caption = [escape(sweep.question or sweep.name), *_notes(sweep, frame)]
    lines = [
        r"\begin{table}[htbp]",
        r"  \centering",
        r"  \footnotesize",
        r"  \setlength{\tabcolsep}{4pt}",
        rf"  \caption{{{' '.join(caption)}}}",
        rf"  \label{{tab:{re.sub(r'[^A-Za-z0-9]+', '-', sweep.name).strip('-') or 'sweep'}}}",
        rf"  \begin{{tabular}}{{lrrl{'r' * len(costs)}}}",
        r"    \toprule",
        f"    {_line(escape(title) for title in header)}",
        r"    \midrule",
        *(f"    {_line(cells)}" for cells in rows),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    body = "\n".join(lines) + "\n"
    name = re.sub(r"[^\x20-\x7e]", "?", sweep.name)
    has_other_letters = not all(KNOWN_TO_PDFLATEX.match(letter) for letter in body.replace("\n", " "))
    return HEAD.format(name=name) + (OTHER_LETTERS if has_other_letters else "") + _comments(answer) + body


def _comments(paragraphs: Iterable[str]) -> str:
    texts = (" ".join(visible(text).split()) for text in paragraphs)
    return "".join(f"% {line}\n" for text in texts for line in textwrap.wrap(text, 100))


def escape(text: str) -> str:
    """``text`` such that LaTeX prints it as it is, on one line."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    escaped = "".join(SPECIAL.get(letter, letter) for letter in " ".join(printable.split()))
    return re.sub(r"([-,])(?=\1)", r"\1{}", escaped)  # two hyphens would become a dash, two commas a quotation mark


def _line(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _heading(metric: Metric) -> str:
    return metric.full_title if metric.kind is Kind.COUNT else metric.column_heading


def _cells(row: pd.Series, costs: Iterable[Metric]) -> list[str]:
    name = escape(row["variant"])
    return [
        rf"\textbf{{{name}}}" if row["baseline"] else name,
        _accuracy(row),
        _difference(row),
        "" if row["verdict"] in ("", VerdictWord.NONE, VerdictWord.DESCRIPTIVE) else row["verdict"],
        *(ABSENT if pd.isna(row[metric.name]) else metric.format(row[metric.name]) for metric in costs),
    ]


def _accuracy(row: pd.Series) -> str:
    mean, sd = row["accuracy_percent_mean"], row["accuracy_percent_sd"]
    if np.isnan(mean):
        return ABSENT
    spread = "" if np.isnan(sd) else rf" \pm {sd:.2f}"
    return rf"${mean:.2f}{spread}$ ({row['n']})"


def _difference(row: pd.Series) -> str:
    difference, low, high = (row[f"difference_{part}points"] for part in ("", "low_", "high_"))
    if np.isnan(difference):
        return ABSENT
    return f"${difference:+.2f}$" + ("" if np.isnan(low) else f" $[{low:+.2f}, {high:+.2f}]$")


def _notes(sweep: Sweep, frame: pd.DataFrame) -> list[str]:
    notes = [r"Test accuracy: mean $\pm$ standard deviation over seeds (number of trainings)."]
    if len(frame) and frame["baseline"].any():
        notes.append("Difference: to the baseline (bold), with a 95\\,\\% confidence interval (Welch).")
        margin = "" if not sweep.margin else f", equivalent within {points_text(sweep.margin)} by two one-sided tests"
        notes.append(f"Verdict: helps or hurts by Welch's test{margin}, at 5\\,\\%, corrected by Holm's method.")
    return notes
