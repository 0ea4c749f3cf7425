"""Checks of ``pyproject.toml`` as a document: what is no TOML, breaks a schema, or is spelt almost right.

The faults of the tables Accord reads come from ``accord_core.project``; here are the tables it keeps for others.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from accord.checks.model import ADVICE, ERROR, WARNING, Edit, Finding, Register
from accord.checks.subjects import ProjectSubject
from accord_core.errors import Where
from accord_core.project.faults import dotted

__all__ = ["CHECKS", "TOOLS"]

check = Register()

_TOP = ("build-system", "project", "dependency-groups", "tool")
# Tools whose tables are common, so that a slip of one can be told from a tool nobody here knows.
TOOLS = (
    "accord", "autoflake", "bandit", "basedpyright", "black", "briefcase", "bumpver", "bumpversion", "check-manifest",
    "check-sdist", "check-wheel-contents", "cibuildwheel", "codespell", "commitizen", "conda-lock", "coverage",
    "cython-lint", "deptry", "distutils", "djlint", "doc8", "docformatter", "dynamic-metadata", "flake8", "flit", "hatch",
    "interrogate", "isort", "jupytext", "maturin", "meson-python", "mutmut", "mypy", "nbqa", "nox", "pdm", "pixi",
    "poe", "poetry", "pycln", "pycodestyle", "pydoclint", "pydocstyle", "pylint", "pylsp", "pyproject-fmt", "pyrefly",
    "pyright", "pytest", "pytoniq", "pytype", "pyupgrade", "refurb", "repo-review", "ruff", "rye", "scikit-build",
    "scriv", "semantic-release", "setuptools", "setuptools-git-versioning", "setuptools-rust", "setuptools-scm", "sqlfluff",
    "taskipy", "tbump", "tomlsort", "towncrier", "tox", "ty", "typos", "uv", "validate-pyproject", "versioneer",
    "versioningit", "vulture", "yapf", "zest-releaser",
)  # fmt: skip
# As accord_backend has them, which is another distribution: a test holds the two together.
BACKEND_KEYS = {
    "backend": ("delegate", "requires"),
    "build": (
        "modules", "sdist-include", "sdist-exclude", "wheel-exclude", "version", "scripts", "headers", "data", "sboms",
    ),
    "extension": (
        "name", "sources", "language", "include-dirs", "include-from", "defines", "undefines", "libraries",
        "library-dirs", "pkg-config", "compile-args", "link-args", "depends", "optional", "limited-api",
        "free-threaded", "cython-directives", "when",
    ),
    "step": ("name", "command", "template", "values", "inputs", "outputs", "requires", "in-sdist"),
}  # fmt: skip


def _close(word: str, known: Iterable[str]) -> str | None:
    found = get_close_matches(word.lower().replace("_", "-"), list(known), n=1, cutoff=0.8)
    return found[0] if found else None


@check("pyproject-invalid", "pyproject.toml breaks its standard", ERROR, "project")
def pyproject_invalid(subject: ProjectSubject) -> Iterable[Finding]:
    """No builder reads a document that is not TOML, and builders refuse tables that break PEP 621, 517, 518, 735 or 639.

    Each fault is reported with its line; the word in brackets is the code of the fault, see the page of errors.
    """
    for fault in subject.faults:
        yield Finding(f"{fault.message} ({fault.code})", fault.where or Where(subject.document), fault.hint)


@check("backend-table", "A key of [tool.accord] that the build backend does not know", ERROR, "project")
def backend_table(subject: ProjectSubject) -> Iterable[Finding]:
    """The build backend refuses keys it does not know, because a slip would silently build something else."""
    tool = subject.table("tool", "accord")
    for name, known in BACKEND_KEYS.items():
        value = tool.get(name)
        many = isinstance(value, list)
        for number, table in enumerate(value if isinstance(value, list) else [value]):
            at = ("tool", "accord", name, *((number,) if many else ()))
            for key in table if isinstance(table, dict) else ():
                if key not in known:
                    close = _close(key, known)
                    hint = f"did you mean {close!r}?" if close else f"there are {', '.join(known)}"
                    yield Finding(f"{dotted(at)} has no key {key!r}", subject.place((*at, key)), hint)


@check("table-unknown", "A table beside those of the standard", WARNING, "project")
def table_unknown(subject: ProjectSubject) -> Iterable[Finding]:
    """``pyproject.toml`` has the tables ``build-system``, ``project``, ``dependency-groups`` and ``tool`` (PEP 518).

    Anything else is read by nobody. Put what belongs to a tool into its table below ``tool``.
    """
    for key in subject.data or {}:
        if key not in _TOP:
            close = _close(key, (*_TOP, *TOOLS))
            hint = None
            if close is not None:
                hint = f"did you mean {f'tool.{close}' if close in TOOLS else close!r}?"
            yield Finding(
                f"nothing reads a table {key!r} here",
                subject.place((key,)),
                hint or "what belongs to a tool stands below [tool]",
            )


@check("tool-table-typo", "The table of a tool is spelt almost right", WARNING, "project")
def tool_table_typo(subject: ProjectSubject) -> Iterable[Finding]:
    """A tool does not see a table whose name is a slip of its own, and works with its defaults instead.

    Only names close to those of well-known tools are reported.
    """
    for key in subject.table("tool"):
        normal = key.lower().replace("_", "-")
        if normal not in TOOLS:
            close = _close(key, TOOLS)
            if close is not None:
                yield Finding(
                    f"[tool.{key}] looks like a slip of [tool.{close}]",
                    subject.place(("tool", key)),
                    f"did you mean {close!r}?",
                )


@check("project-table-missing", "There is no [project] table", ADVICE, "project")
def project_table_missing(subject: ProjectSubject) -> Iterable[Finding]:
    """The metadata stand in a form that only one tool reads. ``accord migrate`` writes the standard table (PEP 621)."""
    if subject.data is not None and "project" not in subject.data and not subject.faults:
        yield Finding(
            "the project does not describe itself in a [project] table",
            Where(subject.document if subject.text else subject.path),
            "accord migrate writes one from setup.py, setup.cfg, Poetry, Flit or PDM",
        )
    elif subject.data is None and not subject.faults:
        yield Finding(
            "there is no pyproject.toml",
            Where(subject.path),
            "accord migrate writes one from setup.py or setup.cfg",
        )


@check("build-system-missing", "Nothing says how the project is built", WARNING, "project")
def build_system_missing(subject: ProjectSubject) -> Iterable[Finding]:
    """Without ``[build-system]`` builders fall back on whatever setuptools they find (PEP 517).

    Reported where the project looks as if it were published: it has modules in ``src``, a package of its name,
    scripts, classifiers or a ``setup.py``. A program that is run where it lies needs none.
    """
    if subject.data is None or "build-system" in subject.data or subject.faults:
        return
    table = subject.table("project")
    built = {"scripts", "gui-scripts", "entry-points", "classifiers"} & set(table)
    if built or "setup.py" in subject.files or any("/" in path for path in subject.library):
        yield Finding(
            "nothing says how the project is built",
            Where(subject.document),
            'write [build-system] with requires = ["accord-backend"] and build-backend = "accord_backend"',
        )


@check("extra-name", "An extra is not spelt in normal form", ADVICE, "project", fixable=True)
def extra_name(subject: ProjectSubject) -> Iterable[Finding]:
    """Metadata carry extras in normal form: lower case with ``-`` (PEP 685). What people read should be what they type."""
    from accord_core.names import normalise, valid

    extras = subject.table("project", "optional-dependencies")
    for name in extras:
        normal = normalise(name)
        if valid(name) and normal != name and normal not in extras:
            at = ("project", "optional-dependencies", name)
            yield Finding(
                f"the extra {name!r} is {normal!r} in metadata",
                subject.place(at),
                f"write {normal}",
                (Edit("rename", at, normal),),
            )


CHECKS = tuple(check.checks)
