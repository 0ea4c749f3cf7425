"""Checks of a project folder: an honest one is left in peace, and each fault is found by the check that is for it."""

from __future__ import annotations

import json

import pytest

from accord.checks.limits import Limits
from accord.checks.subjects import open_subject
from accord_core.errors import DocumentError, UsageError

from .conftest import MODULES, PYPROJECT, Bench, codes

pytest.importorskip("trove_classifiers", reason="accord[check] is not installed")
pytest.importorskip("comrak", reason="accord[check] is not installed")

CLASSIFIERS = '"Programming Language :: Python :: 3", '
# code, what is swapped in the honest pyproject.toml
SWAPS = [
    ("pyproject-invalid", 'name = "spam-shop"', 'name = "spam-shop"\nclassifers = []'),
    ("pyproject-invalid", 'name = "spam-shop"', "name = 3"),
    ("pyproject-invalid", "[project.urls]", "[project.urls"),
    ("pyproject-invalid", '"MIT"', '"MIT or so"'),
    ("backend-table", "[tool.ruff]", '[tool.accord.build]\nmodule = ["spam_shop"]'),
    ("backend-table", "[tool.ruff]", '[[tool.accord.extension]]\nname = "x"\nsource = []'),
    ("table-unknown", "[tool.ruff]", "[build-systm]"),
    ("tool-table-typo", "[tool.ruff]", "[tool.ruf]"),
    ("build-system-missing", "[build-system]", "[tool.other]"),
    ("extra-name", "ham-cut", "Ham_Cut"),
    ("name-standard-library", '"spam-shop"', '"Json"'),
    ("version-local", '"1.0"', '"1.0+mine"'),
    ("version-normal", '"1.0"', '"1.0-beta1"'),
    ("description-missing", '"A shop that sells spam"', '""'),
    ("description-form", "A shop that", "A shop that" * 60),
    ("description-form", '"A shop that sells spam"', '"""A shop\nthat sells"""'),
    ("people-missing", "authors", 'keywords = ["spam"] #'),
    ("email-invalid", "ann@spam.example", "ann at spam"),
    ("keyword-comma", 'readme = "README.md"', 'readme = "README.md"\nkeywords = ["spam, eggs"]'),
    ("urls-missing", 'Source = "https://spam.example/source"', ""),
    ("url-invalid", "https://spam.example/source", "spam.example"),
    ("url-invalid", "Source", "Source" * 6),
    ("url-label", "Source", "Documentatoin"),
    ("requires-python-missing", 'requires-python = ">=3.10"', ""),
    ("requires-python-cap", '">=3.10"', '">=3.10,<3.15"'),
    ("requires-python-cap", '">=3.10"', '"~=3.10"'),
    ("dynamic-dependencies", 'dependencies = ["eggs>=2"]', 'dynamic = ["dependencies"]'),
    ("dependency-url", "eggs>=2", "eggs @ https://spam.example/eggs.whl"),
    ("dependency-duplicate", '"eggs>=2"', '"eggs>=2", "Eggs>=3"'),
    ("dependency-lower-bound", "eggs>=2", "eggs"),
    ("dependency-cap", "eggs>=2", "eggs>=2,<3"),
    ("classifier-unknown", CLASSIFIERS, '"Programing Language :: Python :: 3", '),
    ("classifier-deprecated", CLASSIFIERS, '"Natural Language :: Ukranian", '),
    ("classifier-private", CLASSIFIERS, '"Private :: Do Not Upload", '),
    ("classifier-duplicate", CLASSIFIERS, CLASSIFIERS * 2),
    ("classifier-python", CLASSIFIERS, '"Programming Language :: Python :: 3.9", '),
    ("typed-classifier-missing", ', "Typing :: Typed"', ""),
    ("readme-missing", 'readme = "README.md"', ""),
    ("readme-file", '"README.md"', '"READ.md"'),
    ("readme-type", '"README.md"', '{text = "spam", content-type = "text/html"}'),
    ("readme-type", '"README.md"', '{text = "spam", content-type = "text/markdown; variant=Ours"}'),
    ("readme-type", '"README.md"', '"LICENSE"'),
    ("readme-render", '"README.md"', '{text = ".. nothing::\\n\\nx\\n-", content-type = "text/x-rst"}'),
    ("license-missing", 'license = "MIT"\nlicense-files = ["LICENSE"]', ""),
    ("license-deprecated", '"MIT"', '"GPL-2.0+"'),
    ("license-table", 'license = "MIT"', 'license = {text = "MIT"}'),
    ("license-classifier", CLASSIFIERS, '"License :: OSI Approved :: MIT License", '),
    ("license-file-unmatched", '["LICENSE"]', '["COPYING"]'),
    ("entry-point-missing", "spam_shop.main:main", "spam_shop.man:main"),
    ("entry-point-missing", "spam_shop.main:main", "spam_shop.main:man"),
    ("import-names", 'readme = "README.md"', 'readme = "README.md"\nimport-names = ["spam_shp"]'),
]
LATIN = "# spam\nname = 'J\xf6rg'\n".encode("latin-1")
KEY = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"
# code, files that are added, files that are dropped
FILES: list[tuple[str, dict[str, str | bytes], tuple[str, ...]]] = [
    ("license-file-missing", {"pyproject.toml": PYPROJECT.replace('license-files = ["LICENSE"]', "")}, ("LICENSE",)),
    ("readme-file", {"README.md": LATIN}, ()),
    ("source-syntax", {"src/spam_shop/bad.py": "def f(:\n"}, ()),
    ("source-syntax", {"src/spam_shop/bad.py": "try:\n    x\nexcept* ValueError:\n    pass\n"}, ()),  # 3.11
    ("source-syntax", {"src/spam_shop/bad.py": LATIN}, ()),
    ("init-missing", {"src/spam_shop/sub/a.py": ""}, ()),
    ("typed-marker-missing", {}, ("src/spam_shop/py.typed",)),
    (
        "typed-undeclared",
        {
            "pyproject.toml": PYPROJECT.replace(', "Typing :: Typed"', ""),
            "src/spam_shop/a.py": "".join(f"def f{number}() -> None: ...\n" for number in range(30)),
        },
        ("src/spam_shop/py.typed",),
    ),
    ("module-unimportable", {"src/ham-egg/__init__.py": ""}, ()),
    ("module-unimportable", {"src/class.py": ""}, ()),
    ("module-shadows", {"src/json/__init__.py": ""}, ()),
    ("stubs-with-code", {"src/ham-stubs/__init__.py": ""}, ()),
    ("ships-secret", {"src/spam_shop/.pypirc": "[a]\npassword = x\n"}, ()),
    ("ships-secret", {"src/spam_shop/server.key": KEY}, ()),
    ("ships-secret", {"src/spam_shop/.env": "TOKEN=abc\n"}, ()),
    ("ships-test-key", {"src/spam_shop/tests/server.key": KEY}, ()),
    ("ships-junk", {"src/spam_shop/main.py~": ""}, ()),
    ("ships-junk", {"src/spam_shop/.DS_Store": ""}, ()),
    ("file-large", {"src/spam_shop/data.bin": b"\0" * 10_000_001}, ()),
    ("path-long", {f"src/spam_shop/{'long' * 20}/{'long' * 25}.txt": ""}, ()),
    ("case-collision", {"src/spam_shop/Main.py": ""}, ()),
]  # fmt: skip


