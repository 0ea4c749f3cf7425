"""A description that a project outgrew, written for meson-python and scikit-build-core: their wheels hold the same files."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
import tomlkit

from accord.migrate.outgrow import TARGETS, Outgrown, outgrow

DESCRIPTION = """\
[build-system]
requires = ["accord-backend"]
build-backend = "accord_backend"

[project]
name = "spam"
version = "1.0"

[[tool.accord.extension]]
name = "spam._speed"
sources = ["src/spam/_speed.c", "src/spam/parts/*.c", "gen/made.c"]
depends = ["src/spam/*.h"]
include-dirs = ["include"]
defines = ["BASE=20", 'WORDS="a b"']
undefines = ["NOTHING"]
libraries = ["m"]
compile-args = ["-fno-math-errno"]
[[tool.accord.extension.when]]
marker = "sys_platform == 'linux' and os_name == 'posix'"
defines = ["HERE=2"]
[[tool.accord.extension.when]]
marker = "sys_platform == 'win32'"
libraries = ["ws2_32"]

[[tool.accord.step]]
name = "made"
command = ["{python}", "tools/make.py", "{output}", "{inputs}"]
inputs = ["tools/*.txt"]
outputs = ["gen/made.c"]

[[tool.accord.step]]
name = "about"
template = "about.in"
outputs = ["src/spam/about.py"]
"""
FILES = {
    "src/spam/__init__.py": "from ._speed import answer\nfrom .about import version\n",
    "src/spam/inner/__init__.py": "",
    "src/spam/inner/data.txt": "data",
    "src/spam/local.h": "#define LOCAL 10\n",
    "src/spam/parts/part.c": "int part(void) { return 5; }\n",
    "include/far.h": "#define FAR 3\n",
    "tools/make.py": "import sys\nopen(sys.argv[1], 'w').write('int made(void) { return %s; }\\n' % open(sys.argv[2]).read())\n",
    "tools/number.txt": "2",
    "about.in": 'version = "@version@"\n',
    "src/spam/_speed.c": """\
