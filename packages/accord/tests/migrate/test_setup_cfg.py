"""setup.cfg, where other converters lose things: the folder src, a second readme, package data, licences, pins."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Migrate = Callable[..., Any]

FILES = {
    "src/old_proj/__init__.py": '__version__ = "3.1"\n',
    "src/old_proj/data/table.json": "{}",
    "src/old_proj/notes.txt": "",
    "README.rst": "Old\n===\n",
    "CHANGES.rst": "3.1\n---\n",
    "LICENSE": "Permission is hereby granted, free of charge, to any person obtaining a copy ...\n",
    "setup.py": "from setuptools import setup\nsetup()\n",
}
CFG = """[metadata]
name = old-proj
version = attr: old_proj.__version__
long_description = file: README.rst
license = MIT
license_files = LICENSE
author = Ann Example
author_email = ann@project.example
classifiers =
    License :: OSI Approved :: MIT License
    # we test on these
    Programming Language :: Python :: 3

[options]
package_dir =
    = src
packages = find:
python_requires = >=3.8
install_requires =
    # the one we need
    requests>=2
    tomli; python_version < "3.11"  # until 3.10 is gone

[options.packages.find]
where = src

[options.package_data]
old_proj = data/*.json

[options.extras_require]
CLI = click>=8

[options.entry_points]
console_scripts =
    old = old_proj:main

[flake8]
max-line-length = 100
"""


def test_the_version_is_found_below_src_and_named_as_a_module(migrated: Migrate) -> None:
    made = migrated(FILES | {"setup.cfg": CFG})
    assert made.accord["build"]["version"] == {"module": "old_proj"}
    assert made.described.version is not None
    assert made.described.version.text == "3.1"


def test_package_data_are_kept_and_nothing_else_comes_with_them(migrated: Migrate) -> None:
    made = migrated(FILES | {"setup.cfg": CFG})
    assert made.accord["build"]["wheel-exclude"] == ["src/old_proj/**/*.txt"]


def test_the_licence_is_an_expression_and_its_classifier_goes(migrated: Migrate) -> None:
    made = migrated(FILES | {"setup.cfg": CFG})
    assert made.project["license"] == "MIT"
    assert made.project["license-files"] == ["LICENSE"]
    assert made.project["classifiers"] == ["Programming Language :: Python :: 3"]


def test_a_second_readme_is_not_dropped(migrated: Migrate) -> None:
    made = migrated(FILES | {"setup.cfg": CFG.replace("README.rst", "README.rst, CHANGES.rst")})
    assert made.backend == "setuptools"
    assert made.reasons == ("its readme is made of several files (README.rst, CHANGES.rst)",)
    assert made.data["tool"]["setuptools"]["dynamic"]["readme"] == {
        "file": ["README.rst", "CHANGES.rst"],
        "content-type": "text/x-rst",
    }
    assert made.project["dynamic"] == ["version", "readme"]


def test_setuptools_is_not_pinned_and_its_own_tables_say_the_same(migrated: Migrate) -> None:
    made = migrated(FILES | {"setup.cfg": CFG}, backend="setuptools")
    assert made.data["build-system"]["requires"] == ["setuptools>=77"]
    table = made.data["tool"]["setuptools"]
    assert table["packages"]["find"] == {"where": ["src"], "namespaces": False}
    assert table["package-data"] == {"old_proj": ["data/*.json"]}
    assert table["include-package-data"] is False  # the default is the other way round in pyproject.toml
    assert table["dynamic"]["version"] == {"attr": "old_proj.__version__"}


def test_comments_stay_with_their_lines(migrated: Migrate) -> None:
    made = migrated(FILES | {"setup.cfg": CFG})
    assert '    # the one we need\n    "requests>=2",\n' in made.text
    assert """'tomli; python_version < "3.11"',  # until 3.10 is gone""" in made.text
    assert '    # we test on these\n    "Programming Language :: Python :: 3",\n' in made.text


def test_names_keep_their_case_and_entry_points_their_group(migrated: Migrate) -> None:
    made = migrated(FILES | {"setup.cfg": CFG})
    assert made.project["optional-dependencies"] == {"CLI": ["click>=8"]}
    assert made.project["scripts"] == {"old": "old_proj:main"}


def test_sections_of_other_tools_are_theirs_and_told(migrated: Migrate) -> None:
    made = migrated(FILES | {"setup.cfg": CFG})
    assert "[flake8]" in made.left


def test_a_licence_that_means_several_is_decided_by_its_text_or_told(migrated: Migrate) -> None:
    bsd = CFG.replace("license = MIT", "license = BSD").replace("MIT License", "BSD License")
    two = (
        "Redistribution and use in source and binary forms, with or without modification, are permitted ...\n"
    )
    three = two + "Neither the name of Ann nor the names of its contributors may be used ...\n"
    assert migrated(FILES | {"setup.cfg": bsd, "LICENSE": two}).project["license"] == "BSD-2-Clause"
    assert migrated(FILES | {"setup.cfg": bsd, "LICENSE": three}).project["license"] == "BSD-3-Clause"
    made = migrated(FILES | {"setup.cfg": bsd, "LICENSE": "see the web page"})
    assert "license" not in made.project
    assert "License :: OSI Approved :: BSD License" in made.project["classifiers"]
    assert "it does not say which licence of the SPDX list it is" in made.left
