"""HTML elements as values: every text is escaped once, here."""

from __future__ import annotations

import html
from collections.abc import Iterable

__all__ = ["Element", "Markup", "page", "table", "tag"]


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Element = Markup | str | None


def tag(name: str, *children: Element, **attributes: str | None) -> Markup:
    """An element; ``class_`` is ``class``; children and attributes that are None are left out."""
    words = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(_escaped(child) for child in children if child is not None)
    return Markup(f"<{name}{words}>{inner}</{name}>")


def _escaped(child: Markup | str) -> str:
    return child if isinstance(child, Markup) else html.escape(child)


def table(head: Iterable[Element], rows: Iterable[Iterable[Element]], **attributes: str | None) -> Markup:
    """A table whose first column names the row; cells may bring their own ``td``."""
    top = tag("tr", *(each if _is_cell(each) else tag("th", each, scope="col") for each in head))
    body = []
    for row in rows:
        first, *others = row
        cells = [tag("th", first, scope="row")]
        cells += [each if isinstance(each, Markup) and _is_cell(each) else tag("td", each) for each in others]
        body.append(tag("tr", *cells))
    inner = tag("table", tag("thead", top), tag("tbody", *body), **attributes)
    return tag("div", inner, class_="scroll")


def _is_cell(each: Element) -> bool:
    return isinstance(each, Markup) and each.startswith(("<td", "<th"))


def page(title: str, depth: int, *body: Element) -> str:
    """A whole page; ``depth`` folders below the site's root."""
    root = "../" * depth
    head = tag(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        tag("title", title),
        Markup(f'<link rel="stylesheet" href="{root}style.css">'),
    )
    links = (
        ("index.html", "Matrix"),
        ("standards.html", "Standards"),
        ("tools.html", "Tools"),
        ("changes.html", "Changes"),
    )
    navigation = tag("nav", *(tag("a", text, href=root + path) for path, text in links), aria_label="Site")
    header = tag(
        "header", tag("a", "accord-conformance", href=root + "index.html", class_="brand"), navigation
    )
    return (
        "<!DOCTYPE html>\n"
        + tag("html", head, tag("body", header, tag("main", tag("h1", title), *body)), lang="en")
        + "\n"
    )
