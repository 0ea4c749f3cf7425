"""What lies in an environment before a tool is asked: projects that some other installer put there, files of nobody, a Python of its own.

Written by hand as the standards describe it, so that no tool's accident is in it.  A base Python is a folder of links to the standard library of the
suite's own, with a binary, a site-packages folder and, if wanted, a marker of its own: nothing of the machine is touched.
"""

from __future__ import annotations

import io
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from accord_conformance.errors import SuiteError
from accord_conformance.making.wheels import Made, make_wheel

__all__ = ["LIB64", "base_executable", "declare", "make_base", "put_project", "unpack_sdist"]

_LIBRARY = f"python3.{sys.version_info[1]}"
# As in distros that keep pure and compiled modules apart: platlib has a folder of its own.
LIB64 = f"lib64/{_LIBRARY}/site-packages"
_SPLIT = """
for _name in ("posix_prefix", "posix_venv", "venv"):
    if _name in _INSTALL_SCHEMES:
        _INSTALL_SCHEMES[_name]["platlib"] = "{platbase}/lib64/python{py_version_short}/site-packages"
"""


_DECLARED = """
import sys

if sys.executable.startswith({env!r}):
    sys.prefix = sys.exec_prefix = {env!r}
    sys.path = [each for each in sys.path if each != {below!r}] + [{purelib!r}]
"""


def put_project(purelib: Path, key: str, values: Mapping[str, Any], fill: Mapping[str, str]) -> None:
    """Puts the project that a wheel's table describes into ``purelib``; ``installer`` is what its INSTALLER says (false: none).

    ``{env}`` and the other names of ``fill`` stand for their values in RECORD.
    """
    table = dict(values)
    installer = table.pop("installer", "elsewhere")
    files = dict(table.pop("files", {f"{key}.py": "version = 'old'\n"}))
    if installer is not False:
        files["{dist_info}/INSTALLER"] = f"{installer}\n"
    made = make_wheel(key, {**table, "files": files})
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        for name in archive.namelist():
            path = purelib / name
            path.parent.mkdir(parents=True, exist_ok=True)
            data = archive.read(name)
            if name.endswith(".dist-info/RECORD"):
                for word, value in fill.items():
                    data = data.replace(b"{%s}" % word.encode(), value.encode())
            path.write_bytes(data)


def unpack_sdist(made: Made, folder: Path) -> None:
    """The source tree of an sdist of ours, with its one folder as ``folder``."""
    with tarfile.open(fileobj=io.BytesIO(made.data)) as archive:
        for member in archive.getmembers():
            stream = archive.extractfile(member)
            assert stream is not None, "sdists of the suite hold files"
            path = folder / member.name.partition("/")[2]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(stream.read())


def base_executable() -> Path:
    """The Python that is no virtual environment."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def make_base(folder: Path, managed: str | None, split: bool) -> Path:
    """A base Python at ``folder``: its executable.  ``managed`` is the text of its EXTERNALLY-MANAGED; ``split`` sets platlib apart from purelib."""
    real = base_executable()
    library = folder / "lib" / _LIBRARY
    (library / "site-packages").mkdir(parents=True)
    (folder / "bin").mkdir()
    shutil.copy2(real, folder / "bin" / _LIBRARY)
    for name in ("python", "python3"):
        (folder / "bin" / name).symlink_to(_LIBRARY)
    standard = real.parent.parent / "lib" / _LIBRARY
    if not standard.is_dir():
        raise SuiteError(
            "installer", f"the standard library is not at {standard}: no base Python can be made"
        )
    for each in standard.iterdir():
        if each.name not in ("site-packages", "EXTERNALLY-MANAGED"):
            (library / each.name).symlink_to(each)
    if managed is not None:
        (library / "EXTERNALLY-MANAGED").write_bytes(managed.encode("utf-8", "surrogateescape"))
    if split:
        _set_apart(library)
        (folder / LIB64).mkdir(parents=True)
    return folder / "bin" / "python3"


def declare(base: Path, env: Path) -> None:
    """Makes ``env``, a folder with that base's Python, an environment without pyvenv.cfg: the base's sitecustomize sets its prefixes."""
    inside = f"lib/{_LIBRARY}/site-packages"
    text = _DECLARED.format(env=str(env), purelib=str(env / inside), below=str(base / inside))
    (base / inside / "sitecustomize.py").write_text(text, encoding="utf-8")
    (env / "pyvenv.cfg").unlink()


def _set_apart(library: Path) -> None:
    """A ``sysconfig`` of its own for this Python."""
    link = library / "sysconfig.py"
    if not link.exists():
        package = library / "sysconfig"
        real = package.resolve()
        package.unlink()
        shutil.copytree(real, package)
        link = package / "__init__.py"
    text = link.read_text(encoding="utf-8")
    if not link.is_symlink():
        link.write_text(text + _SPLIT, encoding="utf-8")
        return
    link.unlink()
    # Before what runs when it is used as a program.
    link.write_text(text.replace("\nif __name__ == ", _SPLIT + "\nif __name__ == "), encoding="utf-8")
