"""Declared code generation: ``[[tool.accord.step]]``, commands and templates with named inputs and outputs.

A step is run before anything else looks at the tree, in an order that follows from who makes whose inputs, and only when
the content of its inputs, its command or its outputs is another than after its last run: times of files mean nothing
here.  An output that comes out as it was keeps its time, so that nothing made from it is made again.  What was run is
recorded in ``build/accord-steps.json``.  An unpacked sdist (``PKG-INFO`` in its root) that carries the outputs uses them.
"""

from __future__ import annotations

import os
import re

from . import trees
from .errors import BackendError
from .globs import Pattern, Unusable, outside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .project import Project
    from .tables import Table

__all__ = ["KEYS", "Step", "not_in_sdist", "read_steps", "requirements", "run", "sdist_files"]

KEYS = ("name", "command", "template", "values", "inputs", "outputs", "requires", "in-sdist")
_RECORD = "build/accord-steps.json"
_FORMAT = 1
_SHOWN_LINES = 30
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_VALUE = re.compile(r"@(@|[A-Za-z][A-Za-z0-9_-]*@)")


class Step:
    """One step: ``command`` with placeholders, or ``template``, a file in which ``@name@`` stands for a value."""

    __slots__ = ("command", "in_sdist", "inputs", "name", "outputs", "requires", "template", "values")

    name: str
    command: list[str]
    template: str | None
    values: dict[str, str]
    inputs: list[str]
    outputs: list[str]
    requires: list[str]
    in_sdist: bool


def read_steps(accord: Table) -> tuple[Step, ...]:
    """The steps of ``tool.accord`` in the order they have to run; faults go to the table."""
    found: list[Step] = []
    makers: dict[str, str] = {}
    for table in accord.tables("step"):
        step = _step(table)
        if any(other.name == step.name for other in found):
            table.fault("step-twice", "name", f"{step.name!r} is described once more")
        for path in step.outputs:
            if path in makers:
                table.fault("step-output-twice", "outputs", f"{path!r} is also made by {makers[path]!r}")
            makers[path] = step.name
        found.append(step)
    ordered = _ordered(found)
    if len(ordered) < len(found):
        names = ", ".join(step.name for step in found if step not in ordered)
        accord.fault("step-cycle", "step", f"these steps wait for each other's outputs: {names}")
    return tuple(ordered)


def _step(table: Table) -> Step:
    from . import rules

    table.only(*KEYS)
    result = Step()
    result.name = table.text("name") or ""
    if not result.name:
        table.fault("key-missing", "name", "is required: a short name for messages")
    result.command, result.template = table.texts("command"), table.text("template")
    if bool(result.command) == (result.template is not None):
        table.fault("step-work", "command", "give exactly one of command and template")
    result.values = table.strings("values")
    result.inputs, result.outputs, result.requires = (
        table.globs("inputs"),
        table.texts("outputs"),
        table.texts("requires"),
    )
    if not result.outputs:
        table.fault("key-missing", "outputs", "is required: the files the step makes")
    for key, paths in (("outputs", result.outputs), ("template", [result.template or "x"])):
        for path in paths:
            if outside(path):
                table.fault(
                    "path-outside", key, f"{path!r} must lie inside the project; write it relative, with /"
                )
            elif any(sign in path for sign in "*?["):
                table.fault("step-output-glob", key, f"{path!r}: {key} is named outright")
    if result.template is not None and len(result.outputs) != 1:
        table.fault("step-work", "outputs", "a template makes exactly one file")
    _placeholders(table, result.command)
    for text in result.requires:
        if rules.requirement(text) is None:
            table.fault("requirement-invalid", "requires", f"{text!r} is not a requirement (PEP 508)")
    in_sdist = table.flag("in-sdist")
    result.in_sdist = in_sdist is None or in_sdist
    return result


def _placeholders(table: Table, command: list[str]) -> None:
    for word in command:
        for name in _PLACEHOLDER.findall(word):
            if name not in ("python", "inputs", "output", "outputs"):
                table.fault(
                    "step-placeholder",
                    "command",
                    f"{{{name}}} is not {{python}}, {{inputs}}, {{output}} or {{outputs}}",
                )
            elif name in ("inputs", "outputs") and word != f"{{{name}}}":
                table.fault(
                    "step-placeholder",
                    "command",
                    f"{{{name}}} is several arguments: write it as one of its own",
                )


