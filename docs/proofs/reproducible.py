# ruff: noqa: T201 - a script that says what it does
"""Build the same project under changed circumstances and compare the bytes of sdist and wheel.

    python docs/proofs/reproducible.py [--only NAME ...] [--no-frontend]

Every hook runs in an interpreter of its own on a fresh copy of the tree, without a frontend that would shield it, once as
things are and once for each circumstance below, without and with ``SOURCE_DATE_EPOCH``.  Then ``accord build`` does the
whole twice.  Writes ``docs/reference/reproducible.md`` (not with ``--only``); status 1 where something of ours differs.
The backends come from the index this machine is configured for, into a folder that git ignores.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

from differing import first_difference
from reproducibility import differences, page
from shapes import BACKEND, ROOT, Shape, runs, shapes

PAGE = os.path.join(ROOT, "docs", "reference", "reproducible.md")
KEPT = os.path.join(ROOT, "benchmarks", "results", "reproducible")
KINDS = ("sdist", "wheel")
DATES = (None, "1700000000")
PYTHONS = ("python3.8", "python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "pypy3")
_CHECKED_OUT = 1_750_000_000  # the time of the files, as things are
_CALL = """\
import importlib, os, sys
module, kind, out, umask, *paths = sys.argv[1:]
sys.path[:0] = [os.path.abspath(path) for path in paths]
os.umask(int(umask, 8))
getattr(importlib.import_module(module), "build_" + kind)(out)
"""
# A file system that lists its folders the other way round.
_BACKWARDS = """\
import os
_scandir, _listdir = os.scandir, os.listdir
class Backwards:
    def __init__(self, path="."):
        with _scandir(path) as entries:
            self.left = sorted(entries, key=lambda entry: entry.name)
    def __iter__(self):
        return self
    def __next__(self):
        if not self.left:
            raise StopIteration
        return self.left.pop()
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self.left = []
    close = __exit__
