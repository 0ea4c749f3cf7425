"""The same tree gives the same bytes, whatever the machine says about it, on every Python that is promised."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import accord_backend

BACKEND = os.path.dirname(os.path.dirname(accord_backend.__file__))
TREE = {
    "pyproject.toml": """\
[project]
name = "spam"
dynamic = ["version", "import-names"]
readme = "README.md"
license = "MIT"
license-files = ["LICENSE"]
[project.optional-dependencies]
b = ["x"]
a = ["y"]
[project.entry-points.plugins]
z = "spam"
a = "spam"
[tool.accord.build]
version = {module = "spam"}
scripts = ["bin/tool"]
headers = ["include/*"]
data = {"share/spam" = ["assets/**"]}
sboms = ["sbom.json"]
sdist-include = ["tests/**"]
""",
    "README.md": "# Spam\n\nÜber.\n",
    "LICENSE": "MIT\n" * 50,
    "src/spam/__init__.py": '"""Spam."""\n\n__version__ = "1.0"\n' + "value = 1\n" * 500,
    "src/spam/B.py": "",
    "src/spam/a.py": "import os\n",
    "src/spam/ü.txt": "",
    "src/spam/data/deep/table.csv": "1,2\n" * 1000,
    "bin/tool": "#!/usr/bin/python3\n",
    "include/spam.h": "int x;\n",
    "assets/x/y.bin": "\0" * 5000,
    "assets/z.txt": "z",
    "sbom.json": "{}",
    "tests/test_a.py": "",
}
CALL = """\
import sys; sys.path[:0] = [sys.argv[1], sys.argv[2]]
import os, json, zlib; os.umask(int(sys.argv[4], 8))
import accord_backend as b
print(json.dumps([b.build_wheel(sys.argv[3]), b.build_sdist(sys.argv[3]), zlib.ZLIB_RUNTIME_VERSION]))
"""


def make(root: Path, *, backwards: bool = False, umask: int = 0o022, when: int | None = None) -> Path:
    before = os.umask(umask)
    try:
        for path, content in sorted(TREE.items(), reverse=backwards):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content, encoding="utf-8")
            (root / path).chmod(0o777 & ~umask if path == "bin/tool" else 0o666 & ~umask)
    finally:
        os.umask(before)
    for file in root.rglob("*"):
        if when is not None:
            os.utime(file, (when, when))
    (root / "src/spam/__pycache__").mkdir()
    (root / "src/spam/__pycache__/x.cpython-38.pyc").touch()
    return root


def built(
    root: Path,
    out: Path,
    *,
    python: str = sys.executable,
    umask: str = "022",
    tomli: Path | None = None,
    environ: dict[str, str] | None = None,
) -> tuple[list[str], str]:
    out.mkdir(parents=True)
    done = subprocess.run(
        [python, "-c", CALL, BACKEND, str(tomli or BACKEND), str(out), umask],
        cwd=root,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "error", **(environ or {})},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not done.returncode, done.stderr
    *names, zlib = json.loads(done.stdout)
    return [hashlib.sha256((out / name).read_bytes()).hexdigest() for name in names], zlib


@pytest.fixture
def expected(tmp_path: Path) -> tuple[list[str], str]:
    return built(make(tmp_path / "first"), tmp_path / "out")


@pytest.mark.parametrize(
    "environ",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "C.UTF-8", "LANG": "tr_TR.UTF-8"},
        {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati"},
        {"PYTHONHASHSEED": "4000000000", "TZ": "America/Anchorage"},
        {"HOME": "/nonexistent", "USER": "somebody", "LOGNAME": "somebody"},
        {"PYTHONUTF8": "0", "PYTHONOPTIMIZE": "2"},
    ],
)
def test_the_environment_does_not_show(
    environ: dict[str, str], expected: tuple[list[str], str], tmp_path: Path
) -> None:
    assert built(tmp_path / "first", tmp_path / "again", environ=environ) == expected


@pytest.mark.parametrize(
    ("place", "backwards", "umask", "when"),
    [
        ("a/longer place/élan", True, 0o077, 1),
        ("x", False, 0o002, 2_000_000_000),
        ("y", True, 0o027, 4_000_000_000),
    ],
)
def test_the_copy_does_not_show(
    place: str, backwards: bool, umask: int, when: int, expected: tuple[list[str], str], tmp_path: Path
) -> None:
    root = make(tmp_path / place, backwards=backwards, umask=umask, when=when)
    assert built(root, tmp_path / "again", umask=f"{umask:o}") == expected


def test_the_order_of_a_folder_does_not_show(expected: tuple[list[str], str], tmp_path: Path) -> None:
    """A file system that lists backwards, by a scandir that does."""
    shim = tmp_path / "shim"
    shim.mkdir()
    (shim / "sitecustomize.py").write_text(
        "import os\n_scandir = os.scandir\n"
        "class Backwards(list):\n    __enter__ = lambda self: self\n    __exit__ = lambda *_: None\n"
        "os.scandir = lambda path='.': Backwards(sorted(_scandir(path), key=lambda e: e.name, reverse=True))\n"
    )
    assert built(tmp_path / "first", tmp_path / "again", environ={"PYTHONPATH": str(shim)}) == expected


def test_a_source_date_shows_and_is_all_that_does(expected: tuple[list[str], str], tmp_path: Path) -> None:
    dated = built(tmp_path / "first", tmp_path / "dated", environ={"SOURCE_DATE_EPOCH": "1700000000"})
    other = make(tmp_path / "other", when=7)
    assert built(other, tmp_path / "again", environ={"SOURCE_DATE_EPOCH": "1700000000"}) == dated
    assert not set(dated[0]) & set(expected[0])


def test_the_wheel_of_the_sdist_is_the_same_file(expected: tuple[list[str], str], tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "out" / "spam-1.0.tar.gz") as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    assert built(tmp_path / "unpacked/spam-1.0", tmp_path / "again") == expected


def interpreter(name: str) -> str | None:
    places = [shutil.which(name), *sorted(map(str, Path(sys.base_prefix).parent.glob(f"*/bin/{name}")))]
    for place in places:
        if place and not subprocess.run([place, "-c", ""], capture_output=True, check=False).returncode:
            return place
    return None


@pytest.mark.parametrize("name", [*(f"python3.{minor}" for minor in range(8, 15)), "pypy3"])
def test_the_python_does_not_show(name: str, expected: tuple[list[str], str], tmp_path: Path) -> None:
    python = interpreter(name)
    if python is None:
        pytest.skip(f"no {name} here")
    pip = importlib.util.find_spec("pip")
    if pip is None or pip.origin is None:
        pytest.skip("no pip to borrow tomli of")
    shutil.copytree(Path(pip.origin).parent / "_vendor/tomli", tmp_path / "borrowed/tomli")
    digests, zlib = built(tmp_path / "first", tmp_path / "again", python=python, tomli=tmp_path / "borrowed")
    if zlib == expected[1]:
        assert digests == expected[0]
    # What is packed is the same with any zlib; how it is packed is promised for one and the same only.
    for one, two in zip(
        sorted((tmp_path / "out").iterdir()), sorted((tmp_path / "again").iterdir()), strict=True
    ):
        assert one.name == two.name
        assert unpacked(one) == unpacked(two)


def unpacked(path: Path) -> list[tuple[str, int, bytes]]:
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            return [
                (member.filename, member.external_attr, wheel.read(member)) for member in wheel.infolist()
            ]
    with tarfile.open(path) as sdist:
        found = []
        for entry in sdist:
            file = sdist.extractfile(entry)
            assert file is not None
            found.append((entry.name, entry.mode, file.read()))
        return found
