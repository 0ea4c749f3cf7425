"""An environment for each tool: made once with the standard library's venv and pip, kept, and found again.

What is installed comes from the index that the person's own pip is configured for.  An environment that is there already can be
named instead (``--use NAME=FOLDER``): the way to ask a tool that is being developed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from accord_conformance.adapters import Adapter
from accord_conformance.errors import SuiteError
from accord_conformance.protocol import fill

__all__ = ["Tool", "Tools", "default_folder"]

_READY = "accord-conformance.json"
_VERSION = re.compile(r"\d+(?:\.\d+)+[^\s)]*")
_INSTALLING_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that can be asked."""

    adapter: Adapter
    bin: Path
    version: str
    packages: Mapping[str, str]  # what its environment holds
    use: str = ""  # the environment that was named for it, as the person who repeats this would write it


def default_folder() -> Path:
    """Where environments are kept."""
    caches = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(caches) / "accord-conformance"


class Tools:
    """The environments below ``folder``; ``use`` names others by tool."""

    def __init__(self, adapters: Mapping[str, Adapter], folder: Path, use: Mapping[str, Path]) -> None:
        self.adapters = adapters
        self.folder = folder.absolute()  # its programs are started from folders of their own
        self.use = use
        for name in use:
            self._adapter(name)

    def ready(self) -> list[str]:
        """The tools that can be asked as things are."""
        return [
            name
            for name, adapter in self.adapters.items()
            if name in self.use or (not adapter.unpublished and (self._place(adapter) / _READY).exists())
        ]

    def prepare(self, name: str) -> Tool:
        """The tool, its environment made if it is not there; SuiteError with pip's last words when that fails."""
        adapter = self._adapter(name)
        if name in self.use:
            return replace(self._look(adapter, self.use[name]), use=_below(self.use[name]))
        if adapter.unpublished:
            raise SuiteError(name, f"{adapter.unpublished}; say --use {name}=ENVIRONMENT")
        place = self._place(adapter)
        if not (place / _READY).exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            # Two runs that make one environment at a time leave a broken tool, which then fails cases of its own.
            with place.with_suffix(".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not (place / _READY).exists():
                    self._make(adapter, place)
        return self._look(adapter, place)

    def _adapter(self, name: str) -> Adapter:
        if name not in self.adapters:
            raise SuiteError(name, f"no such tool; there are {', '.join(sorted(self.adapters))}")
        return self.adapters[name]

    def _place(self, adapter: Adapter) -> Path:
        wanted = json.dumps([adapter.requires, sys.version_info[:3]])
        return self.folder / f"{adapter.name}-{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"

    def _make(self, adapter: Adapter, place: Path) -> None:
        shutil.rmtree(place, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(place)])
        if adapter.requires:
            pip = [str(place / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "-q"]
            _run([*pip, *adapter.requires])
        packages = _packages(place / "bin" / "python")
        (place / _READY).write_text(json.dumps(packages), encoding="utf-8")

    def _look(self, adapter: Adapter, place: Path) -> Tool:
        programs = place / "bin"
        if not (programs / "python").exists():
            raise SuiteError(adapter.name, f"{place} is no environment: it has no bin/python")
        values = {"python": str(programs / "python"), "bin": str(programs), "suite": sys.executable}
        said = _run(fill(adapter.version, values))
        version = _VERSION.search(said)
        kept = place / _READY
        packages = json.loads(kept.read_text("utf-8")) if kept.exists() else _packages(programs / "python")
        return Tool(adapter, programs, version[0] if version else said.strip(), packages)


def _below(place: Path) -> str:
    """The place from here; one that lies elsewhere is this machine's own affair."""
    here = Path.cwd()
    return str(place.relative_to(here)) if place.is_relative_to(here) else "ENVIRONMENT"


def _packages(python: Path) -> dict[str, str]:
    code = (
        "import importlib.metadata as m, json;"
        "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions()}))"
    )
    found: dict[str, str] = json.loads(_run([str(python), "-c", code]))
    return dict(sorted(found.items()))


def _run(arguments: list[str]) -> str:
    try:
        done = subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_INSTALLING_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SuiteError(arguments[0], str(error)) from error
    if done.returncode:
        raise SuiteError(" ".join(arguments), (done.stderr or done.stdout).strip()[-2000:])
    return done.stdout or done.stderr
