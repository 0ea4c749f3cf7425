"""A faulty pyproject.toml is reported whole: every fault with its code, its table and key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import accord_backend
from accord_backend.errors import BackendError

Project = Callable[..., Path]


def fault_of(out: str) -> BackendError:
    with pytest.raises(BackendError) as caught:
        accord_backend.build_wheel(out)
    return caught.value


@pytest.mark.parametrize(
    ("code", "place", "text"),
    [
        ("key-unknown", "project.licence", 'licence = "MIT"'),
        ("wrong-type", "project.description", "description = 1"),
        ("wrong-type", "project.keywords", 'keywords = "one"'),
        ("wrong-type", "project.keywords", "keywords = [1]"),
        ("wrong-type", "project.scripts", 'scripts = "x"'),
        ("wrong-type", "project.scripts.x", "scripts = {x = 1}"),
        ("wrong-type", "project.authors", 'authors = ["Ann"]'),
        ("wrong-type", "project.license", "license = 1"),
        ("description-lines", "project.description", 'description = "a\\nb"'),
        ("specifier-invalid", "project.requires-python", 'requires-python = "3.8"'),
        ("readme-source", "project.readme", 'readme = {file = "a.md", text = "b"}'),
        ("readme-source", "project.readme", "readme = {}"),
        ("readme-type", "project.readme", 'readme = {text = "b"}'),
        ("readme-type", "project.readme", 'readme = {text = "b", content-type = "text/html"}'),
        ("key-unknown", "project.readme.contenttype", 'readme = {text = "b", content-type = "text/plain", contenttype = "x"}'),
        ("key-unknown", "project.license.path", 'license = {text = "b", path = "x"}'),
        ("file-missing", "project.readme", 'readme = {file = "spam_eggs", content-type = "text/plain"}'),
        ("import-name-invalid", "project.import-names", 'import-names = ["a-b"]'),
        ("import-name-invalid", "project.import-names", 'import-names = ["a; public"]'),
        ("import-name-invalid", "project.import-namespaces", "import-namespaces = []"),
        ("import-name-twice", "project.import-namespaces", 'import-names = ["a"]\nimport-namespaces = ["a"]'),
        ("import-name-parent", "project.import-names", 'import-names = ["a.b"]'),
        ("key-unknown", "project.dynamic", 'dynamic = ["versions"]'),
        ("file-missing", "project.readme", 'readme = "none.md"'),
        ("path-outside", "project.readme", 'readme = "../x.md"'),
        ("path-outside", "project.license-files", 'license-files = ["../LICENSE"]'),
        ("path-outside", "project.license-files", 'license-files = ["/LICENSE"]'),
        ("glob-invalid", "project.license-files", 'license-files = ["LICEN{CSE*"]'),
        ("glob-invalid", "project.license-files", 'license-files = ["LICENSE$"]'),
        ("readme-type", "project.readme", 'readme = {file = "pyproject.toml"}'),
        ("requirement-invalid", "project.dependencies", 'dependencies = ["ham >= four"]'),
        ("license-files-none", "project.license-files", 'license-files = ["NONE*"]'),
        ("license-invalid", "project.license", 'license = "MIT or"'),
        ("license-source", "project.license", "license = {}"),
        ("license-mixed", "project.license", 'license = {text = "x"}\nlicense-files = []'),
        ("license-twice", "project.classifiers", 'license = "MIT"\nclassifiers = ["License :: OSI Approved"]'),
        ("person-invalid", "project.authors[0]", "authors = [{}]"),
        ("person-invalid", "project.authors[0]", 'authors = [{nick = "x"}]'),
        ("person-invalid", "project.maintainers[0].name", 'maintainers = [{name = "Ann, Bob"}]'),
        ("requirement-invalid", "project.dependencies", 'dependencies = ["ham 1"]'),
        ("requirement-invalid", "project.optional-dependencies.x", 'optional-dependencies = {x = ["-"]}'),
        ("extra-invalid", "project.optional-dependencies.-x", 'optional-dependencies = {-x = []}'),
        ("extra-twice", "project.optional-dependencies.A_B", "optional-dependencies = {a-b = [], A_B = []}"),
        ("url-label", f"project.urls.{'x' * 33}", f"urls = {{{'x' * 33} = 'https://index.example'}}"),
        ("entry-points-reserved", "project.entry-points.console_scripts", "entry-points = {console_scripts = {}}"),
        ("entry-point-group", "project.entry-points.my plug-ins", 'entry-points = {"my plug-ins" = {}}'),
        ("entry-point-group", "project.entry-points.a..b", 'entry-points = {"a..b" = {x = "spam"}}'),
        ("entry-point-invalid", "project.console_scripts.x", 'scripts = {x = "spam"}'),
        ("entry-point-name", "project.console_scripts.../x", 'scripts = {"../x" = "spam:main"}'),
        ("entry-point-name", "project.g.a=b", 'entry-points = {g = {"a=b" = "spam"}}'),
        ("dynamic-unsupported", "project.dynamic", 'dynamic = ["readme"]'),
        ("dynamic-and-static", "project.dynamic", 'dynamic = ["version"]'),
        ("dynamic-name", "project.dynamic", 'dynamic = ["name"]'),
        ("key-unknown", "tool.accord.build.module", "[tool.accord.build]\nmodule = []"),
        ("module-invalid", "tool.accord.build.modules", '[tool.accord.build]\nmodules = ["a-b"]'),
    ],
)  # fmt: skip
def test_each_fault_has_a_code_and_a_place(
    code: str, place: str, text: str, project: Project, out: str
) -> None:
    project(text + "\n")
    fault = fault_of(out)
    assert fault.code == "pyproject-invalid"
    assert [(one.code, one.place) for one in fault.faults] == [(code, place)]
    assert f"[{place}]" in str(fault) and code in str(fault)


@pytest.mark.parametrize(
    ("codes", "whole"),
    [
        (["key-missing"], ""),
        (["key-missing", "key-missing"], "[project]\n"),
        (["name-invalid", "version-invalid"], '[project]\nname = "-x"\nversion = "one"\n'),
        (["wrong-type", "wrong-type"], "[project]\nname = 1\nversion = 2\n"),
    ],
)
def test_name_and_version(codes: list[str], whole: str, project: Project, out: str) -> None:
    project(whole=whole)
    found = [fault.code for fault in fault_of(out).faults]
    assert [code for code in found if code != "module-invalid"][: len(codes)] == codes


def test_every_fault_is_reported_at_once(project: Project, out: str) -> None:
    project('description = 1\nlicense = "?"\nrequires-python = "x"\nreadme = "none.md"\n')
    assert [fault.code for fault in fault_of(out).faults] == [
        "wrong-type",
        "specifier-invalid",
        "file-missing",
        "license-invalid",
    ]


def test_text_that_is_not_utf8(project: Project, out: str) -> None:
    root = project('readme = "README.md"\n')
    (root / "README.md").write_bytes(b"\xff")
    assert [fault.code for fault in fault_of(out).faults] == ["text-not-utf8"]


@pytest.mark.parametrize(
    ("code", "files"),
    [
        ("module-missing", {"tests/__init__.py": ""}),
        ("module-twice", {"src/spam_eggs/__init__.py": "", "spam_eggs/__init__.py": ""}),
    ],
)
def test_where_the_code_is(code: str, files: dict[str, str], project: Project, out: str) -> None:
    project("", files)
    assert fault_of(out).code == code


def test_modules_in_two_homes(project: Project, out: str) -> None:
    project('[tool.accord.build]\nmodules = ["a", "b"]\n', {"src/a.py": "", "b.py": ""})
    assert fault_of(out).code == "module-twice"


def test_no_toml_and_no_file(project: Project, out: str) -> None:
    root = project(whole="[project\n")
    assert fault_of(out).code == "pyproject-not-toml"
    (root / "pyproject.toml").write_bytes(b"\xff")
    assert fault_of(out).code == "pyproject-not-toml"
    (root / "pyproject.toml").unlink()
    assert fault_of(out).code == "pyproject-missing"


def test_a_source_date_that_is_no_number(project: Project, out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    project()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    assert fault_of(out).code == "source-date-invalid"


def test_the_zip_limits_are_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, project: Project, out: str
) -> None:
    from accord_backend import zips

    project()
    monkeypatch.setattr(zips, "_MEMBERS", 4)
    assert accord_backend.build_wheel(out)
    monkeypatch.setattr(zips, "_MEMBERS", 3)
    assert fault_of(out).code == "wheel-too-large"


def test_a_folder_name_that_a_pth_file_cannot_say(project: Project, out: str) -> None:
    project(name="line\nbreak")
    with pytest.raises(BackendError) as caught:
        accord_backend.build_editable(out)
    assert caught.value.code == "path-unusable"


def test_the_limits_of_what_is_read(project: Project, out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from accord_backend.project import Limits

    root = project('readme = "README.md"\n', {"spam_eggs.py": "", "README.md": "x" * 1000})
    size = (root / "pyproject.toml").stat().st_size
    monkeypatch.setattr(Limits, "pyproject", size)
    monkeypatch.setattr(Limits, "text", 1000)
    assert accord_backend.build_wheel(out)
    monkeypatch.setattr(Limits, "text", 999)
    assert [fault.code for fault in fault_of(out).faults] == ["text-too-large"]
    monkeypatch.setattr(Limits, "pyproject", size - 1)
    assert fault_of(out).code == "pyproject-too-large"


def test_a_document_nested_without_end(project: Project, out: str) -> None:
    project(whole="x = " + "[" * 100_000)
    assert fault_of(out).code == "pyproject-not-toml"


def test_a_pyproject_that_is_no_file(project: Project, out: str) -> None:
    root = project()
    (root / "pyproject.toml").unlink()
    (root / "pyproject.toml").mkdir()
    assert fault_of(out).code == "pyproject-unreadable"


@pytest.mark.parametrize(
    ("key", "meant"),
    [("license-file", "license-files"), ("dependancies", "dependencies"), ("script", "scripts")],
)
def test_a_key_that_is_nearly_right(key: str, meant: str, project: Project, out: str) -> None:
    project(f"{key} = []\n")
    assert f"did you mean {meant!r}?" in str(fault_of(out))
