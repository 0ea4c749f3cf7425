"""What may be believed without building: PEP 643 for PKG-INFO, PEP 621 for pyproject.toml, and nothing else."""

from __future__ import annotations

import tomllib

import pytest
from packaging.metadata import Metadata

from accord.build.metadata import static_project_metadata, trusted_static_metadata

HEAD = "Metadata-Version: 2.2\nName: Foo.Bar\nVersion: 1.0\n"


def test_pkg_info_without_dynamic_fields_is_trusted() -> None:
    data = (HEAD + "Requires-Dist: a>=1\nRequires-Python: >=3.8\n\nbody").encode()
    found = trusted_static_metadata(data)
    assert found is not None
    assert (found.name, found.version, found.data, found.origin) == ("foo-bar", "1.0", data, "PKG-INFO")


@pytest.mark.parametrize("version", ["2.2", "2.3", "2.4", "2.5", "2.10"])
def test_pep_643_is_there_from_2_2(version: str) -> None:
    assert trusted_static_metadata(HEAD.replace("2.2", version).encode()) is not None


@pytest.mark.parametrize("version", ["1.0", "1.2", "2.0", "2.1", "3.0", "x", ""])
def test_other_metadata_versions_are_not_trusted(version: str) -> None:
    assert trusted_static_metadata(HEAD.replace("2.2", version).encode()) is None


@pytest.mark.parametrize("field", ["Requires-Dist", "Requires-Python", "Provides-Extra", "Version", "Name"])
@pytest.mark.parametrize("spelling", [str, str.lower, str.upper])
def test_a_dynamic_field_a_resolver_reads_is_not_trusted(field: str, spelling: type[str]) -> None:
    assert trusted_static_metadata((HEAD + f"Dynamic: {spelling(field)}\n").encode()) is None


@pytest.mark.parametrize("field", ["Description", "License-File", "Classifier", "Requires-External"])
def test_other_dynamic_fields_do_not_matter(field: str) -> None:
    assert trusted_static_metadata((HEAD + f"Dynamic: {field}\n").encode()) is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Metadata-Version: 2.2\nName: foo\n",
        "Metadata-Version: 2.2\nVersion: 1\n",
        "Metadata-Version: 2.2\nName: foo\nVersion: unknown\n",
        "Metadata-Version: 2.2\nName: -foo-\nVersion: 1\n",
        HEAD + "Name: other\n",
        HEAD + "Requires-Dist: not a requirement!\n",
        "Name: foo\nVersion: 1\n",
    ],
)
def test_pkg_info_that_is_not_sound_is_not_trusted(text: str) -> None:
    assert trusted_static_metadata(text.encode()) is None


def test_pkg_info_that_is_not_utf8_is_not_trusted() -> None:
    assert trusted_static_metadata(HEAD.encode() + b"Summary: \xff\n") is None


PROJECT = """
[project]
name = "Foo.Bar"
version = "1.0.0-rc1"
requires-python = ">=3.9"
dependencies = ["a>=1", "b; python_version<'3.11'"]
[project.optional-dependencies]
Fast_Mode = ["c", "d; sys_platform=='linux' or sys_platform=='darwin'", "Foo.Bar[other]"]
none = []
"""


def static(text: str, *, has_setup: bool = False) -> bytes | None:
    found = static_project_metadata(tomllib.loads(text), has_setup=has_setup)
    return None if found is None else found.data


def test_a_static_project_table_is_metadata() -> None:
    data = static(PROJECT)
    assert data is not None
    metadata = Metadata.from_email(data)  # the standard's own validation is the judge
    assert (metadata.name, str(metadata.version)) == ("Foo.Bar", "1.0.0rc1")
    assert str(metadata.requires_python) == ">=3.9"
    assert metadata.provides_extra == ["fast-mode", "none"]
    assert [str(requirement) for requirement in metadata.requires_dist or []] == [
        "a>=1",
        'b; python_version < "3.11"',
        'c; extra == "fast-mode"',
        'd; (sys_platform == "linux" or sys_platform == "darwin") and extra == "fast-mode"',
        'Foo.Bar[other]; extra == "fast-mode"',
    ]


@pytest.mark.parametrize("key", ["version", "dependencies", "optional-dependencies", "requires-python"])
def test_a_dynamic_key_a_resolver_reads_means_building(key: str) -> None:
    lines = [line for line in PROJECT.splitlines() if not line.startswith(f"{key} =")]
    text = "\n".join(lines).replace("[project]", f'[project]\ndynamic = ["{key}"]')
    assert static(text) is None


def test_other_dynamic_keys_do_not_matter() -> None:
    assert static(PROJECT.replace("[project]", '[project]\ndynamic = ["readme", "classifiers"]')) is not None


NO_DEPENDENCIES = '[project]\nname = "foo"\nversion = "1"\n'


def test_no_dependencies_means_none() -> None:
    assert static(NO_DEPENDENCIES) == b"Metadata-Version: 2.2\nName: foo\nVersion: 1\n"


@pytest.mark.parametrize(
    ("text", "has_setup"),
    [(NO_DEPENDENCIES, True), (NO_DEPENDENCIES + '[tool.poetry.dependencies]\na = "1"\n', False)],
    ids=["setup.py", "poetry"],
)
def test_where_dependencies_may_hide_elsewhere_it_is_built(text: str, has_setup: bool) -> None:
    assert static(text, has_setup=has_setup) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "project = 1",
        '[project]\nname = "foo"\n',
        '[project]\nversion = "1"\n',
        '[project]\nname = "foo bar"\nversion = "1"\n',
        '[project]\nname = "foo"\nversion = "new"\n',
        '[project]\nname = "foo"\nversion = 1\n',
        NO_DEPENDENCIES + 'dynamic = "version"\n',
        NO_DEPENDENCIES + 'dependencies = "a"\n',
        NO_DEPENDENCIES + "dependencies = [1]\n",
        NO_DEPENDENCIES + 'dependencies = ["not a requirement!"]\n',
        NO_DEPENDENCIES + 'dependencies = ["a @ {root:uri}/a"]\n',
        NO_DEPENDENCIES + 'dependencies = ["a @ https://index.example/a\\nRequires-Dist: evil"]\n',
        NO_DEPENDENCIES + 'requires-python = "new"\n',
        NO_DEPENDENCIES + "requires-python = 3\n",
        NO_DEPENDENCIES + 'optional-dependencies = ["a"]\n',
        NO_DEPENDENCIES + 'optional-dependencies = {"a b" = []}\n',
    ],
)
def test_a_table_that_is_not_certain_means_building(text: str) -> None:
    assert static(text) is None
