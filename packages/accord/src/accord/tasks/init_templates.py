"""The files ``accord init`` writes: values in, texts by relative path out.

Each project runs, passes its own test and, where it is built, builds; nothing in it must be deleted first.  Names that
come in here were checked before: a project's name is letters, digits, ``-``, ``_`` and ``.``, an import name is an
identifier, so both may stand in code as they are.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from accord_core.names import normalise

__all__ = [
    "BACKENDS",
    "GITIGNORE",
    "LICENCES",
    "SCRIPT",
    "Author",
    "Plan",
    "code",
    "licence_text",
    "pyproject",
    "readme",
]

BACKENDS = {
    "accord": ("accord-backend", "accord_backend"),
    "flit": ("flit_core>=3.12", "flit_core.buildapi"),
    "hatchling": ("hatchling>=1.27", "hatchling.build"),
    "setuptools": ("setuptools>=77", "setuptools.build_meta"),
}
LICENCES = ("MIT", "Apache-2.0", "BSD-3-Clause", "MPL-2.0")
GITIGNORE = ".venv/\n__pycache__/\n*.egg-info/\n/build/\n/dist/\n"
SCRIPT = """
def main() -> None:
    print("Hello from {name}!")


if __name__ == "__main__":
    main()
"""
_WHAT = {
    "app": "An application",
    "package": "A command-line application",
    "lib": "A Python library",
    "extension": "A Python extension module in C",
}


@dataclass(frozen=True, slots=True)
class Author:
    """``name`` and ``email``, either of which may be empty."""

    name: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be made: ``kind`` is ``app``, ``package``, ``lib`` or ``extension``; ``package`` is the import name,
    ``python`` the lowest version, ``licence`` one of :data:`LICENCES` or ``None``."""

    name: str
    package: str
    kind: str
    python: str
    description: str
    backend: str
    licence: str | None
    authors: tuple[Author, ...]
    bare: bool

    @property
    def summary(self) -> str:
        return self.description or _WHAT[self.kind]

    @property
    def extension(self) -> str:
        """The name of the extension module, without its package."""
        return f"_{self.package.lstrip('_')}"


def _quoted(text: str) -> str:
    """A TOML basic string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def pyproject(plan: Plan) -> str:
    """``pyproject.toml``."""
    lines = [
        "[project]",
        f"name = {_quoted(plan.name)}",
        'version = "0.1.0"',
        f"description = {_quoted(plan.summary)}",
    ]
    if not plan.bare:
        lines.append('readme = "README.md"')
    lines.append(f'requires-python = ">={plan.python}"')
    if plan.licence is not None:
        lines.append(f"license = {_quoted(plan.licence)}")
        if not plan.bare:
            lines.append('license-files = ["LICENSE"]')
    if plan.authors:
        lines.append(f"authors = [{', '.join(_person(one) for one in plan.authors)}]")
    if plan.licence is None and plan.kind != "app":
        # Nobody may use it, so no index shall take it by accident.
        # Who classifies at all says that it is typed as well; a bare project has no py.typed yet.
        typed = "" if plan.bare else ', "Typing :: Typed"'
        lines.append(f'classifiers = ["Private :: Do Not Upload"{typed}]')
    lines.append("dependencies = []")
    if plan.kind == "package":
        lines += ["", "[project.scripts]", f'{normalise(plan.name)} = "{plan.package}.__main__:main"']
    if plan.kind == "app":
        return "\n".join(lines) + "\n"
    if not plan.bare:
        lines += ["", "[dependency-groups]", 'dev = ["pytest>=8"]']
    requirement, module = BACKENDS[plan.backend]
    lines += ["", "[build-system]", f'requires = ["{requirement}"]', f'build-backend = "{module}"']
    lines += [*_module_tables(plan), *_extension_table(plan)]
    return "\n".join(lines) + "\n"


def _person(author: Author) -> str:
    fields = [
        f"{key} = {_quoted(value)}"
        for key, value in (("name", author.name), ("email", author.email))
        if value
    ]
    return f"{{{', '.join(fields)}}}"


def _module_tables(plan: Plan) -> list[str]:
    """What tells a backend the import name where it cannot be guessed from the project's."""
    if plan.package == normalise(plan.name).replace("-", "_"):
        return []
    return {
        "accord": ["", "[tool.accord.build]", f'modules = ["{plan.package}"]'],
        "flit": ["", "[tool.flit.module]", f'name = "{plan.package}"'],
        "hatchling": ["", "[tool.hatch.build.targets.wheel]", f'packages = ["src/{plan.package}"]'],
        "setuptools": [],  # looks into src by itself
    }[plan.backend]


def _extension_table(plan: Plan) -> list[str]:
    if plan.kind != "extension":
        return []
    return [
        "",
        "[[tool.accord.extension]]",
        f'name = "{plan.package}.{plan.extension}"',
        f'sources = ["src/{plan.package}/{plan.extension}.c"]',
    ]


