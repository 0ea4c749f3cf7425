"""Making a new project: a library, an application, an extension module, or a script with inline metadata.

What is made locks and runs as it is, and holds nothing a person must delete first.  Files that are there are never
changed: a folder that holds a ``pyproject.toml`` is refused, other files that would be written are left alone.  The
texts are in ``tasks.init_templates``.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.tasks.init_templates import (
    BACKENDS,
    GITIGNORE,
    LICENCES,
    SCRIPT,
    Author,
    Plan,
    code,
    licence_text,
    pyproject,
    readme,
)
from accord_core.errors import UsageError
from accord_core.names import normalise, valid

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BACKENDS",
    "LICENCES",
    "Author",
    "InitOutcome",
    "author_of_git",
    "default_python",
    "init_project",
    "init_script",
    "parse_author",
]

KINDS = ("app", "lib", "package", "extension")
# What Windows takes for a device, and what would stand where the project's own tests do.
_NO_MODULES = frozenset(("aux", "con", "nul", "prn", "test", "tests"))
_GIT_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class InitOutcome:
    """What was made: the folder or script, the project's name, the files written in order, its licence."""

    path: str
    name: str
    written: tuple[str, ...]
    licence: str | None = None
    repository: bool = False


def init_project(
    folder: str,
    *,
    name: str | None,
    kind: str,
    python: str,
    description: str = "",
    bare: bool = False,
    backend: str = "accord",
    licence: str | None = None,
    authors: tuple[Author, ...] = (),
    vcs: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> InitOutcome:
    """Make a project of ``kind`` in ``folder``, which is made when it is not there.

    ``app`` is a program that is run where it lies and never built; ``package`` is a program that is built and
    installed, with a command of its name; ``lib`` is something to import; ``extension`` is a module in C.  ``python``
    is the lowest version wanted (``"3.12"``).  With ``bare`` only ``pyproject.toml`` is written.  ``backend`` is one
    of :data:`BACKENDS`; ``licence`` one of :data:`LICENCES`, ``"none"``, or ``None``: MIT for what others are to build
    on (``lib``, ``extension``), none for programs.  ``vcs``: ``git`` makes a repository too, ``none`` writes no
    ``.gitignore``.  ``UsageError``: ``project-exists``, ``name-invalid``, ``name-shadows``, ``backend-no-extension``,
    ``python-version-invalid``, ``repository-not-made``.
    """
    assert kind in KINDS
    folder = os.path.abspath(folder)
    if os.path.exists(os.path.join(folder, "pyproject.toml")):
        raise UsageError("project-exists", f"{folder} is a project already", hint="choose another folder")
    name = name or _name_of(folder)
    if not valid(name):
        raise UsageError(
            "name-invalid",
            f"{name!r} cannot be the name of a project",
            hint="names are letters, digits, '-', '_' and '.', and begin and end with a letter or digit; give one with --name",
        )
    check_version(python)
    if kind == "extension" and backend != "accord":
        raise UsageError(
            "backend-no-extension",
            f"an extension module is described for Accord's own backend, not for {backend}",
            hint="leave out --build-backend",
        )
    if licence is None:
        licence = "MIT" if kind in ("lib", "extension") and not bare else "none"
    plan = Plan(
        name=name,
        package=_package(name, kind),
        kind=kind,
        python=python,
        # A summary is one line (core metadata, "Summary").
        description=" ".join(description.split()),
        backend=backend,
        licence=None if licence == "none" else licence,
        authors=authors,
        bare=bare,
    )
    written = _write(folder, _files(plan, vcs))
    repository = vcs == "git" and _make_repository(folder, environ)
    return InitOutcome(folder, name, tuple(written), plan.licence, repository)


def check_version(python: str) -> None:
    """Refuse what is no version of Python before it gets into a file.  ``UsageError`` ``python-version-invalid``."""
    if not (python.isascii() and all(part.isdigit() for part in python.split("."))):
        raise UsageError(
            "python-version-invalid",
            f"{python!r} is no version of Python",
            hint="write it as in --python 3.12",
        )


def _package(name: str, kind: str) -> str:
    """The import name.  ``UsageError`` ``name-shadows`` where it would be one that means something else."""
    import keyword

    package = normalise(name).replace("-", "_")
    if package[0].isdigit():
        package = f"_{package}"
    taken = (
        "is a word of Python's own"
        if keyword.iskeyword(package)
        else "is a module of the standard library"
        if package in sys.stdlib_module_names
        else "cannot be the name of a module everywhere"
        if package in _NO_MODULES or (package[:3] in ("com", "lpt") and package[3:].isdigit())
        else None
    )
    if taken and kind != "app":
        raise UsageError(
            "name-shadows",
            f"the module of {name!r} would be {package}, which {taken}",
            hint="give the project another name with --name",
        )
    return package


def _files(plan: Plan, vcs: str | None) -> dict[str, str]:
    files = {"pyproject.toml": pyproject(plan)}
    if plan.bare:
        return files
    files["README.md"] = readme(plan)
    if vcs != "none":
        files[".gitignore"] = GITIGNORE + ("*.so\n*.pyd\n" if plan.kind == "extension" else "")
    if plan.licence is not None:
        files["LICENSE"] = licence_text(plan, time.localtime().tm_year)
    return {**files, **code(plan)}


def init_script(path: str, *, python: str) -> InitOutcome:
    """Make a script with inline metadata (PEP 723), or put the block on top of one that has none.

    ``UsageError`` ``project-exists`` where the script has a block already.
    """
    from accord.io.outputs import write_output
    from accord.tasks.project import python_text
    from accord_core.project.scripts import write_script_block

    check_version(python)
    path = os.path.abspath(path)
    toml = f'requires-python = ">={python}"\ndependencies = []\n'
    text, encoding = f"\n{SCRIPT.format(name=os.path.basename(path))}", "utf-8"
    if os.path.exists(path):
        text, encoding = python_text(path)
        if any(line.rstrip() == "# /// script" for line in text.splitlines()):
            raise UsageError(
                "project-exists", f"{path} has inline metadata already", hint="accord run runs it as it is"
            )
    write_output(path, write_script_block(text, toml).encode(encoding))
    return InitOutcome(path, os.path.basename(path), (path,))


def _name_of(folder: str) -> str:
    """A project's name from its folder's: what is no letter or digit becomes a dash."""
    word = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in os.path.basename(folder))
    return "-".join(part for part in word.split("-") if part) or "project"


