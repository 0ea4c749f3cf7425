"""Installer: puts distributions into an environment, takes them out again, and leaves the records the standards ask for.

Each case has an environment of its own, made by hand, empty.  A place in it is written ``scheme:path``: ``purelib:demo/__init__.py``,
``scripts:demo``, ``data:share/demo.txt``, ``headers:demo/demo.h``; ``dist-info:`` is the folder of the one distribution installed, or of ``dist-info(name):``.
``platlib:`` differs from ``purelib:`` where ``given.python`` sets them apart; ``base:`` is the folder of modules of the Python below the environment.

Given besides the common words: ``installed`` (key: a wheel's table, put there by hand as another installer would; with ``installer``), ``present`` (place: content),
``python`` (a base Python of the case's own: ``managed`` text of EXTERNALLY-MANAGED, ``split``, ``system`` for an environment that sees it, ``declared`` for one without pyvenv.cfg, ``itself`` to install
into it and no environment, ``installed`` in it), ``locale`` (a locale to speak), ``trees`` and ``repositories`` (key: an sdist's table; a source tree
in the project's folder, or a git repository with the tag v1; ``later`` of a repository: the tag, and a branch ``old``, are not its newest commit, which has these files: path, text; or true).
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from accord_conformance.cases import Step
from accord_conformance.errors import SuiteError
from accord_conformance.judging import COMMON_WITNESSES, Finding, Witness, agree, shown
from accord_conformance.making.files import content
from accord_conformance.making.installed import LIB64, declare, make_base, put_project, unpack_sdist
from accord_conformance.making.sdists import make_sdist
from accord_conformance.processes import done, said
from accord_conformance.protocol import Answer
from accord_conformance.reading import Table
from accord_conformance.roles.client import CLIENT_WITNESSES
from accord_conformance.roles.records import (
    changes,
    direct_url,
    emptied,
    filled,
    record_findings,
    remember,
)
from accord_conformance.roles.role import Role
from accord_conformance.scene import COMMON_MAKERS, Maker, Scene, make_environment, purelib

__all__ = ["MAKERS", "ROLE", "WITNESSES", "place"]

_PLACE = re.compile(r"(?P<scheme>[a-z-]+)(?:\((?P<name>[^)]+)\))?:(?P<path>.*)")


def _set_up(scene: Scene) -> None:
    make_environment(scene)
    scene.values["platlib"] = scene.values["purelib"]
    scene.values["cache_tag"] = str(sys.implementation.cache_tag)


def _python(scene: Scene, values: Mapping[str, Any]) -> None:
    """A base Python of the case's own; the environment is made of it, or is it."""
    table = Table("python", values)
    split, itself = table.take("split", bool, False), table.take("itself", bool, False)
    base = scene.folder / "base"
    executable = make_base(base, table.take("managed", str, None), split)
    shutil.rmtree(scene.values["env"])
    if itself:
        scene.values.update(env=str(base), target=str(executable), purelib=str(purelib(base)))
    else:
        make_environment(scene, base=executable, system=table.take("system", bool, False))
        if table.take("declared", bool, False):
            declare(base, Path(scene.values["env"]))
    env = Path(scene.values["env"])
    scene.values["platlib"] = str(env / LIB64) if split else scene.values["purelib"]
    for key, each in table.take("installed", dict, {}).items():
        put_project(purelib(base), key, each, {})
    table.done()


def _installed(scene: Scene, values: Mapping[str, Any]) -> None:
    for key, each in values.items():
        put_project(Path(scene.values["purelib"]), key, each, _texts(scene))


def _present(scene: Scene, values: Mapping[str, Any]) -> None:
    for where, value in values.items():
        path, each = place(scene, where), content(where, value)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(each.data)
        path.chmod(each.mode)


def _locale(scene: Scene, name: str) -> None:
    """A locale made for the case; a machine without the sources of locales cannot play it."""
    language, _, charset = name.partition(".")
    folder = scene.folder / "locales"
    folder.mkdir()
    done(["localedef", "-i", language, "-f", charset, str(folder / name)], scene.folder, scene.environment)
    scene.environment.update(LC_ALL=name, LOCPATH=str(folder))


