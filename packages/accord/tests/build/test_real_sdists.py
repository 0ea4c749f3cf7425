"""Ten real sdists of four backends from the configured index: what we build says what their published wheels say."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from accord.build.frontend import Builder, BuildOptions
from accord.build.policy import BuildPolicy
from accord.build.sources import SdistSource
from accord.testing.builds import ThisPython
from accord_core.archive.metadata import Metadata, parse_metadata
from accord_core.errors import BuildError
from accord_core.index.filenames import split_sdist
from accord_core.names import normalise

if TYPE_CHECKING:
    from accord.build.ports import Python

pytestmark = [pytest.mark.network, pytest.mark.slow]

# name, version: setuptools of several ages (docopt has no pyproject.toml), flit, hatchling, poetry.
RELEASES = (
    ("six", "1.17.0"),
    ("docopt", "0.6.2"),
    ("sniffio", "1.3.1"),
    ("tabulate", "0.9.0"),
    ("wcwidth", "0.2.13"),
    ("click", "8.1.7"),
    ("tomli", "2.0.1"),
    ("colorama", "0.4.6"),
    ("iniconfig", "2.0.0"),
    ("rsa", "4.9"),
)
# docopt never published a wheel.
WITH_WHEELS = tuple(release for release in RELEASES if release[0] != "docopt")


def pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


class VenvEnvironments:
    """``BuildEnvironments`` by ``python -m venv`` and pip, one per set of requirements."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.made = 0

    def make(self, requirements: tuple[str, ...], python: Python) -> str:
        key = hashlib.sha256(repr((sorted(requirements), python.identity)).encode()).hexdigest()[:16]
        executable = self._folder / key / "bin" / "python"
        if not executable.exists():
            self.made += 1
            subprocess.run([python.executable, "-m", "venv", "--without-pip", self._folder / key], check=True)
            if requirements:
                done = pip("--python", str(executable), "install", "--only-binary", ":all:", *requirements)
                assert done.returncode == 0, done.stderr
        return str(executable)


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("downloads")
    sdists = [f"{name}=={version}" for name, version in RELEASES]
    wheels = [f"{name}=={version}" for name, version in WITH_WHEELS]
    for kind, names in (("--no-binary", sdists), ("--only-binary", wheels)):
        done = pip("download", "--no-deps", kind, ":all:", "--dest", str(folder), *names)
        if done.returncode != 0:
            pytest.skip(f"the configured index did not give the releases: {done.stderr[-300:]}")
    return folder


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> VenvEnvironments:
    return VenvEnvironments(tmp_path_factory.mktemp("environments"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("cache"))


def source(downloads: Path, name: str, version: str) -> SdistSource:
    for path in downloads.glob("*.tar.gz"):
        split = split_sdist(path.name, name)
        if split is not None and normalise(split[0]) == name and split[1] == version:
            return SdistSource(str(path), hashlib.sha256(path.read_bytes()).hexdigest(), name, version)
    raise AssertionError(f"{name} {version} was not downloaded")


@pytest.mark.parametrize(("name", "version"), RELEASES)
def test_metadata_and_wheel(
    downloads: Path, environments: VenvEnvironments, cache: str, name: str, version: str
) -> None:
    builder = Builder(cache, environments, ThisPython(), environ=dict(os.environ))
    sdist = source(downloads, name, version)
    early = parse_metadata(builder.metadata(sdist).data)
    built = builder.wheel(sdist, "unused")
    late = metadata_of(Path(built.path))
    assert sorted(early.requires_dist) == sorted(late.requires_dist)
    published = [path for path in downloads.glob("*.whl") if normalise(path.name.split("-")[0]) == name]
    if (name, version) in WITH_WHEELS:
        theirs = metadata_of(published[0])
        assert requirements(theirs.requires_dist) == requirements(late.requires_dist)
        assert theirs.requires_python == late.requires_python
    made = environments.made
    assert builder.wheel(sdist, "unused") == built
    assert environments.made == made


def test_the_same_sdist_builds_to_the_same_bytes(
    downloads: Path, environments: VenvEnvironments, tmp_path: Path
) -> None:
    sdist = source(downloads, "six", "1.17.0")
    digests = {
        Builder(str(tmp_path / cache), environments, ThisPython(), environ=dict(os.environ))
        .wheel(sdist, "x")
        .sha256
        for cache in ("one", "two")
    }
    assert len(digests) == 1


def test_no_build_refuses_a_real_one_and_static_metadata_still_answers(
    downloads: Path, environments: VenvEnvironments, tmp_path: Path
) -> None:
    options = BuildOptions(policy=BuildPolicy(frozenset({":all:"}), "--no-build"))
    builder = Builder(str(tmp_path), environments, ThisPython(), environ=dict(os.environ), options=options)
    static = source(downloads, "tomli", "2.0.1")
    assert builder.metadata(static).origin == "pyproject.toml"
    with pytest.raises(BuildError) as caught:
        builder.wheel(static, "unused")
    assert caught.value.code == "build-refused"


def metadata_of(wheel: Path) -> Metadata:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return parse_metadata(archive.read(name))


def requirements(texts: list[str]) -> list[str]:
    from packaging.requirements import Requirement

    return sorted(str(Requirement(text)) for text in texts)
