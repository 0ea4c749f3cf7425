"""Build backend: its hooks are called on a source tree with standard metadata only; what comes out is opened and read.

Given: ``project`` (keys of the [project] table, beside a name, a version and a description, or instead of them; as text: the part of pyproject.toml it would be), ``without``
(which of those three are left out), ``tables`` (more text for pyproject.toml), ``files`` (the tree), ``module`` (false: no package is put into the tree), ``ships`` (scripts,
data or sboms: that too), ``numbered`` (the wheel gets the build number 7), ``unversioned`` (never under version control), ``hidden`` (modules that cannot be imported
unless what is declared brings them), ``locale``.
By default the project is demo 1.0 with a package ``src/demo``.  ``outcome = "either"``: the tool may refuse; if it does not, the rest must hold.

What was built is named after its verb: ``wheel``, ``sdist``, ``editable``, ``wheel-metadata``, ``editable-metadata``; what came out of the unpacked sdist
(``source = "sdist"``) is ``wheel-from-sdist``, what is built with ``again = true``, where a wheel was built before, ``wheel-again``.  ``gone``: files that are taken out
of the tree before the hook is called.  ``by``: position (the default), keyword, or least, the folder alone.  ``stdin``: closed, or text, a few lines.  Most words of ``expect`` are tables by these names.  In paths ``{dist_info}``, ``{data}`` and ``{root}`` stand for the folders.
"""

from __future__ import annotations

import email.utils
import fnmatch
import os
import re
import shutil
import tarfile
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from accord_conformance.built import Built, read_built
from accord_conformance.cases import Step
from accord_conformance.errors import SuiteError
from accord_conformance.judging import COMMON_WITNESSES, Finding, Witness, agree, shown
from accord_conformance.likeness import alike
from accord_conformance.making.files import write_tree
from accord_conformance.making.projects import configured, module_of, pyproject, under_git
from accord_conformance.processes import said
from accord_conformance.protocol import Answer
from accord_conformance.roles import installer
from accord_conformance.roles.backend_checks import sound
from accord_conformance.roles.role import Role
from accord_conformance.scene import COMMON_MAKERS, Maker, Scene, make_environment, purelib

__all__ = ["ROLE"]

_PLAIN = {"name": "demo", "version": "1.0", "description": "A demonstration."}
# Verb: the hook, what it builds, how that is read.
_HOOKS = {
    "build-wheel": ("build_wheel", "wheel", "wheel"),
    "build-sdist": ("build_sdist", "sdist", "sdist"),
    "build-editable": ("build_editable", "editable", "wheel"),
    "prepare-wheel-metadata": ("prepare_metadata_for_build_wheel", "wheel-metadata", "metadata"),
    "prepare-editable-metadata": ("prepare_metadata_for_build_editable", "editable-metadata", "metadata"),
    "requires-for-wheel": ("get_requires_for_build_wheel", "", ""),
    "requires-for-sdist": ("get_requires_for_build_sdist", "", ""),
    "requires-for-editable": ("get_requires_for_build_editable", "", ""),
}
_TYPED = "y\n" * 9  # what lies in standard input, where a case puts something there
_KINDS = {built: kind for _, built, kind in _HOOKS.values() if built} | {
    "wheel-from-sdist": "wheel",
    "wheel-again": "wheel",
}
# The shape of a dependency specifier; what its marker says is not looked at.
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_CLAUSES = r"(?:===|==|~=|!=|<=|>=|<|>)\s*[^\s,;()]+(?:\s*,\s*(?:===|==|~=|!=|<=|>=|<|>)\s*[^\s,;()]+)*\s*,?"
_SPECIFIER = re.compile(
    rf"\s*{_NAME}\s*(?:\[\s*(?:{_NAME}(?:\s*,\s*{_NAME})*)?\s*\])?\s*"
    rf"(?:@\s*\S+(?:\s+;.+)?|(?:{_CLAUSES}|\(\s*{_CLAUSES}\s*\))?\s*(?:;.+)?)\s*"
)


