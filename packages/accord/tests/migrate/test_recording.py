"""setup.py by running it: what it passes to setup() is written down, no command runs, and it is bounded."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from accord.io import processes
from accord.migrate.limits import DEFAULT, Limits
from accord.migrate.setup_run import merged, record_setup
from accord.migrate.tree import Tree
from accord.migrate.values import ExtensionCall, Text, Unknown
from accord_core.errors import BuildError

if TYPE_CHECKING:
    from pathlib import Path

# Stands in for setuptools, so that no index is needed; the recorder looks for nothing but these names.
SETUPTOOLS = (
    "class Extension:\n    def __init__(self, name, sources, **words):\n"
    "        self.name, self.sources = name, sources\n        self.__dict__.update(words)\n"
    "def setup(**words):\n    raise SystemExit('a command ran')\n"
)


@pytest.fixture
def record(tmp_path: Path) -> Any:
    def make(text: str, limits: Limits = DEFAULT) -> dict[str, Any]:
        copy = tmp_path / "copy"
        (copy / "setuptools").mkdir(parents=True)
        (copy / "setuptools" / "__init__.py").write_text(SETUPTOOLS)
        (copy / "setup.py").write_text(text)
        return record_setup(
            str(copy),
            str(tmp_path),
            python=sys.executable,
            runner=partial(processes.run, env={"PATH": os.environ["PATH"]}),
            limits=limits,
        )

    return make


def test_what_a_run_passes_is_known_and_no_command_runs(record: Any) -> None:
    words = record(
        "import setuptools\nfrom setuptools import setup, Extension\n"
        "setup(name='spam', version=''.join(chr(c) for c in (49, 46, 48)), packages=['spam'],\n"
        "      ext_modules=[Extension('spam.x', ['x.c'], libraries=['m'])], cmdclass={'build': object},\n"
        "      entry_points={'console_scripts': ['spam = spam:main']}, weird=object())\n"
        "raise SystemExit('went on')\n"
    )
    assert words["name"] == "spam"
    assert words["version"] == "1.0"
    assert words["entry_points"] == {"console_scripts": ["spam = spam:main"]}
    extension = words["ext_modules"][0]
    assert isinstance(extension, ExtensionCall)
    assert (extension.name, extension.sources, extension.options["libraries"]) == ("spam.x", ["x.c"], ["m"])
    assert isinstance(words["weird"], Unknown)


@pytest.mark.parametrize(
    ("text", "limits", "reason"),
    [
        ("x = 1\n", DEFAULT, "it did not call setup()"),
        ("raise RuntimeError('no compiler')\n", DEFAULT, "it did not call setup()"),
        ("import time\ntime.sleep(60)\n", Limits(recording_seconds=0.5), "it did not end within 0.5 seconds"),
        (
            "from setuptools import setup\nsetup(name='x' * 100)\n",
            Limits(recording_bytes=50),
            "it is larger than",
        ),
    ],
)
def test_a_run_that_tells_nothing_is_a_coded_error(
    record: Any, text: str, limits: Limits, reason: str
) -> None:
    with pytest.raises(BuildError) as caught:
        record(text, limits)
    assert caught.value.code == "migrate-setup-failed"
    assert reason in caught.value.message
    if "compiler" in text:
        assert any("no compiler" in line for line in caught.value.context)


def test_the_size_of_what_is_passed_is_allowed_up_to_its_limit(record: Any) -> None:
    whole = len('{"$dict": [["name", "' + "x" * 100 + '"]]}')
    assert record("from setuptools import setup\nsetup(name='x' * 100)\n", Limits(recording_bytes=whole))[
        "name"
    ]


def test_what_was_read_is_preferred_where_it_is_whole(tmp_path: Path) -> None:
    (tmp_path / "spam.py").write_text('__version__ = "1.0"\n')
    tree = Tree(str(tmp_path))
    read = {"name": Text("spam", (), 3), "install_requires": Unknown("it is made by code")}
    recorded = {
        "name": Text("spam"),
        "install_requires": [Text("a")],
        "version": Text("1.0"),
        "py_modules": [Text("spam")],
    }
    found = merged(tree, read, recorded)
    assert found["name"].line == 3
    assert found["install_requires"] == ["a"]
    assert found["version"].origins == ("spam.py",)


@pytest.mark.parametrize("left", ["os.symlink('/etc/passwd', path)", "os.mkfifo(path)", "os.mkdir(path)"])
def test_what_is_left_where_the_answer_belongs_is_not_followed(record: Any, left: str) -> None:
    found = "frame = sys._getframe()\nwhile 'output' not in frame.f_locals:\n    frame = frame.f_back\n"
    with pytest.raises(BuildError) as caught:
        record(f"import os, sys\n{found}path = frame.f_locals['output']\n{left}\n")
    assert caught.value.code == "migrate-setup-failed"
    assert "cannot read" in caught.value.message
