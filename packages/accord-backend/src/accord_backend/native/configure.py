"""Configuring: from the description and this machine to one recorded, readable file, ``configured.json``.

Describe, configure, build and install are kept apart: whoever asks why a build did what it did reads this file.  Every
path, flag and file name stands in it; the building half reads it and asks nothing else.  It carries a digest of all it
was made from, and the stamps of the files that answered, so the work is done again when one of them changes and only
then.  Paths below the project's root are relative to it: the folder may move.
"""

from __future__ import annotations

import hashlib
import json
import os

from .. import __version__, trees
from ..errors import BackendError
from . import libraries, precompiled, tags, toolchain
from .description import kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping, Sequence

    from .description import Extension
    from .options import Options

    Record = dict[str, Any]

__all__ = ["FILE", "configure", "read_record", "sources_of", "working_folder", "write_atomically"]

FILE = "configured.json"
_FORMAT = 2
_SEED = "-frandom-seed"  # each unit gets its own, its source's name
CWD = "/proc/self/cwd"
# A compiler reads the clock for __DATE__ and __TIME__ (which SOURCE_DATE_EPOCH sets) and the file for this one.
_TIMESTAMP = '-D__TIMESTAMP__="Tue Jan  1 00:00:00 1980"'


def sources_of(root: str, extension: Extension) -> list[str]:
    """The files of ``sources`` in the order written, each once.  Raises ``extension-sources-none`` and ``source-kind``."""
    found: dict[str, None] = {}
    for pattern in extension.lists["sources"]:
        plain = not any(sign in pattern for sign in "*?[")
        files = (
            [pattern] * os.path.isfile(os.path.join(root, pattern)) if plain else trees.on_disk(root, pattern)
        )
        if not files:
            raise BackendError(
                "extension-sources-none",
                f"{extension.name}: no file matches {pattern!r} in sources",
                hint="correct [[tool.accord.extension]] sources, or add the step that makes the file",
            )
        found.update(dict.fromkeys(os.path.normpath(path).replace(os.sep, "/") for path in files))
    for path in found:
        if kind_of(path) is None:
            raise BackendError(
                "source-kind",
                f"{extension.name}: {path} has no suffix of C, C++ or Cython",
                hint="headers belong to depends; Fortran, Rust and others to a delegate backend",
            )
    return list(found)


def configure(
    root: str, folder: str, extensions: Sequence[Extension], facts: Mapping[str, Any], options: Options
) -> tuple[Record, bool]:
    """The record for these extensions and whether it is new: it is read back where nothing it was made from changed."""
    environ = os.environ
    described = [_described(root, extension, facts) for extension in extensions]
    compilers = _compilers(described, facts, environ)
    found = libraries.include_folders(
        sorted({name for one in described for name in one["lists"]["include-from"]})
    )
    inputs = {
        "format": _FORMAT, "backend": __version__, "folder": folder, "root": working_folder(root), "python": facts, "extensions": described,
        "debug": options.debug, "precompile": options.precompile, "variables": {name: environ[name] for name in toolchain.VARIABLES if name in environ},
        "compilers": {name: [one.command, one.path, toolchain.stamp(one.path)] for name, one in compilers.items()},
        "include-from": {name: place.version for name, place in found.items()},
    }  # fmt: skip
    if any(one["lists"]["pkg-config"] for one in described):
        inputs["pkg-config"] = libraries.declared_folders()
    if any(one["cython"] for one in described):
        inputs["cython"] = libraries.cython_version()
    digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
    _link_includes(os.path.join(root, folder), found)
    record = read_record(os.path.join(root, folder))
    if record is not None and record["inputs"] == digest and _unchanged(record):
        return record, False
    record = _resolve(root, folder, inputs, described, compilers, options)
    record["inputs"] = digest
    return record, True


def read_record(folder: str) -> Record | None:
    """The record in a build folder, ``None`` where there is none of this format."""
    try:
        with open(os.path.join(folder, FILE), encoding="utf-8") as file:
            record = json.load(file)
    except (OSError, ValueError):
        return None
    if (
        not isinstance(record, dict)
        or record.get("format") != _FORMAT
        or not isinstance(record.get("watched"), dict)
    ):
        return None
    return record


