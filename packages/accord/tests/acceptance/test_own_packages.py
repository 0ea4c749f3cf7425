"""This repository builds itself with its own backend: two checkouts of it give the same six files, byte for byte.

Nothing is asked of an index: the build requirements of the three packages are the backend beside them, and tomli for
Pythons that Accord does not run on.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import accord
from accord.testing.worlds import World, uv_program

ROOT = Path(accord.__file__).resolve().parents[4]
BUILT = [
    "accord sdist",
    "accord wheel",
    "accord_backend sdist",
    "accord_backend wheel",
    "accord_core sdist",
    "accord_core wheel",
]
# A second builder: elsewhere on the map, of another name, with other words and other hashes.
ELSEWHERE = {
    "TZ": "Pacific/Kiritimati",
    "LC_ALL": "C",
    "PYTHONHASHSEED": "4711",
    "USER": "somebody",
    "LOGNAME": "somebody",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / "packages" / "accord-backend").is_dir(), reason="not in a checkout"),
]


def git(folder: str, *words: str, umask: int = 0o022) -> bytes:
    command = ["git", "-c", "user.name=somebody", "-c", "user.email=somebody@people.example", *words]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        command, cwd=folder, env=environ, umask=umask, check=True, capture_output=True
    ).stdout


def tracked() -> list[str]:
    """What is in the repository, as it lies in the folder now; without git, every file that is no product."""
    if shutil.which("git") and (ROOT / ".git").exists():
        listed = git(str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        names = [os.fsdecode(name) for name in listed.split(b"\0") if name]
        return [name for name in names if (ROOT / name).is_file()]
    left_out = {".venv", "__pycache__", "dist", "build", "results"}
    return [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*")
        if path.is_file() and not left_out & set(path.relative_to(ROOT).parts)
    ]


def copied(target: Path, umask: int = 0o022) -> Path:
    """Every file again under ``target``, with the modes that ``umask`` leaves."""
    before = os.umask(umask)
    try:
        for name in tracked():
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, path)
            path.chmod((0o777 if os.access(ROOT / name, os.X_OK) else 0o666) & ~umask)
    finally:
        os.umask(before)
    return target


@pytest.fixture
def checkouts(tmp_path: Path) -> tuple[Path, Path]:
    """Two checkouts of what lies here, of other names and modes; copies where there is no git."""
    one, other = tmp_path / "one", tmp_path / "another place" / "of-it"
    other.parent.mkdir()
    if shutil.which("git") is None:
        return copied(one), copied(other, 0o077)
    origin = str(copied(tmp_path / "origin"))
    git(origin, "init", "-q")
    git(origin, "add", "-A", "-f")
    git(origin, "commit", "-qm", "as it lies here")
    git(str(tmp_path), "clone", "-q", origin, str(one))
    git(str(tmp_path), "clone", "-q", origin, str(other), umask=0o077)
    return one, other


def build(world: World, checkout: Path, *words: str, umask: int = 0o022, **environ: str) -> dict[str, str]:
    """The digests of what ``accord build --all`` puts into a folder of its own."""
    out = checkout.parent / f"dist of {checkout.name}"
    before = os.umask(umask)
    try:
        world.process(
            "build", "--all", "--offline", "-o", str(out), "--directory", str(checkout), *words, **environ
        ).fine()
    finally:
        os.umask(before)
    found = {}
    for path in out.glob("[!.]*"):
        kind = "wheel" if path.suffix == ".whl" else "sdist"
        found[f"{path.name.partition('-')[0]} {kind}"] = digest(path)
    return dict(sorted(found.items()))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_two_checkouts_give_the_same_six_files(world: World, checkouts: tuple[Path, Path]) -> None:
    one, other = checkouts
    modes = {tree.joinpath("README.md").stat().st_mode & 0o777 for tree in checkouts}
    assert modes == {0o644, 0o600}, "the two differ in what must not show"
    for path in other.rglob("*"):
        os.utime(path, (981_173_106, 981_173_106))
    first = build(world, one)
    assert list(first) == BUILT
    assert build(world, other, umask=0o077, **ELSEWHERE) == first


def test_a_changed_line_shows_in_one_sdist_and_its_wheel(world: World, checkouts: tuple[Path, Path]) -> None:
    """The digests are those of the checkout: the test above can fail."""
    one, other = checkouts
    with (other / "packages/accord-core/src/accord_core/names.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    first, second = build(world, one), build(world, other)
    assert [name for name in BUILT if first[name] != second[name]] == BUILT[4:]


def test_each_is_the_same_when_accord_builds_it_twice(world: World, checkouts: tuple[Path, Path]) -> None:
    assert list(build(world, checkouts[0], "--reproducible")) == BUILT


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_other_frontends_build_the_same_wheel_of_the_backend(
    tool: str, world: World, checkouts: tuple[Path, Path]
) -> None:
    one, other = checkouts
    source, out = str(other / "packages" / "accord-backend"), other.parent / "theirs"
    if tool == "pip":
        command = [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-q",
            "--no-index",
            "--no-deps",
            "-w",
            str(out),
            source,
        ]
    else:
        program = uv_program()
        if program is None:
            pytest.skip("uv is not here")
        command = [
            program,
            "build",
            "-q",
            "--offline",
            "--wheel",
            "--python",
            sys.executable,
            "-o",
            str(out),
            source,
        ]
    subprocess.run(command, cwd=world.here, env=world.environ, check=True, capture_output=True, text=True)
    (theirs,) = out.glob("*.whl")
    assert digest(theirs) == build(world, one)["accord_backend wheel"]