#include <Python.h>
#include <math.h>
#include "local.h"
#include "far.h"
int part(void); int made(void);
static PyObject *answer(PyObject *self, PyObject *unused) {
    return PyLong_FromLong(BASE + LOCAL + FAR + HERE + part() + made() + (long)sqrt(sizeof(WORDS) - 4.0) * 0);
}
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_speed", NULL, 0, methods, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit__speed(void) { return PyModuleDef_Init(&module); }
""",
}


def written(root: Path, description: str = DESCRIPTION, files: dict[str, str] | None = None) -> None:
    for path, text in {**(FILES if files is None else files), "pyproject.toml": description}.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


def applied(root: Path, target: str) -> Outgrown:
    """What the command of the migration does with the answer: write the files, change the tables."""
    document = tomllib.loads((root / "pyproject.toml").read_text())
    files = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    result = outgrow(document, target, files=files, packages=["spam"])
    for path, text in result.files.items():
        (root / path).write_text(text)
    document["build-system"] = dict(result.build_system)
    for key in result.removed:
        *above, last = key.split(".")
        table = document
        for part in above:
            table = table.get(part, {})
        table.pop(last, None)
    document["tool"].update(result.tool)
    (root / "pyproject.toml").write_text(tomlkit.dumps(document))
    return result


def built(python: str, root: Path, backend: str, environ: dict[str, str], out: Path) -> Path:
    out.mkdir()
    script = f"import {backend} as b; b.build_wheel({os.fspath(out)!r})"
    done = subprocess.run(
        [python, "-c", script],
        cwd=root,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.iterdir())


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name and not name.endswith("/")}


def answer(wheel: Path, folder: Path, python: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    code = "import spam; print(spam.answer(), getattr(spam, 'version', ''))"
    return subprocess.run(
        [python, "-c", code], env={**os.environ, "PYTHONPATH": os.fspath(folder)}, capture_output=True, text=True, check=True
    ).stdout.strip()  # fmt: skip


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("peers")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = os.fspath(folder / "bin/python")
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "meson-python", "scikit-build-core", "cmake", "ninja", "cython>=3"],
        check=True,
    )  # fmt: skip
    return python


CYTHON = """\
[build-system]
requires = ["accord-backend"]
build-backend = "accord_backend"
[project]
name = "spam"
version = "1.0"
[[tool.accord.extension]]
name = "spam._speed"
sources = ["src/spam/_speed.pyx", "src/spam/more.cpp"]
language = "c++"
cython-directives = {binding = false}
"""
CYTHON_FILES = {
    "src/spam/__init__.py": "from ._speed import answer\n",
    "src/spam/_speed.pyx": 'cdef extern from "more.hpp":\n    int more()\ndef answer():\n    return more()\n',
    "src/spam/more.hpp": "int more();\n",
    "src/spam/more.cpp": '#include "more.hpp"\n#include <string>\nint more() { return std::string("abc").size(); }\n',
}
LIMITED = DESCRIPTION.replace("libraries", 'limited-api = "3.9"\nlibraries', 1)


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("description", "files", "said"),
    [(DESCRIPTION, FILES, "42 1.0"), (LIMITED, FILES, "42 1.0"), (CYTHON, CYTHON_FILES, "3")],
    ids=["c", "limited", "cython"],
)
def test_the_other_backend_builds_a_wheel_with_the_same_files(
    description: str, files: dict[str, str], said: str, target: str, tmp_path: Path, peers: str
) -> None:
    import accord_backend

    root = tmp_path / "tree"
    written(root, description, files)
    environ = {"PATH": f"{os.path.dirname(peers)}{os.pathsep}{os.environ['PATH']}"}
    ours = built(
        peers,
        root,
        "accord_backend",
        {**environ, "PYTHONPATH": os.fspath(Path(accord_backend.__file__).parents[1])},
        tmp_path / "ours",
    )
    written(tmp_path / "other", description, files)
    result = applied(tmp_path / "other", target)
    module = str(result.build_system["build-backend"])
    theirs = built(peers, tmp_path / "other", module, environ, tmp_path / "theirs")
    assert names(theirs) == names(ours)
    if (
        target == "meson-python" and description is LIMITED
    ):  # it tags by the Python that builds, and a note says so
        assert any("tags an abi3 wheel" in note for note in result.notes) and "-abi3-" in theirs.name
    else:
        assert theirs.name == ours.name
    assert answer(ours, tmp_path / "a", peers) == answer(theirs, tmp_path / "b", peers) == said


def notes(description: str, target: str) -> Sequence[str]:
    document = tomllib.loads(description)
    return outgrow(document, target, files=[*FILES, "pyproject.toml"], packages=["spam"]).notes


@pytest.mark.parametrize("target", TARGETS)
def test_what_has_no_counterpart_is_said(target: str) -> None:
    odd = DESCRIPTION.replace('libraries = ["m"]', 'libraries = ["m"]\noptional = true\nfree-threaded = true')
    odd = odd.replace("sys_platform == 'win32'", "python_version < '3.9' or os_name == 'nt'")
    odd += '[tool.accord.build]\nscripts = ["bin/x"]\n'
    said = "\n".join(notes(odd, target))
    for word in ("optional", "free-threaded", "python_version < '3.9'", "tool.accord.build.scripts"):
        assert word in said


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_carried_over_whole_needs_no_words(target: str) -> None:
    assert [note for note in notes(DESCRIPTION, target) if "commit" not in note] == []


def test_another_target_is_refused() -> None:
    with pytest.raises(ValueError, match="bazel"):
        notes(DESCRIPTION, "bazel")


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_description_gives_the_same_text(target: str) -> None:
    document = tomllib.loads(DESCRIPTION)
    one = outgrow(document, target, files=list(FILES), packages=["spam"])
    assert one == outgrow(document, target, files=list(FILES)[::-1], packages=["spam"])
