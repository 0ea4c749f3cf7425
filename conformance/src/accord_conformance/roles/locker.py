"""Locker: writes pylock.toml from what a project asks for, and installs from one.

Given besides the words of the installer: ``world`` (an index in a few words: making.worlds), ``lock`` (a lock file at ``{lock}``: making.lockfiles; its files are served
below ``/kept/``, and its repositories as git reads them, ``{site}/repositories/KEY``).  Each case has an environment of its own, made by hand, empty.

What a tool wrote is the value of its answer, ``{"name": the file's name, "text": its text}``; the words about it:

    form      names of checks (locks.CHECKS) that find nothing wrong
    top       key: the value at the top level of the lock; false for a key that is not there, ``{has = [...]}`` for what a list, or a table, has at least
    packages  name: table of keys that the package's one entry has, dotted (``wheels.0.hashes.sha256``); a value between slashes is a pattern, with a question mark before: if the key is there, false: no such key
    chosen    the name of an environment (or "here", with "+extra", "@group"): what would be installed there, as in ``judge_choice``; the lock must be for it
    true      what (``hashes``, ``size``): keys of given files that are in the lock, where all that it says of that kind is so; what it does not say is not wrong
    sound     requirements: in every environment the lock is for it has what they need (soundness)
    count     name: how many entries of packages
    depends   name: the names that the package's ``dependencies`` have, if it has that key
    inline    (true) what is an inline table in one package is one in all; (false) some is one here and not there
    beside    (true) the lock lies beside pyproject.toml, and nowhere else
    file      a pattern for the file's name
    same      (true) the lock is byte for byte the one before
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from accord_conformance.cases import Step
from accord_conformance.errors import SuiteError
from accord_conformance.judging import Finding, Witness, agree, shown
from accord_conformance.locks import CHECKS, chosen, environment, files_named, lock_is_for
from accord_conformance.making.lockfiles import PLACE, lock_text
from accord_conformance.markers import ENVIRONMENTS, MarkerError
from accord_conformance.names import hex_digest
from accord_conformance.protocol import Answer
from accord_conformance.roles import installer
from accord_conformance.roles.chooser import give_world, judge_choice
from accord_conformance.roles.records import filled, remember
from accord_conformance.roles.role import Role
from accord_conformance.scene import Maker, Scene
from accord_conformance.site import Reply
from accord_conformance.soundness import faults

__all__ = ["ROLE"]

_LAST = "last.lock"
# A line of TOML that opens a table, or begins with a key; and what follows the key of an inline table, or of a list of them.
_LINE = re.compile(r"(?m)^[ \t]*(?:\[+(?P<header>[\w.-]+)\]+|(?P<key>[\w.-]+)[ \t]*=)")
_INLINE = re.compile(r"\s*(?:\[\s*)?\{")


def _lock(scene: Scene, values: Mapping[str, Any]) -> None:
    """The lock of the case, its files served and named."""
    site = scene.serve()
    for key, item in scene.made.items():
        path = PLACE.format(key=key, filename=item.filename)
        site.routes.setdefault(path, Reply(200, "application/octet-stream", item.data))
        scene.values[f"size_{key}"] = str(len(item.data))
    for each in (scene.folder / "repositories").glob("*/.git/**/*"):
        if each.is_file():
            place = "/" + each.relative_to(scene.folder).as_posix().replace("/.git/", "/", 1)
            site.routes[place] = Reply(200, "application/octet-stream", each.read_bytes())
    own = dict(values)
    path = scene.folder / "project" / own.pop("file", "pylock.toml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(lock_text(own, scene.made, lambda value: filled(scene, value)), encoding="utf-8")
    scene.values["lock"] = str(path)


def _values(scene: Scene, step: Step) -> Mapping[str, Any]:
    remember(scene, Path(scene.values["env"]))
    values = dict(filled(scene, step.arguments))
    if "world" in values:
        give_world(scene, values.pop("world"))
    return {"extras": [], "groups": [], **values}


def _document(answer: Answer) -> dict[str, Any]:
    """The lock that was written; empty when it is no TOML (``form`` tells)."""
    try:
        return tomllib.loads(_text(answer))
    except ValueError:
        return {}


def _text(answer: Answer) -> str:
    value = answer.value if isinstance(answer.value, Mapping) else {}
    return str(value.get("text", ""))


def _form(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Checks of the written lock, if one was written."""
    if answer.outcome != "done":
        return
    document = _document(answer)
    yield Finding("form", "a lock in TOML", "it is" if document else _text(answer)[:200], bool(document))
    for name in expected:
        try:
            wrong = list(CHECKS[name](document))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            wrong = [f"{type(error).__name__}: {error}"]
        yield Finding(f"form {name}", "right", "; ".join(wrong) or "right", not wrong)


