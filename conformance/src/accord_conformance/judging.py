"""What came of a case: findings, one for each thing expected, and the verdict they make together.

pass  fail        the standard decides
reading-N         a disputed case: the tool follows reading N; ``reading-none`` when it follows no reading
seen              a survey
unsupported       the tool has no such function
void              it refused, but does not do the honest twin either, or it failed, but the case that this one comes after did not end as expected,
                  or it never came to the question: that says nothing
error             something is wrong with the case or the adapter
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accord_conformance.protocol import Answer
    from accord_conformance.scene import Scene

__all__ = ["COMMON_WITNESSES", "VERDICTS", "Finding", "Witness", "agree", "shown"]

VERDICTS = (
    "pass",
    "fail",
    "unsupported",
    "void",
    "seen",
    "reading-1",
    "reading-2",
    "reading-3",
    "reading-none",
    "error",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was expected, and what was found."""

    what: str  # the key of ``expect``
    expected: str
    found: str
    ok: bool


# Looks at the scene after a request, and says what it finds of one key of ``expect``.
Witness = Callable[["Scene", "Answer", Any], "Iterable[Finding]"]


def shown(value: Any) -> str:
    """A value as the report shows it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def agree(what: str, expected: Any, found: Any) -> Finding:
    """The finding that two values are the same."""
    return Finding(what, shown(expected), shown(found), expected == found)


def _outcome(scene: Scene, answer: Answer, expected: str | list[str]) -> Iterable[Finding]:
    """How it ended; a list where the standard leaves it open, ``any`` where only what is left behind matters."""
    found = answer.outcome + (" (with a traceback)" if answer.untidy else "")
    allowed = [expected] if isinstance(expected, str) else expected
    yield Finding("outcome", " or ".join(allowed), found, answer.outcome in allowed or "any" in allowed)


def _value(scene: Scene, answer: Answer, expected: Any) -> Iterable[Finding]:
    """The value, whole."""
    yield agree("value", expected, answer.value)


def _value_has(scene: Scene, answer: Answer, expected: Any) -> Iterable[Finding]:
    """The named keys of a value that is a table."""
    value = answer.value if isinstance(answer.value, dict) else {}
    for key, wanted in expected.items():
        yield agree(f"value.{key}", wanted, value.get(key))


def _says(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Patterns, in any case, found in what the tool said to the person."""
    for pattern in expected:
        yield Finding("says", pattern, _end(answer.message), _found(pattern, answer.message))


def _says_not(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Patterns found nowhere in it."""
    for pattern in expected:
        yield Finding(
            "says_not", f"nowhere: {pattern}", _end(answer.message), not _found(pattern, answer.message)
        )


def _warns(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """The same, where a warning is owed only by a tool that went on."""
    for pattern in expected:
        ok = answer.outcome == "refused" or _found(pattern, answer.message)
        yield Finding("warns", pattern, _end(answer.message), ok)


def _explains(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """The same, where an explanation is owed only by a tool that refused: that it went on is another case's fault."""
    for pattern in expected:
        ok = answer.outcome == "done" or _found(pattern, answer.message)
        yield Finding("explains", pattern, _end(answer.message), ok)


def _tidy(scene: Scene, answer: Answer, expected: bool) -> Iterable[Finding]:
    """Whether it ended without a traceback."""
    found = "a traceback" if answer.untidy else "no traceback"
    yield Finding("tidy", "no traceback", found, answer.untidy is not expected)


def _found(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE | re.DOTALL) is not None


def _end(message: str) -> str:
    """The last words of a message."""
    end = message[-400:]
    return (f"… {end.partition(' ')[2]}" if len(message) > len(end) else end).strip() or "nothing"


COMMON_WITNESSES: dict[str, Witness] = {
    "outcome": _outcome,
    "value": _value,
    "value_has": _value_has,
    "says": _says,
    "says_not": _says_not,
    "warns": _warns,
    "explains": _explains,
    "tidy": _tidy,
}