def _trees(scene: Scene, values: Mapping[str, Any]) -> None:
    for key, each in values.items():
        _tree(key, each, scene.folder / "project" / key)


def _tree(key: str, values: Mapping[str, Any], folder: Path) -> None:
    """The source tree of an sdist's table; ``below``: in that folder of the tree."""
    table = dict(values)
    below = table.pop("below", ".")
    unpack_sdist(make_sdist(key, table), folder / below)


def _repositories(scene: Scene, values: Mapping[str, Any]) -> None:
    """Git repositories at ``{repositories}/KEY``, the commit of the tag v1 of the last in ``{commit}``; ``later``: one more commit comes after it and the branch ``old``, with these files or (true) none."""
    scene.values["repositories"] = str(scene.folder / "repositories")
    for key, each in values.items():
        folder = scene.folder / "repositories" / key
        table = dict(each)
        later = table.pop("later", False)
        _tree(key, table, folder)
        git = ["git", "-c", "user.name=Case", "-c", "user.email=case@mail.example", "-C", str(folder)]
        done([*git, "init", "-q", "-b", "main"], folder, scene.environment)
        done([*git, "add", "-A"], folder, scene.environment)
        done([*git, "commit", "-q", "-m", "first"], folder, scene.environment)
        done([*git, "tag", "v1"], folder, scene.environment)
        scene.values["commit"] = done([*git, "rev-parse", "HEAD"], folder, scene.environment).strip()
        if later:
            done([*git, "branch", "old"], folder, scene.environment)
            for path, text in later.items() if isinstance(later, Mapping) else ():
                (folder / path).write_text(text, encoding="utf-8")
            done([*git, "commit", "-q", "-a", "--allow-empty", "-m", "second"], folder, scene.environment)
        done([*git, "update-server-info"], folder, scene.environment)


def _texts(scene: Scene) -> dict[str, str]:
    return {name: text for name, text in scene.values.items() if isinstance(text, str)}


def _values(scene: Scene, step: Step) -> Mapping[str, Any]:
    """``wheels`` and ``sdists`` become ``{files...}``, the folder of the first one ``{links}``; ``index`` replaces the pages that are served."""
    remember(scene, Path(scene.values["env"]))
    if scene.site is not None:
        scene.values["authority"] = scene.site.url.partition("//")[2]
    values = dict(filled(scene, step.arguments))
    if "index" in values:
        COMMON_MAKERS["index"](scene, values.pop("index"))
    keys = [*values.pop("wheels", ()), *values.pop("sdists", ())]
    for key in keys:
        if key not in scene.made:
            raise SuiteError("installer", f"no wheel or sdist {key!r} is given")
    files = [str(scene.folder / "dist" / key / scene.made[key].filename) for key in keys]
    links = {"links": str(Path(files[0]).parent)} if files else {}
    return {**values, **links, "files": files}


def place(scene: Scene, where: str) -> Path:
    """The path of a place in the environment."""
    found = _PLACE.fullmatch(filled(scene, where))
    if found is None:
        raise SuiteError("installer", f"a place is written scheme:path, not {where!r}")
    env = Path(scene.values["env"])
    scheme = found["scheme"]
    if scheme == "dist-info":
        return _dist_info(env, found["name"]) / found["path"]
    folders = {
        "purelib": purelib(env),
        "platlib": Path(scene.values.get("platlib", purelib(env))),
        "base": purelib(scene.folder / "base"),
        "scripts": env / "bin",
        "data": env,
        "headers": env / "include" / "site" / f"python3.{sys.version_info[1]}",
    }
    if scheme not in folders:
        raise SuiteError("installer", f"no scheme {scheme!r}: {', '.join(folders)}, dist-info")
    return folders[scheme] / found["path"]


