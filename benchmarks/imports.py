"""Import many modules in one process: ``python imports.py [--list] FILE``.

Runs inside the measured environment, so it imports nothing but the standard library and knows only its two files.
Without a flag every module named in the JSON list ``FILE`` is imported and a failure ends the process with status 1.
``--list`` writes the importable top-level names of the environment's distributions to ``FILE``, leaving out those
whose import fails (a module for another platform, a plug-in that wants its host).
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys


def top_levels() -> list[str]:
    from importlib.metadata import packages_distributions

    return sorted(name for name in packages_distributions() if name.isidentifier())


def importable(names: list[str]) -> list[str]:
    """Those of ``names`` whose import succeeds, in one process and in the order they are timed in later."""
    good = []
    for name in names:
        with contextlib.suppress(Exception, SystemExit):
            importlib.import_module(name)
            good.append(name)
    return good


def main() -> int:
    if sys.argv[1] == "--list":
        with open(os.devnull, "w") as quiet, contextlib.redirect_stdout(quiet):
            found = importable(top_levels())
        with open(sys.argv[2], "w") as stream:
            json.dump(found, stream)
        return 0
    with open(sys.argv[1]) as stream:
        names = json.load(stream)
    # Easter eggs print; the figures go elsewhere.
    with open(os.devnull, "w") as quiet, contextlib.redirect_stdout(quiet):
        for name in names:
            importlib.import_module(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