def _write(folder: str, files: dict[str, str]) -> list[str]:
    from accord.io.files import write_atomic

    written = []
    for name, text in files.items():
        path = os.path.join(folder, *name.split("/"))
        if os.path.exists(path):
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_atomic(path, text.encode())
        written.append(path)
    return written


def default_python(cache_dir: str) -> str:
    """``3.12``: the minor version of the interpreter a project here would get."""
    from accord.environments import interpreters

    return ".".join(interpreters.find(None, cache_dir=cache_dir).version.split(".")[:2])


def parse_author(text: str) -> Author:
    """``Name <mail>``, ``Name`` or ``mail``.  ``UsageError`` ``author-invalid``."""
    name, bracket, rest = text.strip().partition("<")
    email = rest.strip().removesuffix(">").strip() if bracket else ""
    if not bracket and "@" in name:
        name, email = "", name
    author = Author(" ".join(name.split()), email.strip())
    # A comma would divide one author into two (core metadata, "Author-email").
    if not (author.name or author.email) or "," in author.name or not _is_address(author.email):
        raise UsageError(
            "author-invalid",
            f"{text!r} names no author",
            hint="write 'Name <mail@host>', or leave it out with --no-author",
        )
    return author


def _is_address(text: str) -> bool:
    """Whether ``text`` may stand in metadata as an address; the empty one is none."""
    local, at, host = text.rpartition("@")
    return not text or bool(
        local
        and at
        and host
        and text.isprintable()
        and not set(text) & set(' <>,;:\\"()[]')
        and "." in host.strip(".")
    )


def author_of_git(folder: str, environ: Mapping[str, str]) -> Author | None:
    """The author git would write in ``folder``, as far as it can stand in metadata; ``None`` without git or a name."""
    if not os.path.isdir(folder):
        folder = os.path.dirname(os.path.abspath(folder))
    name, email = (
        _asked_of_git(("config", "--get", f"user.{key}"), folder, environ) for key in ("name", "email")
    )
    author = Author(
        " ".join(name.split()).replace(",", ""), email.strip() if _is_address(email.strip()) else ""
    )
    return author if author.name else None


def _asked_of_git(words: tuple[str, ...], folder: str, environ: Mapping[str, str]) -> str:
    """What git prints, ``""`` where there is no git or it says nothing."""
    from accord.io import processes, scratch

    with scratch.scratch_folder("accord-git-") as aside:
        log = os.path.join(aside, "log")
        try:
            done = processes.run(("git", *words), cwd=folder, env=environ, log=log, timeout=_GIT_PATIENCE)
        except OSError:
            return ""
        if done.status:
            return ""
        with open(log, encoding="utf-8", errors="replace") as file:
            return file.read(4096).strip()


def _make_repository(folder: str, environ: Mapping[str, str]) -> bool:
    """``git init``; false where the folder lies in a repository already."""
    if _asked_of_git(("rev-parse", "--is-inside-work-tree"), folder, environ) == "true":
        return False
    _asked_of_git(("init", "--quiet"), folder, environ)
    if _asked_of_git(("rev-parse", "--is-inside-work-tree"), folder, environ) != "true":
        raise UsageError(
            "repository-not-made",
            f"git made no repository in {folder}",
            hint="the project is there; install git, or run git init",
        )
    return True
