"""Packages are found without configuration, and a guess is never made where there are two answers."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import accord_backend
from accord_backend.errors import BackendError

Project = Callable[..., Path]


def modules_of(out: str) -> list[str]:
    with zipfile.ZipFile(Path(out, accord_backend.build_wheel(out))) as archive:
        return [name for name in archive.namelist() if ".dist-info/" not in name]


def whole(name: str, text: str = "") -> str:
    return f'[project]\nname = "{name}"\nversion = "1"\n{text}'


FOUND: list[tuple[str, list[str], list[str]]] = [
    # src: everything importable is the project's
    ("spam", ["src/spam/__init__.py", "src/_spam.py"], ["_spam.py", "spam/__init__.py"]),
    ("spam", ["src/other/__init__.py"], ["other/__init__.py"]),
    ("spam", ["src/spam/__init__.py", "src/tests/test_a.py", "src/spam.egg-info/PKG-INFO"], ["spam/__init__.py"]),
    ("spam", ["src/spam/__init__.py", "spam-extras/x.py", "tools/x.py"], ["spam/__init__.py"]),
    ("spam", ["src/a.py", "src/b.py"], ["a.py", "b.py"]),
    # namespaces (PEP 420)
    ("acme.spam", ["src/acme/spam/__init__.py"], ["acme/spam/__init__.py"]),
    ("acme-spam", ["src/acme/spam/__init__.py"], ["acme/spam/__init__.py"]),
    ("acme.spam", ["acme/spam/__init__.py", "acme/other/__init__.py"], ["acme/spam/__init__.py"]),
    ("acme.spam", ["acme/spam.py"], ["acme/spam.py"]),
    ("Acme.Spam-Core", ["acme/spam_core/__init__.py", "tests/a.py"], ["acme/spam_core/__init__.py"]),
    ("acme-spam", ["acme/spam/__init__.py", "acme/spam/x.txt"], ["acme/spam/__init__.py", "acme/spam/x.txt"]),
    ("acme.spam", ["acme/__init__.py", "acme/spam/__init__.py"], ["acme/__init__.py", "acme/spam/__init__.py"]),
    # flat: the project's name
    ("spam", ["spam/__init__.py", "other/__init__.py", "setup.py"], ["spam/__init__.py"]),
    ("spam", ["spam.py", "tests/__init__.py"], ["spam.py"]),
    ("Django", ["django/__init__.py", "js/a.py"], ["django/__init__.py"]),
    ("pillow", ["PIL/__init__.py", "docs/conf.py", "tests/__init__.py", "setup.py", "conftest.py"], ["PIL/__init__.py"]),
    ("spam", ["lib_of_spam.py", "noxfile.py"], ["lib_of_spam.py"]),
    ("spam", ["ham/__init__.py", "webpage/index.py", "data/a.csv"], ["ham/__init__.py"]),
    ("tests", ["tests/__init__.py"], ["tests/__init__.py"]),
    # stubs (PEP 561)
    ("spam-stubs", ["spam-stubs/__init__.pyi"], ["spam-stubs/__init__.pyi"]),
    ("types-spam", ["src/spam-stubs/a.pyi"], ["spam-stubs/a.pyi"]),
    ("types-spam", ["spam-stubs/__init__.pyi", "tests/a.py"], ["spam-stubs/__init__.pyi"]),
    # src with no Python in it is not a src layout
    ("spam", ["src/main.c", "src/lib/x.h", "spam/__init__.py"], ["spam/__init__.py"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "tree", "expected"), FOUND)
def test_found(name: str, tree: list[str], expected: list[str], project: Project, out: str) -> None:
    project(whole=whole(name), files=dict.fromkeys(tree, ""))
    assert modules_of(out) == expected


@pytest.mark.parametrize(("name", "tree", "expected"), FOUND)
def test_found_again_in_the_sdist(
    name: str,
    tree: list[str],
    expected: list[str],
    project: Project,
    out: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same modules are found where only the files of the sdist are."""
    import tarfile

    project(whole=whole(name), files=dict.fromkeys(tree, ""))
    with tarfile.open(Path(out, accord_backend.build_sdist(out))) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    monkeypatch.chdir(next((tmp_path / "unpacked").iterdir()))
    assert modules_of(out) == expected


