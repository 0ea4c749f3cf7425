"""One line for each thing worth telling an operator, as text or as JSON, on standard error.

Standard ``logging`` and a formatter of our own: what a log needs here is a few named fields, never a secret.  Fields are
given as ``extra={"fields": {...}}``.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback

from accord.server import clock

__all__ = ["FORMATS", "LOG", "set_up"]

FORMATS = ("text", "json")
LOG = logging.getLogger("accord.server")


class _Lines(logging.Formatter):
    def __init__(self, form: str) -> None:
        super().__init__()
        self._json = form == "json"

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = dict(getattr(record, "fields", {}))
        fault = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        at = clock.iso(int(record.created * 1_000_000))
        if self._json:
            line = {"at": at, "level": record.levelname.lower(), "message": record.getMessage(), **fields}
            if fault:
                line["traceback"] = fault
            return json.dumps(line, ensure_ascii=False, default=str)
        told = "".join(f" {name}={_word(value)}" for name, value in fields.items())
        return f"{at} {record.levelname.lower()} {record.getMessage()}{told}" + (
            f"\n{fault.rstrip()}" if fault else ""
        )


def _word(value: object) -> str:
    """A value as one word: quoted, with nothing in it a terminal would obey, where a stranger may have written it."""
    text = str(value)
    return text if text.isascii() and text.isprintable() and " " not in text else json.dumps(text)


def set_up(form: str) -> None:
    """Write lines in one of :data:`FORMATS` from now on, in this process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(form))
    LOG.handlers[:] = [handler]
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
