"""Resolver: chooses versions from an index for what is asked, with all that it needs.

Given: ``world`` (an index in a few words: making.worlds), and the words of the installer.  The value of an answer is a table, name: version, of what was chosen for
the environment at ``{env}``; ``chosen`` looks at it (``judge_choice``), ``sound`` whether it answers
the named requirements at all (soundness).

A dependency group is asked for with ``resolve-group``: the project's groups stand in ``given.files``, as pyproject.toml.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from accord_conformance.cases import Step
from accord_conformance.judging import Finding
from accord_conformance.markers import here
from accord_conformance.protocol import Answer
from accord_conformance.roles import installer
from accord_conformance.roles.chooser import found_versions, give_world, judge_choice
from accord_conformance.roles.records import filled
from accord_conformance.roles.role import Role
from accord_conformance.scene import Scene
from accord_conformance.soundness import faults

__all__ = ["ROLE"]


def _values(scene: Scene, step: Step) -> Mapping[str, Any]:
    values = dict(filled(scene, step.arguments))
    if "world" in values:
        give_world(scene, values.pop("world"))
    return {"prereleases": "", "constraints": [], **values}


def _chosen(scene: Scene, answer: Answer, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """What was chosen, if anything was."""
    if answer.outcome == "done":
        yield from judge_choice("chosen", found_versions(answer), expected)


def _sound(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """What was chosen for these requirements, if anything was, keeps every one and all that follows from them."""
    if answer.outcome == "done":
        wrong = faults(scene.values["world"], expected, found_versions(answer), here())
        yield Finding("sound", "complete, and at one with itself", "; ".join(wrong) or "it is", not wrong)


ROLE = Role(
    name="resolver",
    about="Chooses versions from an index for what is asked, and for all that it needs.",
    verbs={
        # -> {name: version}; prereleases: "allow" or "forbid" for all
        "resolve": ("requirements", "prereleases", "world"),
        # the group of the pyproject.toml in the project's folder -> {name: version}
        "resolve-group": ("group",),
    },
    makers={**installer.MAKERS, "world": give_world},
    set_up=installer.ROLE.set_up,
    values=_values,
    witnesses={**installer.WITNESSES, "chosen": _chosen, "sound": _sound},
)
