"""A small world to run Accord in: an index of made-up releases, a cache, a home, and folders for projects.

Nothing of the machine's own configuration reaches in, and nothing gets out.  :meth:`World.accord` runs a command line in
this process, :meth:`World.start` in one of its own; both as a person would, by words.  Other people's tools run in the
same world by :meth:`World.pip` and :meth:`World.uv`, so that theirs and ours can be compared.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accord.cli.main import main
from accord.io.urls import file_url
from accord.testing.archives import TarPart, sdist_bytes, wheel_parts, zip_bytes
from accord.testing.builds import GOOD_BACKEND, PYPROJECT
from accord.testing.indexes import MadeUp
from accord_core.index.model import File

__all__ = ["Ran", "World", "contents", "sdist_file", "source_tree", "wheel_file"]

_FOREIGN = ("ACCORD_", "UV_", "PIP_", "XDG_", "GIT_", "COVERAGE_", "PYTEST_")
_FOREIGN_NAMES = frozenset(("VIRTUAL_ENV", "NO_COLOR", "FORCE_COLOR", "NETRC", "PYTHONPATH", "PYTHONHOME"))
_PATIENCE = 120  # seconds; a command of these tests takes one


@dataclass(frozen=True)
class Ran:
    """What became of a command line."""

    status: int
    out: str
    err: str

    def document(self) -> Any:
        """Standard output as the one JSON document it is to be."""
        return json.loads(self.out)

    def fine(self) -> Ran:
        """Itself, if the command did what it was asked."""
        assert self.status == 0, f"status {self.status}\n{self.out}\n{self.err}"
        return self


def wheel_file(
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    extras: Mapping[str, Sequence[str]] | None = None,
    files: Mapping[str, bytes] | None = None,
    scripts: Mapping[str, str] | None = None,
    requires_python: str | None = None,
    tag: str = "py3-none-any",
    metadata_version: str = "2.4",
) -> tuple[str, bytes, bytes]:
    """File name, bytes and METADATA of an honest wheel; unless ``files`` says otherwise, a package of its name that
    knows its ``version``."""
    package = name.replace("-", "_").replace(".", "_")
    lines = [f"Metadata-Version: {metadata_version}", f"Name: {name}", f"Version: {version}"]
    if requires_python is not None:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    for extra, several in (extras or {}).items():
        lines.append(f"Provides-Extra: {extra}")
        for requirement in several:
            bare, semicolon, marker = requirement.partition(";")
            both = f"({marker.strip()}) and " if semicolon else ""
            lines.append(f"Requires-Dist: {bare.strip()}; {both}extra == '{extra}'")
    metadata = "\n".join(lines) + "\n"
    points = None
    if scripts:
        points = "[console_scripts]\n" + "".join(f"{key} = {value}\n" for key, value in scripts.items())
    parts = wheel_parts(
        {f"{package}/__init__.py": f"version = {version!r}\n".encode()} if files is None else files,
        name=package,
        version=version,
        wheel=f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
        metadata=metadata,
        entry_points=points,
    )
    return f"{package}-{version}-{tag}.whl", zip_bytes(parts), metadata.encode()


def source_tree(name: str, version: str, *, requires: Sequence[str] = (), extra: str = "") -> dict[str, str]:
    """The files of a source tree with a backend of its own, which needs nothing to build: a module ``name``."""
    package = name.replace("-", "_")
    lines = ["Metadata-Version: 2.1", f"Name: {package}", f"Version: {version}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    text = "\n".join(lines) + "\n"
    own = f"\nNAME, VERSION = {package!r}, {version!r}\n\ndef metadata():\n    return {text!r}\n"
    return {"pyproject.toml": PYPROJECT, "backend.py": GOOD_BACKEND + own + extra}


def sdist_file(
    name: str, version: str, *, requires: Sequence[str] = (), extra: str = ""
) -> tuple[str, bytes]:
    """File name and bytes of an sdist of :func:`source_tree`, whose metadata is only known when it is built."""
    top = f"{name.replace('-', '_')}-{version}"
    tree = source_tree(name, version, requires=requires, extra=extra)
    parts = [TarPart(top, kind=tarfile.DIRTYPE, mode=0o755)]
    tree["PKG-INFO"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    parts += [TarPart(f"{top}/{path}", text.encode()) for path, text in tree.items()]
    return f"{top}.tar.gz", sdist_bytes(parts)


def contents(folder: str, *, without: Sequence[str] = (".accord", "__pycache__")) -> dict[str, str]:
    """Everything below ``folder`` by its relative path: what a file is made of and who may run it, where a link leads.
    Folders named in ``without`` are left out; of what is not there, nothing."""
    found: dict[str, str] = {}
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in without)
        for name in [*folders, *files]:
            path = os.path.join(here, name)
            key = os.path.relpath(path, folder)
            if os.path.islink(path):
                found[key] = "-> " + os.readlink(path)
            elif os.path.isdir(path):
                found[key] = "folder"
            elif os.path.isfile(path):
                with open(path, "rb") as stream:
                    digest = hashlib.sha256(stream.read()).hexdigest()
                found[key] = f"{os.stat(path).st_mode & 0o111:o} {digest}"
    return found


class World:
    """``root`` is an empty folder; ``index`` what its index offers; ``here`` where commands are run."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.here = os.path.join(root, "work")
        self.cache = os.path.join(root, "cache")
        self.home = os.path.join(root, "home")
        self.index = MadeUp()
        self.indexed = os.path.join(root, "index")
        self._written = -1
        for folder in (self.here, self.home, os.path.join(self.indexed, "simple")):
            os.makedirs(folder)
        self.environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_FOREIGN) and name not in _FOREIGN_NAMES
        }
        self.environ |= {
            "HOME": self.home,
            "ACCORD_CACHE_DIR": self.cache,
            "ACCORD_CONFIG_DIR": os.path.join(self.home, "accord"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_CACHE_DIR": os.path.join(self.home, "pip"),
            "UV_CACHE_DIR": os.path.join(self.home, "uv"),
            "UV_NO_CONFIG": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        self.use(self.simple)

    @property
    def simple(self) -> str:
        """The URL of the index as a folder."""
        return file_url(os.path.join(self.indexed, "simple"))

    def use(self, url: str) -> None:
        """Make ``url`` the default index of every tool."""
        self.environ |= {"ACCORD_DEFAULT_INDEX": url, "PIP_INDEX_URL": url, "UV_DEFAULT_INDEX": url}

    # ------------------------------------------------------------ what there is

    def publish(self, name: str, version: str, **described: Any) -> File:
        """Put a wheel (see :func:`wheel_file`) on the index."""
        filename, content, _ = wheel_file(name, version, **described)
        return self.publish_file(name, filename, content, requires_python=described.get("requires_python"))

    def publish_sdist(self, name: str, version: str, **described: Any) -> File:
        """Put an sdist (see :func:`sdist_file`) on the index."""
        return self.publish_file(name, *sdist_file(name, version, **described))

    def publish_file(
        self, name: str, filename: str, content: bytes, *, requires_python: str | None = None
    ) -> File:
        file = self.index.add(name.lower().replace("_", "-"), filename, content)
        file.requires_python = requires_python
        return file

    def write_index(self) -> str:
        """Write the index out; returns the folder of its pages.  Commands do so by themselves."""
        return self.index.write(self.indexed)

    def write(self, path: str, text: str | bytes) -> str:
        """A file below the folder where commands are run."""
        path = os.path.join(self.here, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(text.encode() if isinstance(text, str) else text)
        return path

    def tree(self, folder: str, name: str, version: str, **described: Any) -> str:
        """A source tree (see :func:`source_tree`) below the folder where commands are run."""
        for path, text in source_tree(name, version, **described).items():
            self.write(os.path.join(folder, path), text)
        return os.path.join(self.here, folder)

    def project(self, *dependencies: str, name: str = "shop", more: str = "") -> str:
        """A ``pyproject.toml`` that asks for ``dependencies``; ``more`` is TOML after it."""
        listed = ", ".join(json.dumps(one) for one in dependencies)
        head = f'[project]\nname = "{name}"\nversion = "1.0"\nrequires-python = ">=3.8"\n'
        return self.write("pyproject.toml", f"{head}dependencies = [{listed}]\n{more}")

    def read(self, path: str) -> str:
        with open(os.path.join(self.here, path), encoding="utf-8") as stream:
            return stream.read()

    def path(self, *parts: str) -> str:
        return os.path.join(self.here, *parts)

    def listed(self, folder: str) -> list[str]:
        """What a shell's ``folder/*`` names, without the folder: nothing hidden."""
        return sorted(name for name in os.listdir(self.path(folder)) if not name.startswith("."))

    # ------------------------------------------------------------ what is done

    def accord(self, *words: str, **environ: str) -> Ran:
        """Run ``accord words`` in this process."""
        self.write_index()
        out, err = io.StringIO(), io.StringIO()
        with self._inside(environ), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(words)
        return Ran(status, out.getvalue(), err.getvalue())

    def refused(self, *words: str, code: str, **environ: str) -> dict[str, Any]:
        """Run a command line that must be refused with ``code``, and return the record of its error.

        Every refusal says what to do next, and ends with a status that a script can see.
        """
        ran = self.accord(*words, "--json", **environ)
        return refusal(ran, code)

    def start(self, *words: str, prefix: Sequence[str] = (), **environ: str) -> subprocess.Popen[str]:
        """Start ``accord words`` in a process of its own; ``prefix`` are words before it (``setpriv`` …)."""
        self.write_index()
        return subprocess.Popen(
            [*prefix, sys.executable, "-m", "accord", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.here,
            env={**self.environ, **environ},
        )

    def process(self, *words: str, prefix: Sequence[str] = (), **environ: str) -> Ran:
        """Run ``accord words`` in a process of its own to its end."""
        with self.start(*words, prefix=prefix, **environ) as process:
            out, err = process.communicate(timeout=_PATIENCE)
        return Ran(process.returncode, out, err)

    def run(self, *command: str, **environ: str) -> Ran:
        """Run any program in this world."""
        self.write_index()
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=self.here,
            env={**self.environ, **environ},
            timeout=_PATIENCE,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def pip(self, env: str, *words: str, **environ: str) -> Ran:
        """pip, about the environment ``env`` (it need not be in there)."""
        return self.run(
            sys.executable, "-m", "pip", "--python", self.python(env), "--no-input", *words, **environ
        )

    def uv(self, env: str, *words: str, **environ: str) -> Ran:
        """``uv pip``, about the environment ``env``; ``uv`` must be beside this Python or on the path."""
        found = uv_program()
        assert found is not None, "the caller asks for uv first"
        return self.run(found, "pip", *words, "--python", self.python(env), **environ)

    def python(self, env: str) -> str:
        return os.path.join(self.here, env, "bin", "python")

    def asked_python(self, env: str, code: str, **environ: str) -> str:
        """What a program says in the environment ``env``."""
        return self.run(self.python(env), "-c", code, **environ).fine().out.strip()

    def site(self, env: str) -> str:
        """The real site-packages of ``env``: of a sealed one, that of its closure."""
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        return os.path.realpath(self.asked_python(env, code))

    def everything(self, env: str) -> dict[str, str]:
        """What makes up ``env``, wherever its site-packages lies."""
        site = {f"site-packages/{path}": made for path, made in contents(self.site(env)).items()}
        return {**contents(self.path(env)), **site}

    def clean(self) -> None:
        """Let go of what is guarded against being removed."""
        self.accord("cache", "clean", "--quiet")

    def installed(self, env: str) -> dict[str, str]:
        """Name and version of every distribution that ``importlib.metadata`` finds in ``env``, installers left out."""
        code = (
            "import importlib.metadata as m, json; "
            "print(json.dumps({d.metadata['Name'].lower().replace('_', '-'): d.version for d in m.distributions()}))"
        )
        found: dict[str, str] = json.loads(self.asked_python(env, code))
        return {name: version for name, version in found.items() if name not in ("pip", "setuptools")}

    @contextlib.contextmanager
    def _inside(self, environ: Mapping[str, str]) -> Iterator[None]:
        outside, above = dict(os.environ), os.getcwd()
        os.environ.clear()
        os.environ.update({**self.environ, **environ})
        os.chdir(self.here)
        try:
            yield
        finally:
            os.chdir(above)
            os.environ.clear()
            os.environ.update(outside)


def refusal(ran: Ran, code: str) -> dict[str, Any]:
    """The error of a ``--json`` command line that was refused with ``code``."""
    assert ran.status != 0, f"not refused: {ran.out}"
    record: dict[str, Any] = ran.document()["error"]
    assert record["code"] == code, record
    assert record["message"]
    assert record["hint"], f"{code} does not say what to do: {record}"
    return record


def uv_program() -> str | None:
    """uv beside this Python, or on the path."""
    beside = os.path.join(os.path.dirname(sys.executable), "uv")
    return beside if os.access(beside, os.X_OK) else shutil.which("uv")