def readme(plan: Plan) -> str:
    """``README.md``."""
    text = (
        f"# {plan.name}\n\n{plan.summary}.\n"
        if not plan.description
        else f"# {plan.name}\n\n{plan.description}\n"
    )
    run = {"app": "accord run main.py", "package": f"accord run {normalise(plan.name)}"}.get(
        plan.kind, "accord run pytest"
    )
    return f"{text}\n```console\n$ {run}\n```\n"


def licence_text(plan: Plan, year: int) -> str:
    """The text of the plan's licence, with the year and the holders where it names them."""
    place = os.path.join(os.path.dirname(__file__), "licences", f"{plan.licence}.txt")
    with open(place, encoding="utf-8") as file:
        text = file.read()
    holder = ", ".join(one.name or one.email for one in plan.authors) or f"The {plan.name} developers"
    # Not str.format(): a name may hold braces.
    return text.replace("{year}", str(year)).replace("{holder}", holder)


def code(plan: Plan) -> dict[str, str]:
    """The code and its test, by path."""
    name, package = plan.name, plan.package
    program = (
        f'"""The command line of {name}."""\n\n\n'
        f'def main() -> None:\n    print("Hello from {name}!")\n\n\n'
        'if __name__ == "__main__":\n    main()\n'
    )
    if plan.kind == "app":
        return {"main.py": program}
    typed = {f"src/{package}/py.typed": ""}
    if plan.kind == "package":
        return {
            f"src/{package}/__init__.py": f'"""{name}."""\n',
            f"src/{package}/__main__.py": program,
            f"tests/test_{package.lstrip('_')}.py": _program_test(plan),
            **typed,
        }
    if plan.kind == "extension":
        return {**_extension_code(plan), **typed}
    return {
        f"src/{package}/__init__.py": f'"""{name}."""\n\n\ndef hello() -> str:\n    return "Hello from {name}!"\n',
        f"tests/test_{package.lstrip('_')}.py": (
            f"from {package} import hello\n\n\n"
            f'def test_hello() -> None:\n    assert hello() == "Hello from {name}!"\n'
        ),
        **typed,
    }


def _program_test(plan: Plan) -> str:
    return (
        f"import pytest\n\nfrom {plan.package}.__main__ import main\n\n\n"
        "def test_main(capsys: pytest.CaptureFixture[str]) -> None:\n    main()\n"
        f'    assert capsys.readouterr().out == "Hello from {plan.name}!\\n"\n'
    )


def _extension_code(plan: Plan) -> dict[str, str]:
    package, module = plan.package, plan.extension
    return {
        f"src/{package}/__init__.py": (
            f'"""{plan.name}."""\n\nfrom {package}.{module} import add\n\n__all__ = ["add"]\n'
        ),
        f"src/{package}/{module}.c": _C.replace("MODULE", module).replace("PROJECT", plan.name),
        f"src/{package}/{module}.pyi": "def add(a: int, b: int, /) -> int: ...\n",
        f"tests/test_{package.lstrip('_')}.py": _EXTENSION_TEST.replace("PACKAGE", package),
    }


_EXTENSION_TEST = """import pytest

from PACKAGE import add


def test_add() -> None:
    assert add(2, 3) == 5


def test_a_sum_beyond_the_largest_number_is_an_error() -> None:
    with pytest.raises(OverflowError):
        add(2**62, 2**62)
"""

# Multi-phase initialisation (PEP 489); says what newer Pythons ask: that it needs no GIL, and holds no state that
# interpreters would share.
_C = r"""/* MODULE: the part of PROJECT that is written in C. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <limits.h>

PyDoc_STRVAR(add_doc,
             "add($module, a, b, /)\n--\n\n"
             "The sum of two integers; OverflowError where it does not fit 64 bits.");

static PyObject *
add(PyObject *Py_UNUSED(module), PyObject *args)
{
    long long a, b;

    if (!PyArg_ParseTuple(args, "LL:add", &a, &b)) {
        return NULL;
    }
    if ((b > 0 && a > LLONG_MAX - b) || (b < 0 && a < LLONG_MIN - b)) {
        PyErr_SetString(PyExc_OverflowError, "the sum does not fit 64 bits");
        return NULL;
    }
    return PyLong_FromLongLong(a + b);
}

static PyMethodDef methods[] = {
    {"add", add, METH_VARARGS, add_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
#if PY_VERSION_HEX >= 0x030C0000 && (!defined(Py_LIMITED_API) || Py_LIMITED_API + 0 >= 0x030C0000)
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030D0000 && (!defined(Py_LIMITED_API) || Py_LIMITED_API + 0 >= 0x030D0000)
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

PyDoc_STRVAR(module_doc, "The part of PROJECT that is written in C.");

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "MODULE",
    .m_doc = module_doc,
    .m_size = 0,
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit_MODULE(void)
{
    return PyModuleDef_Init(&definition);
}
"""
