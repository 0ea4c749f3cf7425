"""Running Cython for one file, as ninja's command: its depfile is put right afterwards.

    python cythonize.py --module-name NAME [-X KEY=VALUE]... [--cplus] -o OUT SOURCE

Started by its path and not as a module, so that no folder of the project comes before the standard library.  Cython lists
its own ``.pxd`` files too, by paths of an environment that is gone after an isolated build; ninja would then find a
missing file and do everything again.  Cython's version is in the command, so those are left out.
"""

from __future__ import annotations

import os
import runpy
import sys

__all__ = ["inside", "main"]


def inside(depfile: str) -> str:
    """The text of a depfile with only those inputs that lie below the working directory."""
    target, _, inputs = depfile.replace("\\\n", " ").partition(":")
    here = os.getcwd()
    kept = []
    for path in inputs.replace("\\ ", "\0").split():
        short = os.path.relpath(os.path.join(here, path.replace("\0", " ")), here)
        if not short.startswith(".."):
            kept.append(short.replace(" ", "\\ "))
    return f"{target}: {' '.join(sorted(kept))}\n"


def main(arguments: list[str]) -> int:
    """Exit status of Cython; its messages go where ninja shows them."""
    sys.argv = ["cython", "-M", *arguments]
    try:
        runpy.run_module("cython", run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    depfile = arguments[arguments.index("-o") + 1] + ".dep"
    if status == 0 and os.path.isfile(depfile):
        with open(depfile, encoding="utf-8") as file:
            text = file.read()
        with open(depfile, "w", encoding="utf-8") as file:
            file.write(inside(text))
    return status


if __name__ == "__main__":
    # The folder of this file, which Python put first, is no place for modules of others.
    sys.path[:] = [path for path in sys.path if path != os.path.dirname(os.path.abspath(__file__))]
    sys.exit(main(sys.argv[1:]))
