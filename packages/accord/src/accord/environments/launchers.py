"""The scripts of entry points (entry points specification, "Use for scripts") and of ``.data/scripts`` (hot).

A script starts with the environment's Python.  A first line holds at most 127 characters on old kernels and no blank
in the path, so a long or odd path goes through ``/bin/sh``: the same file is a shell script that starts Python on
itself, and a Python module whose first statement is a string.
"""

from __future__ import annotations

__all__ = ["body", "launcher", "rewritten", "shebang"]

_LONGEST = 127

# Only what every managed Python has: str.removesuffix came with 3.9.  The name without .exe is what programs print.
_BODY = """\
import sys
from {module} import {first}
if __name__ == "__main__":
    if sys.argv[0].endswith(".exe"):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit({attribute}())
"""


def shebang(python: str) -> bytes:
    """The first line or lines that start ``python`` (an absolute path)."""
    plain = f"#!{python}\n".encode()
    if len(plain) <= _LONGEST and not any(sign.isspace() for sign in python):
        return plain
    if "'" in python or "\\" in python or "\n" in python:
        # Neither may stand in what is at once a shell word and part of a Python string: printf writes the path.
        octal = "".join(f"\\\\0{byte:03o}" for byte in python.encode())
        return f"#!/bin/sh\n'''exec' \"$(printf %b {octal})\" \"$0\" \"$@\"\n' '''\n".encode()
    return f"#!/bin/sh\n'''exec' '{python}' \"$0\" \"$@\"\n' '''\n".encode()


def launcher(python: str, module: str, attribute: str) -> bytes:
    """The script that calls ``module:attribute`` with ``python``."""
    return shebang(python) + body(module, attribute)


def body(module: str, attribute: str) -> bytes:
    """A launcher without its first line."""
    first = attribute.partition(".")[0]
    return _BODY.format(module=module, first=first, attribute=attribute).encode()


def rewritten(data: bytes, python: str) -> bytes:
    """A ``.data/scripts`` file whose first line is ``#!python…`` (binary distribution format, "Recommended installer
    features"): that line replaced by one that starts ``python``."""
    return shebang(python) + data.partition(b"\n")[2]