def _dist_info(env: Path, name: str | None) -> Path:
    pattern = f"{name.replace('-', '_')}-*.dist-info" if name else "*.dist-info"
    found = sorted(purelib(env).glob(pattern))
    # Nothing, or too much, there: a path that does not exist is what witnesses report.
    return found[0] if len(found) == 1 else purelib(env) / f"({len(found)} dist-info folders)"


def _files(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Places where a file or folder must be."""
    for where in expected:
        there = place(scene, where).exists()
        yield Finding("files", f"{where} is there", "it is" if there else "it is not", there)


def _absent(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Places where nothing may be."""
    itself = scene.values["settings"].get("makes_environment")
    for where in expected:
        path = place(scene, where)
        if (
            itself
            and where.startswith(("purelib:", "platlib:"))
            and scene.values["platlib"] != scene.values["purelib"]
        ):
            continue  # in the environment that it made these may be one folder
        there = path.exists() or path.is_symlink()
        yield Finding("absent", f"{where} is not there", "it is" if there else "it is not", not there)


def _text(scene: Scene, answer: Answer, expected: Mapping[str, str]) -> Iterable[Finding]:
    """The whole text of files, without white space around it."""
    for where, text in expected.items():
        yield agree(f"text {where}", text.strip(), _read(place(scene, where)))


def _matches(scene: Scene, answer: Answer, expected: Mapping[str, str]) -> Iterable[Finding]:
    """A pattern found in the text of files."""
    for where, pattern in expected.items():
        text = _read(place(scene, where))
        yield Finding(f"matches {where}", pattern, text, re.search(pattern, text, re.MULTILINE) is not None)


def _json(scene: Scene, answer: Answer, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """The document in JSON files."""
    for where, wanted in expected.items():
        text = _read(place(scene, where))
        try:
            yield agree(f"json {where}", wanted, json.loads(text))
        except ValueError:
            yield Finding(f"json {where}", shown(wanted), text, False)


def _modes(scene: Scene, answer: Answer, expected: Mapping[str, bool]) -> Iterable[Finding]:
    """Whether files may be executed."""
    for where, wanted in expected.items():
        path = place(scene, where)
        found = bool(path.stat().st_mode & 0o100) if path.exists() else "it is not there"
        yield agree(f"executable {where}", wanted, found)


def _prints(scene: Scene, answer: Answer, expected: Mapping[str, str]) -> Iterable[Finding]:
    """What programs in the environment, or Python code after ``-c``, print."""
    for command, wanted in expected.items():
        program, _, rest = command.partition(" ")
        target = str(Path(scene.values["env"]) / "bin" / program)
        rest = filled(scene, rest)
        arguments = [target, "-c", rest[3:]] if rest.startswith("-c ") else [target, *rest.split()]
        environment = {name: scene.environment[name] for name in ("PATH", "HOME")}
        found = said(arguments, scene.folder / "project", environment)
        yield agree(f"prints {command}", filled(scene, wanted), found)


def _record(
    scene: Scene, answer: Answer, expected: Mapping[str, Any] | list[Mapping[str, Any]]
) -> Iterable[Finding]:
    """RECORD of what was installed (``of``: a place), or a list for several; what may be asked of it is with ``record_findings``."""
    for wanted in expected if isinstance(expected, list) else [expected]:
        path = place(scene, wanted.get("of", "dist-info:RECORD"))
        yield from record_findings(scene, path, path.parent.parent, wanted)


def _direct_url(scene: Scene, answer: Answer, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """direct_url.json of what was installed (``direct_url``)."""
    return direct_url(scene, place(scene, "dist-info:direct_url.json"), expected)


def _unchanged(scene: Scene, answer: Answer, expected: bool) -> Iterable[Finding]:
    """The environment is as it was before the request."""
    return _no_change(scene, since_first=False)


def _restored(scene: Scene, answer: Answer, expected: bool) -> Iterable[Finding]:
    """The environment is as it was before the first request, directories included."""
    return _no_change(scene, since_first=True)


def _no_emptied(scene: Scene, answer: Answer, expected: bool) -> Iterable[Finding]:
    """No folder is left that the request emptied."""
    found = emptied(scene, Path(scene.values["env"]))
    yield Finding("no_emptied", "no emptied folder", ", ".join(found) or "no emptied folder", not found)


def _no_change(scene: Scene, since_first: bool) -> Iterable[Finding]:
    if scene.values["settings"].get("makes_environment"):
        return  # it never touches the environment that was there
    found = changes(scene, Path(scene.values["env"]), since_first=since_first)
    what = "restored" if since_first else "unchanged"
    yield Finding(what, "nothing has changed", "; ".join(found) or "nothing has changed", not found)


def _named(scene: Scene, answer: Answer, expected: Mapping[str, bool]) -> Iterable[Finding]:
    """INSTALLER, if there is one: ``line`` (one line, ASCII white space after it), ``printable`` (in ASCII), ``command`` (the name of a program of the tool's)."""
    path = place(scene, "dist-info:INSTALLER")
    text = path.read_bytes().decode("latin-1") if path.is_file() else None
    if text is None:
        yield Finding("installer_file", "one line, if it is there", "it is not there", True)
        return
    if expected.get("line"):
        right = re.fullmatch(r"[^\r\n]*[^\s][^\r\n]*[ \t\n\r\f\v]*", text) is not None
        yield Finding("installer_file", "one line that names the tool", repr(text), right)
    if expected.get("printable"):
        right = re.fullmatch(r"[ -~]+[ \t\n\r\f\v]*", text) is not None
        yield Finding("installer_file", "printable ASCII", repr(text), right)
    if expected.get("command"):
        found = shutil.which(text.strip(), path=scene.environment["PATH"]) is not None
        yield Finding("installer_file", "the name of a program", text.strip(), found)


def _somewhere(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Names of new files that are in the environment, wherever it may be, but not in a folder of the wheel's."""
    new = [each.removesuffix(" is new") for each in changes(scene, Path(scene.values["env"]))]
    for name in expected:
        found = [path for path in new if path.endswith(f"/{name}") and ".data/" not in path]
        yield Finding(
            "somewhere", f"{name} is in its place", ", ".join(found) or "it is nowhere", bool(found)
        )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError as error:
        return f"({path.name}: {error.strerror})"


WITNESSES: dict[str, Witness] = {
    **COMMON_WITNESSES,
    "files": _files,
    "absent": _absent,
    "text": _text,
    "matches": _matches,
    "json": _json,
    "executable": _modes,
    "prints": _prints,
    "record": _record,
    **CLIENT_WITNESSES,
    "direct_url": _direct_url,
    "unchanged": _unchanged,
    "restored": _restored,
    "no_emptied": _no_emptied,
    "somewhere": _somewhere,
    "installer_file": _named,
}

# The Python first: all else lies in the environment made of it.
MAKERS: dict[str, Maker] = {
    "python": _python,
    "locale": _locale,
    **COMMON_MAKERS,
    "installed": _installed,
    "present": _present,
    "trees": _trees,
    "repositories": _repositories,
}

ROLE = Role(
    name="installer",
    about="Puts distributions into an environment and takes them out again.",
    verbs={
        "install": ("wheels", "sdists", "requested"),  # files, without their dependencies
        "install-from-index": ("requirements", "index"),  # from {index} alone, without dependencies
        "install-with-dependencies": ("requirements", "index"),  # the same, with them
        "install-from-two-indexes": ("requirements",),  # {index}, and a further one at {site}/second/
        "upgrade": ("wheels",),  # where another release of the project is installed
        "install-anyway": ("wheels",),  # into an environment that is marked as externally managed
        # with other tags than the environment's own allowed: those of 64-bit Windows
        "install-for-windows": ("wheels",),
        # by name, the folder of the wheels as a list of links
        "install-from-links": ("wheels", "requirements"),
        "install-requirements": ("requirements",),  # no index: direct references, with {site} and the like
        "install-directory": ("path",),  # a source tree, by its path
        "install-editable": ("path",),
        "uninstall": ("names",),
    },
    makers=MAKERS,
    set_up=_set_up,
    values=_values,
    witnesses=WITNESSES,
)