def test_nothing_is_said_about_an_honest_project(bench: Bench) -> None:
    report = bench.check(bench.project())
    assert codes(report) == []
    assert report.skipped == ()
    assert report.ran > 40


@pytest.mark.parametrize(("code", "old", "new"), SWAPS)
def test_each_fault_of_the_document_is_found(bench: Bench, code: str, old: str, new: str) -> None:
    report = bench.check(bench.project((old, new)))
    assert code in codes(report)
    for one in report.found:
        assert one.finding.where.path.endswith(("pyproject.toml", "/project", "LICENSE"))


@pytest.mark.parametrize(("code", "add", "drop"), FILES)
def test_each_fault_of_the_files_is_found(
    bench: Bench, code: str, add: dict[str, str | bytes], drop: tuple[str, ...]
) -> None:
    assert codes(bench.check(bench.project(add=add, drop=drop))) == [code]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[tool.ruff]", "[tool.our-own-thing]"),  # a tool nobody here knows is no slip
        ("[tool.ruff]", "[tool.setuptools_scm]"),
        ('"eggs>=2"', "\"eggs>=2; python_version < '3.12'\", \"eggs>=3; python_version >= '3.12'\""),
        ("eggs>=2", "eggs>=2,!=2.1"),
        ("Source =", "Discord ="),
        ("Source =", '"Bug Tracker" ='),
        (CLASSIFIERS, '"Programming Language :: Python :: 3.10", '),
        ('">=3.10"', '">=3.10,!=3.11.0"'),
        ('">=3.10"', '">=2.7,<3"'),
        ('"README.md"', '{file = "README.md", content-type = "text/markdown; variant=CommonMark"}'),
        (
            '"README.md"',
            '{text = "`spam`_\\n\\n.. _spam: https://spam.example", content-type = "text/x-rst"}',
        ),
        ('"MIT"', '"GPL-2.0-or-later"'),
        ('"MIT"', '"MIT AND (Apache-2.0 WITH LLVM-exception)"'),
        ("spam_shop.main:main", "spam_shop.main:main.run"),
        ('readme = "README.md"', 'readme = "README.md"\nimport-names = ["spam_shop.main; private"]'),
        ("[tool.ruff]", '[[tool.accord.extension]]\nname = "spam_shop._speed"\nsources = ["speed.c"]'),
    ],
)
def test_what_is_fine_is_not_reported(bench: Bench, old: str, new: str) -> None:
    assert codes(bench.check(bench.project((old, new)))) == []