def _top(scene: Scene, answer: Answer, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """Keys of the top level."""
    document = _document(answer)
    for key, wanted in expected.items():
        yield _value(f"top {key}", document.get(key), filled(scene, wanted))


def _packages(scene: Scene, answer: Answer, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """Keys of a package's one entry, if a lock was written."""
    if answer.outcome != "done":
        return
    packages = _document(answer).get("packages", [])
    for name, keys in expected.items():
        entries = [each for each in packages if each.get("name") == name]
        if len(entries) != 1:
            yield agree(f"packages {name}", "one entry", f"{len(entries)} entries")
            continue
        for key, wanted in keys.items():
            yield _value(f"{name} {key}", _dotted(entries[0], key), filled(scene, wanted))


def _dotted(value: Any, key: str) -> Any:
    for part in key.split("."):
        if isinstance(value, list):
            value = value[int(part)] if part.isdigit() and int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, Mapping) else None
    return value.isoformat() if isinstance(value, datetime) else value


def _value(what: str, found: Any, wanted: Any) -> Finding:
    if wanted is False:
        return Finding(
            what, "it is not there", "it is not there" if found is None else shown(found), not found
        )
    if isinstance(wanted, str) and wanted.startswith("?"):
        if found is None:
            return Finding(what, wanted, "it is not there", True)
        wanted = wanted[1:]
    if isinstance(wanted, str) and len(wanted) > 1 and wanted[0] == wanted[-1] == "/":
        ok = isinstance(found, str) and re.fullmatch(wanted[1:-1], found) is not None
        return Finding(what, wanted, shown(found), ok)
    if isinstance(wanted, Mapping) and list(wanted) == ["has"]:
        ok = isinstance(found, list | Mapping) and all(each in found for each in wanted["has"])
        return Finding(what, f"with {shown(wanted['has'])}", shown(found), ok)
    if isinstance(wanted, list) and isinstance(found, list):
        return agree(what, sorted(wanted), sorted(found))
    return agree(what, wanted, found)


def _chosen(scene: Scene, answer: Answer, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """What would be installed in environments, if a lock was written."""
    if answer.outcome != "done":
        return
    document = _document(answer)
    for place, wanted in expected.items():
        name, *rest = re.split(r"(?=[+@])", place)
        extras = [each[1:] for each in rest if each[0] == "+"]
        groups = [*document.get("default-groups", []), *(each[1:] for each in rest if each[0] == "@")]
        try:
            where = environment(name, extras, groups)
            is_for, found = lock_is_for(document, where), chosen(document, where)
        except (MarkerError, KeyError, TypeError, ValueError) as error:
            yield Finding(f"chosen {place}", "a lock that can be read", str(error), False)
            continue
        if not is_for:
            told = {key: document.get(key) for key in ("environments", "requires-python")}
            yield Finding(f"chosen {place}", "a lock for that environment", shown(told), False)
        versions = {project: " and ".join(each) or "(none)" for project, each in found.items()}
        yield from judge_choice(f"chosen {place}", versions, wanted)


def _true(scene: Scene, answer: Answer, expected: Mapping[str, Iterable[str]]) -> Iterable[Finding]:
    """Given files are in the lock, if one was written, and what it says of them is so."""
    if answer.outcome != "done":
        return
    document = _document(answer)
    for what, keys in expected.items():
        for key in keys:
            made = scene.made[key]
            entries = files_named(document, made.filename)
            wrong = [each for entry in entries for each in _untrue(what, entry, made.data)]
            found = "; ".join(wrong) or "so"
            yield Finding(
                f"{what} of {key}",
                "so",
                found if entries else "the file is not in the lock",
                found == "so" and bool(entries),
            )


def _untrue(what: str, entry: Mapping[str, Any], data: bytes) -> Iterable[str]:
    """What an entry says of its file that is not so."""
    if what == "size":
        if entry.get("size", len(data)) != len(data):
            yield f"the size {entry['size']!r}, not {len(data)}"
        return
    hashes = entry.get("hashes")
    for name, text in hashes.items() if isinstance(hashes, Mapping) else ():
        right = hex_digest(name, data)
        if right and str(text).lower() != right:
            yield f"{name} is {text}"


def _sound(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """In every environment the lock is for, what would be installed answers the requirements."""
    if answer.outcome != "done":
        return
    document = _document(answer)
    wrong = []
    for name in ENVIRONMENTS:
        where = environment(name, (), document.get("default-groups", ()))
        if lock_is_for(document, where):
            versions = {project: each[-1] for project, each in chosen(document, where).items()}
            wrong += [f"{name}: {each}" for each in faults(scene.values["world"], expected, versions, where)]
    yield Finding("sound", "complete everywhere", "; ".join(wrong[:4]) or "complete everywhere", not wrong)


def _count(scene: Scene, answer: Answer, expected: Mapping[str, int]) -> Iterable[Finding]:
    """How many entries a project has, if a lock was written."""
    if answer.outcome != "done":
        return
    names = [each.get("name") for each in _document(answer).get("packages", [])]
    for name, wanted in expected.items():
        yield agree(f"count {name}", wanted, names.count(name))


def _depends(scene: Scene, answer: Answer, expected: Mapping[str, Iterable[str]]) -> Iterable[Finding]:
    """What a package's dependencies name, if they are recorded."""
    for package in _document(answer).get("packages", []):
        if package.get("name") in expected and "dependencies" in package:
            name, found = package["name"], sorted({each.get("name") for each in package["dependencies"]})
            yield agree(f"depends {name}", sorted(expected[name]), found)


def _inline(scene: Scene, answer: Answer, expected: bool) -> Iterable[Finding]:
    """Keys of packages, with all that they lie in, that are an inline table here and a table of their own there."""
    forms: dict[str, set[str]] = {}
    header, text = "", _text(answer)
    for line in _LINE.finditer(text):
        if line["header"]:
            header = line["header"]
            forms.setdefault(header, set()).add("headed")
        elif "." in line["key"]:
            forms.setdefault(f"{header}.{line['key'].rpartition('.')[0]}", set()).add("dotted")
        elif _INLINE.match(text, line.end()):
            forms.setdefault(f"{header}.{line['key']}", set()).add("inline")
    both = sorted(key for key, ways in forms.items() if key.startswith("packages.") and len(ways) > 1)
    found = "in several ways: " + ", ".join(both) if both else "in one way"
    yield Finding(
        "inline", "in one way" if expected else "in several ways", found, bool(both) is not expected
    )


def _beside(scene: Scene, answer: Answer, expected: bool) -> Iterable[Finding]:
    """Where the lock lies: the environment apart, no other folder of the case's has one."""
    env, project = Path(scene.values["env"]), scene.folder / "project"
    places = [each.parent for each in scene.folder.rglob("pylock*.toml") if env not in each.parents]
    found = ", ".join(str(each.relative_to(scene.folder)) for each in places) or "nowhere"
    yield Finding("beside", "project", found, (places == [project]) is expected)


def _file(scene: Scene, answer: Answer, expected: str) -> Iterable[Finding]:
    """The name of the file."""
    name = answer.value.get("name", "") if isinstance(answer.value, Mapping) else ""
    yield Finding("file", expected, name, re.fullmatch(expected, name) is not None)


def _same(scene: Scene, answer: Answer, expected: bool) -> Iterable[Finding]:
    """Whether the lock is the one written in the step before."""
    kept = scene.folder / _LAST
    if not kept.exists():
        raise SuiteError("locker", "'same' needs a step before it that has 'keep'")
    before = kept.read_text(encoding="utf-8")
    one, other = before.splitlines(), _text(answer).splitlines()
    changed = [f"-{line}" for line in one if line not in other] + [
        f"+{line}" for line in other if line not in one
    ]
    found = "the same" if one == other else "; ".join(changed[:6]) or "the same lines in another order"
    yield Finding("same", "the same" if expected else "another", found, (one == other) is expected)


def _keep(scene: Scene, answer: Answer, expected: bool) -> Iterable[Finding]:
    """Keeps the lock for ``same``; finds nothing."""
    (scene.folder / _LAST).write_text(_text(answer), encoding="utf-8")
    return ()


_WITNESSES: dict[str, Witness] = {
    **installer.WITNESSES,
    "form": _form,
    "top": _top,
    "packages": _packages,
    "chosen": _chosen,
    "true": _true,
    "sound": _sound,
    "count": _count,
    "depends": _depends,
    "inline": _inline,
    "beside": _beside,
    "file": _file,
    "keep": _keep,
    "same": _same,
}

_MAKERS: dict[str, Maker] = {**installer.MAKERS, "world": give_world, "lock": _lock}

ROLE = Role(
    name="locker",
    about="Writes pylock.toml, and installs from it.",
    verbs={
        # for the environment at {env} or more, the requirements alone -> {name, text}
        "lock": ("requirements", "requires_python", "world"),
        # a lock of many uses: a project with extras (table) and dependency groups (table) -> {name, text}
        "lock-project": ("requirements", "requires_python", "extras", "groups", "world"),
        # a lock for every environment, however the tool has it -> {name, text}
        "lock-universal": ("requirements", "requires_python", "world"),
        # for the environment at {env} or more; the tool is told of no place, and chooses where the lock lies
        "lock-in-place": ("requirements",),
        # from {lock}, what is said by default and with these extras and groups besides
        "install-lock": ("extras", "groups"),
        # the same, by the tool's own way without sdists, repositories, directories or archives (what)
        "install-lock-without": ("what", "extras", "groups"),
    },
    makers=_MAKERS,
    set_up=installer.ROLE.set_up,
    values=_values,
    witnesses=_WITNESSES,
)
