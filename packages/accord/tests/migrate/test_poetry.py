"""Poetry: constraints, groups, extras, sources and files in the words of the standards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.specifiers import SpecifierSet

from accord.migrate.poetry_versions import marker_of, specifier_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Migrate = Callable[..., Any]


@pytest.mark.parametrize(
    ("constraint", "specifier"),
    [
        ("^1.2.3", ">=1.2.3,<2.0.0"),
        ("^1.2", ">=1.2,<2.0"),
        ("^1", ">=1,<2"),
        ("^0.2.3", ">=0.2.3,<0.3.0"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0.0", ">=0.0,<0.1"),
        ("^0", ">=0,<1"),
        ("^20.8b1", ">=20.8b1,<21.0"),
        ("~1.2.3", ">=1.2.3,<1.3.0"),
        ("~1.2", ">=1.2,<1.3"),
        ("~1", ">=1,<2"),
        ("~=1.2", "~=1.2"),
        ("1.2.*", "==1.2.*"),
        ("*", ""),
        ("1.2.3", "==1.2.3"),
        (">=1,<3,!=2.1", ">=1,<3,!=2.1"),
        (">= 1.0 < 2", ">=1.0,<2"),
        ("~2.7 || ^3.5", ">=2.7,!=3.0.*,!=3.1.*,!=3.2.*,!=3.3.*,!=3.4.*"),
        ("^3.6 || ^3.9", None),
        ("==1 || ==3", None),
        ("nonsense", None),
    ],
)
def test_constraints_become_specifiers(constraint: str, specifier: str | None) -> None:
    if specifier is None:
        with pytest.raises(ValueError, match=r"."):
            specifier_of(constraint)
    else:
        assert specifier_of(constraint) == specifier


@pytest.mark.parametrize("text", ["^1.2.3", "^0.2", "~1.4", "^0", "~0.0.9", "^2.0.0"])
def test_a_caret_and_a_tilde_hold_what_semver_says(text: str) -> None:
    """The oracle: the rule of the documentation, counted out on versions."""
    numbers = [int(part) for part in text[1:].split(".")]
    found = SpecifierSet(specifier_of(text))
    for version in [(a, b, c) for a in range(4) for b in range(6) for c in range(11)]:
        low = version >= (*numbers, 0, 0)[:3]
        if text[0] == "~":
            high = version[: min(2, len(numbers))] == tuple(numbers[:2])[: min(2, len(numbers))]
        else:
            place = next((at for at, number in enumerate(numbers) if number), len(numbers) - 1)
            high = version[: place + 1] == tuple(numbers[: place + 1])
        assert (".".join(map(str, version)) in found) is (low and high), version


def test_a_constraint_on_the_python_is_a_marker() -> None:
    assert marker_of("^3.6") == 'python_version >= "3.6" and python_version < "4.0"'
    assert marker_of("~3.6") == 'python_version == "3.6"'
    assert marker_of("<=3.7") == 'python_full_version <= "3.7.0"'
    assert marker_of(">3.7") == 'python_full_version > "3.7.0"'
    assert marker_of(">=3.8.1") == 'python_full_version >= "3.8.1"'
    assert marker_of("~2.7 || ~3.4") == 'python_version == "2.7" or python_version == "3.4"'
    assert marker_of("*") == ""


POETRY = """# our settings
[tool.black]
line-length = 99  # wide

[tool.poetry]
name = "Spam"
version = "1.0"
description = "Spam\\nand eggs"
authors = ["Ann Example <ann@project.example>", "Bob"]
license = "MIT"
readme = "README.md"
homepage = "https://project.example"
packages = [{include = "spam", from = "src"}, {include = "tests", format = "sdist"}]
include = [{path = "CHANGES.md", format = "sdist"}]
exclude = ["src/spam/secret.txt"]

[tool.poetry.dependencies]
python = "^3.9"
# for the web
requests = {version = "^2.0", extras = ["socks"]}
click = {version = "^8", optional = true}  # command line
local = {path = "../local", develop = true}
private = {version = "*", source = "ours"}
many = [{version = "^1", python = "<3.10"}, {version = "^2", python = ">=3.10"}]

[tool.poetry.extras]
cli = ["click"]

[tool.poetry.group.dev.dependencies]
pytest = "^7"

[tool.poetry.group.docs]
optional = true

[tool.poetry.group.docs.dependencies]
sphinx = "*"

