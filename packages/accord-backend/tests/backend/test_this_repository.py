"""The backend builds the distributions of this repository, itself included, on every Python it promises."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import accord_backend
from accord_core.archive.wheel import open_wheel

PACKAGES = Path(accord_backend.__file__).resolve().parents[3]
NAMES = ["accord-backend", "accord-core", "accord"]
# Below 3.11 the backend needs tomli; every pip brings one, so that this test installs nothing.
TOMLI = "import sys; from pip._vendor import tomli; sys.modules['tomli'] = tomli\n"
HOOKS = (
    "import sys, accord_backend as b; print(b.build_wheel(sys.argv[1])); print(b.build_sdist(sys.argv[1]))"
)

pytestmark = pytest.mark.skipif(not (PACKAGES / "accord-core").is_dir(), reason="not in a checkout")


@pytest.mark.parametrize("name", NAMES)
def test_each_distribution_builds(name: str, out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PACKAGES / name)
    with open_wheel(os.path.join(out, accord_backend.build_wheel(out))) as wheel:
        names = {member.name for member in wheel.members}
        for member in wheel.members:
            wheel.read(member)
        assert wheel.name == name and wheel.metadata().metadata_version == "2.5"
    stem = name.replace("-", "_")
    assert f"{stem}/py.typed" in names
    assert {
        f"{stem}-{wheel.version}.dist-info/licenses/LICENSE-{kind}" for kind in ("MIT", "APACHE")
    } <= names
    assert not any("__pycache__" in member for member in names)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("licence", ["LICENSE-MIT", "LICENSE-APACHE"])
def test_the_licence_of_each_is_that_of_the_repository(name: str, licence: str) -> None:
    """Copies, not links: a folder that is copied or archived alone keeps them."""
    assert (PACKAGES / name / licence).read_bytes() == (PACKAGES.parent / licence).read_bytes()
    assert not (PACKAGES / name / licence).is_symlink()


def test_the_generator_is_this_version() -> None:
    text = (PACKAGES / "accord-backend" / "pyproject.toml").read_text()
    assert f'\nversion = "{accord_backend.__version__}"\n' in text


def found(minor: int) -> str | None:
    """A CPython of that version: on the path, or installed beside the one that runs the tests."""
    name = f"python3.{minor}"
    places = [
        shutil.which(name),
        *sorted(map(str, Path(sys.base_prefix).parent.glob(f"*3.{minor}*/bin/{name}"))),
    ]
    for place in places:
        if place and not subprocess.run([place, "-c", ""], capture_output=True, check=False).returncode:
            return place
    return None


@pytest.mark.parametrize("minor", [8, 9, 10, 11, 12, 13, 14])
def test_it_runs_on_every_promised_python_and_writes_the_same_wheel(
    minor: int, out: str, tmp_path: Path
) -> None:
    python = found(minor)
    if python is None:
        pytest.skip(f"no CPython 3.{minor} here")
    source = str(PACKAGES / "accord-backend" / "src")
    built: list[dict[str, bytes]] = []
    for interpreter in (python, sys.executable):
        folder = tmp_path / str(len(built))
        folder.mkdir()
        script = TOMLI + HOOKS if interpreter == python and minor < 11 else HOOKS
        names = subprocess.run(
            [interpreter, "-W", "error", "-c", script, str(folder)],
            cwd=PACKAGES / "accord-backend",
            env={**os.environ, "PYTHONPATH": source, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True, text=True, check=True,
        ).stdout.split()  # fmt: skip
        with zipfile.ZipFile(folder / names[0]) as archive:
            built.append({name: archive.read(name) for name in archive.namelist()})
    assert built[0] == built[1]


@pytest.mark.parametrize("name", NAMES)
def test_its_sdist_builds_the_same_wheel_with_nothing_installed(name: str, out: str, tmp_path: Path) -> None:
    """The bootstrap: the backend of the unpacked sdist itself, and no other, builds accord-backend."""
    hooks = "import sys; sys.path.insert(0, sys.argv[2]); " + HOOKS
    source = str(PACKAGES / "accord-backend" / "src")

    def build(folder: Path, backend: str, into: Path) -> list[str]:
        into.mkdir()
        command = [sys.executable, "-I", "-S", "-c", hooks, str(into), backend]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.split()

    wheel, sdist = build(PACKAGES / name, source, tmp_path / "direct")
    with tarfile.open(tmp_path / "direct" / sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    root = tmp_path / "unpacked" / sdist[: -len(".tar.gz")]
    own = str(root / "src") if name == "accord-backend" else source
    assert build(root, own, tmp_path / "again") == [wheel, sdist]
    for file in (wheel, sdist):
        assert (tmp_path / "again" / file).read_bytes() == (tmp_path / "direct" / file).read_bytes()


def test_importing_it_imports_nothing() -> None:
    script = "import sys; b=set(sys.modules); import accord_backend; print(*sorted(set(sys.modules)-b))"
    environ = {**os.environ, "PYTHONPATH": str(PACKAGES / "accord-backend" / "src")}
    found = subprocess.run(
        [sys.executable, "-S", "-c", script], env=environ, capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(found) <= {"accord_backend", "__future__"}


def test_a_wheel_is_built_without_the_slow_modules() -> None:
    script = "import sys, tempfile, accord_backend as b; before = set(sys.modules); b.build_wheel(sys.argv[1]); print(*set(sys.modules) - before)"
    environ = {**os.environ, "PYTHONPATH": str(PACKAGES / "accord-backend" / "src")}
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        found = subprocess.run(
            [sys.executable, "-S", "-c", script, folder],
            cwd=PACKAGES / "accord-backend", env=environ, capture_output=True, text=True, check=True,
        ).stdout.split()  # fmt: skip
    assert not {"zipfile", "tarfile", "email", "dataclasses", "pathlib", "csv", "subprocess"} & set(found)
