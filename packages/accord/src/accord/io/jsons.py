"""Reading a small JSON document without the package ``json``, which loads ``re`` and takes half of Python's own start (hot).

CPython's scanner in C does the work; whatever it is not sure of, and what other Pythons have in place of it, is read by
``json``, which also words the fault.
"""

from __future__ import annotations

__all__ = ["loads"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def loads(data: bytes) -> Any:
    """What ``json.loads`` returns for ``data``.  Raises ValueError, RecursionError."""
    try:
        from _json import make_scanner

        text = data.decode("utf-8")
        found, end = make_scanner(_Context)(text, 0)  # type: ignore[arg-type]
        if end == len(text):
            return found
    except Exception:  # the scanner knows its faults only where json is loaded
        pass
    import json

    return json.loads(data)


class _Context:
    """What the scanner asks of a ``json.JSONDecoder``; constants (``NaN``) are left to that."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = None