def _ordered(steps: list[Step]) -> list[Step]:
    """In the order written, but each after those that make its inputs; without those that wait in a circle."""
    waiting = list(steps)
    done: set[str] = set()
    ordered: list[Step] = []
    while True:
        ready = next((step for step in waiting if _needs(step, steps) <= done), None)
        if ready is None:
            return ordered
        waiting.remove(ready)
        ordered.append(ready)
        done.add(ready.name)


def _pattern(text: str) -> list[Pattern]:
    try:
        return [Pattern(text)]
    except Unusable:  # told as a fault where it is read
        return []


def _needs(step: Step, steps: list[Step]) -> set[str]:
    patterns = [
        pattern for text in [*step.inputs, *filter(None, [step.template])] for pattern in _pattern(text)
    ]
    return {
        other.name
        for other in steps
        for path in other.outputs
        if any(pattern.matches(path) and not _own(step, other, path) for pattern in patterns)
    }


def _own(step: Step, other: Step, path: str) -> bool:
    """Whether ``path`` is what ``step`` makes itself, and only a glob of its inputs (``src/*.py``) matches it."""
    return other is step and path not in step.inputs and path != step.template


def requirements(project: Project, *, sdist: bool = False) -> list[str]:
    """What the steps that will run need."""
    found = {text: None for step in project.steps if _runs(project, step, sdist) for text in step.requires}
    return list(found)


def _runs(project: Project, step: Step, sdist: bool) -> bool:
    if sdist and not step.in_sdist:
        return False
    carried = step.in_sdist and os.path.isfile(os.path.join(project.root, "PKG-INFO"))
    return not (carried and all(os.path.isfile(os.path.join(project.root, path)) for path in step.outputs))


def run(project: Project, *, sdist: bool = False) -> list[str]:
    """Run the steps that are not up to date; their names.  For an sdist only those whose outputs it carries.

    Raises ``BackendError`` ``step-failed``, ``step-output-missing``, ``step-output-outside``, ``step-inputs-none`` and
    ``step-template-unknown``.
    """
    import json

    path = os.path.join(project.root, _RECORD)
    record = _recorded(path)
    done = []
    needed = _needed(project, sdist)
    for step in project.steps:
        if step.name not in needed or not _runs(project, step, False):
            continue
        inputs = _inputs(project, step)
        asked = _digest_of_work(project, step, inputs)
        before = record.get(step.name)
        if before is not None and before[0] == asked and before[1] == _outputs(project, step):
            continue
        kept = _kept_times(project, step)
        _make(project, step, inputs)
        _restore_times(project, step, kept)
        record[step.name] = [asked, _outputs(project, step)]
        done.append(step.name)
        from .native.configure import write_atomically

        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_atomically(path, json.dumps({"format": _FORMAT, "steps": record}, indent=1) + "\n")
    if done:  # what was seen of the folder before is old
        project.tree, project.home = trees.DiskTree(project.root), None
    return done


def _needed(project: Project, sdist: bool) -> set[str]:
    """Names of the steps to run: all, or for an sdist those it carries and whoever makes their inputs."""
    if not sdist:
        return {step.name for step in project.steps}
    found = {step.name for step in project.steps if step.in_sdist}
    for step in reversed(project.steps):
        if step.name in found:
            found |= _needs(step, list(project.steps))
    return found


def _recorded(path: str) -> dict[str, Any]:
    import json

    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    except (OSError, ValueError):
        return {}
    known = (
        isinstance(document, dict)
        and document.get("format") == _FORMAT
        and isinstance(document.get("steps"), dict)
    )
    return {
        name: one
        for name, one in (document["steps"].items() if known else ())
        if isinstance(one, list) and len(one) == 2
    }


def _inputs(project: Project, step: Step) -> list[str]:
    found: dict[str, None] = {}
    for pattern in [*step.inputs, *filter(None, [step.template])]:
        files = trees.on_disk(project.root, pattern)
        if not files:
            raise BackendError(
                "step-inputs-none",
                f"step {step.name}: no file matches {pattern!r} in inputs",
                hint="correct inputs",
            )
        found.update(dict.fromkeys(files))
    return [path for path in found if path not in step.outputs]


def _digest(path: str) -> str | None:
    import hashlib

    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return None


def _digest_of_work(project: Project, step: Step, inputs: list[str]) -> str:
    import hashlib
    import json

    # Programs of the project that a command names count as inputs, listed or not.
    files = [*inputs, *(word for word in step.command if _is_file(project, word))]
    work = [
        step.command, step.values, step.outputs, [project.name, project.version] if step.template else None,
        [(path, _digest(os.path.join(project.root, path))) for path in files],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(work).encode()).hexdigest()