@pytest.mark.parametrize(
    "add",
    [
        {"src/spam_shop/ca.pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
        {"src/spam_shop/.env": "# TOKEN=\n"},
        {"src/spam_shop/old.py": b"# -*- coding: latin-1 -*-\n" + LATIN},
        {"src/spam_shop/lazy.py": "def __getattr__(name: str) -> object: ...\n"},
        {"src/spam_shop/templates-1/a.py": ""},
        {
            "src/spam_shop/__pycache__/main.cpython-312.pyc": "",
            "build/lib/x.py": "def f(:",
            ".venv/pyvenv.cfg": "",
        },
        {"tools/broken.py": "def f(:\n", "docs/conf.py": ""},
    ],
)
def test_files_that_are_fine_are_not_reported(bench: Bench, add: dict[str, str | bytes]) -> None:
    assert codes(bench.check(bench.project(add=add))) == []


@pytest.mark.parametrize(
    "label",
    [
        *(
            "Homepage",
            "Home Page",
            "Docs",
            "API Docs",
            "Docs: Issues",
            "Documentation (stable)",
            "Documentation 2",
        ),
        *("Bug Reports", "Bug Trackers", "Issues Tracker", "Funding", "Sponsor me", "Donate!", "Changelog2"),
        *(
            "Source Code (GitHub)",
            "Resources",
            "Repositories",
            "GitLab",
            "Tissue",
            "What's New",
            "Say Thanks!",
        ),
    ],
)
def test_a_label_that_is_known_or_means_something_else_is_no_slip(bench: Bench, label: str) -> None:
    assert codes(bench.check(bench.project(("Source =", f"{json.dumps(label)} =")))) == []


@pytest.mark.parametrize(
    ("label", "meant"),
    [
        ("homepag", "Homepage"),
        ("Documentatoin", "Documentation"),
        ("bug-traker", "Bug Tracker"),
        ("SourceCod", "Source Code"),
        ("Release Nots", "Release Notes"),
        ("repositoryy", "Repository"),
        ("iissues", "Issues"),
    ],
)
def test_the_hint_of_a_slip_is_a_label_as_people_write_it(bench: Bench, label: str, meant: str) -> None:
    (found,) = bench.check(bench.project(("Source =", f"{json.dumps(label)} ="))).found
    assert found.check.code == "url-label"
    assert found.finding.hint == f"did you mean {meant!r}?"


def test_findings_say_the_line(bench: Bench) -> None:
    report = bench.check(bench.project(("eggs>=2", "eggs")))
    line = PYPROJECT.splitlines().index('dependencies = ["eggs>=2"]') + 1
    assert [one.finding.where.line for one in report.found] == [line]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ('["requires-python"]', "requires-python is known only after a build"),
        (
            '["dependencies", "requires-python"]',
            "dependencies and requires-python are known only after a build",
        ),
    ],
)
def test_one_thing_is_and_several_are_known_only_after_a_build(bench: Bench, fields: str, said: str) -> None:
    lines = [line for line in PYPROJECT.splitlines() if line.startswith("requires-python")]
    swaps: tuple[tuple[str, str], ...] = ((lines[0], f"dynamic = {fields}"),)
    if "dependencies" in fields:
        swaps += (('dependencies = ["eggs>=2"]', ""),)
    assert said in [one.finding.message for one in bench.check(bench.project(*swaps)).found]


