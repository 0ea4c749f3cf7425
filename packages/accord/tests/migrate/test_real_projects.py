"""What real projects taught: each test is one thing a reader lost, invented or broke on, in the words of a published file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from accord.migrate.limits import Limits
from accord_core.errors import DocumentError
from accord_core.lock.read import loads

if TYPE_CHECKING:
    from collections.abc import Callable

    Migrate = Callable[..., Any]

SETUP = "from setuptools import setup\nsetup(name='zope.spam', version='1', py_modules=['spam'], install_requires=['a'])\n"
HATCH = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
PDM = '[build-system]\nrequires = ["pdm-backend"]\nbuild-backend = "pdm.backend"\n'


# ---------------------------------------------------------------- an environment is no dependency


def test_an_environment_of_conda_never_changes_what_a_package_needs(migrated: Migrate) -> None:
    made = migrated(
        {
            "spam.py": "",
            "pyproject.toml": f'{HATCH}[project]\nname = "spam"\nversion = "1"\ndependencies = ["cycler>=0.10"]\n'
            'requires-python = ">=3.9"\n[project.optional-dependencies]\nmap = ["My_Map"]\n',
            "environment.yml": "name: dev\ndependencies:\n  - python=3.11\n  - cycler>=0.10.0\n  - my-map\n  - gtk4\n"
            "  - pydata-sphinx-theme~=0.15.0\n  - pip:\n    - black<24\n",
        }
    )
    assert made.project["dependencies"] == ["cycler>=0.10"]
    assert made.project["requires-python"] == ">=3.9"
    assert made.data["dependency-groups"] == {
        "conda": ["cycler>=0.10.0", "my-map", "pydata-sphinx-theme~=0.15.0", "black<24"]
    }
    assert "gtk4 nobody says" in made.left
    assert "python=3.11 which Pythons a package is for" in made.left


def test_a_buildout_never_changes_what_a_package_needs(migrated: Migrate) -> None:
    made = migrated(
        {
            "spam.py": "",
            "setup.py": SETUP,
            "buildout.cfg": "[buildout]\ndevelop = .\nparts = test report\nunzip = true\n\n[test]\nrecipe = zc.recipe.testrunner\n"
            "eggs = zope.spam [test,zcml]\ndefaults = ['--coverage']\n\n[report]\nrecipe = zc.recipe.egg\n"
            "eggs =\n  z3c.coverage # reports\n  zope.other [x] >= 1.0, < 2\n\n[docs]\nrecipe = z3c.recipe.sphinxdoc\n"
            "[sources]\nother = git https://git.example/other.git\n",
        }
    )
    assert made.project["dependencies"] == ["a"]
    assert made.data["dependency-groups"] == {"buildout": ["z3c.coverage", "zope.other[x] >= 1.0, < 2"]}
    assert "eggs: zope.spam [test, zcml] extras of the project itself" in made.left
    assert "[test] defaults options of zc.recipe.testrunner" in made.left
    assert "[buildout] unzip" in made.left
    assert "[docs] parts does not name them" in made.left
    assert "[sources] other checkouts" in made.left


def test_buildout_adds_to_and_takes_from_what_it_extends(migrated: Migrate) -> None:
    made = migrated(
        {
            "buildout.cfg": "[buildout]\nextends = base.cfg\nparts += more\nparts -= gone\n[more]\nrecipe = zc.recipe.egg\n"
            "eggs = b ${first:eggs} ${loop:eggs}\n[loop]\neggs = ${more:eggs}\n",
            "base.cfg": "[buildout]\nextends = deep.cfg\nparts = first gone\n[first]\nrecipe = zc.recipe.egg\neggs = a\n"
            "[gone]\nrecipe = some.recipe\n",
            "deep.cfg": "[versions]\na = 1.0\n[buildout]\nextends = base.cfg\n",
        }
    )
    assert made.project["dependencies"] == ["a", "b"]
    assert made.accord["constraints"] == ["a==1.0"]
    assert "some.recipe" not in made.left.partition("[gone]")[0]
    assert set(made.described.read) == {"buildout.cfg", "base.cfg", "deep.cfg"}


def test_a_pipfile_never_changes_what_a_package_needs(migrated: Migrate) -> None:
    made = migrated(
        {
            "spam.py": "",
            "pyproject.toml": f'{HATCH}[project]\nname = "plette"\nversion = "1"\ndependencies = ["tomlkit"]\n',
            "Pipfile": "[packages]\nplette = { path = '.', extras = ['validation'], editable = true }\nrich = '*'\n"
            "[dev-packages]\npytest = '*'\n[requires]\npython_version = '3.8'\n",
        }
    )
    assert made.project["dependencies"] == ["tomlkit"]
    assert "requires-python" not in made.project
    assert made.data["dependency-groups"] == {"pipenv": ["rich"], "dev": ["pytest"]}
    assert "plette[validation] extras of the project itself" in made.left


# ---------------------------------------------------------------- PDM


def test_pdm_that_only_manages_leaves_another_backend_alone(migrated: Migrate) -> None:
    made = migrated(
        {
            "spam/__init__.py": "",
            "pyproject.toml": f'{HATCH}[project]\nname = "spam"\ndynamic = ["version"]\n[tool.pdm]\n'
            'ignore_package_warnings = ["x"]\n[tool.pdm.dev-dependencies]\ntest = ["pytest"]\n',
        }
    )
    assert made.backend == "as-is"
    assert made.data["build-system"]["build-backend"] == "hatchling.build"
    assert made.project["dynamic"] == ["version"]
    assert made.data["dependency-groups"] == {"test": ["pytest"]}
    assert "ignore_package_warnings accord has no such setting" in made.left


def test_a_build_hook_keeps_pdm_with_its_tables(migrated: Migrate) -> None:
    made = migrated(
        {
            "spam/__init__.py": '__version__ = "1"\n',
            "pdm_build.py": "def pdm_build_initialize(context): ...\n",
            "pyproject.toml": f'{PDM}[project]\nname = "spam"\ndynamic = ["version"]\n[tool.pdm]\nincludes = ["spam"]\n'
            '[tool.pdm.version]\nsource = "file"\npath = "spam/__init__.py"\n[tool.pdm.build]\nsource-includes = ["tests/"]\n'
            '[tool.pdm.scripts]\nlint = "x"\n',
        }
    )
    assert made.backend == "pdm"
    assert made.reasons == ("its build hook pdm_build.py",)
    assert made.data["build-system"]["build-backend"] == "pdm.backend"
    assert made.project["dynamic"] == ["version"]
    assert made.data["tool"]["pdm"] == {
        "includes": ["spam"],
        "version": {"source": "file", "path": "spam/__init__.py"},
        "build": {"source-includes": ["tests/"]},
    }


def test_a_version_that_pdm_wrote_down_counts(migrated: Migrate) -> None:
    made = migrated(
        {
            "spam/__init__.py": "",
            "pyproject.toml": f'{PDM}[project]\nname = "spam"\nversion = "1.5"\n[tool.pdm.version]\nsource = "scm"\n',
        }
    )
    assert made.project["version"] == "1.5"
    assert "version" not in made.accord.get("build", {})


def test_an_index_of_pdm_with_a_password_is_told(migrated: Migrate) -> None:
    made = migrated(
        {
            "spam/__init__.py": "",
            "pyproject.toml": f'{PDM}[project]\nname = "spam"\nversion = "1"\n[[tool.pdm.source]]\nname = "ours"\n'
            'url = "https://${USER}:${PASSWORD}@index.example/simple"\n[[tool.pdm.source]]\nname = "open"\n'
            'url = "https://open.example/simple"\nverify_ssl = false\n',
        }
    )
    assert "PASSWORD" not in made.text
    assert "it holds a password or a variable" in made.left
    assert "'open': verify_ssl" in made.left
    assert [each["name"] for each in made.accord["index"]] == ["open"]


# ---------------------------------------------------------------- Poetry, uv


def test_poetry_2_with_a_project_table(migrated: Migrate) -> None:
    made = migrated(
        {
            "spam/__init__.py": "",
            "pyproject.toml": '[build-system]\nrequires = ["poetry-core>=2"]\nbuild-backend = "poetry.core.masonry.api"\n'
            '[project]\nname = "spam"\nversion = "1"\ndependencies = ["a>=1"]\n[tool.poetry]\npackages = [{include = "spam"}]\n'
            '[tool.poetry.dependencies]\na = {version = "^1.2", source = "ours"}\n[[tool.poetry.source]]\nname = "ours"\n'
            'url = "https://ours.example/simple"\n',
        }
    )
    assert made.backend == "accord"
    assert made.project["dependencies"] == ["a>=1"]
    assert "a>=1.2,<2.0 [project] says what is needed" in made.left
    assert made.accord["sources"] == {"a": {"index": "ours"}}


def test_poetry_core_1_puts_what_is_included_into_the_wheel_and_that_is_told(migrated: Migrate) -> None:
    poetry = '[tool.poetry]\nname = "spam"\nversion = "1"\ninclude = ["*.md"]\n'
    for limit, told in (("<2", True), (">=1", False)):
        made = migrated(
            {
                "spam/__init__.py": "",
                "NEWS.md": "",
                "pyproject.toml": f'[build-system]\nrequires = ["poetry-core{limit}"]\nbuild-backend = "poetry.core.masonry.api"\n{poetry}',
            }
        )
        assert ("files at the root: NEWS.md" in made.left) is told


def test_several_people_in_one_name_where_the_project_table_stands_in_two_places(migrated: Migrate) -> None:
    made = migrated(
        {
            "pyproject.toml": f'[project]\nname = "spam"\nversion = "1"\nauthors = [{{name = "Ann, Bob"}}]\n{HATCH}'
            '[project.urls]\na = "https://a.example"\n[tool.uv]\ndev-dependencies = ["x"]\n'
        }
    )
    assert [each["name"] for each in made.project["authors"]] == ["Ann", "Bob"]


UV = (
    'version = 1\n[manifest]\nmembers = ["root", "lib", "demo"]\n[[package]]\nname = "root"\nversion = "1"\n'
    'source = { editable = "." }\ndependencies = [{ name = "lib" }]\n[[package]]\nname = "lib"\nversion = "1"\n'
    'source = { editable = "packages/lib" }\n[[package]]\nname = "demo"\nversion = "1"\nsource = { virtual = "demo" }\n'
)
UV_PROJECT = (
    '[project]\nname = "root"\nversion = "1"\ndependencies = ["lib"]\n[tool.uv.workspace]\nmembers = ["packages/*", "demo"]\n'
    "[tool.uv.sources]\nroot = { workspace = true }\nlib = { workspace = true }\nstray = { workspace = true }\n"
)


def test_a_workspace_of_uv_at_its_root(migrated: Migrate) -> None:
    made = migrated({"pyproject.toml": UV_PROJECT, "uv.lock": UV})
    assert made.accord["workspace"] == {"members": ["packages/*", "demo"]}
    assert made.accord["sources"] == {"lib": {"path": "packages/lib", "editable": True}}
    assert "sources.stray = { workspace = true }" in made.left
    assert "members demo the project at the root of the workspace does not need them" in made.left
    lock = loads(made.locks["pylock.toml"], "pylock.toml")
    assert [(each.name, each.directory.path if each.directory else None) for each in lock.packages] == [
        ("lib", "packages/lib")
    ]


def test_a_workspace_without_a_project_at_its_root_and_conflicting_groups_are_refused(
    migrated: Migrate,
) -> None:
    rootless = UV.replace('editable = "."', 'editable = "core"')
    conflicts = UV.replace(
        "version = 1\n", 'version = 1\nconflicts = [[{ package = "root", group = "a" }]]\n', 1
    )
    for text, why in (
        (rootless, "a workspace of 3 projects with none at its root"),
        (conflicts, "conflict with each other"),
    ):
        made = migrated({"pyproject.toml": UV_PROJECT, "uv.lock": text})
        assert made.locks == {}
        assert why in made.left


# ---------------------------------------------------------------- requirements files


def test_an_included_file_that_was_not_shipped_takes_nothing_with_it(migrated: Migrate) -> None:
    made = migrated(
        {
            "spam.py": "",
            "setup.py": SETUP,
            "requirements/docs.in": "-r test.txt\n-c common.txt\nsphinx\n",
        }
    )
    assert made.data["dependency-groups"] == {"docs": ["sphinx"]}
    assert "-r or -c requirements/test.txt it is not in the project" in made.left
    assert "-r or -c requirements/common.txt it is not in the project" in made.left


def test_a_requirements_file_does_not_contradict_the_group_another_description_made(
    migrated: Migrate,
) -> None:
    made = migrated(
        {
            "spam/__init__.py": "",
            "pyproject.toml": '[tool.poetry]\nname = "spam"\nversion = "1"\n[tool.poetry.dev-dependencies]\nblack = ">=22,<23"\nSphinx = "4.4"\n',
            "requirements-dev.txt": "Black==21.12b0\npytest\nsphinx == 4.4\n",
            "dev-requirements.txt": "tox\n",
        }
    )
    assert made.data["dependency-groups"] == {"dev": ["black>=22,<23", "Sphinx==4.4", "tox", "pytest"]}
    assert "sphinx" not in made.left  # it asks for the same
    assert "Black==21.12b0 the group dev asks for black>=22,<23 already" in made.left


# ---------------------------------------------------------------- Bento


def test_bento_with_switches_folders_and_libraries(migrated: Migrate) -> None:
    made = migrated(
        {
            "README.rst": "Spam\n",
            "spam/__init__.py": "",
            "spam/private/six.py": "",
            "spam/extra/__init__.py": "",
            "spam/fft/__init__.py": "",
            "spam/fft/_fft.c": "",
            "bento.info": "Name: spam\nVersion: 1.0\nDescriptionFromFile: README.rst\nMetaTemplateFiles: x.in\nRecurse: spam\n"
            "Flag: bundle\n    Description: bundled\n    Default: true\nFlag: other\n    Default: false\n"
            "Library:\n    Packages:\n        spam\n    if flag(bundle):\n        Modules:\n            spam/private/six\n"
            "    if flag(other):\n        Packages:\n            spam.extra\n    if os(posix):\n        Packages: spam.odd\n",
            "spam/bento.info": "Recurse: fft, lost\nLibrary:\n    Packages: fft\n",
            "spam/fft/bento.info": "HookFile: bscript\nLibrary:\n    CompiledLibrary: fftpack\n        Sources: src/*.f\n"
            "    Extension: _fft\n        Sources: _fft.c\n",
        }
    )
    assert made.described.files.packages == ["spam", "spam.fft"]
    assert made.described.files.modules == ["spam.private.six"]
    assert made.project["readme"] == "README.rst"
    assert made.accord["extension"] == [{"name": "spam.fft._fft", "sources": ["spam/fft/_fft.c"]}]
    for told in (
        "Flag: bundle a description has no switches; it is read as true",
        "if os(posix): it asks something only Bento knew",
        "spam/fft/bento.info compiledlibrary: fftpack",
        "spam/fft/bento.info hookfile: bscript",
        "spam/bento.info Recurse: lost it has no bento.info",
        "metatemplatefiles: x.in",
    ):
        assert told in made.left


def test_bento_beside_a_setup_py_is_told_or_read(migrated: Migrate) -> None:
    bento = "Name: spam\nVersion: 1.0\nLibrary:\n    Packages: spam\n"
    made = migrated({"spam/__init__.py": "", "spam.py": "", "setup.py": SETUP, "bento.info": bento})
    assert made.project["name"] == "zope.spam"
    assert "bento.info all of it setup.py describes the project too" in made.left
    nameless = "from bento.distutils import monkey_patch\nfrom setuptools import setup\nsetup()\n"
    made = migrated({"setup.py": nameless})
    assert made.project["name"] == "spam"
    assert "it takes the name from bento.info" in made.left


# ---------------------------------------------------------------- setuptools


def test_a_namespace_that_declared_itself_has_no_module_in_the_wheel(migrated: Migrate) -> None:
    declared = "__import__('pkg_resources').declare_namespace(__name__)\n"
    files = {
        "src/zope/__init__.py": declared,
        "src/zope/ham/__init__.py": "",
        "setup.py": "from setuptools import setup, find_packages\n"
        "setup(name='zope.ham', version='1', packages=find_packages('src'), package_dir={'': 'src'},\n"
        "      namespace_packages=['zope'])\n",
    }
    made = migrated(files)
    assert made.accord["build"] == {"modules": ["zope"], "wheel-exclude": ["src/zope/__init__.py"]}
    assert "namespace_packages" in made.left
    kept = migrated(files, backend=None)
    assert kept.data["tool"]["setuptools"]["packages"] == ["zope.ham"]


def test_where_setup_names_no_packages_those_in_src_are_meant(migrated: Migrate) -> None:
    made = migrated(
        {
            "src/company/recipe/__init__.py": "",
            "src/company.recipe.egg-info/PKG-INFO": "",
            "setup.py": "from setuptools import setup\nsetup(name='company.recipe', version='1')\n",
        }
    )
    assert made.backend == "accord"
    assert made.described.files.packages == ["company", "company.recipe"]


def test_a_setup_py_of_pbr_is_not_searched(migrated: Migrate) -> None:
    made = migrated(
        {
            "src/spam/__init__.py": "",
            "setup.py": "from setuptools import setup\nsetup(setup_requires=['pbr'], pbr=True)\n",
            "setup.cfg": "[metadata]\nname = spam\nversion = 1\n",
        }
    )
    assert made.described.files.packages is None


# ---------------------------------------------------------------- limits


def buildout(parts: int) -> dict[str, str]:
    chain = "".join(
        f"[p{each}]\neggs = ${{p{each + 1}:eggs}} ${{p{each + 1}:eggs}}\n" for each in range(parts)
    )
    return {
        "buildout.cfg": f"[buildout]\neggs = ${{p0:eggs}}\n{chain}[p{parts}]\neggs = last\n",
    }


def test_eggs_of_eggs_are_followed_to_a_limit_and_each_once(migrated: Migrate) -> None:
    assert migrated(buildout(39)).project["dependencies"] == ["last"]  # twice each: 2 ** 39 ways
    with pytest.raises(DocumentError) as caught:
        migrated(buildout(40))
    assert caught.value.code == "buildout-invalid"


def test_files_that_extend_each_other_are_followed_to_a_limit(migrated: Migrate) -> None:
    def chain(count: int) -> dict[str, str]:
        files = {f"{each}.cfg": f"[buildout]\nextends = {each + 1}.cfg\n" for each in range(1, count)}
        return {"buildout.cfg": "[buildout]\nextends = 1.cfg\neggs = a\n", **files, f"{count}.cfg": ""}

    assert migrated(chain(39)).project["dependencies"] == ["a"]
    with pytest.raises(DocumentError) as caught:
        migrated(chain(40))
    assert caught.value.code == "buildout-invalid"


def test_bento_recurses_to_a_limit(migrated: Migrate) -> None:
    def nested(count: int) -> dict[str, str]:
        head = "Name: spam\nVersion: 1\nRecurse: a\n"
        below = {f"{'a/' * each}bento.info": "Recurse: a\n" for each in range(1, count)}
        return {"bento.info": head, **below, f"{'a/' * count}bento.info": "Library:\n    Packages: b\n"}

    few = Limits(nested=3)
    assert migrated(nested(3), limits=few).described.files.packages == ["a.a.a.b"]
    with pytest.raises(DocumentError) as caught:
        migrated(nested(4), limits=few)
    assert caught.value.code == "migrate-tree-too-large"


def test_a_lock_of_more_releases_than_an_index_is_asked_for_is_refused(migrated: Migrate) -> None:
    lock = "".join(f"a{each}==1 --hash=sha256:{'0' * 64}\n" for each in range(2))
    assert len(migrated({"requirements.txt": lock}, limits=Limits(recorded=2)).described.recorded) == 2
    with pytest.raises(DocumentError) as caught:
        migrated({"requirements.txt": lock}, limits=Limits(recorded=1))
    assert caught.value.code == "migrate-lock-invalid"