def _is_file(project: Project, word: str) -> bool:
    return not outside(word) and os.path.isfile(os.path.join(project.root, word))


def _outputs(project: Project, step: Step) -> list[str | None]:
    return [_digest(os.path.join(project.root, path)) for path in step.outputs]


def _kept_times(project: Project, step: Step) -> dict[str, tuple[str | None, int]]:
    places = [os.path.join(project.root, path) for path in step.outputs]
    return {place: (_digest(place), os.stat(place).st_mtime_ns) for place in places if os.path.isfile(place)}


def _restore_times(project: Project, step: Step, kept: dict[str, tuple[str | None, int]]) -> None:
    for place, (digest, when) in kept.items():
        if _digest(place) == digest:
            os.utime(place, ns=(when, when))


def _make(project: Project, step: Step, inputs: list[str]) -> None:
    root = os.path.realpath(project.root)
    for path in step.outputs:
        place = os.path.realpath(os.path.join(root, path))
        if not place.startswith(root + os.sep):
            raise BackendError(
                "step-output-outside", f"step {step.name}: {path} leads out of the project", hint="a folder on the way is a link"
            )  # fmt: skip
        os.makedirs(os.path.dirname(place), exist_ok=True)
    if step.template is not None:
        _fill(project, step)
    else:
        _command(project, step, inputs)
    missing = [path for path in step.outputs if not os.path.isfile(os.path.join(root, path))]
    if missing:
        raise BackendError(
            "step-output-missing",
            f"step {step.name} ended well and did not make {', '.join(missing)}",
            hint="correct outputs, or the command: it runs in the project's root",
        )


def _command(project: Project, step: Step, inputs: list[str]) -> None:
    import subprocess
    import sys

    several = {"{inputs}": inputs, "{outputs}": step.outputs}
    single = {"python": sys.executable, "output": step.outputs[0]}
    command: list[str] = []
    for word in step.command:
        command += several.get(word) or [_PLACEHOLDER.sub(lambda match: single[match[1]], word)]
    # The same text each time: no order of sets, no clock, and no compiled files left among the sources.
    environ = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    environ.setdefault("SOURCE_DATE_EPOCH", "315532800")
    try:
        done = subprocess.run(
            command, cwd=project.root, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )  # fmt: skip
    except OSError as fault:
        raise BackendError(
            "step-failed", f"step {step.name}: {command[0]} cannot be started: {fault.strerror}"
        ) from None
    if done.returncode:
        lines = done.stdout.decode("utf-8", "replace").splitlines()[-_SHOWN_LINES:]
        raise BackendError(
            "step-failed",
            "\n".join(
                [
                    f"step {step.name} ended with status {done.returncode}: {' '.join(command)}",
                    *(f"    {line}" for line in lines),
                ]
            ),
            hint="the command runs in the project's root; run it by hand to see more",
        )


def _fill(project: Project, step: Step) -> None:
    assert step.template is not None
    values = {"name": project.name, "version": project.version, **step.values}
    with open(os.path.join(project.root, step.template), encoding="utf-8") as file:
        text = file.read()

    def value(match: re.Match[str]) -> str:
        word = match[1]
        if word == "@":
            return "@"
        if word[:-1] not in values:
            raise BackendError(
                "step-template-unknown",
                f"step {step.name}: {step.template} has @{word}, and there is no such value",
                hint=f"known are {', '.join(sorted(values))}; write @@ for one @",
            )
        return values[word[:-1]]

    from .native.configure import write_atomically

    write_atomically(os.path.join(project.root, step.outputs[0]), _VALUE.sub(value, text))


def sdist_files(project: Project) -> set[str]:
    """What an sdist must hold so that the steps can run again: inputs, templates, the project's programs, outputs."""
    found: set[str] = set()
    for step in project.steps:
        for pattern in [*step.inputs, *filter(None, [step.template])]:
            found.update(trees.on_disk(project.root, pattern))
        found.update(os.path.normpath(word) for word in step.command if _is_file(project, word))
        if step.in_sdist:
            found.update(os.path.normpath(path) for path in step.outputs)
    return found


def not_in_sdist(project: Project) -> set[str]:
    """Outputs that every build makes anew."""
    return {os.path.normpath(path) for step in project.steps if not step.in_sdist for path in step.outputs}
