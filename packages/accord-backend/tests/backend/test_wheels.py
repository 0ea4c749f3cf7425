"""Wheels, editables, sdists and metadata as the standards ask, the same bytes from the same tree."""

from __future__ import annotations

import hashlib
import os
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.metadata import Metadata
from packaging.utils import parse_sdist_filename, parse_wheel_filename

import accord_backend
from accord_backend.errors import BackendError
from accord_core.archive.sdist import extract
from accord_core.archive.wheel import open_wheel

Project = Callable[..., Path]

FULL = """\
description = "One line"
readme = "README.md"
requires-python = ">=3.8"
license = "apache-2.0 or MIT"
license-files = ["LICENSE-*", "vendor/**/NOTICE"]
authors = [{name = "Ann O. Nym", email = "ann@mail.example"}, {name = "Bob"}]
maintainers = [{email = "team@mail.example"}]
keywords = ["one", "two"]
classifiers = ["Topic :: Utilities"]
dependencies = ["ham>=1; python_version < '3.9'"]

[project.urls]
Home = "https://index.example/spam"

[project.scripts]
spam = "spam_eggs.cli:main"

[project.gui-scripts]
spam-window = "spam_eggs.cli:window"

[project.entry-points."spam.plugins"]
one = "spam_eggs"

[project.optional-dependencies]
Cold_Cuts = ["bacon; os_name == 'nt' or os_name == 'posix'", "toast @ https://index.example/toast.whl"]
"""
TREE = {
    "README.md": "# Spam\n\nÜber spam.\n",
    "LICENSE-MIT": "MIT",
    "LICENSE-APACHE": "Apache",
    "vendor/a/b/NOTICE": "notice",
    "src/spam_eggs/__init__.py": "value = 1\n",
    "src/spam_eggs/py.typed": "",
    "src/spam_eggs/data/table.csv": "a,b\n",
    "src/spam_eggs/__pycache__/x.cpython-38.pyc": "",
    "src/spam_eggs/old.pyc": "",
    "tests/test_spam.py": "",
}
INFO = "spam_eggs-1.0.dist-info"


def wheel_of(folder: str, name: str) -> dict[str, bytes]:
    with zipfile.ZipFile(Path(folder, name)) as archive:
        assert archive.testzip() is None
        return {member: archive.read(member) for member in archive.namelist()}


def test_a_wheel_holds_the_package_and_its_description(project: Project, out: str) -> None:
    project(FULL, TREE)
    name = accord_backend.build_wheel(out)
    assert name == "spam_eggs-1.0-py3-none-any.whl"
    assert parse_wheel_filename(name)[0] == "spam-eggs"
    assert list(wheel_of(out, name)) == [
        "spam_eggs/__init__.py",
        "spam_eggs/data/table.csv",
        "spam_eggs/py.typed",
        f"{INFO}/METADATA",
        f"{INFO}/WHEEL",
        f"{INFO}/entry_points.txt",
        f"{INFO}/licenses/LICENSE-APACHE",
        f"{INFO}/licenses/LICENSE-MIT",
        f"{INFO}/licenses/vendor/a/b/NOTICE",
        f"{INFO}/RECORD",
    ]


def test_our_strict_reader_accepts_it(project: Project, out: str) -> None:
    project(FULL, TREE)
    with open_wheel(os.path.join(out, accord_backend.build_wheel(out))) as wheel:
        for member in wheel.members:
            wheel.read(member)
        assert wheel.metadata().provides_extra == ["cold-cuts"]
        assert {point.name: point.module for point in wheel.entry_points()} == {
            "spam": "spam_eggs.cli",
            "spam-window": "spam_eggs.cli",
            "one": "spam_eggs",
        }


