"""Public fakes for building: projects that bring their own backend, so that nothing has to be fetched.

The backend is real PEP 517 and 660 code in a real process; only where it comes from is made simple.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib.util import MAGIC_NUMBER
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accord.build.ports import Python

__all__ = ["GOOD_BACKEND", "PYPROJECT", "BareEnvironments", "ThisPython", "Tree", "write_project"]

GOOD_BACKEND = """
import os

NAME, VERSION = "demo", "1.0"

def metadata():
    return f"Metadata-Version: 2.1\\nName: {NAME}\\nVersion: {VERSION}\\nRequires-Dist: other>=2\\n"

def prepare_metadata_for_build_wheel(directory, config_settings=None):
    folder = f"{NAME}-{VERSION}.dist-info"
    os.mkdir(os.path.join(directory, folder))
    with open(os.path.join(directory, folder, "METADATA"), "w") as file:
        file.write(metadata())
    return folder

def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = f"{NAME}-{VERSION}-py3-none-any.whl"
    info = f"{NAME}-{VERSION}.dist-info"
    wheel = "Wheel-Version: 1.0\\nGenerator: demo\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    import base64, hashlib, zipfile
    files = {
        f"{NAME}.py": f"settings = {config_settings!r}\\n",
        f"{info}/METADATA": metadata(),
        f"{info}/WHEEL": wheel,
    }
    rows = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text.encode())}\\n")
    files[f"{info}/RECORD"] = "".join(rows) + f"{info}/RECORD,,\\n"
    with zipfile.ZipFile(os.path.join(directory, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)  # without the time
    return name

build_editable = build_wheel
prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def write_project(
    folder: str, backend: str = "", *, pyproject: str = PYPROJECT, files: Mapping[str, str] | None = None
) -> str:
    """Write the project ``demo`` 1.0 into the new ``folder`` and return it.

    ``backend`` is Python appended to the good backend (and so can replace its hooks); ``files`` are more files.
    """
    contents = {"backend.py": GOOD_BACKEND + backend, "pyproject.toml": pyproject, **(files or {})}
    for name, text in contents.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if text:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
    return folder


@dataclass(frozen=True)
class ThisPython:
    """The interpreter that runs the tests, as ``accord.build.ports.Python``."""

    executable: str = sys.executable
    identity: str = "testing-" + sys.version.split()[0]
    base_prefix: str = sys.base_prefix
    magic: str = MAGIC_NUMBER.hex()


class BareEnvironments:
    """``BuildEnvironments`` for backends in the tree: the bare interpreter; ``asked`` remembers requirements."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def make(self, requirements: tuple[str, ...], python: Python) -> str:
        self.asked.append(requirements)
        return python.executable


@dataclass(frozen=True)
class Tree:
    """A folder as a ``Buildable``, with whatever promises a test wants to make about it."""

    path: str
    name: str | None = None
    version: str | None = None
    key: str | None = None
    own: bool = False
    info: bytes | None = None
    label: str = "demo (test tree)"

    def pkg_info(self) -> bytes | None:
        return self.info

    def tree(self, into: str) -> str:
        return self.path
