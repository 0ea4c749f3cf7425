"""Version library: a library (or a command) that reads versions, specifiers, requirements, markers, names, file names.

Asked by values alone: nothing is made, nothing is installed.  ``environment`` is what differs from ENVIRONMENT; ``extra`` in it is a string, or a list where
several were asked for, ``extras`` and ``dependency_groups`` are lists.  ``system`` is the CPython of a system: ``python`` ("3.12"), ``os`` (linux, macos, windows,
android, ios), ``arch``, ``version`` (of the system, or of its C library: ``libc`` is glibc or musl).  Beside the common witnesses there are ``value_not``
and ``named``: the name in what was read, whether in normal form or as it was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from accord_conformance.cases import Step
from accord_conformance.judging import COMMON_WITNESSES, Finding, agree, shown
from accord_conformance.names import normal
from accord_conformance.protocol import Answer
from accord_conformance.roles.role import Role
from accord_conformance.scene import Scene

__all__ = ["ENVIRONMENT", "ROLE"]

# The environment of every marker.
ENVIRONMENT = {
    "os_name": "posix",
    "sys_platform": "linux",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "6.1.0-13-amd64",
    "platform_system": "Linux",
    "platform_version": "#1 SMP Debian 6.1.55-1",
    "python_version": "3.10",
    "python_full_version": "3.10.4",
    "implementation_name": "cpython",
    "implementation_version": "3.10.4",
}


_LINE = "\nwords, words, words"  # of 20 characters


def _values(scene: Scene, step: Step) -> Mapping[str, Any]:
    if step.do == "measure-description":
        return {"text": step.arguments["text"] + _LINE * step.arguments.get("lines", 0)}
    if step.do != "evaluate-marker":
        return step.arguments
    return {**step.arguments, "environment": {**ENVIRONMENT, **step.arguments.get("environment", {})}}


def _value_not(scene: Scene, answer: Answer, unwanted: Any) -> Iterable[Finding]:
    """Any value but this one, where the standard leaves open what is answered instead."""
    ok = answer.outcome != "done" or answer.value != unwanted
    yield Finding("value_not", f"not {shown(unwanted)}", shown(answer.value), ok)


def _named(scene: Scene, answer: Answer, expected: str) -> Iterable[Finding]:
    """The name in what was read, which may be given as written or in normal form."""
    found = answer.value.get("name") if isinstance(answer.value, dict) else None
    yield agree("named", expected, normal(found) if isinstance(found, str) else found)


ROLE = Role(
    name="version-library",
    about="Reads versions, specifiers, requirements, markers, names and file names.",
    verbs={
        # "1.0.0RC1" -> its normal form
        "normalise-version": ("version",),
        # -> nothing: taken or refused
        "check-version": ("version",),
        # -> "<", "=", ">"
        "compare-versions": ("left", "right"),
        # does the specifier admit the version? -> true, false
        "contains": ("specifier", "version", "prereleases"),
        # -> those of the versions that it admits, in order
        "filter": ("specifier", "versions", "prereleases"),
        # -> nothing: taken or refused
        "parse-specifier": ("specifier",),
        # -> {name, extras (sorted), specifier (sorted, joined by a comma), url, marker (whether there is one)}
        "parse-requirement": ("requirement",),
        # -> true, false
        "evaluate-marker": ("marker", "environment"),
        "normalise-name": ("name",),
        # -> nothing: taken or refused
        "check-name": ("name",),
        # -> {name, version (both in normal form), build, tags (sorted)}
        "parse-wheel-filename": ("filename",),
        # -> {name, version}, both in normal form
        "parse-sdist-filename": ("filename",),
        # two wheels alike in all but the build tag -> "<", "=", ">": the greater is the better
        "compare-wheels": ("left", "right"),
        # does a wheel with this tag (a compressed one stands for several) fit the system? -> true, false
        "tag-fits": ("tag", "system"),
        # -> the one of these tags that fits the system best
        "best-tag": ("tags", "system"),
        # -> its normal form
        "normalise-licence": ("expression",),
        # -> nothing: taken or refused
        "check-licence": ("expression",),
        # the table [dependency-groups], a group -> its dependency specifiers, in order
        "expand-group": ("groups", "name"),
        # METADATA or PKG-INFO as text, in UTF-8 -> {name, version, description, license ("" for none)}
        "read-metadata": ("text",),
        # the same, with so many lines of 20 characters added -> how many characters the description has
        "measure-description": ("text", "lines"),
    },
    values=_values,
    witnesses={**COMMON_WITNESSES, "value_not": _value_not, "named": _named},
)
