"""A C extension of 25 files: Accord's backend beside scikit-build-core, clean, one file touched, nothing touched.

    python benchmarks/native.py [--runs N] [--json]

Stands alone: it writes the project, installs the peer (scikit-build-core, cmake, ninja) from the configured index into a scratch
environment, and calls each backend's ``build_wheel`` in a fresh interpreter of that same environment, as frontends do. Both
keep their build folder, both compile with ``-O3 -DNDEBUG`` (Release), both use the same ninja and the same compiler.  Accord's
backend adds what Python's own flags ask for (``-fwrapv -Wall``) and has ``Python.h`` precompiled by itself (decision 29); CMake
does that for projects that describe it, which this one does not.
Contenders take turns, each round in another order.  Status 1 where a ratio is over 1.0.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BACKEND = ROOT / "packages" / "accord-backend" / "src"
FILES = 25
KINDS = ("clean", "one file touched", "nothing touched")
PEER = ("scikit-build-core", "cmake", "ninja")
ACCORD = """\
[build-system]
requires = ["accord-backend"]
build-backend = "accord_backend"
[project]
name = "many"
version = "1.0"
[[tool.accord.extension]]
name = "many._core"
sources = ["src/many/*.c"]
"""
SCIKIT = """\
[build-system]
requires = ["scikit-build-core"]
build-backend = "scikit_build_core.build"
[project]
name = "many"
version = "1.0"
[tool.scikit-build]
build-dir = "build/{wheel_tag}"
cmake.build-type = "Release"
wheel.packages = ["src/many"]
wheel.exclude = ["**.c"]
"""
CMAKE = """\
cmake_minimum_required(VERSION 3.15...4.0)
project(many LANGUAGES C)
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
python_add_library(_core MODULE {sources} WITH_SOABI)
install(TARGETS _core DESTINATION many)
"""
MODULE = """\
#include <Python.h>
{declarations}
static PyObject *total(PyObject *self, PyObject *unused) {{ return PyLong_FromLong(0{sum}); }}
static PyMethodDef methods[] = {{{{"total", total, METH_NOARGS, NULL}}, {{NULL, NULL, 0, NULL}}}};
static struct PyModuleDef module = {{PyModuleDef_HEAD_INIT, "_core", NULL, 0, methods, NULL, NULL, NULL, NULL}};
PyMODINIT_FUNC PyInit__core(void) {{ return PyModuleDef_Init(&module); }}
"""
# Enough work that a file takes what files of real extensions take: about half a second.
FUNCTION = """\
static long twist_{n}_{m}(long *a, long k) {{
    long s = {m};
    for (long i = 0; i < k; i++) for (long j = 0; j < 16; j++) {{ s += a[i] * a[j] ^ (s >> (j & 7)); a[j] = s % (i + {m} + 2); }}
    switch (k % 7) {{ case 0: s *= 3; break; case 1: s ^= 5; break; case 2: s -= k; break; default: s += {n}; }}
    return s;
}}
"""


@dataclass(slots=True)
class Contender:
    """One backend with its tree; ``walls`` and ``cpus`` in seconds by kind."""

    label: str
    module: str
    tree: Path
    paths: str
    walls: dict[str, list[float]] = field(default_factory=dict)
    cpus: dict[str, list[float]] = field(default_factory=dict)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5, help="rounds; medians are shown")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="accord-native-") as scratch:
        python = _environment(Path(scratch))
        contenders = [
            Contender(
                "accord-backend", "accord_backend", _tree(Path(scratch, "accord"), ACCORD), str(BACKEND)
            ),
            Contender(
                "scikit-build-core", "scikit_build_core.build", _tree(Path(scratch, "scikit"), SCIKIT), ""
            ),
        ]
        for number in range(options.runs):
            for contender in contenders if number % 2 else contenders[::-1]:
                _round(contender, python)
        versions = _versions(python)
    result = _result(contenders)
    if options.json:
        print(json.dumps({**result, "runs": options.runs, "versions": versions}, indent=1))
    else:
        _show(result)
    return int(any(ratio > 1.0 for ratio in result["ratios"].values()))


def _environment(scratch: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", scratch / "venv"], check=True)
    python = scratch / "venv" / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *PEER],
        check=True,
        stdout=sys.stderr,
    )
    return python


def _versions(python: Path) -> list[str]:
    """Names and versions of what was installed for the peer, and the compiler's."""
    told = subprocess.run(
        [python, "-m", "pip", "freeze", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    found = [line.replace("_", "-").replace("==", " ") for line in told]
    found = [line for line in found if line.partition(" ")[0] in PEER]
    compiler = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=False)
    return [*found, compiler.stdout.partition("\n")[0]]


def _tree(root: Path, pyproject: str) -> Path:
    package = root / "src" / "many"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from ._core import total\n")
    (root / "pyproject.toml").write_text(pyproject)
    numbers = range(1, FILES)
    for n in numbers:
        body = "".join(FUNCTION.format(n=n, m=m) for m in range(40))
        calls = "".join(f" + twist_{n}_{m}(a, {m})" for m in range(40))
        (package / f"part{n:02}.c").write_text(
            f"#include <Python.h>\n{body}long part_{n}(long *a) {{ return 0{calls}; }}\n"
        )
    declarations = "\n".join(f"long part_{n}(long *);" for n in numbers)
    total = "".join(f" + (self == unused ? part_{n}(NULL) : {n})" for n in numbers)
    (package / "core.c").write_text(MODULE.format(declarations=declarations, sum=total))
    sources = " ".join(sorted(f"src/many/{path.name}" for path in package.glob("*.c")))
    if "scikit" in pyproject:
        (root / "CMakeLists.txt").write_text(CMAKE.format(sources=sources))
    return root


def _round(contender: Contender, python: Path) -> None:
    shutil.rmtree(contender.tree / "build", ignore_errors=True)
    for kind in KINDS:
        if kind == "one file touched":
            path = contender.tree / "src" / "many" / "part07.c"
            path.write_text(path.read_text() + "/* touched */\n")
        _hook(contender, python, kind)


def _hook(contender: Contender, python: Path, kind: str) -> None:
    out = contender.tree / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    script = f"import {contender.module} as b; b.build_wheel({os.fspath(out)!r})"
    environ = {
        key: value
        for key, value in os.environ.items()
        if key not in ("CFLAGS", "CC", "LDFLAGS", "PYTHONPATH")
    }
    environ |= {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": contender.paths}
    os.sync()
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [python, "-c", script], cwd=contender.tree, env=environ, check=True, stdout=subprocess.DEVNULL
    )
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    contender.walls.setdefault(kind, []).append(wall)
    contender.cpus.setdefault(kind, []).append(
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    )
    if len(list(out.glob("many-1.0-cp3*.whl"))) != 1:
        raise SystemExit(f"{contender.label}: no wheel ({kind})")


def _result(contenders: list[Contender]) -> dict[str, dict[str, float]]:
    medians = {
        contender.label: {kind: round(statistics.median(contender.walls[kind]), 4) for kind in KINDS}
        for contender in contenders
    }
    ours, theirs = (medians[contender.label] for contender in contenders)
    # CPU seconds per second of wall: 2.0 is two cores busy all the time.
    busy = {
        contender.label: round(
            statistics.median(contender.cpus["clean"]) / medians[contender.label]["clean"], 2
        )
        for contender in contenders
    }
    spent = {
        f"{contender.label}, CPU": {kind: round(statistics.median(contender.cpus[kind]), 4) for kind in KINDS}
        for contender in contenders
    }
    return {
        **medians,
        **spent,
        "ratios": {kind: round(ours[kind] / theirs[kind], 3) for kind in KINDS},
        "cores busy": busy,
    }


def _show(result: dict[str, dict[str, float]]) -> None:
    ours, theirs = result["accord-backend"], result["scikit-build-core"]
    print(f"{'':20}{'accord-backend':>16}{'scikit-build-core':>20}{'ratio':>8}")
    for kind in KINDS:
        print(f"{kind:20}{ours[kind]:>14.3f} s{theirs[kind]:>18.3f} s{result['ratios'][kind]:>8.2f}")
    print("CPU seconds, which other work on the machine changes less:")
    ours, theirs = result["accord-backend, CPU"], result["scikit-build-core, CPU"]
    for kind in KINDS:
        print(f"{kind:20}{ours[kind]:>14.3f} s{theirs[kind]:>18.3f} s{ours[kind] / theirs[kind]:>8.2f}")
    busy = result["cores busy"]
    print(f"{'cores busy (clean)':20}{busy['accord-backend']:>16.2f}{busy['scikit-build-core']:>20.2f}")


if __name__ == "__main__":
    sys.exit(main())
