"""What can go wrong while building, as records with stable codes.

The backend stands alone, so it cannot raise the errors of ``accord_core``; these have the same fields and the
same codes style.  A frontend shows the text of the exception at the end of its own report, so the text carries
everything: code, every fault with its table and key, and what to do next.

    BackendError        the tree cannot be built; ``code``, ``message``, ``hint``, ``faults``

What is no failure is said in one line by :func:`say`.
"""

from __future__ import annotations

import sys

__all__ = ["BackendError", "Fault", "say"]


class Fault:
    """One thing wrong in ``pyproject.toml``: a stable ``code``, ``place`` (``project.scripts.x``), ``problem``."""

    __slots__ = ("code", "place", "problem")

    def __init__(self, code: str, place: str, problem: str) -> None:
        self.code = code
        self.place = place
        self.problem = problem

    def __str__(self) -> str:
        return f"[{self.place}] {self.problem} ({self.code})"


class BackendError(Exception):
    """A tree that cannot be built.  ``code`` is stable; ``faults`` holds every fault of the document."""

    def __init__(self, code: str, message: str, *, hint: str = "", faults: tuple[Fault, ...] = ()) -> None:
        lines = [f"{message} ({code})"]
        lines += [f"  - {fault}" for fault in faults]
        if hint:
            lines.append(f"  hint: {hint}")
        super().__init__("\n".join(lines))
        self.code = code
        self.message = message
        self.hint = hint
        self.faults = faults


def say(text: str) -> None:
    """One line on stderr about something that is no fault; in ASCII, whatever encoding the stream has (PEP 517 asks
    for UTF-8 in pipes)."""
    line = f"accord-backend: {text}".encode("ascii", "backslashreplace").decode()
    sys.stderr.write(line + "\n")