[tool.poetry.scripts]
spam = "spam:main"

[tool.poetry.plugins."spam.plugins"]
eggs = "spam.eggs:Eggs"

[[tool.poetry.source]]
name = "ours"
url = "https://index.example/simple"
priority = "explicit"

[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"

[tool.pytest.ini_options]
addopts = '''
[not a table]
'''
"""
FILES = {
    "pyproject.toml": POETRY,
    "src/spam/__init__.py": "",
    "src/spam/secret.txt": "",
    "tests/test_it.py": "",
    "README.md": "# Spam\n",
    "CHANGES.md": "",
}


def test_everything_has_its_place(migrated: Migrate) -> None:
    made = migrated(FILES)
    assert made.backend == "accord"
    assert made.project["description"] == "Spam and eggs"
    assert made.project["requires-python"] == ">=3.9,<4.0"
    assert made.project["authors"] == [
        {"name": "Ann Example", "email": "ann@project.example"},
        {"name": "Bob"},
    ]
    assert made.project["license"] == "MIT"
    assert made.project["dependencies"] == [
        "requests[socks]>=2.0,<3.0",
        "local",
        "private",
        'many>=1,<2; python_version < "3.10"',
        'many>=2,<3; python_version >= "3.10"',
    ]
    assert made.project["optional-dependencies"] == {"cli": ["click>=8,<9"]}
    assert made.project["scripts"] == {"spam": "spam:main"}
    assert made.project["entry-points"] == {"spam.plugins": {"eggs": "spam.eggs:Eggs"}}
    assert made.data["dependency-groups"] == {"dev": ["pytest>=7,<8"], "docs": ["sphinx"]}
    assert made.accord["sources"] == {
        "local": {"path": "../local", "editable": True},
        "private": {"index": "ours"},
    }
    assert made.accord["index"] == [{"name": "ours", "url": "https://index.example/simple", "explicit": True}]
    assert made.accord["build"]["wheel-exclude"] == ["src/spam/**/*.txt"]
    assert made.accord["build"]["sdist-include"] == ["tests/**", "CHANGES.md"]


def test_classifiers_that_poetry_adds_by_itself_are_written_down(migrated: Migrate) -> None:
    classifiers = migrated(FILES).project["classifiers"]
    assert "Programming Language :: Python :: 3.9" in classifiers
    assert "Programming Language :: Python :: 3.8" not in classifiers
    assert not any(each.startswith("License") for each in classifiers)


def test_tables_of_other_tools_stay_letter_by_letter(migrated: Migrate) -> None:
    text = migrated(FILES).text
    assert "# our settings\n[tool.black]\nline-length = 99  # wide\n" in text
    assert "[tool.pytest.ini_options]\naddopts = '''\n[not a table]\n'''\n" in text
    assert "tool.poetry" not in text


def test_comments_go_with_their_dependency(migrated: Migrate) -> None:
    text = migrated(FILES).text
    assert '    # for the web\n    "requests[socks]>=2.0,<3.0",\n' in text
    assert '"click>=8,<9",  # command line' in text


def test_a_path_is_no_place_for_a_release_and_that_is_told(migrated: Migrate) -> None:
    assert "local = {'path': '../local', 'editable': True}" in migrated(FILES).left


def test_a_build_script_keeps_poetry(migrated: Migrate) -> None:
    text = POETRY.replace(
        "[tool.poetry.scripts]", '[tool.poetry.build]\nscript = "build.py"\n\n[tool.poetry.scripts]'
    )
    made = migrated(FILES | {"pyproject.toml": text})
    assert made.backend == "poetry"
    assert made.data["build-system"]["build-backend"] == "poetry.core.masonry.api"
    assert made.data["tool"]["poetry"]["build"] == {"script": "build.py"}


def test_a_group_that_includes_another_goes_on_including_it(migrated: Migrate) -> None:
    made = migrated(
        {
            "spam/__init__.py": "",
            "pyproject.toml": '[tool.poetry]\nname = "spam"\nversion = "1"\n'
            '[tool.poetry.group.test.dependencies]\npytest = "*"\n'
            '[tool.poetry.group.dev]\ninclude-groups = ["test"]\n'
            '[tool.poetry.group.dev.dependencies]\nblack = "*"\n',
        }
    )
    assert made.data["dependency-groups"] == {"test": ["pytest"], "dev": [{"include-group": "test"}, "black"]}
