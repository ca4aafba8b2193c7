"""A picture that matplotlib wrote as SVG, made part of a page: ids of its own, the page's colours, nothing but shapes."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from markupsafe import Markup, escape

SHAPES = {
    *("svg", "g", "defs", "use", "symbol", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon"),
    *("text", "tspan", "textPath", "title", "desc", "image", "clipPath", "mask", "marker", "pattern"),
    *("linearGradient", "radialGradient", "stop"),
}
# The colours of paper, text, secondary text, grid and first series in reports.figures.style and matplotlib -> the page's.
COLORS = {
    "#ffffff": "var(--plate)",
    "#000000": "var(--ink)",
    "#444444": "var(--soft)",
    "#e6e6e6": "var(--rule)",
    "#0072b2": "var(--first)",
}
COLOR = re.compile("|".join(COLORS), re.IGNORECASE)
VARIANT = re.compile(
    r"variant-(\d{1,6})(?![^-])"
)  # the id of what is drawn of a variant, as figures.trade_off names it
REFERENCE = re.compile(r"url\(\s*['\"]?#([^)'\"]+)['\"]?\s*\)")


def inline(svg: str, prefix: str, label: str) -> Markup:
    """``svg`` as an element for a page: ids begin with ``prefix``, and ``label`` says what it shows.

    Everything is left out that is no shape: prolog, metadata, style sheets (which would hold for the whole page), scripts,
    and references to anything outside.

    Raises:
        ValueError: it is not SVG.
    """
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise ValueError(f"not SVG: {error}") from error
    if _local_name(root.tag) != "svg":
        raise ValueError(f"not SVG: a <{_local_name(root.tag)}>")
    box = root.get("viewBox") or " ".join(("0 0", _number(root, "width"), _number(root, "height")))
    parts = [
        f'<svg role="img" aria-label="{escape(label)}" viewBox="{escape(box)}" preserveAspectRatio="xMidYMid meet">'
    ]
    for child in root:
        _write(child, prefix, parts)
    return Markup("".join([*parts, "</svg>"]))


def _write(element: ElementTree.Element, prefix: str, parts: list[str]) -> None:
    name = _local_name(element.tag) if isinstance(element.tag, str) else ""  # a comment's tag is a function
    if name not in SHAPES:
        return
    attributes = "".join(
        f' {key}="{escape(value)}"'
        for key, value in (_attribute(_local_name(key), value, prefix) for key, value in element.items())
        if value is not None
    )
    parts.append(f"<{name}{attributes}>{escape(element.text or '')}")
    for child in element:
        _write(child, prefix, parts)
        parts.append(str(escape(child.tail or "")))
    parts.append(f"</{name}>")


def _attribute(key: str, value: str, prefix: str) -> tuple[str, str | None]:
    """As it is written into the page; None for one that is left out."""
    if key == "id":
        of_variant = VARIANT.match(value)
        return ("data-variant", of_variant[1]) if of_variant else (key, prefix + value)
    if key == "href":
        if value.startswith("#"):
            return key, f"#{prefix}{value[1:]}"
        return key, value if value.startswith("data:image/") else None
    if key.lower().startswith("on"):
        return key, None
    value = REFERENCE.sub(rf"url(#{prefix}\1)", value)
    if key in ("style", "fill", "stroke"):
        value = COLOR.sub(lambda match: COLORS[match[0].lower()], value)
    # A variable is resolved in a style sheet only, not in an attribute.
    return ("style", f"{key}: {value}") if key in ("fill", "stroke") and "var(" in value else (key, value)


def _local_name(tag: str) -> str:
    return tag.rpartition("}")[2]


def _number(root: ElementTree.Element, key: str) -> str:
    match = re.match(r"[\d.]+", root.get(key, ""))
    if not match:
        raise ValueError(f"not SVG with a size: neither viewBox nor {key}")
    return match[0]