def _set_up(scene: Scene) -> None:
    scene.values["given"] = {}


def _kept(word: str) -> Maker:
    """Keeps a word of ``given`` until the tree is written, before the first hook is called."""

    def keep(scene: Scene, value: Any) -> None:
        scene.values["given"][word] = value

    return keep


def _write_project(scene: Scene) -> None:
    given, settings = scene.values["given"], scene.values["settings"]
    folder = scene.folder / "project"
    project = given.get("project", {})
    if isinstance(project, Mapping):
        left_out = given.get("without", ())
        project = {**{key: text for key, text in _PLAIN.items() if key not in left_out}, **project}
    name = str(project.get("name", "demo")) if isinstance(project, Mapping) else "demo"
    own, files = configured(settings, name, given.get("ships", ""))
    if given.get("numbered"):
        own += settings.get("numbered", {}).get("pyproject", "")
    module = module_of(name)
    if given.get("module", True):
        files[f"src/{module}/__init__.py"] = f'"""The package {module}."""\n'
    write_tree(folder, {key: text for key, text in files.items() if not (folder / key).exists()})
    text = pyproject(
        project,
        settings["backend"],
        settings.get("requires", ()),
        (given.get("tables", ""), own),
    )
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    if settings.get("git") and not given.get("unversioned"):
        under_git(folder, scene.environment)


def _out(scene: Scene, name: str) -> Path:
    if name not in _KINDS:
        raise SuiteError("backend", f"nothing built is called {name!r}: {', '.join(_KINDS)}")
    return scene.folder / "out" / name


def _tree(scene: Scene, source: str) -> Path:
    """The tree that a hook is called in: the project, or what is in the sdist."""
    archives = sorted(_out(scene, "sdist").glob("*.tar.gz"))
    if source == "project" or len(archives) != 1:
        return scene.folder / "project"
    place = scene.folder / "unpacked"
    shutil.rmtree(place, ignore_errors=True)
    with tarfile.open(archives[0], "r:gz") as archive:
        archive.extractall(place, filter="data")
    tops = list(place.iterdir())
    return tops[0] if len(tops) == 1 else place


def _values(scene: Scene, step: Step) -> Mapping[str, Any]:
    if not (scene.folder / "out").exists():
        _write_project(scene)
        (scene.folder / "out").mkdir()
        scene.values["before"] = _listing(scene.folder / "project")
    hook, built, _ = _HOOKS[step.do]
    for path in step.arguments.get("gone", ()):
        (scene.folder / "project" / path).unlink()
    source = step.arguments.get("source", "project")
    arguments: dict[str, Any] = {}
    if built:
        ending = "-from-sdist" if source == "sdist" else "-again" if step.arguments.get("again") else ""
        folder = _out(scene, f"{built}{ending}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        word = "metadata" if "metadata" in built else built.replace("editable", "wheel")
        arguments[f"{word}_directory"] = str(folder)
    settings, given = scene.values["settings"], scene.values["given"]
    numbered = settings.get("numbered", {}) if given.get("numbered") else {}
    by = step.arguments.get("by", "position")
    if by != "least":
        arguments["config_settings"] = step.arguments.get("config", numbered.get("config"))
    metadata = step.arguments.get("metadata")
    if metadata:
        prepared = read_built("metadata", _out(scene, metadata))
        if prepared is None:
            raise SuiteError("backend", f"{metadata} was not prepared before")
        arguments["metadata_directory"] = str(prepared.path)
    # Who has no words for such files, or for a build number, is not asked about them, nor who has built no sdist about what is in it.
    able = given.get("ships", "") in ("", *settings.get("ships", ()))
    able = able and (not given.get("numbered") or "numbered" in settings)
    able = able and (source == "project" or any(_out(scene, "sdist").glob("*.tar.gz")))
    call = {
        "backend": settings["backend"],
        "hook": hook if able else f"({hook})",
        "hidden": given.get("hidden", []),
        "declared": list(settings.get("requires", ())),
        "tree": str(_tree(scene, source)),
        "positional": list(arguments.values()) if by != "keyword" else [],
        "named": {} if by != "keyword" else arguments,
        "closed": step.arguments.get("stdin") == "closed",
        "text": _TYPED if step.arguments.get("stdin") == "text" else "",
        "answer": str(scene.folder / "answer.json"),
    }
    scene.values["last"] = built
    return {"call": call}


def _listing(folder: Path) -> list[str]:
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if not name.startswith(".git/"))


