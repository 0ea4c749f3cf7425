"""Checks of what would be imported: modules, their syntax, their types, and what points at them. Nothing is imported."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from keyword import iskeyword
from typing import TYPE_CHECKING

from accord.checks.model import ADVICE, ERROR, WARNING, Edit, Finding, Register, listed
from accord.checks.sources import lowest_python
from accord.checks.subjects import ProjectSubject, Subject, WheelSubject

if TYPE_CHECKING:
    from accord_core.errors import Where

__all__ = ["CHECKS"]

check = Register()
_BOTH = ("project", "wheel")
_TYPED = "Typing :: Typed"
_ENOUGH = 20  # functions, before their annotations mean anything


def _file(subject: Subject, path: str) -> str:
    """Where a file or folder of the library lies in the subject: a project may keep it in ``src``."""
    if path in subject.library:
        return subject.library[path].path
    inside = next(one for one in subject.library if one.startswith(f"{path}/"))
    return subject.library[inside].path[: -len(inside) + len(path)]


def _references(subject: Subject) -> Iterator[tuple[str, str, Where]]:
    """``(name, object reference, place)`` of every entry point."""
    if isinstance(subject, ProjectSubject):
        for key in ("scripts", "gui-scripts"):
            for name, reference in subject.table("project", key).items():
                if isinstance(reference, str):
                    yield name, reference, subject.place(("project", key, name))
        for group in subject.table("project", "entry-points"):
            for name, reference in subject.table("project", "entry-points", group).items():
                if isinstance(reference, str):
                    yield name, reference, subject.place(("project", "entry-points", group, name))
    elif isinstance(subject, WheelSubject) and subject.wheel is not None:
        for point in subject.wheel.entry_points():
            place = subject.where(f"{subject.dist_info}/entry_points.txt", key=point.name)
            yield point.name, f"{point.module}:{point.attribute}" if point.attribute else point.module, place


def _is_module(subject: Subject, dotted: str) -> bool:
    """Whether the library holds a module, package or extension module of that name, or what becomes one (``.pyx``)."""
    path = dotted.replace(".", "/")
    return any(one.startswith((f"{path}/", f"{path}.")) for one in subject.library)


@check("module-unimportable", "A module has a name that cannot be imported", WARNING, *_BOTH)
def module_unimportable(subject: Subject) -> Iterable[Finding]:
    """``import spam-shop`` is no Python, and ``import class`` neither. A project may be called so, a module may not."""
    for top in subject.tops:
        name = top.removesuffix("-stubs")
        files = [path for path in subject.library if path.partition("/")[0].partition(".")[0] == top]
        python = [path for path in files if path.endswith((".py", ".pyi"))]
        if python and (not name.isidentifier() or iskeyword(name)):
            yield Finding(
                f"{top!r} cannot be imported", subject.where(_file(subject, python[0])), "rename it"
            )


def _was_imported(subject: WheelSubject) -> bool:
    return subject.imported is not None


@check("import-fails", "A module cannot be imported", ERROR, "wheel", concerns=_was_imported)
def import_fails(subject: WheelSubject) -> Iterable[Finding]:
    """Only with ``--import``, because it runs the code of the wheel: the wheel and what it asks for are installed into an
    environment of their own, and each of its top-level names is imported there.

    A dependency that was forgotten, or a file that did not get into the wheel, shows here.
    """
    for name, fault in (subject.imported or {}).items():
        if fault:
            yield Finding(f"import {name} fails: {fault}", subject.where())


@check("module-shadows", "A module has the name of a standard one", WARNING, *_BOTH)
def module_shadows(subject: Subject) -> Iterable[Finding]:
    """Which of the two is imported depends on the order of ``sys.path``, and can be another one on another machine."""
    for top in subject.tops:
        if top in sys.stdlib_module_names and any(path.endswith(".py") for path in subject.library):
            message = f"{top!r} is a module of the standard library"
            yield Finding(message, subject.where(), "rename it, or make it a part of a package")


@check("entry-point-missing", "An entry point leads nowhere", WARNING, *_BOTH)
def entry_point_missing(subject: Subject) -> Iterable[Finding]:
    """A script or plugin whose module or object does not exist is installed all the same, and fails when it is called.

    Modules are looked up among the files and objects in their syntax trees; nothing is imported.
    """
    if not subject.library:
        return
    generated = (
        str(subject.table("tool", "accord").get("step", "")) if isinstance(subject, ProjectSubject) else ""
    )
    for name, reference, place in _references(subject):
        module, _, attribute = reference.partition("[")[0].strip().partition(":")
        module, attribute = module.strip(), attribute.strip().partition(".")[0]
        path = module.replace(".", "/")
        if f"{path}.py" in generated:
            continue
        if not _is_module(subject, module):
            yield Finding(f"{name!r} leads to {module}, which is not there", place)
            continue
        source = subject.sources.get(f"{path}.py") or subject.sources.get(f"{path}/__init__.py")
        if source is None or source.fault or source.names is None or not attribute:
            continue
        if attribute not in source.names and not _is_module(subject, f"{module}.{attribute}"):
            yield Finding(f"{name!r} leads to {attribute}, which {module} does not define", place)


@check("source-syntax", "A module is not Python", WARNING, *_BOTH)
def source_syntax(subject: Subject) -> Iterable[Finding]:
    """Each module is parsed for the lowest Python of ``requires-python``; one that cannot be parsed cannot be imported.

    Reported as well: a file that is not UTF-8 and names no other encoding (PEP 263).
    """
    requires = subject.facts.requires_python if subject.facts else None
    tags = subject.tags.python if isinstance(subject, WheelSubject) and subject.tags else ""
    lowest = lowest_python(requires)
    if lowest is None and (requires or "py2" in tags or "cp2" in tags):
        return  # it runs on Python 2, whose grammar nobody here knows
    for path, source in subject.sources.items():
        if source.fault:
            for_what = f" for Python {lowest[0]}.{lowest[1]}" if lowest else ""
            yield Finding(
                f"{path} is not Python{for_what}: {source.fault}",
                subject.where(_file(subject, path), line=source.line),
            )


@check("init-missing", "A folder of a package has modules and no __init__.py", WARNING, *_BOTH)
def init_missing(subject: Subject) -> Iterable[Finding]:
    """Builders that look for packages leave such a folder out, and tools take it for a namespace that others may extend."""
    folders = {path.rpartition("/")[0] for path in subject.library if path.endswith(".py")}
    regular = {folder for folder in folders if f"{folder}/__init__.py" in subject.library}
    for folder in sorted(folders - regular - {""}):
        above = folder.rpartition("/")[0]
        name = folder.rpartition("/")[2]
        if above in regular and name.isidentifier() and name not in ("test", "tests"):
            hint = "add an empty __init__.py, or move what is no module of yours elsewhere"
            yield Finding(
                f"{folder} has modules and no __init__.py", subject.where(_file(subject, folder)), hint
            )


@check("import-names", "Import-Name and content disagree", ERROR, *_BOTH)
def import_names(subject: Subject) -> Iterable[Finding]:
    """``import-names`` (PEP 794) promises what a release can be asked for by; each must be there."""
    facts = subject.facts
    if facts is None or not subject.library:
        return
    for field, names in (
        ("import-names", facts.import_names),
        ("import-namespaces", facts.import_namespaces),
    ):
        for number, name in enumerate(names or ()):
            dotted = name.partition(";")[0].strip()
            if dotted and not _is_module(subject, dotted):
                yield Finding(f"{field} promises {dotted}, which is not there", facts.place(field, number))


@check("typed-marker-missing", "It says it is typed, and has no py.typed", WARNING, *_BOTH)
def typed_marker_missing(subject: Subject) -> Iterable[Finding]:
    """Type checkers believe annotations only below a file ``py.typed`` (PEP 561), whatever the classifiers say."""
    facts = subject.facts
    if facts and _TYPED in facts.classifiers and subject.library and not _markers(subject):
        place = facts.place("classifiers", facts.classifiers.index(_TYPED))
        yield Finding(
            f"{_TYPED!r} is said, and no package has a py.typed", place, "add an empty file py.typed"
        )


@check("typed-undeclared", "It has annotations that type checkers ignore", ADVICE, *_BOTH)
def typed_undeclared(subject: Subject) -> Iterable[Finding]:
    """Most functions have annotations, but without ``py.typed`` type checkers of those who use it see none (PEP 561)."""
    if _markers(subject) or (subject.facts and _TYPED in subject.facts.classifiers):
        return
    if not any("/" in path for path in subject.library):
        return  # a module of its own cannot have a marker
    functions = sum(one.functions for one in subject.sources.values())
    annotated = sum(one.annotated for one in subject.sources.values())
    if functions >= _ENOUGH and annotated * 10 >= functions * 8:
        yield Finding(
            f"{annotated} of {functions} functions have annotations, and no package has a py.typed",
            subject.where(),
            "add an empty file py.typed",
        )


def _markers(subject: Subject) -> list[str]:
    return [path for path in subject.library if path.endswith("/py.typed") or "-stubs/" in path]


@check("typed-classifier-missing", "It is typed, and does not say so", ADVICE, *_BOTH, fixable=True)
def typed_classifier_missing(subject: Subject) -> Iterable[Finding]:
    """People who look for typed packages find them by the classifier. ``--fix`` adds it."""
    facts = subject.facts
    silent = facts is not None and facts.classifiers and _TYPED not in facts.classifiers
    if facts and silent and any(path.endswith("/py.typed") for path in subject.library):
        edits = (Edit("add-item", ("project", "classifiers"), _TYPED),) if subject.kind == "project" else ()
        yield Finding(
            "it has a py.typed and does not say so", facts.place("classifiers"), f"add {_TYPED!r}", edits
        )


@check("stubs-with-code", "A stub package holds code", WARNING, *_BOTH)
def stubs_with_code(subject: Subject) -> Iterable[Finding]:
    """A folder ``NAME-stubs`` is read by type checkers only and holds ``.pyi`` files (PEP 561); code there never runs."""
    found = [
        path for path in subject.library if path.partition("/")[0].endswith("-stubs") and path.endswith(".py")
    ]
    if found:
        yield Finding(f"a stub package holds code: {listed(found)}", subject.where(_file(subject, found[0])))


CHECKS = tuple(check.checks)
