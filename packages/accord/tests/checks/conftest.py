"""An honest project, sdist and wheel that no check has anything to say about, and how to spoil one thing of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from accord.checks.limits import DEFAULT_LIMITS, Limits
from accord.checks.run import Report, run_checks
from accord.checks.subjects import Pair, SdistSubject, WheelSubject, open_subject
from accord.testing.archives import TarPart, sdist_bytes, wheel_parts, zip_bytes

PYPROJECT = """\
[build-system]
requires = ["accord-backend"]
build-backend = "accord_backend"

[project]
name = "spam-shop"
version = "1.0"
description = "A shop that sells spam"
readme = "README.md"
requires-python = ">=3.10"
license = "MIT"
license-files = ["LICENSE"]
authors = [{name = "Ann", email = "ann@spam.example"}]
classifiers = ["Programming Language :: Python :: 3", "Typing :: Typed"]
dependencies = ["eggs>=2"]

[project.optional-dependencies]
ham-cut = ["ham>=1"]

[project.urls]
Source = "https://spam.example/source"

[project.scripts]
spam = "spam_shop.main:main"

[tool.ruff]
"""
README = "# Spam\n\nIt *sells* spam.\n"
LICENCE = "Do what you like.\n"
MODULES = {
    "spam_shop/__init__.py": '"""Spam."""\n',
    "spam_shop/main.py": "def main() -> None:\n    print('spam')\n",
    "spam_shop/py.typed": "",
}
TESTS = {"tests/test_main.py": "def test() -> None:\n    pass\n"}
METADATA = """\
Metadata-Version: 2.4
Name: spam-shop
Version: 1.0
Summary: A shop that sells spam
Author-Email: Ann <ann@spam.example>
License-Expression: MIT
License-File: LICENSE
Classifier: Programming Language :: Python :: 3
Classifier: Typing :: Typed
Project-URL: Source, https://spam.example/source
Requires-Python: >=3.10
Requires-Dist: eggs>=2
Provides-Extra: ham-cut
Requires-Dist: ham>=1; extra == "ham-cut"
Description-Content-Type: text/markdown

# Spam

It *sells* spam.
"""
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: {pure}\n"
INFO = "spam_shop-1.0.dist-info"
ENTRY_POINTS = "[console_scripts]\nspam = spam_shop.main:main\n"

Content = str | bytes


def encoded(content: Content) -> bytes:
    return content.encode() if isinstance(content, str) else content


def swapped(text: str, swaps: tuple[tuple[str, str], ...]) -> str:
    for old, new in swaps:
        assert old in text, old
        text = text.replace(old, new)
    return text


@dataclass(frozen=True)
class Bench:
    """Writes subjects below ``folder`` and runs the checks over them."""

    folder: Path

    def project(
        self,
        *swaps: tuple[str, str],
        add: Mapping[str, Content] | None = None,
        drop: tuple[str, ...] = (),
    ) -> Path:
        """The honest project with words of its ``pyproject.toml`` swapped, files added and dropped."""
        files: dict[str, Content] = {
            "pyproject.toml": swapped(PYPROJECT, swaps),
            "README.md": README,
            "LICENSE": LICENCE,
            **{f"src/{path}": text for path, text in MODULES.items()},
            **TESTS,
            **(add or {}),
        }
        root = self.folder / "project"
        for name, content in files.items():
            if name not in drop:
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(encoded(content))
        return root

    def sdist(
        self,
        *swaps: tuple[str, str],
        add: Mapping[str, Content] | None = None,
        drop: tuple[str, ...] = (),
        name: str = "spam_shop-1.0.tar.gz",
        top: str = "spam_shop-1.0",
    ) -> Path:
        """The honest sdist with words of its PKG-INFO swapped."""
        files: dict[str, Content] = {
            "PKG-INFO": swapped(METADATA, swaps),
            "pyproject.toml": PYPROJECT,
            "README.md": README,
            "LICENSE": LICENCE,
            **{f"src/{path}": text for path, text in MODULES.items()},
            **TESTS,
            **(add or {}),
        }
        parts = [TarPart(f"{top}/{path}", encoded(one)) for path, one in files.items() if path not in drop]
        path = self.folder / name
        path.write_bytes(sdist_bytes(parts))
        return path

    def wheel(
        self,
        *swaps: tuple[str, str],
        add: Mapping[str, Content] | None = None,
        drop: tuple[str, ...] = (),
        tag: str = "py3-none-any",
        inside: str | None = None,
        pure: str = "true",
        entry_points: str = ENTRY_POINTS,
    ) -> Path:
        """The honest wheel with words of its METADATA swapped; ``inside`` are the tags of WHEEL where they differ."""
        files: dict[str, Content] = {**MODULES, f"{INFO}/licenses/LICENSE": LICENCE, **(add or {})}
        python, abi, platform = (inside or tag).split("-")
        tags = [f"{python}-{abi}-{one}" for one in platform.split(".")]
        parts = wheel_parts(
            {path: encoded(content) for path, content in files.items() if path not in drop},
            name="spam_shop",
            wheel=WHEEL.format(pure=pure) + "".join(f"Tag: {one}\n" for one in tags),
            metadata=swapped(METADATA, swaps),
            entry_points=entry_points,
        )
        path = self.folder / f"spam_shop-1.0-{tag}.whl"
        path.write_bytes(zip_bytes(parts))
        return path

    def check(self, path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Report:
        return run_checks(open_subject(str(path), str(self.scratch()), limits))

    def compare(self, sdist: Path, wheel: Path) -> Report:
        """The report of the pair."""
        one, other = (open_subject(str(path), str(self.scratch())) for path in (sdist, wheel))
        assert isinstance(one, SdistSubject)
        assert isinstance(other, WheelSubject)
        return run_checks(Pair(one, other))

    def scratch(self) -> Path:
        path = self.folder / "scratch"
        path.mkdir(exist_ok=True)
        return path


def codes(report: Report) -> list[str]:
    """The codes of the findings, each once, in the order shown."""
    return list(dict.fromkeys(one.check.code for one in report.found))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
