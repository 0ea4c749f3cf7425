"""Flit, PDM, Pipenv, requirements files, conda, Bento and buildout: each into the standard tables, the rest told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from accord_core.errors import DocumentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Migrate = Callable[..., Any]

FLIT_SYSTEM = '[build-system]\nrequires = ["flit_core >=2,<4"]\nbuild-backend = "flit_core.buildapi"\n'


def test_the_old_tables_of_flit(migrated: Migrate) -> None:
    made = migrated(
        {
            "spam.py": '"""Spam, and eggs.\n\nLonger."""\n__version__ = "0.3"\n',
            "README.rst": "Spam\n",
            "LICENSE": "",
            "pyproject.toml": FLIT_SYSTEM + '[tool.flit.metadata]\nmodule = "spam"\nauthor = "Ann"\n'
            'author-email = "ann@project.example"\nhome-page = "https://project.example"\n'
            'description-file = "README.rst"\nrequires = ["requests >=2"]\nrequires-python = ">=3.8"\n'
            'classifiers = ["License :: OSI Approved :: MIT License"]\n'
            '[tool.flit.metadata.requires-extra]\ntest = ["pytest"]\n[tool.flit.scripts]\nspam = "spam:main"\n',
        }
    )
    assert made.backend == "accord"
    assert made.project["name"] == "spam"
    assert made.project["description"] == "Spam, and eggs."
    assert made.accord["build"]["version"] == {"module": "spam"}
    assert made.project["dependencies"] == ["requests >=2"]
    assert made.project["optional-dependencies"] == {"test": ["pytest"]}
    assert made.project["license"] == "MIT"
    assert "classifiers" not in made.project
    assert "flit" not in made.data.get("tool", {})


def test_a_project_table_stays_as_it_was_written(migrated: Migrate) -> None:
    made = migrated(
        {
            "src/spam/__init__.py": '"""Spam."""\n__version__ = "1.0"\n',
            "LICENSE": "",
            "pyproject.toml": FLIT_SYSTEM + '[project]\nname = "spam" # our name\n'
            'license = {file = "LICENSE"}\nclassifiers = [\n    "License :: OSI Approved :: MIT License",\n'
            '    "Typing :: Typed",  # since 1.0\n]\ndynamic = ["version", "description"]\n\n'
            "[project.urls]\n# where it is\nSource = 'https://project.example'\n",
        }
    )
    assert 'name = "spam" # our name\n' in made.text
    assert '"Typing :: Typed",  # since 1.0\n' in made.text
    assert "# where it is\nSource = 'https://project.example'" in made.text
    assert made.project["dynamic"] == ["version"]
    assert made.project["description"] == "Spam."
    assert made.project["license"] == "MIT"
    assert made.project["classifiers"] == ["Typing :: Typed"]


def test_pdm(migrated: Migrate) -> None:
    made = migrated(
        {
            "src/spam/__init__.py": '__version__ = "1.0"\n',
            "pyproject.toml": '[build-system]\nrequires = ["pdm-backend"]\nbuild-backend = "pdm.backend"\n'
            '[project]\nname = "spam"\ndynamic = ["version"]\n[tool.pdm.version]\nsource = "file"\n'
            'path = "src/spam/__init__.py"\n[tool.pdm.dev-dependencies]\ntest = ["pytest", "-e file:///${PROJECT_ROOT}/x"]\n'
            '[tool.pdm.scripts]\nlint = "ruff"\n[[tool.pdm.source]]\nname = "ours"\nurl = "https://index.example/simple"\n',
        }
    )
    assert made.backend == "accord"
    assert made.accord["build"]["version"] == {"module": "spam"}
    assert made.data["dependency-groups"] == {"test": ["pytest"]}
    assert made.accord["index"] == [{"name": "ours", "url": "https://index.example/simple"}]
    assert "commands of PDM are PDM's" in made.left
    assert "an editable is no requirement" in made.left


def test_pipenv(migrated: Migrate) -> None:
    lock = {
        "_meta": {},
        "default": {"requests": {"version": "==2.31.0", "hashes": ["sha256:00"]}},
        "develop": {},
    }
    made = migrated(
        {
            "Pipfile": '[[source]]\nname = "pypi"\nurl = "https://mirror.example/simple"\n'
            '[[source]]\nname = "ours"\nurl = "https://${USER}:${PASSWORD}@index.example/simple"\n'
            '[packages]\n# http\nrequests = {version = "~=2.31", extras = ["socks"]}\nflask = "*"\n'
            'colorama = {version = ">=0.4", sys_platform = "== \'win32\'"}\n'
            'mine = {git = "https://git.example/mine.git", ref = "main"}\n'
            '[dev-packages]\npytest = ">=7"\n[requires]\npython_version = "3.11"\n[scripts]\nx = "y"\n',
            "Pipfile.lock": json.dumps(lock),
        }
    )
    assert made.project["dependencies"] == [
        "requests[socks]~=2.31",
        "flask",
        'colorama>=0.4; sys_platform == "win32"',
        "mine",
    ]
    assert '    # http\n    "requests[socks]~=2.31",' in made.text
    assert made.data["dependency-groups"] == {"dev": ["pytest>=7"]}
    assert made.project["requires-python"] == "==3.11.*"
    assert made.accord["sources"] == {"mine": {"git": "https://git.example/mine.git", "rev": "main"}}
    assert "PASSWORD" not in made.text
    assert "holds a password or a variable" in made.left
    assert made.described.pins == ["requests==2.31.0"]
    assert "build-system" not in made.data  # an application is run, not built


def test_requirements_files_by_their_names(migrated: Migrate) -> None:
    made = migrated(
        {
            "requirements.in": "# the framework\nflask>=3  # and what it needs\n-c limits.txt\n-e .\n"
            "--index-url https://index.example/simple\n--find-links ./wheels\n",
            "limits.txt": "werkzeug<4\n",
            "requirements.txt": "flask==3.0.0 --hash=sha256:" + "0" * 64 + "\n    # via -r requirements.in\n",
            "dev-requirements.txt": "-r docs-requirements.txt\npytest\n",
            "docs-requirements.txt": "sphinx\n",
            "requirements/tests.txt": "hypothesis\n",
        }
    )
    assert made.project["dependencies"] == ["flask>=3"]
    assert '    # the framework\n    "flask>=3",  # and what it needs\n' in made.text
    assert made.data["dependency-groups"] == {
        "dev": [{"include-group": "docs"}, "pytest"],
        "docs": ["sphinx"],
        "test": ["hypothesis"],
    }
    assert made.accord["constraints"] == ["werkzeug<4"]
    assert made.accord["index"] == [
        {"name": "index-1", "url": "https://index.example/simple", "default": True}
    ]
    assert made.described.pins == ["flask==3.0.0"]
    assert "--find-links" in made.left


def test_a_package_keeps_its_own_dependencies_and_gets_the_groups(migrated: Migrate) -> None:
    made = migrated(
        {
            "spam.py": "",
            "setup.py": "from setuptools import setup\nsetup(name='spam', version='1', py_modules=['spam'],\n"
            "      install_requires=['a'])\n",
            "requirements.txt": "a==1\nb==2\n",
            "requirements-dev.txt": "pytest\n",
        }
    )
    assert made.project["dependencies"] == ["a"]
    assert made.data["dependency-groups"] == {"dev": ["pytest"]}
    assert "a package's dependencies are in its own description" in made.left


def test_a_faulty_line_is_told_and_the_others_are_read(migrated: Migrate) -> None:
    made = migrated({"requirements.txt": "a\n", "dev-requirements.txt": "b =< 1\n"})
    assert made.project["dependencies"] == ["a"]
    assert "dev-requirements.txt:1" in made.left


def test_conda_names_are_not_guessed(migrated: Migrate) -> None:
    made = migrated(
        {
            "environment.yml": "name: lab\nchannels:\n  - conda-forge\n  - ours\ndependencies:\n  - python=3.11\n"
            "  - pip\n  # arrays\n  - numpy>=1.26,<2  # not 2 yet\n  - conda-forge::pandas=2.1\n  - libgdal=3.8\n"
            "  - pip:\n    - requests>=2\n    - -e .\n  - scipy==1.11.4=py311h\n"
        }
    )
    assert made.project["name"] == "lab"
    assert made.project["requires-python"] == "==3.11.*"
    assert made.project["dependencies"] == ["numpy>=1.26,<2", "pandas==2.1.*", "requests>=2"]
    assert '    # arrays\n    "numpy>=1.26,<2",  # not 2 yet\n' in made.text
    assert "libgdal=3.8 nobody says that the index has the same project" in made.left
    assert "channel ours" in made.left
    assert "scipy==1.11.4=py311h its version is written in a way only conda reads" in made.left


def test_bento(migrated: Migrate) -> None:
    made = migrated(
        {
            "spam/__init__.py": "",
            "spam/_speed.c": "",
            "docs/spam.1": "",
            "bento.info": "Name: spam\nVersion: 1.0\nSummary: Spam\nAuthor: Ann\nAuthorEmail: ann@project.example\n"
            "License: MIT\nPlatforms: any\nDescription:\n    Long.\n\n    Longer.\nClassifiers:\n"
            "    Programming Language :: Python,\n    Topic :: Utilities\n\nDataFiles: man\n    TargetDir: share/man/man1\n"
            "    SourceDir: docs\n    SrcDir: docs\n    Files: spam.1\n\nLibrary:\n    InstallRequires: numpy>=1\n"
            "    Packages: spam\n    Extension: spam._speed\n        Sources: spam/_speed.c\n\n"
            "Executable: spam\n    Module: spam.cli\n    Function: main\n",
        }
    )
    assert made.project["name"] == "spam"
    assert made.project["dependencies"] == ["numpy>=1"]
    assert made.project["scripts"] == {"spam": "spam.cli:main"}
    assert made.project["classifiers"] == ["Programming Language :: Python", "Topic :: Utilities"]
    assert made.accord["extension"] == [{"name": "spam._speed", "sources": ["spam/_speed.c"]}]
    assert made.accord["build"]["data"] == {"share/man/man1": ["docs/spam.1"]}
    assert made.described.files.packages == ["spam"]
    assert "platforms: any" in made.left


def test_buildout(migrated: Migrate) -> None:
    made = migrated(
        {
            "buildout.cfg": "[buildout]\nextends = versions.cfg\nparts = app test docs\ndevelop = .\n"
            "find-links = https://links.example/\n\n[app]\nrecipe = zc.recipe.egg\neggs =\n    Zope\n    Products.X >= 1.0\n\n"
            "[test]\nrecipe = zc.recipe.testrunner\neggs = ${app:eggs}\n\n[docs]\nrecipe = collective.recipe.sphinxbuilder\n",
            "versions.cfg": "[versions]\nZope = 5.8\nBad = not a version\n",
        }
    )
    assert made.project["dependencies"] == ["Zope", "Products.X >= 1.0"]
    assert made.accord["constraints"] == ["Zope==5.8"]
    assert "[docs] recipe = collective.recipe.sphinxbuilder a recipe is code" in made.left
    assert "Bad = not a version" in made.left


DEEP = f"a = {'[' * 5000}{']' * 5000}\n"  # where tomllib ends in a RecursionError


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("setup.cfg", "no section\n", "setup-cfg-invalid"),
        ("Pipfile", "= 1\n", "pipfile-invalid"),
        ("buildout.cfg", "nothing\n", "buildout-invalid"),
        ("pyproject.toml", "= 1\n", "toml-invalid"),
        ("uv.lock", "= 1\n", "migrate-lock-invalid"),
        ("poetry.lock", "= 1\n", "migrate-lock-invalid"),
        ("Pipfile.lock", "{", "migrate-lock-invalid"),
        pytest.param("pyproject.toml", DEEP, "toml-invalid", id="deep-pyproject"),
        pytest.param("uv.lock", DEEP, "migrate-lock-invalid", id="deep-uv-lock"),
        pytest.param("Pipfile", DEEP, "pipfile-invalid", id="deep-pipfile"),
    ],
)
def test_a_file_that_is_no_such_file_is_refused(migrated: Migrate, name: str, text: str, code: str) -> None:
    with pytest.raises(DocumentError) as caught:
        migrated({name: text} | ({"Pipfile": ""} if name == "Pipfile.lock" else {}))
    assert caught.value.code == code


def test_a_project_that_was_migrated_is_told_so_and_what_to_do_with_its_old_files(migrated: Migrate) -> None:
    setup = "from setuptools import setup\nsetup(name='ham', version='1', py_modules=['ham'])\n"
    build = '[build-system]\nrequires = ["accord-backend"]\nbuild-backend = "accord_backend"\n'
    new = f'[project]\nname = "ham"\nversion = "1"\n{build}'
    with pytest.raises(UsageError) as caught:
        migrated({"setup.py": setup, "ham.py": "", "pyproject.toml": new})
    assert caught.value.code == "migrate-nothing"
    assert "described by [project]" in caught.value.message
    assert "can be deleted" in (caught.value.hint or "")


def test_an_empty_folder_and_a_wrong_kind_are_refused(migrated: Migrate) -> None:
    for files, kind in (({"notes.txt": ""}, None), ({"requirements.txt": "a\n"}, "poetry")):
        with pytest.raises(UsageError) as caught:
            migrated(files, kind=kind)
        assert caught.value.code == "migrate-nothing"


def test_a_project_that_the_standard_describes_is_told_that_nothing_is_to_do(migrated: Migrate) -> None:
    document = '[project]\nname = "spam"\nversion = "1"\n'
    with pytest.raises(UsageError, match="already: there is nothing to do") as caught:
        migrated({"pyproject.toml": document, "spam.py": ""})
    assert caught.value.code == "migrate-nothing"
