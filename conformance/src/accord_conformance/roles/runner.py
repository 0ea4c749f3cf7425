"""Script runner: runs a script with what its inline metadata asks for, from the suite's index.

The script is ``given.files."script.py"``; other files beside it as needed.  The value of an answer is what the script printed, its last line.  Given besides: ``world``
(making.worlds).

    printed   what the script's last line says
    ran       false: the script did not run, so its line that begins with "ran" is nowhere
"""

from __future__ import annotations

from collections.abc import Iterable

from accord_conformance.judging import COMMON_WITNESSES, Finding, Witness
from accord_conformance.protocol import Answer
from accord_conformance.roles.chooser import give_world
from accord_conformance.roles.client import CLIENT_WITNESSES
from accord_conformance.roles.role import Role
from accord_conformance.scene import COMMON_MAKERS, Scene

__all__ = ["ROLE"]


def _index(scene: Scene) -> None:
    """An index with nothing, for scripts that need nothing: no tool asks the public one."""
    give_world(scene, {})
    scene.values["script"] = str(scene.folder / "project" / "script.py")


def _printed(scene: Scene, answer: Answer, expected: str) -> Iterable[Finding]:
    """The last line of the script."""
    said = str(answer.value or "").strip()
    last = said.splitlines()[-1] if said else "nothing"
    yield Finding("printed", expected, last, last == expected)


def _ran(scene: Scene, answer: Answer, expected: bool) -> Iterable[Finding]:
    """Whether the script ran."""
    lines = f"{answer.value or ''}\n{answer.message}".splitlines()
    ran = any(line.strip().startswith("ran") for line in lines)
    yield Finding("ran", str(expected), str(ran), ran is expected)


_WITNESSES: dict[str, Witness] = {
    **COMMON_WITNESSES,
    "asked": CLIENT_WITNESSES["asked"],
    "not_asked": CLIENT_WITNESSES["not_asked"],
    "printed": _printed,
    "ran": _ran,
}

ROLE = Role(
    name="script-runner",
    about="Runs a script with what its inline metadata asks for.",
    verbs={
        # the script {script}, from {index} -> what it printed
        "run": (),
    },
    makers={**COMMON_MAKERS, "world": give_world},
    set_up=_index,
    witnesses=_WITNESSES,
)