def write_atomically(path: str, text: str) -> None:
    """Write a file that is either whole or not there."""
    unfinished = f"{path}.{os.getpid()}.tmp"
    with open(unfinished, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(unfinished, path)


def _unchanged(record: Record) -> bool:
    return all(toolchain.stamp(path) == then for path, then in record["watched"].items())


def _described(root: str, extension: Extension, facts: Mapping[str, Any]) -> Record:
    sources = sources_of(root, extension)
    kinds = {kind_of(path) for path in sources}
    return {
        "name": extension.name,
        "target": extension.path + tags.suffix(extension, facts),
        "language": "c++" if extension.language == "c++" or "c++" in kinds else "c",
        "cython": "cython" in kinds,
        "cplus": extension.language == "c++",
        "sources": sources,
        "lists": extension.lists,
        "depends": sorted(
            {path for item in extension.lists["depends"] for path in trees.on_disk(root, item)}
        ),
        "limited": tags.limited(extension, facts),
        "least": extension.limited_api,
        "optional": extension.optional,
        "directives": _directives(extension),
    }


def _directives(extension: Extension) -> dict[str, str]:
    marked = {"freethreading_compatible": "True"} if extension.free_threaded else {}
    return {**marked, **extension.directives}


def _compilers(
    described: Sequence[Record], facts: Mapping[str, Any], environ: Mapping[str, str]
) -> dict[str, toolchain.Compiler]:
    wanted = {"c++" if one["cplus"] and kind != "c" else _compiled_as(kind, one)
              for one in described for kind in map(kind_of, one["sources"])}  # fmt: skip
    return {language: toolchain.compiler(language, facts, environ) for language in sorted(wanted)}


def _compiled_as(kind: str | None, one: Record) -> str:
    return ("c++" if one["cplus"] else "c") if kind == "cython" else str(kind)


def _link_includes(folder: str, found: Mapping[str, libraries.Place]) -> None:
    # Isolated environments have another path each time; a command that names them would never be the same twice.
    for name, place in found.items():
        link = os.path.join(folder, "include", name)
        if not os.path.islink(link) or os.readlink(link) != place.path:
            os.makedirs(os.path.dirname(link), exist_ok=True)
            unfinished = f"{link}.{os.getpid()}.tmp"
            os.symlink(place.path, unfinished)
            os.replace(unfinished, link)


def _resolve(
    root: str,
    folder: str,
    inputs: Mapping[str, Any],
    described: Sequence[Record],
    compilers: Mapping[str, Any],
    options: Options,
) -> Record:
    facts = inputs["python"]
    _check_headers(facts)
    watched: dict[str, list[int]] = {}
    record: Record = {
        "format": _FORMAT, "inputs": "", "backend": __version__, "folder": folder, "python": facts,
        "variables": inputs["variables"], "compilers": {}, "watched": watched, "extensions": [], "left-out": {},
    }  # fmt: skip
    if "cython" in inputs:
        record["cython"] = inputs["cython"]
    steady: dict[str, list[str]] = {}
    capable: dict[str, bool] = {}
    for language, one in compilers.items():
        told = toolchain.captured([*one.command, "--version"])[1]
        one.version = told.partition("\n")[0]
        capable[language] = precompiled.fits(one.command, one.path, told)
        record["compilers"][language] = {"command": one.command, "path": one.path, "version": one.version}
        steady[language] = _steady_flags(root, one.command, language, facts)
    record["seeded"] = all(_SEED in flags for flags in steady.values())
    steady = {language: [flag for flag in flags if flag != _SEED] for language, flags in steady.items()}
    for extension in described:
        try:
            record["extensions"].append(
                _extension(root, folder, extension, inputs, steady, compilers, watched)
            )
        except BackendError as fault:
            if not extension["optional"]:
                raise
            record["left-out"][extension["name"]] = f"{fault.message} ({fault.code})"
    record["precompiled"] = precompiled.plan(root, record, capable, options)
    return record


def working_folder(root: str) -> str:
    """What compilers are told the working directory is called: the same name for every folder, where the system has one."""
    return CWD if os.path.isdir(CWD) else root


def _check_headers(facts: Mapping[str, Any]) -> None:
    if not any(os.path.isfile(os.path.join(path, "Python.h")) for path in facts["include"]):
        raise BackendError(
            "python-headers-missing",
            f"Python.h of Python {facts['version']} is not in {' or '.join(facts['include'])}",
            hint="Debian, Ubuntu: apt install {0}-dev; Fedora: dnf install {0}-devel".format(
                "pypy3" if facts["implementation"] == "pypy" else "python3"
            ),
        )


def _steady_flags(root: str, command: list[str], language: str, facts: Mapping[str, Any]) -> list[str]:
    """Flags that keep the machine out of the output, as far as this compiler knows them."""
    wanted = ["-g0", "-Wno-builtin-macro-redefined", _TIMESTAMP, "-fdiagnostics-color=never"]
    wanted += [f"-ffile-prefix-map={path}=python" for path in facts["include"]]
    wanted.append(f"-ffile-prefix-map={working_folder(root)}=.")
    probe = ["-Werror", "-x", language, "-c", os.devnull, "-o", os.devnull]
    if toolchain.captured([*command, *wanted, f"{_SEED}=x", *probe])[0] == 0:
        return [*wanted, _SEED]
    return [flag for flag in wanted if toolchain.captured([*command, flag, *probe])[0] == 0]


def _extension(
    root: str, folder: str, extension: Record, inputs: Mapping[str, Any], steady: Mapping[str, list[str]],
    compilers: Mapping[str, Any], watched: dict[str, list[int]],
) -> Record:  # fmt: skip
    lists, facts, environ = extension["lists"], inputs["python"], inputs["variables"]
    packages = libraries.query(lists["pkg-config"], os.environ)
    watched.update({path: toolchain.stamp(path) for path in packages.files})
    shared = [f"-D{item}" for item in _limited_macros(extension)]
    shared += [*(f"-D{item}" for item in lists["defines"]), *(f"-U{item}" for item in lists["undefines"])]
    shared += [f"-I{path}" for path in lists["include-dirs"]]
    shared += [f"-I{folder}/include/{name}" for name in lists["include-from"]]
    shared += [f"-I{path}" for path in facts["include"]] + packages.compile
    flags = toolchain.inherited(toolchain.split(facts["flags"]["compile"]))
    if not any(flag.startswith("-O") for flag in flags):
        flags.append("-O2")
    compile_flags = {}
    for language, own in (("c", "CFLAGS"), ("c++", "CXXFLAGS")):
        if language in compilers:
            named = [*toolchain.split(environ.get("CPPFLAGS", "")), *toolchain.split(environ.get(own, ""))]
            extra = ["-O0", "-g", "-UNDEBUG"] if inputs["debug"] else []
            compile_flags[language] = [
                *flags, *toolchain.split(facts["flags"]["pic"]), *steady[language], *shared, *lists["compile-args"], *named, *extra,
            ]  # fmt: skip
    link = toolchain.inherited(toolchain.split(facts["flags"]["link"])[1:])
    # Sanitizers and -m32 are said in CFLAGS and concern the linker too.
    own = "CXXFLAGS" if extension["language"] == "c++" and "c++" in compilers else "CFLAGS"
    link += [*toolchain.split(environ.get(own, "")), *toolchain.split(environ.get("LDFLAGS", ""))]
    after = [f"-L{path}" for path in lists["library-dirs"]] + [f"-l{name}" for name in lists["libraries"]]
    after += packages.link + lists["link-args"]
    language = extension["language"]
    if lists["libraries"]:
        libraries.check_present(
            root, compilers.get(language) or compilers["c"], link, after, lists["libraries"]
        )
    return {
        "name": extension["name"], "optional": extension["optional"], "target": extension["target"],
        "linker": language if language in compilers else "c", "compile": compile_flags, "link": link, "libraries": after,
        "units": [_unit(root, folder, extension, path) for path in extension["sources"]],
        "implicit": [path for path in extension["depends"] if not path.endswith((".h", ".hpp", ".hh", ".hxx", ".pxd", ".pxi"))],
        "directives": extension["directives"],
    }  # fmt: skip


def _unit(root: str, folder: str, extension: Record, path: str) -> Record:
    kind = kind_of(path)
    language = _compiled_as(kind, extension)
    place = f"{folder}/objects/{extension['name']}/{path}"
    size = os.path.getsize(os.path.join(root, path))
    unit: Record = {"source": path, "language": language, "object": f"{place}.o", "size": size}
    if kind == "cython":
        unit["generated"] = place[: -len(".pyx")] + (".cpp" if language == "c++" else ".c")
        stem = os.path.splitext(os.path.basename(path))[0]
        # A module of one .pyx file is that file, whatever the file's name; of several it is the one of its name.
        alone = sum(path.endswith(".pyx") for path in extension["sources"]) == 1
        unit["module"] = extension["name"] if alone or stem == extension["name"].split(".")[-1] else stem
    return unit


def _limited_macros(extension: Record) -> list[str]:
    if extension["limited"] is None:
        return []
    number = f"0x03{extension['least']:02x}0000"
    return [f"Py_LIMITED_API={number}"] + (
        [f"Py_TARGET_ABI3T={number}"] if extension["limited"] == "abi3t" else []
    )