def test_a_readme_that_does_not_render_says_the_line_of_its_own(bench: Bench) -> None:
    rst = "Spam\n====\n\nText.\n\n.. nothing:: x\n"
    report = bench.check(bench.project(("README.md", "README.rst"), add={"README.rst": rst}))
    (one,) = report.found
    assert one.check.code == "readme-render"
    assert one.finding.where.path.endswith("README.rst")
    assert one.finding.where.line == 6


@pytest.mark.parametrize(
    ("file", "text", "place"),
    [
        ("src/spam_shop/bad.py", "def f(:\n", "project/src/spam_shop/bad.py"),
        ("src/spam_shop/sub/a.py", "", "project/src/spam_shop/sub"),
    ],
)
def test_a_finding_of_a_file_names_its_path_in_the_project(
    bench: Bench, file: str, text: str, place: str
) -> None:
    (one,) = bench.check(bench.project(add={file: text})).found
    assert one.finding.where.path.endswith(place)


def test_a_flat_layout_is_understood(bench: Bench) -> None:
    flat = {
        **MODULES,
        "tests/__init__.py": "",
        "tests_more/__init__.py": "",
        "tests_more/data/a.py": "",
        "setup.py": "",
    }
    root = bench.project(
        ("spam_shop.main:main", "spam_shop.man:main"),
        add=flat,
        drop=tuple(f"src/{path}" for path in MODULES),
    )
    assert codes(bench.check(root)) == ["entry-point-missing"]


def test_a_setup_py_alone_is_pointed_to_migrate(bench: Bench) -> None:
    root = bench.project(add={"setup.py": "import setuptools\n"}, drop=("pyproject.toml",))
    assert codes(bench.check(root)) == ["project-table-missing"]


def test_a_folder_without_a_project_is_refused(bench: Bench) -> None:
    with pytest.raises(UsageError) as refused:
        open_subject(str(bench.folder), "")
    assert refused.value.code == "check-no-subject"


def test_a_folder_of_too_many_files_is_refused(bench: Bench) -> None:
    root = bench.project()
    count = len([path for path in root.rglob("*") if path.is_file()])
    assert bench.check(root, limits=Limits(tree_files=count)).found == ()
    with pytest.raises(DocumentError) as refused:
        bench.check(root, limits=Limits(tree_files=count - 1))
    assert refused.value.code == "check-too-many-files"


def test_a_source_beyond_the_limit_is_named_as_not_examined(bench: Bench) -> None:
    root = bench.project(add={"src/spam_shop/big.py": "x = 1\n" * 20})
    assert codes(bench.check(root, limits=Limits(source_bytes=120))) == []
    assert codes(bench.check(root, limits=Limits(source_bytes=119))) == ["not-examined"]


def test_findings_beyond_the_limit_are_counted(bench: Bench) -> None:
    lines = ", ".join(f'"Nonsense :: {number}"' for number in range(5))
    root = bench.project((CLASSIFIERS, f"{lines}, "))
    report = bench.check(root, limits=Limits(findings=3))
    assert len(report.found) == 3
    assert report.unshown == (("classifier-unknown", 2),)
    assert report.errors == 5
