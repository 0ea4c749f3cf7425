"""Build frontend: calls the hooks of a probing backend, which writes down what it was called with and what it could see.

Given: ``files`` (the tree), ``build_system`` (keys of that table, beside the probe's own), ``pyproject`` (its text whole), ``probe`` (its plan, see
``making/probing_backend.py``), ``probe_at`` (where it lies in the tree: ``build_backend/probe.py``), ``in_tree`` (it must lie there), ``wheels`` and ``sdists`` (all of them on the index at ``{index}``; sdists have the
probe in them, ``of`` names one; ``{folder}`` in the target of a hard link is the case's folder), ``links`` (path: target, after the tree is written), ``present`` (modules in the target environment).

``expect`` looks at calls by hook: ``called``, ``not_called`` and ``handed`` (lists; the last got a metadata folder), ``order``, and tables ``settings``, ``sees``, ``child_sees``, ``programs``; at all calls at once:
``in_root``, ``fresh``, ``path_first``; at what came out: ``wheels``, ``sdists`` (how many), ``bills`` (checks of ``bills.py``); ``nowhere`` (names of files that are in no folder of the case, nor were above a hook's that had to ``seek`` them).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from accord_conformance.built import read_built
from accord_conformance.cases import Step
from accord_conformance.errors import SuiteError
from accord_conformance.judging import COMMON_WITNESSES, Finding, Witness, agree, shown
from accord_conformance.making.files import write_tree
from accord_conformance.making.pages import make_index
from accord_conformance.making.projects import toml
from accord_conformance.names import normal
from accord_conformance.processes import said
from accord_conformance.protocol import Answer
from accord_conformance.reading import DATA
from accord_conformance.roles.backend_checks import sound
from accord_conformance.roles.role import Role
from accord_conformance.scene import COMMON_MAKERS, Maker, Scene, make_environment, purelib

__all__ = ["ROLE"]

_ARGUMENTS = ("of", "config")


def _set_up(scene: Scene) -> None:
    scene.values["given"] = {}
    make_environment(scene)
    for name in ("out", "cache"):
        (scene.folder / name).mkdir()
    scene.values.update(out=str(scene.folder / "out"), cache=str(scene.folder / "cache"))
    _publish(scene)


def _publish(scene: Scene) -> None:
    """Every wheel there is on an index."""
    projects: dict[str, dict[str, list[dict[str, str]]]] = {}
    for key, made in scene.made.items():
        name = normal(made.project)
        projects.setdefault(name, {"files": []})["files"].append({"wheel": key})
    routes, root = make_index({"projects": projects}, scene.made)
    site = scene.serve()
    site.routes.update(routes)
    scene.values["index"] = site.url + root


def _present(scene: Scene, values: Mapping[str, Any]) -> None:
    """Modules that the target environment has already."""
    write_tree(purelib(scene.folder / "env"), values)


def _wheels(scene: Scene, values: Mapping[str, Any]) -> None:
    COMMON_MAKERS["wheels"](scene, values)
    _publish(scene)


def _kept(word: str) -> Maker:
    """Keeps a word of ``given`` until all are there."""

    def keep(scene: Scene, value: Any) -> None:
        scene.values["given"][word] = value

    return keep


def _log(scene: Scene) -> Path:
    return scene.folder / "calls.jsonl"


def _probe(scene: Scene) -> str:
    plan = {**scene.values["given"].get("probe", {}), "log": str(_log(scene))}
    source = (DATA / "making" / "probing_backend.py").read_text(encoding="utf-8")
    return source.replace("@PLAN@", json.dumps(plan))


def _write_project(scene: Scene) -> None:
    """The tree and the sdists, before the first request."""
    given, settings = scene.values["given"], scene.values["settings"]
    place = given.get("probe_at", "build_backend/probe.py")
    system = {"requires": [], "build-backend": "probe", "backend-path": [place.rpartition("/")[0] or "."]}
    tree = {place: _probe(scene), "src/demo.py": "def main():\n    print('demo runs')\n"}
    if settings.get("probe") == "required" and not given.get("in_tree"):
        # Of a tool that finds no backend in a tree the rest is asked with one that it installs.
        del system["backend-path"]
        _wheels(scene, {"probe": {"files": {place.partition("/")[2]: tree.pop(place)}}})
    system.update(given.get("build_system", {}))
    if "backend-path" not in system and isinstance(system["requires"], list):
        system["requires"] = ["probe", *system["requires"]]
    lines = "".join(f"{key} = {toml(value)}\n" for key, value in system.items() if value != "")
    text = given.get("pyproject", f'[build-system]\n{lines}\n[project]\nname = "demo"\nversion = "1.0"\n')
    folder = scene.folder / "project"
    if text:
        # Some tools are told of the index nowhere else.
        more = settings.get("tables", "").replace("{index}", scene.values["index"])
        tree["pyproject.toml"] = f"{text}\n{more}" if more else text
    write_tree(folder, {path: body for path, body in tree.items() if not (folder / path).exists()})
    for path, target in given.get("links", {}).items():
        (folder / path).symlink_to(target)
    for key, values in given.get("sdists", {}).items():
        files = {"probe.py": _probe(scene), **values.get("files", {})}
        own = '[build-system]\nrequires = []\nbuild-backend = "probe"\nbackend-path = ["."]\n'
        links = values.get("hardlinks", {})
        links = {path: to.replace("{folder}", str(scene.folder)) for path, to in links.items()}
        made = {"pyproject": own, **values, "files": files, "hardlinks": links}
        COMMON_MAKERS["sdists"](scene, {key: made})
    _publish(scene)


def _values(scene: Scene, step: Step) -> Mapping[str, Any]:
    if "written" not in scene.values:
        scene.values["written"] = True
        _write_project(scene)
    source = scene.folder / "project"
    key = step.arguments.get("of")
    if key is not None:
        if key not in scene.made:
            raise SuiteError("frontend", f"no sdist {key!r} is given")
        source = scene.folder / "dist" / key / scene.made[key].filename
    config = step.arguments.get("config", ())
    return {
        "source": str(source),
        "config": [part for each in config for part in ("-C", each)],
        "config_long": [f"--config-settings={each}" for each in config],
        "names": step.arguments.get("names", []),
    }


def _calls(scene: Scene) -> list[dict[str, Any]]:
    path = _log(scene)
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _hooks(scene: Scene) -> list[str]:
    return [call["hook"] for call in _calls(scene)]


def _called(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Hooks that were called."""
    hooks = _hooks(scene)
    for hook in expected:
        yield Finding("called", hook, shown(hooks), hook in hooks)


