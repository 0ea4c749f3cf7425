"""The roles a tool can be tested in: the verbs of each, what may be given, what is looked at afterwards.

One module a role.  A role knows its surroundings and how to look at what a tool did; it knows no tool.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from accord_conformance.cases import Case
from accord_conformance.errors import SuiteError
from accord_conformance.judging import COMMON_WITNESSES
from accord_conformance.protocol import OUTCOMES
from accord_conformance.roles.role import Role

__all__ = ["check", "role"]

_MODULES = {
    "version-library": "library",
    "installer": "installer",
    "locker": "locker",
    "resolver": "resolver",
    "script-runner": "runner",
    "backend": "backend",
    "frontend": "frontend",
    "environment-maker": "environments",
    "uploader": "uploader",
    "index": "index",
    "mirror": "mirror",
}


def role(name: str) -> Role:
    """The role of that name; SuiteError when nobody has built it."""
    if name not in _MODULES:
        raise SuiteError(name, "this role has no stage yet")
    found = import_module(f"accord_conformance.roles.{_MODULES[name]}").ROLE
    assert isinstance(found, Role)
    return found


def check(case: Case) -> None:
    """SuiteError for a word in ``given``, in a step or in what is expected that the case's role does not know."""
    stage = role(case.role)
    _known(case.id, "given", case.given, stage.makers)
    for step in case.steps:
        if step.do not in stage.verbs:
            raise SuiteError(
                case.id, f"{case.role} has no verb {step.do!r}: {', '.join(sorted(stage.verbs))}"
            )
        _known(case.id, step.do, step.arguments, dict.fromkeys(stage.verbs[step.do]))
        _known(case.id, "expect", step.expect, {**stage.witnesses, "where": None})
        _known(case.id, "where", step.expect.get("where", {}), stage.witnesses)
    for reading in case.readings:
        _known(case.id, "expect", reading.expect, stage.witnesses)
    for expect in (*(step.expect for step in case.steps), *(reading.expect for reading in case.readings)):
        _check_outcome(case.id, expect.get("outcome", "done"), stage)


def _check_outcome(where: str, expected: str | list[str], stage: Role) -> None:
    """An outcome that no answer has would make every tool fail."""
    own = stage.witnesses["outcome"] is not COMMON_WITNESSES["outcome"]
    known = [*OUTCOMES, "any", *(["either"] if own else [])]
    for each in [expected] if isinstance(expected, str) else expected:
        if each not in known:
            raise SuiteError(where, f"there is no outcome {each!r}: {', '.join(known)}")


def _known(where: str, what: str, words: Mapping[str, object], known: Mapping[str, object]) -> None:
    for word in words:
        if word not in known:
            raise SuiteError(where, f"{what} knows no {word!r}: {', '.join(sorted(known))}")