os.scandir = Backwards
os.listdir = lambda path=".": sorted(_listdir(path), reverse=True)
"""


@dataclass(frozen=True, slots=True)
class Circumstance:
    """What is another way than things are: see :data:`CIRCUMSTANCES`."""

    title: str
    words: str
    elsewhere: bool = False
    user: bool = False
    umask: int = 0o022
    when: int = _CHECKED_OUT
    environ: dict[str, str] = field(default_factory=dict)
    python: bool = False
    backwards: bool = False


_LOCALE = {"LC_ALL": "C", "LANG": "tr_TR.UTF-8", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
_ZONE = {"TZ": "Pacific/Kiritimati"}
_SEED = {"PYTHONHASHSEED": "4711"}
AS_IS = Circumstance("as it is", "")
CIRCUMSTANCES = (
    Circumstance("again", "the same, some seconds later"),
    Circumstance(
        "path", "another, longer root folder and another folder for temporary files", elsewhere=True
    ),
    Circumstance(
        "user", "another uid, gid, name, home and host name (bubblewrap with a user namespace)", user=True
    ),
    Circumstance("umask", "077 instead of 022, for the files of the tree and for the build", umask=0o077),
    Circumstance("mtimes", "every file and folder of the tree is of another day", when=981_173_106),
    Circumstance("locale", "C without UTF-8 mode instead of C.UTF-8", environ=_LOCALE),
    Circumstance("zone", "UTC+14 instead of UTC", environ=_ZONE),
    Circumstance("seed", "another `PYTHONHASHSEED`", environ=_SEED),
    Circumstance("Python", "", python=True),
    Circumstance(
        "order",
        "folders are listed backwards, and were filled in the opposite order on a tmpfs",
        backwards=True,
    ),
    Circumstance(
        "all",
        "all of these together, and one processor; not the Python",
        elsewhere=True,
        user=True,
        umask=0o077,
        when=981_173_106,
        environ={**_LOCALE, **_ZONE, **_SEED},
        backwards=True,
    ),
)
FRONTEND = Circumstance(
    "accord build",
    "the same through `accord build` (sdist, then the wheel from it, in its sandbox): path, umask, mtimes, locale, zone, "
    "seed, order of filling, user's name",
    elsewhere=True,
    umask=0o077,
    when=981_173_106,
    environ={**_LOCALE, **_ZONE, **_SEED, "USER": "somebody", "LOGNAME": "somebody"},
    backwards=True,
)
# What a cell says: the kinds that differ, each with its first difference; or why nothing was tried.
Outcome = dict[str, str] | str


class Workshop:
    """Scratch folders, environments, and the circumstances put around a hook."""

    def __init__(self, scratch: str) -> None:
        self.scratch = scratch
        self.shim = os.path.join(scratch, "shim")
        os.mkdir(self.shim)
        _write(os.path.join(self.shim, "sitecustomize.py"), _BACKWARDS.encode())
        self.bwrap = _sandbox()
        self.pythons = [(name, path) for name in PYTHONS if (path := _python(name))]

    def tree(self, shape: Shape, how: Circumstance) -> str:
        """A fresh copy of the project under ``how``; always the same folder for one circumstance."""
        place = "elsewhere/deep/down/in/another" if how.elsewhere else "here"
        root = os.path.join(self.scratch, place, "spam")
        shutil.rmtree(root, ignore_errors=True)
        names = sorted(shape.files, reverse=how.backwards)
        before = os.umask(how.umask)
        try:
            for name in names:
                _write(os.path.join(root, name), shape.files[name])
            if shape.git:
                _repository(root)
        finally:
            os.umask(before)
        for folder, _, files in os.walk(root, topdown=False):
            for name in [*files, "."]:
                os.utime(os.path.join(folder, name), (how.when, how.when))
        return root

    def environ(self, shape: Shape, how: Circumstance, date: str | None) -> dict[str, str]:
        env = environment(shape)
        home = _folder(self.scratch, "home of somebody" if how.user else "home")
        paths = [os.path.join(env, "bin")] if env else []
        cargo = shutil.which("cargo")
        paths += [os.path.dirname(cargo)] if cargo else []
        found = {
            "PATH": os.pathsep.join([*paths, "/usr/local/bin", "/usr/bin", "/bin"]),
            "HOME": home,
            "USER": "somebody" if how.user else "me",
            "LOGNAME": "somebody" if how.user else "me",
            "TMPDIR": _folder(self.scratch, "elsewhere/tmp" if how.elsewhere else "tmp"),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "CARGO_HOME": os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo")),
            "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", os.path.expanduser("~/.rustup")),
            "CARGO_NET_OFFLINE": "true",
        }
        if how.backwards:
            found["PYTHONPATH"] = self.shim
        if date:
            found["SOURCE_DATE_EPOCH"] = date
        return {**found, **how.environ}

    def build(self, shape: Shape, how: Circumstance, date: str | None, kind: str, python: str = "") -> str:
        """Run one hook; the path of what it made.  Raises RuntimeError with its last words."""
        root = self.tree(shape, how)
        out = tempfile.mkdtemp(dir=_folder(self.scratch, "out"))
        env = environment(shape)
        paths = [shape.path] if shape.path else []
        if python:
            paths += [_site(env)] if env else []
            paths += [tomli()] if shape.ours else []
        command = [
            python or _interpreter(env),
            "-c",
            _CALL,
            shape.module,
            kind,
            out,
            f"{how.umask:o}",
            *paths,
        ]
        if how.title == "all" and shutil.which("taskset"):
            command = ["taskset", "-c", "0", *command]
        if how.user:
            command = [*_SOMEBODY, "--chdir", root, *command]
        ran = subprocess.run(
            command,
            cwd=root,
            env=self.environ(shape, how, date),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            raise RuntimeError((ran.stderr.strip() or ran.stdout.strip() or "no word").splitlines()[-1])
        return _only(out, kind)

    def compared(self, shape: Shape, how: Circumstance, date: str | None, base: dict[str, str]) -> Outcome:
        if how.user and self.bwrap:
            return self.bwrap
        if how.python:
            return self.on_other_pythons(shape, date, base)
        found = {}
        for kind in KINDS:
            try:
                other = self.build(shape, how, date, kind)
            except RuntimeError as error:
                found[kind] = f"the build fails: {error}"
                continue
            if difference := first_difference(base[kind], other):
                found[kind] = difference
        return found

    def on_other_pythons(self, shape: Shape, date: str | None, base: dict[str, str]) -> Outcome:
        """Ours on all that are here; others on those that their release, installed for this Python, runs on too."""
        chosen = [(name, path) for name, path in self.pythons if shape.ours or name in PYTHONS[3:6]]
        found: dict[str, str] = {}
        for name, path in chosen:
            for kind in KINDS[:1] if shape.native else KINDS:
                try:
                    other = self.build(shape, AS_IS, date, kind, path)
                except RuntimeError as error:
                    found.setdefault(kind, f"{name}: the build fails: {error}")
                    continue
                if difference := first_difference(base[kind], other):
                    found.setdefault(kind, f"{name}: {difference}")
        return found

    def through_accord(self, shape: Shape, date: str | None, links: str) -> Outcome:
        """``accord build`` twice, the second time elsewhere and otherwise."""
        made = []
        for how in (AS_IS, FRONTEND):
            root, out = self.tree(shape, how), tempfile.mkdtemp(dir=_folder(self.scratch, "out"))
            keep = ("PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "XDG_CONFIG_HOME")
            usual = {
                name: value for name, value in os.environ.items() if name in keep or name.startswith("PIP_")
            }
            environ = {
                **usual,
                "ACCORD_CACHE_DIR": os.path.join(KEPT, "cache"),
                "TZ": "UTC",
                "LC_ALL": "C.UTF-8",
            }
            environ |= {"SOURCE_DATE_EPOCH": date} if date else {}
            command = [sys.executable, "-m", "accord", "build", "--json", "-f", links, "-o", out, root]
            ran = subprocess.run(
                command,
                env={**environ, **how.environ},
                umask=how.umask,
                capture_output=True,
                text=True,
                check=False,
            )
            if ran.returncode:
                return (
                    f"the build fails: {json.loads(ran.stdout)['error']['message']}"
                    if ran.stdout
                    else ran.stderr
                )
            made.append({kind: _only(out, kind) for kind in KINDS})
        differences = {kind: first_difference(made[0][kind], made[1][kind]) for kind in KINDS}
        return {kind: difference for kind, difference in differences.items() if difference}


_SOMEBODY = (
    *("bwrap", "--dev-bind", "/", "/", "--unshare-user", "--uid", "4711", "--gid", "4711"),
    *("--unshare-uts", "--hostname", "elsewhere"),
)


def _sandbox() -> str:
    """Why there is no other user here; empty when there is."""
    if shutil.which("bwrap") is None:
        return "not tried: no bubblewrap"
    return "" if runs(*_SOMEBODY, "true") else "not tried: no user namespace"


def _python(name: str) -> str | None:
    beside = os.path.dirname(sys.base_prefix)
    versions = sorted(os.listdir(beside)) if os.path.basename(beside) == "versions" else []
    places = [os.path.join(beside, one, "bin", name) for one in versions]
    for place in [*places, shutil.which(name)]:
        if place and os.path.exists(place) and runs(place, "-c", ""):
            return place
    return None


def environment(shape: Shape) -> str:
    """The environment with what the backend needs, made once; empty where it needs nothing."""
    if not shape.requires:
        return ""
    folder = os.path.join(KEPT, "environments", "+".join(shape.requires))
    if not os.path.exists(os.path.join(folder, "done")):
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys._base_executable, "-m", "venv", "--without-pip", folder], check=True)  # type: ignore[attr-defined]
        _pip("--python", _interpreter(folder), "install", *shape.requires)
        _write(os.path.join(folder, "done"), b"")
    return folder


def tomli() -> str:
    """A folder with the pure tomli, which the backend needs below Python 3.11."""
    folder = os.path.join(KEPT, "tomli")
    if not os.path.isdir(folder):
        _pip("install", "--target", folder, "--python-version", "3.8", "--only-binary", ":all:", "tomli")
    return folder


def _pip(*words: str) -> None:
    command = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *words]
    subprocess.run(command, check=True, stdout=sys.stderr)


def _interpreter(env: str) -> str:
    return os.path.join(env, "bin", "python") if env else sys._base_executable  # type: ignore[attr-defined]


def _site(env: str) -> str:
    lib = os.path.join(env, "lib")
    return os.path.join(lib, os.listdir(lib)[0], "site-packages")


def _write(path: str, data: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def _folder(*parts: str) -> str:
    path = os.path.join(*parts)
    os.makedirs(path, exist_ok=True)
    return path


def _repository(root: str) -> None:
    """One commit, always the same: what somebody who clones the project has."""
    moment = f"{_CHECKED_OUT} +0000"
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    environ |= {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
    name = ("-c", "user.name=somebody", "-c", "user.email=somebody@people.example")
    for words in (("init", "-q"), ("add", "."), (*name, "commit", "-qm", "all")):
        subprocess.run(["git", *words], cwd=root, env=environ, check=True)


def _only(out: str, kind: str) -> str:
    suffix = ".whl" if kind == "wheel" else ".tar.gz"
    (name,) = (name for name in os.listdir(out) if name.endswith(suffix))
    return os.path.join(out, name)


@dataclass(slots=True)
class Row:
    """One project without or with a date; ``cells`` by the title of the circumstance."""

    shape: Shape
    date: str | None
    cells: dict[str, Outcome] = field(default_factory=dict)


def measure(workshop: Workshop, shape: Shape, links: str | None) -> list[Row]:
    rows = [Row(shape, date) for date in DATES]
    bases = [{kind: workshop.build(shape, AS_IS, row.date, kind) for kind in KINDS} for row in rows]
    time.sleep(2.1)  # the times of a zip are of two seconds each
    for row, base in zip(rows, bases, strict=True):
        for how in CIRCUMSTANCES:
            row.cells[how.title] = workshop.compared(shape, how, row.date, base)
        if links:
            row.cells[FRONTEND.title] = workshop.through_accord(shape, row.date, links)
        print(f"{shape.name}, {shape.backend}, {'dated' if row.date else 'no date'}:", flush=True)
        if not any(row.cells.values()):
            print("  the same in all")
        for (kind, words), titles in differences(row, workshop.scratch).items():
            print(f"  {kind}: {', '.join(titles)}: {words}", flush=True)
    return rows


def links_with_the_backend(scratch: str) -> str:
    """A folder with a wheel of this repository's backend, for ``accord build`` of projects that ask for it."""
    folder = _folder(scratch, "links")
    source = os.path.dirname(BACKEND)
    command = [sys.executable, "-m", "accord", "build", "--wheel", "-q", "-o", folder, source]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