def _not_called(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Hooks that were not called."""
    hooks = _hooks(scene)
    for hook in expected:
        yield Finding("not called", f"no {hook}", shown(hooks), hook not in hooks)


def _order(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Hooks whose first calls came in this order, all of them."""
    hooks = _hooks(scene)
    first = sorted((hooks.index(hook), hook) for hook in expected if hook in hooks)
    yield agree("order", list(expected), [hook for _, hook in first])


def _of_calls(key: str) -> Witness:
    """A witness of a table by hook: what ``key`` was in every call of it."""

    def witness(scene: Scene, answer: Answer, expected: Mapping[str, Any]) -> Iterable[Finding]:
        for named, wanted in expected.items():
            hook = named.removesuffix("?")  # a hook that need not be called
            calls = [call for call in _calls(scene) if call["hook"] == hook]
            if not calls and hook == named:
                yield Finding(key, f"{hook} is called", shown(_hooks(scene)), False)
            for call in calls:
                found = call[key]
                if isinstance(wanted, Mapping) and isinstance(found, Mapping):
                    # TOML has no null: what cannot be seen is written "".
                    found = {name: found.get(name) if found.get(name) is not None else "" for name in wanted}
                yield agree(f"{hook} {key}", wanted, found)

    return witness


def _in_root(scene: Scene, answer: Answer, expected: bool) -> Iterable[Finding]:
    """Every hook ran in the root of a source tree."""
    wrong = [f"{call['hook']} in {call['cwd']}" for call in _calls(scene) if not call["in_tree"]]
    yield Finding(
        "in the root",
        "every hook",
        shown(wrong) if wrong else "every hook",
        not wrong and bool(_calls(scene)),
    )


def _fresh(scene: Scene, answer: Answer, expected: bool) -> Iterable[Finding]:
    """No process called a hook before."""
    shared = [call["calls"] for call in _calls(scene) if len(call["calls"]) > 1]
    yield Finding(
        "fresh", "one hook a process", shown(shared) if shared else "one hook a process", not shared
    )


def _unspoiled(scene: Scene, answer: Answer, expected: bool) -> Iterable[Finding]:
    """What a hook changed did not reach the next."""
    spoiled = [f"{call['hook']} after {call['spoiled']}" for call in _calls(scene) if call["spoiled"]]
    yield Finding("unspoiled", "no traces", shown(spoiled) if spoiled else "no traces", not spoiled)


def _path_first(scene: Scene, answer: Answer, expected: bool) -> Iterable[Finding]:
    """The folder of backend-path is the first of sys.path in every hook."""
    wrong = [
        f"{call['hook']}: {call['path']}" for call in _calls(scene) if call["beside"] not in call["path"][:1]
    ]
    yield Finding("first of sys.path", "every time", shown(wrong) if wrong else "every time", not wrong)


def _prepared(scene: Scene, answer: Answer, expected: bool) -> Iterable[Finding]:
    """Where build_wheel or build_editable got a metadata folder, it was the one prepared, whole."""
    for call in _calls(scene):
        given = call.get("metadata")
        if given is not None:
            yield agree(f"{call['hook']} metadata", call["prepared"], given)


def _handed(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Hooks that got a metadata folder."""
    given = [call["hook"] for call in _calls(scene) if call.get("metadata") is not None]
    for hook in expected:
        yield Finding("handed metadata", hook, shown(given), hook in given)


def _count(pattern: str) -> Witness:
    def witness(scene: Scene, answer: Answer, expected: int) -> Iterable[Finding]:
        """How many files of that kind came out."""
        found = sorted(path.name for path in (scene.folder / "out").rglob(pattern))
        yield Finding(pattern, str(expected), shown(found), len(found) == expected)

    return witness


def _tree(scene: Scene, answer: Answer, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """The tree as the first hook saw it: path: a table of ``kind``, ``outside``, ``mode`` (``executable``, ``no-high-bits``), or false: it is not there."""
    calls = _calls(scene)
    if answer.outcome == "refused" and not calls:
        return
    if not calls:
        yield Finding("tree", "a hook was called", "none was", False)
        return
    tree = calls[0]["tree"]
    for path, wanted in expected.items():
        entry = tree.get(path)
        if wanted is False or entry is None:
            right = wanted is False and entry is None
            yield Finding(f"tree {path}", "there" if wanted else "not there", shown(entry), right)
            continue
        for key, value in wanted.items():
            found = {
                "kind": entry["kind"],
                "outside": entry["outside"],
                "executable": bool(entry["mode"] & 0o100),
                "high_bits": bool(entry["mode"] & 0o7000),
            }
            yield agree(f"tree {path} {key}", value, found[key])


def _bills(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Checks by name (``bills``) of the wheel that came out."""
    built = read_built("wheel", scene.folder / "out")
    return sound(built, expected) if built else [Finding("bills", "a wheel", "no wheel came out", False)]


def _nowhere(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Names of files that lie in no folder of the case, the distributions given aside."""
    for name in expected:
        # A folder instead of the link ``door`` is a way to unpack what comes after it: inside.
        found = [
            str(path)
            for path in scene.folder.rglob(name)
            if "dist" not in path.parts and path.parent.name != "door"
        ]
        # What a tool sweeps away at its end was there while a hook ran.
        found += [path for call in _calls(scene) for path in call["above"] if Path(path).name == name]
        yield Finding("nowhere", f"no {name}", shown(found) if found else f"no {name}", not found)


def _escaped(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """What no hook could see from inside: paths that lead out of the tree."""
    for call in _calls(scene):
        leads = [path for path, entry in call["tree"].items() if entry["outside"]]
        yield Finding("leads out", "nothing", shown(leads) if leads else "nothing", not leads)


def _installed(scene: Scene, answer: Answer, expected: Mapping[str, str]) -> Iterable[Finding]:
    """Files of the environment's package folder (patterns): text in them, or "" for being there."""
    for pattern, text in expected.items():
        found = sorted(purelib(scene.folder / "env").glob(pattern))
        body = found[0].read_text(encoding="utf-8") if found else "(not there)"
        body = body.replace(str(scene.folder), "")
        yield Finding(f"installed {pattern}", text or "there", body, len(found) == 1 and text in body)


def _not_installed(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Patterns of files that the environment's package folder does not have."""
    for pattern in expected:
        found = [path.name for path in purelib(scene.folder / "env").glob(pattern)]
        yield Finding("not installed", f"no {pattern}", shown(found) if found else f"no {pattern}", not found)


def _direct_url(scene: Scene, answer: Answer, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """Keys of direct_url.json; ``{tree}`` in a text is the project's file: URL."""
    found = sorted(purelib(scene.folder / "env").glob("*.dist-info/direct_url.json"))
    document = json.loads(found[0].read_text(encoding="utf-8")) if found else {}
    url = (scene.folder / "project").as_uri()
    for key, wanted in expected.items():
        value = document.get(key)
        value = value.rstrip("/") if isinstance(value, str) else value
        yield agree(f"direct_url {key}", url if wanted == "{tree}" else wanted, value)


def _prints(scene: Scene, answer: Answer, expected: Mapping[str, str]) -> Iterable[Finding]:
    """What programs of the environment print."""
    for program, wanted in expected.items():
        path = scene.folder / "env" / "bin" / program
        if not path.exists():
            yield Finding(f"prints {program}", wanted, "(no such program)", False)
            continue
        yield agree(f"prints {program}", wanted, said([str(path)], scene.folder, scene.environment))


def _says(scene: Scene, answer: Answer, expected: str) -> Iterable[Finding]:
    """A pattern in what the tool printed, in any case."""
    there = re.search(expected, answer.message, re.IGNORECASE) is not None
    yield Finding("says", expected, answer.message or "(nothing)", there)


def _outcome(scene: Scene, answer: Answer, expected: str) -> Iterable[Finding]:
    if expected == "either":
        yield Finding("outcome", "done or refused", answer.outcome, answer.outcome in ("done", "refused"))
    else:
        yield from COMMON_WITNESSES["outcome"](scene, answer, expected)


ROLE = Role(
    name="frontend",
    about="Builds source trees and sdists by calling the hooks of their backends.",
    verbs={
        "build-wheel": _ARGUMENTS,  # of {source}, into {out}
        "build-sdist": _ARGUMENTS,
        "build": (),  # what the tool builds when nothing is said
        "build-with-bill": (),  # the wheel, with a bill of materials inside that the tool makes
        "build-unisolated": (),  # the wheel, with the override of isolation that the tool has
        "install": _ARGUMENTS,  # into {env}
        "install-editable": _ARGUMENTS,
        "uninstall": ("names",),
    },
    makers={
        "files": COMMON_MAKERS["files"],
        "wheels": _wheels,
        "present": _present,
        "environment": COMMON_MAKERS["environment"],
        **{
            word: _kept(word)
            for word in ("build_system", "pyproject", "probe", "probe_at", "in_tree", "sdists", "links")
        },
    },
    set_up=_set_up,
    values=_values,
    witnesses={
        **COMMON_WITNESSES,
        "outcome": _outcome,
        "called": _called,
        "not_called": _not_called,
        "handed": _handed,
        "order": _order,
        **{key: _of_calls(key) for key in ("settings", "sees", "child_sees", "programs", "empty_stdin")},
        "in_root": _in_root,
        "fresh": _fresh,
        "unspoiled": _unspoiled,
        "path_first": _path_first,
        "prepared": _prepared,
        "wheels": _count("*.whl"),
        "sdists": _count("*.tar.gz"),
        "bills": _bills,
        "tree": _tree,
        "nowhere": _nowhere,
        "escaped": _escaped,
        "installed": _installed,
        "not_installed": _not_installed,
        "direct_url": _direct_url,
        "prints": _prints,
        "says": _says,
    },
)