@pytest.mark.parametrize(
    ("tree", "code", "said"),
    [
        (["ham/__init__.py", "eggs/__init__.py"], "modules-ambiguous", "eggs, ham"),
        (["ham.py", "eggs/__init__.py"], "modules-ambiguous", "eggs, ham"),
        (["ham/x.py", "eggs/y.py"], "modules-ambiguous", "eggs, ham"),
        (["tests/__init__.py", "docs/conf.py", "setup.py"], "module-missing", "spam"),
        (["README.md"], "module-missing", "spam"),
        (["src/spam/__init__.py", "spam/__init__.py"], "module-twice", "spam"),
    ],
)
def test_no_guess(tree: list[str], code: str, said: str, project: Project, out: str) -> None:
    project(whole=whole("spam"), files=dict.fromkeys(tree, ""))
    for hook in (accord_backend.build_wheel, accord_backend.build_sdist, accord_backend.build_editable):
        with pytest.raises(BackendError) as caught:
            hook(out)
        assert caught.value.code == code and said in str(caught.value)


@pytest.mark.parametrize(
    ("modules", "tree", "expected"),
    [
        ('["ham", "eggs"]', ["ham.py", "eggs/__init__.py", "more.py"], ["eggs/__init__.py", "ham.py"]),
        ('["acme.ham"]', ["src/acme/ham/__init__.py", "src/acme/x.py"], ["acme/ham/__init__.py"]),
        ('["tests"]', ["tests/__init__.py"], ["tests/__init__.py"]),
        ('["spam-stubs"]', ["spam-stubs/a.pyi", "x.py"], ["spam-stubs/a.pyi"]),
        ("[]", ["ham.py", "eggs.py"], []),
    ],
)
def test_named(modules: str, tree: list[str], expected: list[str], project: Project, out: str) -> None:
    text = f"[tool.accord.build]\nmodules = {modules}\n"
    project(whole=whole("spam", text), files=dict.fromkeys(tree, ""))
    assert modules_of(out) == expected


def test_a_module_that_needs_the_package_around_it(project: Project, out: str) -> None:
    text = '[tool.accord.build]\nmodules = ["acme.ham"]\n'
    project(whole=whole("spam", text), files={"acme/__init__.py": "", "acme/ham/__init__.py": ""})
    with pytest.raises(BackendError) as caught:
        accord_backend.build_wheel(out)
    assert caught.value.code == "module-inside-package" and "'acme'" in caught.value.hint


def test_a_folder_that_may_not_be_read(project: Project, out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    project()

    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(BackendError) as caught:
        accord_backend.build_wheel(out)
    assert caught.value.code == "folder-unreadable"


def test_a_tree_beyond_the_limits(project: Project, out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from accord_backend.trees import Limits

    project("", {f"spam_eggs/{name}.py": "" for name in "abc"})
    monkeypatch.setattr(Limits, "files", 3)
    assert len(modules_of(out)) == 3
    monkeypatch.setattr(Limits, "files", 2)
    with pytest.raises(BackendError) as caught:
        accord_backend.build_wheel(out)
    assert caught.value.code == "tree-too-large"


NAMES = '\ndynamic = ["import-names", "import-namespaces"]\n'


@pytest.mark.parametrize(
    ("tree", "names", "spaces"),
    [
        (["src/spam_eggs/__init__.py", "src/_spam.py"], ["_spam; private", "spam_eggs"], []),
        (["src/acme/spam/__init__.py", "src/acme/ham.py"], ["acme.ham", "acme.spam"], ["acme"]),
        (["src/acme/deep/spam/__init__.py"], ["acme.deep.spam"], ["acme", "acme.deep"]),
        (["src/spam-stubs/__init__.pyi"], [""], []),
    ],
)
def test_import_names_are_found_where_asked_for(
    tree: list[str], names: list[str], spaces: list[str], project: Project, out: str
) -> None:
    """PEP 794: calculated only where project.dynamic asks for it."""
    project(NAMES, dict.fromkeys(tree, ""))
    folder = accord_backend.prepare_metadata_for_build_wheel(out)
    lines = Path(out, folder, "METADATA").read_text().splitlines()
    assert [line[12:].strip() for line in lines if line.startswith("Import-Name:")] == names
    assert [line[18:] for line in lines if line.startswith("Import-Namespace: ")] == spaces


def test_a_namespace_must_be_named_too(project: Project, out: str) -> None:
    project('\ndynamic = ["import-names"]\n', {"src/acme/spam/__init__.py": ""})
    with pytest.raises(BackendError) as caught:
        accord_backend.build_wheel(out)
    assert caught.value.code == "import-namespaces-missing"


def test_a_link_to_itself_is_no_more_than_one_to_nothing(project: Project, out: str) -> None:
    root = project()
    (root / "spam_eggs" / "itself").symlink_to("itself")
    (root / "spam_eggs" / "nothing").symlink_to("not-there")
    assert modules_of(out) == ["spam_eggs/__init__.py"]
