"""Run in a process of its own: one regular expression over one text, which may never end.

Usage: ``python -I -S _search.py JOB RESULT``.  JOB is JSON ``[function, pattern, flags, arguments]``, RESULT gets JSON:
text, a list of texts (or of lists of them), null, or for a match ``{"groups": [whole, first, …], "names": {name: text},
"span": [start, end]}``.  Imports the standard library alone.
"""

from __future__ import annotations

import json
import re
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["search"]


def search(function: str, pattern: str, flags: int, arguments: list[str]) -> Any:
    found = getattr(re.compile(pattern, flags), function)(*arguments)
    if isinstance(found, re.Match):
        return {"groups": [found[0], *found.groups()], "names": found.groupdict(), "span": list(found.span())}
    return found


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as job:
        result = search(*json.load(job))
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(result, file)