def test_metadata_pass_the_strict_reader_of_packaging(project: Project, out: str) -> None:
    project(FULL, TREE)
    folder = accord_backend.prepare_metadata_for_build_wheel(out)
    found = Metadata.from_email(Path(out, folder, "METADATA").read_bytes(), validate=True)
    assert folder == INFO
    assert (found.name, str(found.version), found.summary) == ("Spam.Eggs", "1.0", "One line")
    assert found.license_expression == "Apache-2.0 OR MIT"
    assert found.license_files == ["LICENSE-APACHE", "LICENSE-MIT", "vendor/a/b/NOTICE"]
    assert found.author == "Bob" and found.author_email == '"Ann O. Nym" <ann@mail.example>'
    assert found.maintainer_email == "team@mail.example"
    assert found.keywords == ["one", "two"] and found.classifiers == ["Topic :: Utilities"]
    assert found.project_urls == {"Home": "https://index.example/spam"}
    assert found.description == "# Spam\n\nÜber spam.\n" and found.description_content_type == "text/markdown"
    assert [str(requirement) for requirement in found.requires_dist or ()] == [
        'ham>=1; python_version < "3.9"',
        'bacon; (os_name == "nt" or os_name == "posix") and extra == "cold-cuts"',
        'toast @ https://index.example/toast.whl ; extra == "cold-cuts"',
    ]


def test_prepared_metadata_are_those_of_the_wheel(project: Project, out: str) -> None:
    project(FULL, TREE)
    folder = accord_backend.prepare_metadata_for_build_wheel(out)
    members = wheel_of(out, accord_backend.build_wheel(out, None, out))
    prepared = {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in Path(out, folder).rglob("*")
        if path.is_file()
    }
    assert prepared == {
        name: data for name, data in members.items() if name.startswith(INFO) and "RECORD" not in name
    }


@pytest.mark.parametrize(
    ("files", "member"),
    [
        ({"spam_eggs/__init__.py": ""}, "spam_eggs/__init__.py"),
        ({"src/spam_eggs/__init__.py": ""}, "spam_eggs/__init__.py"),
        ({"spam_eggs.py": ""}, "spam_eggs.py"),
        ({"src/spam_eggs.py": ""}, "spam_eggs.py"),
        ({"src/spam_eggs/deep/namespace.py": ""}, "spam_eggs/deep/namespace.py"),
    ],
)
def test_layouts(files: dict[str, str], member: str, project: Project, out: str) -> None:
    project("", files)
    assert next(iter(wheel_of(out, accord_backend.build_wheel(out)))) == member


def test_modules_of_another_name_and_namespace_packages(project: Project, out: str) -> None:
    files = {"src/company/eggs/__init__.py": "", "src/company/other/x.py": "", "src/ham.py": ""}
    project('\n[tool.accord.build]\nmodules = ["company.eggs", "ham"]\n', files)
    members = wheel_of(out, accord_backend.build_wheel(out))
    assert [name for name in members if "dist-info" not in name] == ["company/eggs/__init__.py", "ham.py"]


def test_an_editable_points_at_the_source_root(project: Project, out: str) -> None:
    root = project("", {"src/spam_eggs/__init__.py": ""})
    members = wheel_of(out, accord_backend.build_editable(out))
    assert members["_editable_spam_eggs.pth"].decode() == f"{root.resolve()}/src\n"
    assert not any(name.endswith(".py") for name in members)


def test_an_editable_of_a_flat_project(project: Project, out: str) -> None:
    root = project()
    assert (
        wheel_of(out, accord_backend.build_editable(out))["_editable_spam_eggs.pth"].decode()
        == f"{root.resolve()}\n"
    )


def digests(out: str) -> list[str]:
    names = [accord_backend.build_wheel(out), accord_backend.build_sdist(out)]
    return [hashlib.sha256(Path(out, name).read_bytes()).hexdigest() for name in names]


