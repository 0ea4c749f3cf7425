"""Rendering a readme as the index does, to see whether it would be refused.  Costs what docutils costs: loaded late."""

from __future__ import annotations

import io
import re
import warnings

__all__ = ["first_fault"]

_LINE = re.compile(r"<string>:(\d*):? ?\((?:ERROR|WARNING|SEVERE)/\d\) (.*)")


def first_fault(text: str, kind: str, variant: str) -> tuple[int | None, str] | None:
    """Line and message of the first thing that stops rendering; None where it renders."""
    stream = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "text/markdown":
            from readme_renderer import markdown

            known = {"gfm": "GFM", "commonmark": "CommonMark"}.get(variant.lower(), variant)
            rendered = markdown.render(text, stream=stream, variant=known)
        elif kind == "text/x-rst":
            from readme_renderer import rst

            rendered = rst.render(text, stream=stream)
        else:
            return None
    if rendered is not None:
        return None
    for line in stream.getvalue().splitlines():
        found = _LINE.match(line)
        if found:
            return (int(found[1]) if found[1] else None, found[2])
    return None, stream.getvalue().strip().split("\n")[0] or "nothing of it is left"
