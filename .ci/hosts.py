"""Says which tracked files name a package registry, or a path of the machine they were written on.

    python .ci/hosts.py [ROOT]       status 1 and one line for each find

Fixtures use ``index.example``; prose says "the public index".  The names looked for stand here backwards, so that this
file is clean itself.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

_BACKWARDS = (
    "gro.ipyp",
    "gro.detsohnohtyp",
    "gro.nohtyp.ipyp",
    "moc.sjmpn.yrtsiger",
    "gro.sjmpn",
    "oi.setarc",
    "gro.adnoc",
    "gro.hcrotyp.daolnwod",
    "gro.gnalog.yxorp",
)
_HOSTS = re.compile(
    r"(?<![\w-])(?:[\w-]+\.)*(?:"
    + "|".join(re.escape(name[::-1]) for name in _BACKWARDS)
    + r")(?![\w-]|\.\w)",
    re.IGNORECASE,
)
# A home with somebody's name in it, and the folders builds of this repository ran in.
_PATHS = re.compile(
    r"/root/\.(?!cache)\w|/home/(?!user\b|you\b|person\b|me\b)[a-z]\w*/|(?<![\w.}])/wor[k]/\w|/tmp/brief[s]"
)
_LARGEST = 5_000_000


def finds(root: str) -> list[str]:
    """``path:line: what`` for every find in the files git tracks under ``root``."""
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        stdout=subprocess.PIPE,
        check=True,
    )
    found = []
    for raw in listed.stdout.split(b"\0"):
        path = os.fsdecode(raw)
        full = os.path.join(root, path)
        if path and os.path.isfile(full) and os.path.getsize(full) <= _LARGEST:
            found += _in_file(full, path)
    return found


def _in_file(full: str, path: str) -> list[str]:
    with open(full, "rb") as file:
        text = file.read().decode("utf-8", "replace")
    return [
        f"{path}:{number}: {match.group()}"
        for number, line in enumerate(text.splitlines(), 1)
        for match in (*_HOSTS.finditer(line), *_PATHS.finditer(line))
    ]


def main() -> int:
    found = finds(sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(__file__)) or ".")
    for line in found:
        sys.stdout.write(line + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