def versions(found: list[Shape]) -> str:
    """What was installed, as a sentence."""
    from importlib import metadata

    told = set()
    for shape in found:
        for requirement in shape.requires:
            (one,) = metadata.distributions(name=requirement, path=[_site(environment(shape))])
            told.add(f"{requirement} {one.version}")
    return ", ".join(sorted(told))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="*", default=[], help="projects or backends with this in their name")
    parser.add_argument("--no-frontend", action="store_true", help="leave accord build out")
    options = parser.parse_args()
    chosen = [
        shape
        for shape in shapes()
        if not options.only or any(word in f"{shape.name} {shape.backend}" for word in options.only)
    ]
    for shape in chosen:
        environment(shape)
    memory = "/dev/shm"  # noqa: S108 - a tmpfs, whose folders are listed as they were filled
    with tempfile.TemporaryDirectory(
        prefix="reproducible-", dir=memory if os.access(memory, os.W_OK) else None
    ) as scratch:
        workshop = Workshop(scratch)
        links = None if options.no_frontend else links_with_the_backend(scratch)
        rows = [row for shape in chosen for row in measure(workshop, shape, links)]
        if not options.only:
            text = page(rows, (*CIRCUMSTANCES, FRONTEND), scratch, workshop.pythons, versions(chosen))
            _write(PAGE, text.encode())
            print(PAGE)
    return int(any(outcome for row in rows if row.shape.ours for outcome in row.cells.values()))


if __name__ == "__main__":
    sys.exit(main())
