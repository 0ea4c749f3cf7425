"""setup.py read without running it: what such files do to make their metadata is followed, the rest is told."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from accord.migrate.limits import Limits
from accord_core.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Migrate = Callable[..., Any]

PACKAGE = {"spam/__init__.py": '"""Spam."""\n__version__ = "1.2"\n', "README.rst": "Spam\n====\n"}


def test_a_version_that_is_executed_out_of_a_module_stays_in_that_module(migrated: Migrate) -> None:
    made = migrated(
        PACKAGE
        | {
            "setup.py": "import os\nfrom setuptools import setup\nabout = {}\n"
            "with open(os.path.join('spam', '__init__.py')) as f:\n    exec(f.read(), about)\n"
            "setup(name='spam', version=about['__version__'], packages=['spam'])\n"
        }
    )
    assert made.project["dynamic"] == ["version"]
    assert made.accord["build"]["version"] == {"module": "spam"}
    assert made.described.version is not None
    assert made.described.version.text == "1.2"


def test_what_is_executed_without_names_of_its_own_is_known_where_it_stands(migrated: Migrate) -> None:
    made = migrated(
        PACKAGE
        | {
            "setup.py": "import os\nfrom pathlib import Path\nfrom setuptools import setup\n"
            "here = os.path.dirname(os.path.realpath(__file__))\n"
            "exec(Path(os.path.join(here, 'spam', '__init__.py')).read_text())\n"
            "setup(name='spam', version=__version__, packages=['spam'])\n"
        }
    )
    assert made.accord["build"]["version"] == {"module": "spam"}
    assert made.described.version is not None
    assert made.described.version.text == "1.2"


def test_a_version_found_by_a_regular_expression_and_a_readme_that_is_read_are_led_back_to_their_files(
    migrated: Migrate,
) -> None:
    made = migrated(
        PACKAGE
        | {
            "setup.py": "import io, re\nfrom setuptools import setup, find_packages\n"
            "def read(*names):\n    with io.open('/'.join(names), encoding='utf8') as f:\n        return f.read()\n"
            "version = re.search(r'^__version__ = \"(.*?)\"', read('spam', '__init__.py'), re.M).group(1)\n"
            "setup(name='spam', version=version, long_description=read('README.rst'), packages=find_packages())\n"
        }
    )
    assert made.accord["build"]["version"] == {"module": "spam"}
    assert made.project["readme"] == "README.rst"


def test_a_version_that_is_no_literal_in_its_module_is_written_down(migrated: Migrate) -> None:
    made = migrated(
        {
            "spam/__init__.py": "VERSION = (1, 2)\n__version__ = '.'.join(map(str, VERSION))\n",
            "setup.py": "from setuptools import setup\nimport spam\n"
            "setup(name='spam', version=spam.__version__, packages=['spam'])\n",
        }
    )
    assert made.project["version"] == "1.2"
    assert "dynamic" not in made.project


def test_requirements_under_a_condition_get_its_marker(migrated: Migrate) -> None:
    made = migrated(
        PACKAGE
        | {
            "setup.py": "import sys\nfrom setuptools import setup\nneeds = ['a']\n"
            "if sys.version_info < (3, 9):\n    needs.append('backport>=1')\n"
            "if sys.version_info < (3, 2):\n    needs.append('ancient')\n"
            "if sys.platform.startswith('win'):\n    needs += ['colorama; python_version<\"3.12\"']\n"
            "setup(name='spam', version='1', packages=['spam'], install_requires=needs)\n"
        }
    )
    assert made.project["dependencies"] == [
        "a",
        'backport>=1; python_version < "3.9"',
        'colorama; python_version < "3.12" and sys_platform == "win32"',
    ]


def test_comments_go_with_their_requirement(migrated: Migrate) -> None:
    made = migrated(
        PACKAGE
        | {
            "setup.py": "from setuptools import setup\nsetup(name='spam', version='1', packages=['spam'],\n"
            "  install_requires=[\n    # 2.0 broke our tests\n    'a<2',\n    'b',  # for the command line\n  ])\n"
        }
    )
    assert '    # 2.0 broke our tests\n    "a<2",\n    "b",  # for the command line\n' in made.text


def test_what_only_a_run_can_tell_is_told_with_its_line_and_never_guessed(migrated: Migrate) -> None:
    made = migrated(
        PACKAGE
        | {
            "setup.py": "import subprocess\nfrom setuptools import setup\n"
            "setup(name='spam',\n      version='1',\n      packages=['spam'],\n"
            "      description=subprocess.check_output(['whoami']).decode())\n"
        }
    )
    assert "description" not in made.project
    assert "setup.py:6 description only a run can tell what subprocess.check_output() returns" in made.left


def test_files_outside_the_project_do_not_exist_for_it(migrated: Migrate) -> None:
    made = migrated(
        PACKAGE
        | {
            "../secret": "token",
            "setup.py": "from setuptools import setup\n"
            "setup(name='spam', version='1', packages=['spam'], description=open('../secret').read(),\n"
            "      long_description=open('/etc/passwd').read(), license=open('README.rst').read().strip()[:4])\n",
        }
    )
    assert "token" not in made.text
    assert "root:" not in made.text
    assert "../secret cannot be read" in made.left
    assert made.described.licence_text == "Spam"  # the honest case


@pytest.mark.parametrize(
    "body",
    [
        "def f(n):\n    return f(n + 1)\nx = f(0)\n",
        "x = 'a'\n" + "x = x + x\n" * 60,
        "y = range(3)\nfor a in list('x' * 999):\n  for b in list('x' * 999):\n    z = 1\n",
        "x = ['a']\n" + "x = x + x\n" * 60,
        "x = ['a']\n" + "x.extend(x)\n" * 60,
        "x = ['a']\n" + "x += x\n" * 60,
        "x = 'ab'\n" + "x = '%s%s' % (x, x)\n" * 60,
        "x = 'ab'\n" + "x = '{0}{0}'.format(x)\n" * 60,
        "x = 'ab'\n" + "x = f'{x}{x}'\n" * 60,
        "x = 'ab'\n" + "x = x.replace('a', x)\n" * 60,
        "x = 'ab'\n" + "x = x.join([x, x, x])\n" * 60,
        "x = 'ab' * 900\n" + "x = x * 900\n" * 6,
        "import re\nx = 'a' * 900\n" + "x = re.sub('a', x, x)\n" * 6,
        "x = [1 for a in 'x' * 900 for b in 'x' * 900 for c in 'x' * 900]\n",
        "import re\nx = re.match('(a+)+b', 'a' * 60)\n",
        "import re\nx = re.match('(a|a)*b', 'a' * 60)\n",
        "import re\nx = re.search('a*a*a*a*a*a*b', 'a' * 900)\n",
        "import re\nx = re.match('(a?){50}a{50}', 'a' * 50)\n",
        "x = '%9999999999d' % 1\n",
        "x = ['a'] * 99999999999\n",
        "while True:\n    pass\n",
        "x = " + "(" * 180 + "1" + ")" * 180 + "\n",
    ],
)
def test_a_file_made_to_run_for_ever_ends_at_once(migrated: Migrate, body: str) -> None:
    begun = time.monotonic()
    made = migrated(
        PACKAGE
        | {
            "setup.py": f"from setuptools import setup\n{body}setup(name='spam', version='1', packages=['spam'])\n"
        }
        | {"setup.cfg": "[metadata]\nname = spam\n"},
        limits=Limits(search_seconds=0.3),
    )
    assert time.monotonic() - begun < 30
    assert made.project["name"] == "spam"


def test_an_honest_pattern_that_looks_slow_is_searched_all_the_same(migrated: Migrate) -> None:
    made = migrated(
        PACKAGE
        | {
            "setup.py": "import re\nfrom setuptools import setup\ntext = open('spam/__init__.py').read()\n"
            "found = re.search(r'^(?P<what>(?:_)+version(?:_)+) *= *\"(.*)\"$', text, re.M)\n"
            "setup(name='spam', version=found.group(2), description=found.group('what'), packages=['spam'],\n"
            "      keywords=re.findall('(S)(p)', text)[0])\n"
        },
        limits=Limits(search_seconds=30),
    )
    assert made.accord["build"]["version"] == {"module": "spam"}
    assert made.project["description"] == "__version__"
    assert made.project["keywords"] == ["S", "p"]


def test_many_slow_things_end_together_when_the_time_is_over(migrated: Migrate) -> None:
    body = "import re\nfor n in list('x' * 900):\n    re.match('(a+)+b', 'a' * 60)\n"
    begun = time.monotonic()
    made = migrated(
        PACKAGE
        | {
            "setup.py": f"{body}from setuptools import setup\nsetup(name='spam')\n",
            "setup.cfg": "[metadata]\nname = spam\n",
        },
        limits=Limits(search_seconds=0.2, reading_seconds=0.5),
    )
    assert time.monotonic() - begun < 30  # one after the other they would take three minutes
    assert "it does more than can be followed" in made.left


def test_steps_have_a_limit(migrated: Migrate) -> None:
    text = "from setuptools import setup\nx = 1\nsetup(name='spam', version='1', packages=['spam'])\n"
    files = PACKAGE | {"setup.py": text, "setup.cfg": "[metadata]\nname = spam\n"}
    # Three statements, and eight expressions below them.
    assert migrated(files, limits=Limits(steps=12)).backend == "accord"
    made = migrated(files, limits=Limits(steps=9))
    assert made.backend == "setuptools"
    assert "it does more than can be followed" in made.left


def test_a_file_that_is_too_large_is_refused_at_its_limit(migrated: Migrate) -> None:
    text = "from setuptools import setup\nsetup(name='spam', version='1', packages=['spam'])\n"
    assert (
        migrated(PACKAGE | {"setup.py": text}, limits=Limits(file_bytes=len(text))).project["name"] == "spam"
    )
    with pytest.raises(DocumentError) as caught:
        migrated(PACKAGE | {"setup.py": text}, limits=Limits(file_bytes=len(text) - 1))
    assert caught.value.code == "document-too-large"


def test_a_tree_with_too_many_files_is_refused_at_its_limit(migrated: Migrate) -> None:
    files = PACKAGE | {"setup.py": "from setuptools import setup\nsetup(name='spam', packages=['spam'])\n"}
    migrated(files, limits=Limits(tree_files=3))
    with pytest.raises(DocumentError) as caught:
        migrated(files, limits=Limits(tree_files=2))
    assert caught.value.code == "migrate-tree-too-large"


def test_a_project_without_a_name_is_refused(migrated: Migrate) -> None:
    with pytest.raises(DocumentError) as caught:
        migrated({"setup.py": "from setuptools import setup\nsetup(**read())\n"})
    assert caught.value.code == "migrate-incomplete"


def test_what_the_old_wheel_left_out_is_left_out(migrated: Migrate) -> None:
    made = migrated(
        PACKAGE
        | {
            "spam/data.json": "{}",
            "spam/notes.txt": "",
            "spam/fast.c": "",
            "spam/tests/__init__.py": "",
            "spam/tests/test_spam.py": "",
            "setup.py": "from setuptools import setup, find_packages\n"
            "setup(name='spam', version='1', packages=find_packages(exclude=['*.tests']),\n"
            "      package_data={'spam': ['*.json']})\n",
        }
    )
    assert sorted(made.accord["build"]["wheel-exclude"]) == ["spam/**/*.c", "spam/**/*.txt", "spam/tests/**"]


def test_a_build_ext_that_only_lets_extensions_fail_becomes_optional(migrated: Migrate) -> None:
    made = migrated(
        PACKAGE
        | {
            "spam/_speed.c": "",
            "setup.py": "from setuptools import setup, Extension\nfrom setuptools.command.build_ext import build_ext\n"
            "class ve(build_ext):\n    def run(self):\n        try:\n            build_ext.run(self)\n"
            "        except OSError:\n            raise ValueError\n"
            "setup(name='spam', version='1', packages=['spam'], cmdclass={'build_ext': ve},\n"
            "  ext_modules=[Extension('spam._speed', ['spam/_speed.c'], define_macros=[('A', '1'), ('B', None)],\n"
            "                         libraries=['m'])])\n",
        }
    )
    assert made.backend == "accord"
    assert made.accord["extension"] == [
        {
            "name": "spam._speed",
            "sources": ["spam/_speed.c"],
            "defines": ["A=1", "B"],
            "libraries": ["m"],
            "optional": True,
        }
    ]


def test_what_an_extension_gets_under_a_condition_stays_under_it(migrated: Migrate) -> None:
    files = PACKAGE | {
        "setup.py": "import sys\nfrom setuptools import setup, Extension\nlibs = ['m']\n"
        "if sys.platform == 'win32':\n    libs.append('ws2_32')\n    libs += ['user32']\n"
        "setup(name='spam', version='1', packages=['spam'],\n"
        "  ext_modules=[Extension('spam._speed', ['spam/_speed.c'], libraries=libs)])\n",
        "spam/_speed.c": "",
    }
    (extension,) = migrated(files).accord["extension"]
    assert extension["libraries"] == ["m"]
    assert extension["when"] == [{"marker": 'sys_platform == "win32"', "libraries": ["ws2_32", "user32"]}]


@pytest.mark.parametrize(
    "add",
    [
        "found.append(Extension('spam._speed', ['spam/_speed.c'], libraries=[{0!r}]))",
        "found += [Extension({0!r}, [])]",
    ],
)
def test_extensions_that_are_there_under_a_condition_are_never_there_always(
    migrated: Migrate, add: str
) -> None:
    """Two of one name, one for each platform, would be a project that cannot be built."""
    made = migrated(
        PACKAGE
        | {
            "setup.py": "import sys\nfrom setuptools import setup, Extension\nfound = []\n"
            f"if sys.platform == 'win32':\n    {add.format('ws2_32')}\nelse:\n    {add.format('m')}\n"
            "setup(name='spam', version='1', packages=['spam'], ext_modules=found)\n",
        }
    )
    assert made.backend == "setuptools"
    assert "extension" not in made.accord
    assert "it depends on sys_platform" in made.left


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("cmdclass={'build_py': object}", "its own build_py command"),
        ("package_dir={'': 'lib'}", "its modules lie in lib"),
        ("data_files=[('/etc/spam', ['README.rst'])]", "data_files go to /etc/spam"),
        ("packages=list(open('nothing'))", "packages is only known when setup.py runs"),
    ],
)
def test_what_accord_has_no_words_for_keeps_setuptools_and_says_why(
    migrated: Migrate, words: str, reason: str
) -> None:
    packages = "" if "packages=" in words else "packages=['spam'], "
    folder = "lib/spam/__init__.py" if "lib" in words else "spam/__init__.py"
    made = migrated(
        {
            folder: "",
            "README.rst": "",
            "setup.py": f"from setuptools import setup\nsetup(name='spam', version='1', {packages}{words})\n",
        }
    )
    assert made.backend == "setuptools"
    assert any(reason in each for each in made.reasons)
    assert made.data["build-system"]["build-backend"] == "setuptools.build_meta"


def test_a_package_in_a_folder_of_another_name_keeps_setuptools_and_the_reason_is_a_sentence(
    migrated: Migrate,
) -> None:
    made = migrated(
        {
            "source/__init__.py": "",
            "setup.py": "from setuptools import setup\n"
            "setup(name='spam', version='1', packages=['spam'], package_dir={'spam': 'source'})\n",
        }
    )
    assert made.reasons == ("its modules lie in folders of other names, not in src or beside pyproject.toml",)
