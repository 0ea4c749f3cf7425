"""Reading and writing a small JSON document without the package ``json``, which loads ``re`` and takes half of Python's own start (hot).

CPython's scanner in C does the work; whatever it is not sure of, and what other Pythons have in place of it, is read by
``json``, which also words the fault.
"""

from __future__ import annotations

__all__ = ["dumps", "loads"]

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


def dumps(document: object) -> bytes:
    """``document`` (dictionaries with strings as keys, lists, strings, whole numbers, booleans, None) as
    ``json.dumps(document, indent=2, sort_keys=True)`` writes it, and a line end."""
    try:
        from _json import encode_basestring_ascii as quoted
    except ImportError:
        from json.encoder import py_encode_basestring_ascii as quoted

    def lines(value: object, indent: str) -> str:
        if isinstance(value, str):
            return quoted(value)
        if isinstance(value, dict) and value:
            inner = f"{indent}  "
            items = [f"{inner}{quoted(key)}: {lines(value[key], inner)}" for key in sorted(value)]
            return "{\n" + ",\n".join(items) + f"\n{indent}}}"
        if isinstance(value, (list, tuple)) and value:
            inner = f"{indent}  "
            return "[\n" + ",\n".join([inner + lines(one, inner) for one in value]) + f"\n{indent}]"
        if isinstance(value, (dict, list, tuple)):
            return "{}" if isinstance(value, dict) else "[]"
        if value is None or isinstance(value, bool):
            return {None: "null", True: "true", False: "false"}[value]
        if isinstance(value, int):
            return int.__repr__(value)
        raise TypeError(f"no JSON is written for {type(value).__name__}")

    return (lines(document, "") + "\n").encode("ascii")