def _built(scene: Scene, name: str) -> Built | None:
    return read_built(_KINDS[name], _out(scene, name))


Look = Callable[[str, Built, Any], Iterable[Finding]]


def _of_each(look: Look) -> Witness:
    """A witness of a table by what was built."""

    def witness(scene: Scene, answer: Answer, expected: Mapping[str, Any]) -> Iterable[Finding]:
        if answer.outcome == "refused":
            return
        for name, wanted in expected.items():
            built = _built(scene, name)
            if built is None:
                there = sorted(path.name for path in _out(scene, name).glob("*"))
                yield Finding(name, "one was built", shown(there), False)
                continue
            yield from look(name, built, wanted)

    return witness


def _as_list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _fields(name: str, built: Built, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """Every value of fields of the metadata, in order; ``[]``: the field is not there."""
    for field, wanted in expected.items():
        yield agree(f"{name} {field}", _as_list(wanted), built.fields(field))


def _field_sets(name: str, built: Built, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """Every value of fields, in any order; dependency specifiers as what they say, others without regard to white space at the comma or semicolon."""
    for field, wanted in expected.items():
        likeness = alike if field == "Requires-Dist" else _spaced
        yield agree(
            f"{name} {field}",
            sorted(map(likeness, _as_list(wanted))),
            sorted(map(likeness, built.fields(field))),
        )


def _begins(name: str, built: Built, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """The values that those of a field begin with; dependency specifiers as what they say."""
    for field, wanted in expected.items():
        likeness = alike if field == "Requires-Dist" else str
        found = built.fields(field)
        begin = [*map(likeness, found[: len(wanted)])]
        yield Finding(f"{name} {field}", shown(wanted), shown(found), begin == [*map(likeness, wanted)])


def _lists(name: str, built: Built, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """The parts of fields that are lists with commas, in any order."""
    for field, wanted in expected.items():
        found = [sorted(part.strip() for part in text.split(",")) for text in built.fields(field)]
        yield agree(f"{name} {field}", [sorted(wanted)], found)


def _addresses(name: str, built: Built, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """The addresses of a field, read from it as from a header."""
    for field, wanted in expected.items():
        found = [address for _, address in email.utils.getaddresses(built.fields(field))]
        yield agree(f"{name} {field}", list(wanted), found)


def _specifier(name: str, built: Built, expected: Mapping[str, str]) -> Iterable[Finding]:
    """A version specifier, its clauses in any order."""
    for field, wanted in expected.items():
        found = [sorted(re.sub(r"\s", "", text).split(",")) for text in built.fields(field)]
        yield agree(f"{name} {field}", [sorted(wanted.split(","))], found)


def _includes(name: str, built: Built, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """Values that a field has among others; of a list within the list, one."""
    for field, wanted in expected.items():
        found = built.fields(field)
        for each in _as_list(wanted):
            there = not {*map(alike, _as_list(each))}.isdisjoint(map(alike, found))
            yield Finding(f"{name} {field}", f"{shown(each)} among them", shown(found), there)


def _spaced(text: str) -> str:
    return re.sub(r"\s*([,;])\s*", r"\1 ", text).strip()


def _people(name: str, built: Built, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """The people of a field, as pairs of name and address read from it as from a header."""
    for field, wanted in expected.items():
        found = [list(pair) for pair in email.utils.getaddresses(built.fields(field))]
        yield agree(f"{name} {field}", [list(pair) for pair in wanted], found)


def _matching(name: str, built: Built, expected: Mapping[str, str]) -> Iterable[Finding]:
    """A pattern that the one value of each field has as a whole."""
    for field, pattern in expected.items():
        found = built.fields(field)
        yield Finding(
            f"{name} {field}",
            pattern,
            shown(found),
            len(found) == 1 and bool(re.fullmatch(pattern, found[0])),
        )


def _described(name: str, built: Built, expected: str) -> Iterable[Finding]:
    """The description, without white space around it."""
    yield agree(f"{name} description", expected.strip(), built.description().strip())


def _points(name: str, built: Built, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """The entry points, whole."""
    plain = {
        group: {key: re.sub(r"\s*:\s*", ":", value) for key, value in names.items()}
        for group, names in built.entry_points().items()
    }
    yield agree(f"{name} entry points", dict(expected), plain)


def _has(name: str, built: Built, expected: Iterable[str]) -> Iterable[Finding]:
    """Files that are in it; patterns are allowed."""
    for path in expected:
        wanted = built.inside(path)
        there = wanted in built.members or bool(fnmatch.filter(built.members, wanted))
        yield Finding(f"{name} has", wanted, shown(sorted(built.members)), there)


def _lacks(name: str, built: Built, expected: Iterable[str]) -> Iterable[Finding]:
    """Files, or patterns of them, that are not in it."""
    for path in expected:
        found = fnmatch.filter(built.members, built.inside(path))
        yield Finding(f"{name} lacks", f"no {built.inside(path)}", shown(found), not found)


def _content(name: str, built: Built, expected: Mapping[str, str]) -> Iterable[Finding]:
    """The whole text of files."""
    for path, text in expected.items():
        found = built.members.get(built.inside(path), b"(not there)")
        yield agree(f"{name} {path}", text, found.decode("utf-8", "replace"))


def _starts(name: str, built: Built, expected: Mapping[str, str]) -> Iterable[Finding]:
    """What the first line of files starts with."""
    for path, text in expected.items():
        found = built.members.get(built.inside(path), b"(not there)")
        first = found.decode("utf-8", "replace").partition("\n")[0]
        yield Finding(f"{name} {path}", f"{text}...", first, first.startswith(text))


def _filename(name: str, built: Built, expected: str) -> Iterable[Finding]:
    """A pattern that the file's name has as a whole."""
    found = built.path.name
    yield Finding(f"{name} file name", expected, found, bool(re.fullmatch(expected, found)))


def _toml_of(built: Built, path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(built.members.get(f"{built.home}/{path}", b"").decode())
    except ValueError as error:
        return {"(no TOML)": str(error)}


def _same_toml(name: str, built: Built, expected: Iterable[str]) -> Iterable[Finding]:
    """TOML files of an sdist that say what the project's say."""
    project = built.path.parents[2] / "project"
    for path in expected:
        own = tomllib.loads((project / path).read_text(encoding="utf-8"))
        yield agree(f"{name} {path}", own, _toml_of(built, path))


def _has_table(name: str, built: Built, expected: Iterable[str]) -> Iterable[Finding]:
    """Tables of TOML files of an sdist (``path:table``) that are there and not empty, whatever they say."""
    for named in expected:
        path, _, table = named.partition(":")
        found = _toml_of(built, path)
        yield Finding(f"{name} {path}", f"has [{table}]", shown(found), bool(found.get(table)))


def _none_like(name: str, built: Built, expected: Mapping[str, str]) -> Iterable[Finding]:
    """Patterns that no value of a field has in it; of ``any``, no field at all."""
    for field, pattern in expected.items():
        values = built.message().values() if field == "any" else built.fields(field)
        found = [value for value in map(str, values) if re.search(pattern, value)]
        yield Finding(f"{name} {field}", f"nothing like {pattern}", shown(found), not found)


def _somewhere(name: str, built: Built, expected: str) -> Iterable[Finding]:
    """A text, in UTF-8, that is in some file of it."""
    found = [path for path, data in built.members.items() if expected.encode() in data]
    yield Finding(f"{name} has the text", expected, shown(found), bool(found))


def _root(name: str, built: Built, expected: str) -> Iterable[Finding]:
    """A pattern that the one folder of an sdist has as a whole."""
    yield Finding(f"{name} root", expected, shown(built.homes), bool(re.fullmatch(expected, built.home)))


def _unchanged(scene: Scene, answer: Answer, expected: Mapping[str, Iterable[str]]) -> Iterable[Finding]:
    """Files of the project that are in an sdist byte for byte."""
    for name, paths in expected.items():
        built = _built(scene, name)
        for path in paths:
            found = built.members.get(f"{built.home}/{path}") if built else None
            same = found == (scene.folder / "project" / path).read_bytes()
            yield Finding(f"{name} {path}", "the project's", "the same" if same else "it differs", same)


def _sound(name: str, built: Built, expected: Iterable[str]) -> Iterable[Finding]:
    """Checks by name (``backend_checks``, ``bills``)."""
    return sound(built, expected, name)


def _returns(scene: Scene, answer: Answer, expected: str) -> Iterable[Finding]:
    """What the hook returned: ``basename`` of the one thing it made, or ``requirements``, a list of dependency specifiers."""
    said = answer.value if isinstance(answer.value, dict) else {}
    value = said.get("value")
    if expected == "requirements":
        good = (
            isinstance(value, list)
            and said.get("type") == "list"
            and all(isinstance(each, str) and _SPECIFIER.fullmatch(each) for each in value)
        )
        yield Finding(
            "returns", "a list of dependency specifiers", f"{said.get('type')} {shown(value)}", good
        )
        return
    there = sorted(path.name for path in _out(scene, scene.values["last"]).glob("*"))
    good = isinstance(value, str) and "/" not in value and value in there
    yield Finding("returns", f"one of {shown(there)}", f"{said.get('type')} {shown(value)}", good)


def _unread(scene: Scene, answer: Answer, expected: bool) -> Iterable[Finding]:
    """Whether all that lay in standard input (``stdin = "text"``) is still there after the hook."""
    left = answer.value.get("left") if isinstance(answer.value, dict) else None
    yield Finding("unread", shown(expected), f"left: {shown(left)}", (left == _TYPED) == expected)


def _same(scene: Scene, answer: Answer, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """Two things built that are alike in ``metadata`` (the file), ``fields`` (all, ``but`` some, or ``only`` some; never those that the first one, an sdist, leaves open as Dynamic), ``files`` (paths and bytes), or of which the values of ``only`` some fields of the second begin with those of the first (``beginnings``)."""
    one, two = expected["one"], expected["two"]
    left, right = _built(scene, one), _built(scene, two)
    if answer.outcome == "refused":
        return
    if left is None or right is None:
        yield Finding(f"{one}, {two}", "both were built", "they were not", False)
    elif expected["in"] == "metadata":
        yield agree(f"metadata of {one}, {two}", left.text, right.text)
    elif expected["in"] == "fields":
        yield from _same_fields(left, right, expected.get("but", ()), expected.get("only", ()))
    elif expected["in"] == "beginnings":
        for field in expected["only"]:
            begin, whole = left.fields(field), right.fields(field)
            yield Finding(
                f"field {field}", f"{shown(begin)} first", shown(whole), whole[: len(begin)] == begin
            )
    else:
        ignored = {left.inside("{dist_info}/RECORD"), left.inside("{dist_info}/WHEEL")}
        one_has, other_has = left.lasting(), right.lasting()
        for name in sorted({*one_has, *other_has} - ignored):
            if one_has.get(name) != other_has.get(name):
                yield Finding(f"{one}, {two}", f"the same {name}", "it differs or is missing", False)


def _same_fields(one: Built, other: Built, but: Iterable[str], only: Iterable[str]) -> Iterable[Finding]:
    """What the one says, the other says; what it does not, the other does not: save Dynamic fields."""
    dynamic = {"description", *(name.lower() for name in but)}
    # Of two wheels neither leaves anything open.
    if one.kind == "sdist":
        dynamic |= {"dynamic", "metadata-version", *(name.lower() for name in one.fields("Dynamic"))}
    names = {*only} or {*one.message().keys(), *other.message().keys()}
    for name in sorted(names, key=str.lower):
        if name.lower() not in dynamic:
            yield agree(f"field {name}", one.fields(name), other.fields(name))
    left_open = one.fields("Dynamic") if one.kind == "sdist" else []
    if not only and "description" not in {name.lower() for name in left_open}:
        yield agree("description", one.description().strip(), other.description().strip())


def _untouched(scene: Scene, answer: Answer, expected: bool) -> Iterable[Finding]:
    """Whether the source tree has the files it had before."""
    after = _listing(scene.folder / "project")
    new = [name for name in after if name not in scene.values["before"]]
    yield Finding("untouched", shown(expected), f"new: {shown(new)}", (not new) == expected)


def _says(scene: Scene, answer: Answer, expected: str) -> Iterable[Finding]:
    """A pattern in what the tool printed, in any case."""
    value = answer.value if isinstance(answer.value, dict) else {}
    said = f"{answer.message}{value.get('said', '')}"
    there = re.search(expected, said, re.IGNORECASE) is not None
    yield Finding("says", expected, said or "(nothing)", there)


def _outcome(scene: Scene, answer: Answer, expected: str) -> Iterable[Finding]:
    if expected == "either":
        yield Finding("outcome", "done or refused", answer.outcome, answer.outcome in ("done", "refused"))
    else:
        yield from COMMON_WITNESSES["outcome"](scene, answer, expected)


def _imported(scene: Scene, answer: Answer, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """What ``code`` prints where the editable wheel is unpacked into an environment, after ``files`` of the tree were written anew."""
    built = _built(scene, "editable")
    if built is None:
        yield Finding("imported", "a wheel was built", "it was not", False)
        return
    if not (scene.folder / "env").exists():
        make_environment(scene)
        for name, data in built.members.items():
            path = purelib(scene.folder / "env") / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    write_tree(scene.folder / "project", expected.get("files", {}))
    environment = {"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}
    found = said([scene.values["target"], "-c", expected["code"]], scene.folder / "tmp", environment)
    for root in (str(scene.folder), os.path.realpath(scene.folder)):
        found = found.replace(root, "")
    yield agree("imported", expected["prints"], found)


ROLE = Role(
    name="backend",
    about="Builds wheels and sdists from a source tree, asked through its hooks.",
    verbs=dict.fromkeys(_HOOKS, ("again", "by", "config", "gone", "metadata", "source", "stdin")),
    makers={
        "files": COMMON_MAKERS["files"],
        "environment": COMMON_MAKERS["environment"],
        "locale": installer.MAKERS["locale"],
        **{
            word: _kept(word)
            for word in (
                "project",
                "without",
                "tables",
                "module",
                "ships",
                "numbered",
                "unversioned",
                "hidden",
            )
        },
    },
    set_up=_set_up,
    values=_values,
    witnesses={
        **COMMON_WITNESSES,
        "outcome": _outcome,
        "returns": _returns,
        "filename": _of_each(_filename),
        "fields": _of_each(_fields),
        "field_sets": _of_each(_field_sets),
        "begins": _of_each(_begins),
        "root": _of_each(_root),
        "unchanged": _unchanged,
        "same_toml": _of_each(_same_toml),
        "has_table": _of_each(_has_table),
        "somewhere": _of_each(_somewhere),
        "none_like": _of_each(_none_like),
        "lists": _of_each(_lists),
        "addresses": _of_each(_addresses),
        "specifier": _of_each(_specifier),
        "includes": _of_each(_includes),
        "people": _of_each(_people),
        "matching": _of_each(_matching),
        "description": _of_each(_described),
        "entry_points": _of_each(_points),
        "has": _of_each(_has),
        "lacks": _of_each(_lacks),
        "content": _of_each(_content),
        "starts": _of_each(_starts),
        "sound": _of_each(_sound),
        "same": _same,
        "unread": _unread,
        "untouched": _untouched,
        "imported": _imported,
        "says": _says,
    },
)