def test_the_same_tree_gives_the_same_bytes(
    project: Project, out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another folder, umask, order of creation and times of files change nothing; a source date does."""
    project(FULL, TREE, name="one")
    first = digests(out)
    before = os.umask(0o077)
    try:
        root = project(FULL, dict(reversed(TREE.items())), name="another folder")
    finally:
        os.umask(before)
    for path in root.rglob("*"):
        os.utime(path, (1, 1))
    assert digests(out) == first
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert all(one != other for one, other in zip(digests(out), first, strict=True))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1700000000", (2023, 11, 14, 22, 13, 20)),
        ("0", (1980, 1, 1, 0, 0, 0)),
        ("99999999999", (2107, 12, 31, 23, 59, 58)),
    ],
)
def test_source_dates(
    value: str, expected: tuple[int, ...], project: Project, out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", value)
    with zipfile.ZipFile(Path(out, accord_backend.build_wheel(out))) as archive:
        assert {member.date_time for member in archive.infolist()} == {expected}
    with tarfile.open(Path(out, accord_backend.build_sdist(out))) as sdist:
        assert {time.gmtime(member.mtime)[:5] for member in sdist} == {expected[:5]}


def test_an_executable_stays_one(project: Project, out: str) -> None:
    root = project("", {"spam_eggs/__init__.py": "", "spam_eggs/run.sh": "#!/bin/sh\n"})
    (root / "spam_eggs/run.sh").chmod(0o700)
    with zipfile.ZipFile(Path(out, accord_backend.build_wheel(out))) as archive:
        modes = {member.filename: member.external_attr >> 16 for member in archive.infolist()}
    assert modes.pop("spam_eggs/run.sh") == 0o100755
    assert set(modes.values()) == {0o100644}


def test_an_sdist_builds_the_same_wheel(
    project: Project, out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PEP 517 and 625; what a project links from elsewhere in its repository arrives as a file."""
    settings = '\n[tool.accord.build]\nsdist-include = ["tests/**/*.py"]\n'
    root = project(FULL + settings, TREE)
    (tmp_path / "LICENSE-MIT").write_text("MIT, linked")
    (root / "LICENSE-MIT").unlink()
    (root / "LICENSE-MIT").symlink_to("../LICENSE-MIT")
    wheel = accord_backend.build_wheel(out)
    direct = Path(out, wheel).read_bytes()
    name = accord_backend.build_sdist(out)
    assert name == "spam_eggs-1.0.tar.gz" and parse_sdist_filename(name)[0] == "spam-eggs"
    with tarfile.open(Path(out, name)) as archive:
        assert {entry.name.partition("/")[0] for entry in archive} == {"spam_eggs-1.0"}
        assert all(entry.isreg() and entry.mode in (0o644, 0o755) and not entry.uid for entry in archive)
        assert "spam_eggs-1.0/tests/test_spam.py" in archive.getnames()
        info = archive.extractfile("spam_eggs-1.0/PKG-INFO")
        assert info is not None and info.read() == wheel_of(out, wheel)[f"{INFO}/METADATA"]
    (tmp_path / "unpacked").mkdir()
    monkeypatch.chdir(extract(os.path.join(out, name), str(tmp_path / "unpacked")))
    assert accord_backend.build_wheel(str(tmp_path / "unpacked")) == wheel
    assert (tmp_path / "unpacked" / wheel).read_bytes() == direct
    assert accord_backend.build_sdist(str(tmp_path)) == name
    assert (tmp_path / name).read_bytes() == Path(out, name).read_bytes()


def test_old_licence_tables(project: Project, out: str) -> None:
    project('license = {file = "COPY"}\n', {"spam_eggs.py": "", "COPY": "first\n\nInjected: field\n"})
    found = Metadata.from_email(
        wheel_of(out, accord_backend.build_wheel(out))[f"{INFO}/METADATA"], validate=True
    )
    assert (
        found.license is not None and found.license.startswith("first") and "Injected: field" in found.license
    )
    assert found.license_files == ["COPY"]


def test_import_names_raise_the_metadata_version(project: Project, out: str) -> None:
    project('import-names = ["spam_eggs"]\nimport-namespaces = ["company"]\n')
    text = wheel_of(out, accord_backend.build_wheel(out))[f"{INFO}/METADATA"].decode()
    assert (
        "Metadata-Version: 2.5\n" in text
        and "Import-Name: spam_eggs\n" in text
        and "Import-Namespace: company\n" in text
    )


def test_nothing_unfinished_is_left(project: Project, out: str) -> None:
    root = project("", {"spam_eggs/__init__.py": ""})
    (root / "spam_eggs" / "loop").symlink_to(".")
    for hook in (accord_backend.build_wheel, accord_backend.build_sdist):
        with pytest.raises(BackendError) as caught:
            hook(out)
        assert caught.value.code == "folder-is-link" and not os.listdir(out)


def test_no_hook_asks_for_anything() -> None:
    assert accord_backend.get_requires_for_build_wheel() == []
    assert accord_backend.get_requires_for_build_sdist() == []
    assert accord_backend.get_requires_for_build_editable() == []
