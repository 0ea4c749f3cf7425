"""pip and uv install from what we write exactly what ``select`` chooses."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.tags import sys_tags

from accord_core.lock import select, write
from accord_core.lock.model import File, Lock, Package

pytestmark = pytest.mark.slow


def make_wheel(folder: Path, name: str, version: str, *, build: str = "") -> File:
    """A wheel that says which file it came from, and its entry in a lock beside it."""
    info = f"{name}-{version}.dist-info"
    stem = f"{name}-{version}{build}-py3-none-any"
    files = {
        f"{name}.py": f"FILE = {stem!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        + (f"Build: {build[1:]}\n" if build else ""),
    }
    rows = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},{len(text)}"
        for path, text in files.items()
    ]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""])
    path = folder / f"{stem}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for inner, text in files.items():
            wheel.writestr(inner, text)
    data = path.read_bytes()
    return File(
        path.name, None, None, f"wheels/{path.name}", len(data), {"sha256": hashlib.sha256(data).hexdigest()}
    )


@pytest.fixture
def locked(tmp_path: Path) -> tuple[Path, Lock]:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    lock = Lock(
        requires_python=">=3.8",
        environments=("os_name == 'posix'", "os_name == 'nt'"),
        extras=("cpu",),
        dependency_groups=("dev",),
        default_groups=("main",),
        packages=(
            Package(
                name="builds",
                version="1.0",
                wheels=tuple(make_wheel(wheels, "builds", "1.0", build=tag) for tag in ("", "-2", "-10")),
            ),
            Package(
                name="plain",
                version="2.0",
                wheels=(make_wheel(wheels, "plain", "2.0"),),
                requires_python=">=3.8",
            ),
            Package(
                name="split",
                version="1.0",
                marker="python_version < '3'",
                wheels=(make_wheel(wheels, "split", "1.0"),),
            ),
            Package(
                name="split",
                version="2.0",
                marker='python_version >= "3"',
                dependencies=({"name": "plain"},),
                wheels=(make_wheel(wheels, "split", "2.0"),),
                tool={"accord": {"edges": []}},
            ),
            Package(
                name="forcpu",
                version="1.0",
                marker="'cpu' in extras",
                wheels=(make_wheel(wheels, "forcpu", "1.0"),),
            ),
            Package(
                name="fordev",
                version="1.0",
                marker="'dev' in dependency_groups",
                wheels=(make_wheel(wheels, "fordev", "1.0"),),
            ),
            Package(
                name="formain",
                version="1.0",
                marker="'main' in dependency_groups",
                wheels=(make_wheel(wheels, "formain", "1.0"),),
            ),
        ),
        tool={"accord": {"inputs": "none"}},
    )
    path = tmp_path / "pylock.toml"
    path.write_text(write.dumps(lock))
    return path, lock


def chosen(lock: Lock, extras: Sequence[str] = (), groups: Sequence[str] | None = None) -> dict[str, str]:
    markers = {key: str(value) for key, value in default_environment().items()}
    found = select.select(lock, markers, [str(tag) for tag in sys_tags()], extras, groups)
    return {
        one.name: one.source.filename.removesuffix(".whl") for one in found if isinstance(one.source, File)
    }


def installed(target: Path) -> dict[str, str]:
    """What lies in ``target``: module name and the file its line names."""
    found = {}
    for module in sorted(target.glob("*.py")):
        found[module.stem] = module.read_text().split("'")[1]
    return found


def run(folder: Path, *command: str) -> None:
    bare = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG")}
    environment = {
        **bare,
        "UV_CACHE_DIR": str(folder / "cache"),
        "PIP_CONFIG_FILE": os.devnull,
        "UV_NO_CONFIG": "1",
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def uv() -> str:
    found = shutil.which("uv", path=sysconfig.get_path("scripts")) or shutil.which("uv")
    if found is None:
        pytest.skip("uv is not installed here")
    return found


def test_pip_installs_our_choice(locked: tuple[Path, Lock], tmp_path: Path) -> None:
    path, lock = locked
    pip = (
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-index",
        "--disable-pip-version-check",
        "--target",
    )
    run(tmp_path, *pip, "t1", "-r", str(path))
    assert installed(tmp_path / "t1") == chosen(lock)
    assert installed(tmp_path / "t1")["builds"] == "builds-1.0-10-py3-none-any"
    run(tmp_path, *pip, "t2", "-r", f"{path}[cpu]")
    assert installed(tmp_path / "t2") == chosen(lock, ("cpu",))


def test_uv_installs_our_choice(locked: tuple[Path, Lock], tmp_path: Path) -> None:
    path, lock = locked
    install = (uv(), "pip", "install", "-q", "--no-index", "--python", sys.executable, "--target")
    run(tmp_path, *install, "t1", "-r", str(path))
    assert installed(tmp_path / "t1") == chosen(lock)
    run(tmp_path, *install, "t2", "-r", str(path), "--extra", "cpu", "--group", "dev")
    assert installed(tmp_path / "t2") == chosen(
        lock, ("cpu",), ("dev",)
    )  # named groups replace the default ones
