"""Making a new project: a library, an application, or a script with inline metadata.

What is made locks and runs as it is, and holds nothing a person must delete first.  Files that are there are never
changed: a folder that holds a ``pyproject.toml`` is refused, other files that would be written are left alone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from accord_core.errors import UsageError
from accord_core.names import normalise, valid

__all__ = ["BACKENDS", "InitOutcome", "default_python", "init_project", "init_script"]

KINDS = ("app", "lib", "package")
BACKENDS = {
    "accord": ("accord-backend", "accord_backend"),
    "flit": ("flit_core>=3.11", "flit_core.buildapi"),
    "hatchling": ("hatchling", "hatchling.build"),
    "setuptools": ("setuptools>=77", "setuptools.build_meta"),
}


_SCRIPT = """
def main() -> None:
    print("Hello from {name}!")


if __name__ == "__main__":
    main()
"""


@dataclass(frozen=True, slots=True)
class InitOutcome:
    """What was made: the folder or script, the project's name, the files written in order."""

    path: str
    name: str
    written: tuple[str, ...]


def init_project(
    folder: str,
    *,
    name: str | None,
    kind: str,
    python: str,
    description: str = "",
    bare: bool = False,
    backend: str = "accord",
) -> InitOutcome:
    """Make a project of ``kind`` in ``folder``, which is made when it is not there.

    ``app`` is a program that is run where it lies and never built; ``package`` is a program that is built and
    installed, with a command of its name; ``lib`` is something to import.  ``python`` is the lowest version wanted
    (``"3.12"``).  With ``bare`` only ``pyproject.toml`` is written.  ``backend`` is one of :data:`BACKENDS`.
    ``UsageError``: ``project-exists``, ``name-invalid``.
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
    package = normalise(name).replace("-", "_")
    if package[0].isdigit():
        package = f"_{package}"
    text = _pyproject(
        name, package, kind=kind, python=python, description=description, bare=bare, backend=backend
    )
    files = {"pyproject.toml": text}
    if not bare:
        files["README.md"] = f"# {name}\n" + (f"\n{description}\n" if description else "")
        files[".gitignore"] = ".venv/\n__pycache__/\n*.egg-info/\n/dist/\n"
        files.update(_code(name, package, kind))
    return InitOutcome(folder, name, tuple(_write(folder, files)))


def init_script(path: str, *, python: str) -> InitOutcome:
    """Make a script with inline metadata (PEP 723), or put the block on top of one that has none.

    ``UsageError`` ``project-exists`` where the script has a block already.
    """
    from accord.io.outputs import write_output
    from accord.tasks.project import python_text
    from accord_core.project.scripts import write_script_block

    path = os.path.abspath(path)
    toml = f'requires-python = ">={python}"\ndependencies = []\n'
    text, encoding = f"\n{_SCRIPT.format(name=os.path.basename(path))}", "utf-8"
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


def _quoted(text: str) -> str:
    """A TOML basic string."""
    import json

    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _pyproject(
    name: str, package: str, *, kind: str, python: str, description: str, bare: bool, backend: str
) -> str:
    lines = [
        "[project]",
        f"name = {_quoted(name)}",
        'version = "0.1.0"',
        f"description = {_quoted(description)}",
        *([] if bare else ['readme = "README.md"']),
        f'requires-python = ">={python}"',
        "dependencies = []",
    ]
    if kind == "package":
        lines += ["", "[project.scripts]", f'{normalise(name)} = "{package}.__main__:main"']
    if kind != "app":
        requirement, module = BACKENDS[backend]
        lines += ["", "[build-system]", f'requires = ["{requirement}"]', f'build-backend = "{module}"']
    return "\n".join(lines) + "\n"


def _code(name: str, package: str, kind: str) -> dict[str, str]:
    program = (
        f'"""The command line of {name}."""\n\n\n'
        f'def main() -> None:\n    print("Hello from {name}!")\n\n\n'
        'if __name__ == "__main__":\n    main()\n'
    )
    if kind == "app":
        return {"main.py": program}
    if kind == "package":
        return {f"src/{package}/__init__.py": f'"""{name}."""\n', f"src/{package}/__main__.py": program}
    return {
        f"src/{package}/__init__.py": f'"""{name}."""\n\n\ndef hello() -> str:\n    return "Hello from {name}!"\n',
        f"src/{package}/py.typed": "",
    }


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
