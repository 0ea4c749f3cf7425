"""From the output of a failed build to one error a person can act on: the first fault, its place, a hint.

Text in, records out.  The whole output stays in ``build.log``; what is shown is short.
"""

from __future__ import annotations

import re

from ..errors import BackendError
from . import hints

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping

__all__ = ["CODES", "Failure", "extension_of", "failures", "report"]

CODES = (
    "compile-failed",
    "cython-failed",
    "header-missing",
    "library-missing",
    "link-failed",
    "python-headers-missing",
)
_SHOWN_LINES = 12
_SHOWN_COMMAND = 600
_PLACE = re.compile(
    r"^(?P<path>[^\s:][^:\n]*):(?P<line>\d+):(?:(?P<column>\d+):)? (?:(?:fatal )?error: )?(?P<text>.+)$"
)
_PROGRESS = re.compile(r"^\[\d+/\d+\] ")
_HEADER = re.compile(r"(?:^|[ '])([\w./+-]+)'?(?:: No such file or directory| file not found)")
_LIBRARY = re.compile(r"(?:cannot find|unable to find library|library not found for) -l([\w.+-]+)")
_UNDEFINED = re.compile(r"undefined (?:reference to|symbol:?) [`'\"]?(?P<name>[^'\"`\s]+)")


class Failure:
    """One command that failed: ``output`` is its target, ``command`` as run, ``lines`` what it wrote."""

    __slots__ = ("command", "lines", "output")

    def __init__(self, output: str, command: str, lines: list[str]) -> None:
        self.output = output
        self.command = command
        self.lines = lines


def failures(log: str) -> list[Failure]:
    """The failed commands in ninja's output, in the order they ended."""
    found = []
    lines = log.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("FAILED: "):
            rest = []
            for following in lines[number + 2 :]:
                if _PROGRESS.match(following) or following.startswith(("FAILED: ", "ninja: ")):
                    break
                rest.append(following)
            # ninja 1.13 puts the exit code first.
            name = re.sub(r"^\[code=\d+\] ", "", line[len("FAILED: ") :]).strip()
            found.append(Failure(name, lines[number + 1] if number + 1 < len(lines) else "", rest))
    return found


def report(failure: Failure, record: Mapping[str, Any], log_path: str) -> BackendError:
    """The error for a failed command: ``header-missing``, ``library-missing``, ``link-failed`` or ``compile-failed``."""
    extension = extension_of(failure, record)
    name = extension["name"] if extension else failure.output
    first, shown = _first(failure.lines)
    code, hint = _kind(failure, first)
    command = (
        failure.command if len(failure.command) <= _SHOWN_COMMAND else failure.command[:_SHOWN_COMMAND] + " …"
    )
    text = "\n".join(
        [
            f"{name}: {first}",
            *(f"    {line}" for line in shown),
            f"  command: {command}",
            f"  all output: {log_path}",
        ]
    )
    return BackendError(code, text, hint=hint)


def extension_of(failure: Failure, record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The extension whose command failed."""
    return next((one for one in record["extensions"] if _belongs(failure, record, one)), None)


def _belongs(failure: Failure, record: Mapping[str, Any], extension: Mapping[str, Any]) -> bool:
    return failure.output in (
        f"{record['folder']}/modules/{extension['target']}",
        *(unit["object"] for unit in extension["units"]),
        *(unit.get("generated") for unit in extension["units"]),
    )


def _first(lines: list[str]) -> tuple[str, list[str]]:
    """The first error and the lines that explain it; warnings before it are passed over."""
    for number, line in enumerate(lines):
        match = _PLACE.match(line)
        if match and (
            " error: " in line
            or ("warning" not in line and "note:" not in line and "In function" not in line)
        ):
            after = []
            for following in lines[number + 1 :]:
                if _PLACE.match(following) and "note:" not in following:
                    break
                after.append(following)
            place = f"{match['path']}:{match['line']}" + (f":{match['column']}" if match["column"] else "")
            return f"{place}: {match['text']}", after[:_SHOWN_LINES]
    kept = [line for line in lines if line.strip()]
    for number, line in enumerate(kept):
        if "undefined" in line or "cannot find" in line or "rror:" in line:
            return line, kept[number + 1 :][:_SHOWN_LINES]
    return (kept[0] if kept else "the command failed and wrote nothing"), kept[1:][:_SHOWN_LINES]


def _kind(failure: Failure, first: str) -> tuple[str, str]:
    everything = "\n".join(failure.lines)
    header = _HEADER.search(first)
    if header:
        code = "python-headers-missing" if header[1] == "Python.h" else "header-missing"
        return code, hints.for_header(header[1])
    library = _LIBRARY.search(everything)
    if library:
        return "library-missing", hints.for_library(library[1])
    undefined = _UNDEFINED.search(everything)
    if undefined:
        return "link-failed", (
            f"nothing that is linked defines {undefined['name']}: add the source that does to sources, or its library to libraries"
        )
    if ".pyx:" in first or "Error compiling Cython file" in everything:
        return "cython-failed", "the place is in the Cython file"
    if "implicit declaration" in first or "undeclared" in first or "unknown type name" in first:
        return (
            "compile-failed",
            "is a header not included, or a name from a newer Python than limited-api allows?",
        )
    if not failure.output.endswith(".o"):
        return "link-failed", "run the command by hand to see more"
    return "compile-failed", "correct the source; the command can be run by hand in the project's folder"
