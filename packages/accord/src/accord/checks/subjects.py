"""What is checked, read once and within limits: a project folder, an sdist, a wheel, or an sdist with its wheel.

A subject gives the checks files and facts and judges nothing.  ``files`` are all its files by path; ``library`` those
that would be imported, by their path below ``site-packages``.  An archive that cannot be read has a ``fault`` and is
empty otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from accord.checks.facts import Facts, of_metadata, of_project
from accord.checks.limits import DEFAULT_LIMITS, Limits
from accord.checks.sources import Source, read_sources
from accord_core.errors import ArchiveError, DocumentError, UsageError, Where
from accord_core.project.faults import Faults

if TYPE_CHECKING:
    from accord_core.archive.wheel import Wheel
    from accord_core.index.filenames import WheelName
    from accord_core.project.positions import KeyPath

__all__ = ["File", "Pair", "ProjectSubject", "SdistSubject", "Subject", "WheelSubject", "open_subject"]

# What every builder leaves out of a project, and nobody means to publish.
_NOT_THE_PROJECT = frozenset(
    (
        ".git", ".hg", ".svn", ".venv", "venv", "env", ".tox", ".nox", ".eggs", "__pycache__", ".mypy_cache",
        ".pytest_cache", ".ruff_cache", ".hypothesis", "build", "dist", "node_modules", "site-packages",
    )
)  # fmt: skip
# Folders beside pyproject.toml that hold modules and are not what the project is imported as.
_BESIDE = frozenset(
    (
        "tests", "test", "testing", "docs", "doc", "examples", "example", "benchmarks", "benchmark", "scripts",
        "tools", "tasks", "ci", "bin", "src", "requirements", "notebooks", "samples",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class File:
    """One file: ``path`` with ``/`` below the subject's root, ``size`` in bytes, and how its bytes are had."""

    path: str
    size: int
    executable: bool
    read: Callable[[], bytes] = field(repr=False)

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass
class Subject:
    """What all kinds have in common; ``path`` is as it was named; in ``cache_dir`` is kept what was read from sources."""

    path: str
    limits: Limits
    kind: str = ""
    fault: ArchiveError | None = None
    facts: Facts | None = None
    files: Mapping[str, File] = field(default_factory=dict)
    library: Mapping[str, File] = field(default_factory=dict)
    cache_dir: str | None = None

    @property
    def filename(self) -> str:
        return os.path.basename(self.path)

    def where(self, path: str = "", *, line: int | None = None, key: str | None = None) -> Where:
        """A place inside: a file of the subject, or the subject itself."""
        if not path:
            return Where(self.path, key=key)
        inside = os.path.join(self.path, path) if self.kind == "project" else f"{self.path}/{path}"
        return Where(inside, line=line, key=key)

    @property
    def public(self) -> bool:
        """Whether strangers may meet it: no index takes what is called ``Private ::``."""
        return not any(one.startswith("Private ::") for one in (self.facts.classifiers if self.facts else ()))

    @cached_property
    def sources(self) -> dict[str, Source]:
        """The Python files of the library, parsed for the lowest Python the project runs on."""
        return read_sources(
            self.library,
            self.facts.requires_python if self.facts else None,
            self.limits,
            cache_dir=self.cache_dir,
            subject=self.path,
        )

    @cached_property
    def tops(self) -> tuple[str, ...]:
        """The top-level names of the library: packages and modules, sorted."""
        found = set()
        for path in self.library:
            top, slash, _ = path.partition("/")
            found.add(top if slash else top.partition(".")[0])
        return tuple(sorted(found))


@dataclass
class ProjectSubject(Subject):
    """``data`` is ``pyproject.toml`` as it is, ``None`` where there is none or it is not TOML; ``faults`` what is wrong with it."""

    text: str = ""
    data: dict[str, Any] | None = None
    faults: tuple[DocumentError, ...] = ()
    document: str = ""

    @property
    def public(self) -> bool:
        """Also not a program that is run where it lies: nothing says how to build it."""
        built = self.data is None or "build-system" in self.data or "setup.py" in self.files
        return built and super().public

    def place(self, at: KeyPath) -> Where:
        """Where a key of ``pyproject.toml`` stands."""
        return self._faults.where(at)

    @cached_property
    def _faults(self) -> Faults:
        return Faults(self.document, self.text)

    def table(self, *keys: str) -> dict[str, Any]:
        """The table ``keys`` lead to, empty where there is none."""
        value: Any = self.data or {}
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value if isinstance(value, dict) else {}


@dataclass
class SdistSubject(Subject):
    """``top`` is the one folder it holds; ``files`` are those inside it.  ``metadata`` is PKG-INFO."""

    top: str = ""
    metadata: bytes | None = None


@dataclass
class WheelSubject(Subject):
    """``wheel`` is the open archive, None where there is a fault; ``metadata`` is METADATA.

    ``imported`` is what became of importing its names (``""``: nothing went wrong), None where nobody asked for that.
    """

    wheel: Wheel | None = None
    tags: WheelName | None = None
    metadata: bytes | None = None
    imported: Mapping[str, str] | None = None

    @cached_property
    def dist_info(self) -> str:
        return "" if self.wheel is None else self.wheel.dist_info


@dataclass(frozen=True, slots=True)
class Pair:
    """An sdist and a wheel of one name, compared with each other."""

    sdist: SdistSubject
    wheel: WheelSubject
    kind: str = "pair"
    fault: ArchiveError | None = None

    @property
    def path(self) -> str:
        return f"{self.sdist.filename} with {self.wheel.filename}"

    @property
    def limits(self) -> Limits:
        return self.wheel.limits


def open_subject(path: str, scratch: str, limits: Limits = DEFAULT_LIMITS) -> Subject:
    """Read what lies at ``path``; an sdist is unpacked below ``scratch``, which must last as long as the subject.

    Raises UsageError ``check-no-subject``; DocumentError ``check-too-many-files``, ``document-too-large``.
    """
    if os.path.isdir(path):
        return _project(path, limits)
    lowered = path.lower()
    if os.path.isfile(path) and lowered.endswith(".whl"):
        return _wheel(path, limits)
    if os.path.isfile(path) and lowered.endswith((".tar.gz", ".zip", ".tgz")):
        return _sdist(path, scratch, limits)
    if os.path.isfile(path) and os.path.basename(path) == "pyproject.toml":
        return _project(os.path.dirname(path) or ".", limits)
    raise UsageError(
        "check-no-subject",
        f"{path} is no project folder, sdist or wheel" if os.path.lexists(path) else f"there is no {path}",
        hint="name a folder with a pyproject.toml, a .tar.gz or a .whl",
    )


# -- projects ------------------------------------------------------------------------------------------------


def _project(path: str, limits: Limits) -> ProjectSubject:
    from accord_core.project.pyproject import read_pyproject

    document = os.path.normpath(os.path.join(path, "pyproject.toml"))
    subject = ProjectSubject(path, limits, kind="project", document=document)
    subject.files = _tree(path, limits)
    if not {"pyproject.toml", "setup.py", "setup.cfg"} & set(subject.files):
        raise UsageError(
            "check-no-subject",
            f"{path} holds neither pyproject.toml nor setup.py",
            hint="name the folder of a project, an sdist or a wheel; accord init makes a project",
        )
    file = subject.files.get("pyproject.toml")
    if file is not None:
        try:
            subject.text = _document(file, limits).decode("utf-8-sig")
            subject.data = read_pyproject(subject.text, document).raw  # type: ignore[assignment]
        except UnicodeDecodeError as error:
            subject.faults = (
                DocumentError(
                    "toml-invalid", f"{document} is not UTF-8: {error.reason}", where=Where(document)
                ),
            )
        except DocumentError as error:
            subject.faults = error.faults or (error,)
            subject.data = _lenient(subject.text)

    def read(name: str) -> bytes | None:
        found = subject.files.get(os.path.normpath(name).replace(os.sep, "/"))
        return None if found is None else _document(found, limits)

    if isinstance((subject.data or {}).get("project"), dict):
        subject.facts = of_project(subject.table("project"), subject.place, read)
    subject.library = _project_library(subject)
    return subject


def _document(file: File, limits: Limits) -> bytes:
    if file.size > limits.document_bytes:
        raise DocumentError(
            "document-too-large",
            f"{file.path} has {file.size:,} bytes, more than {limits.document_bytes:,}",
            where=Where(file.path),
            hint="check that this is the file you mean",
        )
    return file.read()


def _lenient(text: str) -> dict[str, Any] | None:
    import tomllib

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _tree(root: str, limits: Limits) -> dict[str, File]:
    """The files below ``root`` that could be published, by path, sorted; links to folders are not followed."""
    found: dict[str, File] = {}
    queue = [("", 0)]
    while queue:
        folder, depth = queue.pop()
        with os.scandir(os.path.join(root, folder)) as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    if depth < limits.tree_depth and _is_of_the_project(entry):
                        queue.append((path, depth + 1))
                elif entry.is_file():
                    status = entry.stat()
                    found[path] = File(
                        path, status.st_size, bool(status.st_mode & 0o111), _reader(entry.path)
                    )
        if len(found) > limits.tree_files:
            raise DocumentError(
                "check-too-many-files",
                f"{root} holds more than {limits.tree_files:,} files",
                where=Where(root),
                hint="name the folder of one project, or check its sdist and wheel",
            )
    return dict(sorted(found.items()))


def _is_of_the_project(entry: os.DirEntry[str]) -> bool:
    if entry.name in _NOT_THE_PROJECT or entry.name.endswith(".egg-info"):
        return False
    return not os.path.exists(os.path.join(entry.path, "pyvenv.cfg"))


def _reader(path: str) -> Callable[[], bytes]:
    def read() -> bytes:
        with open(path, "rb") as file:
            return file.read()

    return read


def _project_library(subject: ProjectSubject) -> dict[str, File]:
    """The files of the import packages, found where builders look: named modules, ``src``, or beside the document."""
    named = subject.table("tool", "accord", "build").get("modules")
    python = {path for path in subject.files if path.endswith((".py", ".pyi"))}
    base = "src/" if any(path.startswith("src/") for path in python) else ""
    if isinstance(named, list):
        tops = {str(one).partition(".")[0] for one in named}
    elif base:
        tops = {path[4:].partition("/")[0].partition(".")[0] for path in python if path.startswith("src/")}
    else:
        tops = _flat_tops(subject, python)
    found = {}
    for path, file in subject.files.items():
        if not path.startswith(base):
            continue
        inside = path[len(base) :]
        top, slash, _ = inside.partition("/")
        if (top if slash else top.removesuffix(".py").removesuffix(".pyi")) in tops and (
            slash or path in python
        ):
            found[inside] = file
    return found


def _flat_tops(subject: ProjectSubject, python: set[str]) -> set[str]:
    from accord_core.names import normalise

    name = normalise(subject.facts.name).replace("-", "_") if subject.facts and subject.facts.name else ""
    folders = {path.partition("/")[0] for path in python if "/" in path}
    tops = {
        top
        for top in folders - _BESIDE
        if f"{top}/__init__.py" in python and not top.startswith(("test_", "tests_"))
    }
    tops |= {top for top in folders if top.lower() == name}
    if not tops and f"{name}.py" in python:
        tops.add(name)
    return tops


# -- archives ------------------------------------------------------------------------------------------------


def _raw(metadata: bytes) -> Mapping[str, Any]:
    from packaging.metadata import parse_email

    raw, _ = parse_email(metadata)
    return raw


def _sdist(path: str, scratch: str, limits: Limits) -> SdistSubject:
    import tempfile

    from accord_core.archive.sdist import extract
    from accord_core.archive.sdist_memory import read_whole

    subject = SdistSubject(path, limits, kind="sdist")
    try:
        held = read_whole(path, limits.memory_bytes)
        if held is None:
            folder = extract(path, tempfile.mkdtemp(dir=scratch))
            subject.top, subject.files = os.path.basename(folder), _all_files(folder)
        else:
            subject.top, files = held
            subject.files = {
                name: File(name, len(data), executable, partial(_same, data))
                for name, (data, executable) in files.items()
            }
    except ArchiveError as fault:
        subject.fault = fault
        return subject
    info = subject.files.get("PKG-INFO")
    if info is not None and info.size > limits.document_bytes:
        message = f"PKG-INFO has {info.size} bytes, more than {limits.document_bytes}"
        subject.fault = ArchiveError("archive-file-too-large", message)
    elif info is not None:
        subject.metadata = info.read()
        subject.facts = of_metadata(_raw(subject.metadata), f"{path}/PKG-INFO")
    return subject


def _same(data: bytes) -> bytes:
    return data


def _all_files(folder: str) -> dict[str, File]:
    found = {}
    for above, _, names in os.walk(folder):
        for name in names:
            full = os.path.join(above, name)
            if os.path.isfile(full):
                path = os.path.relpath(full, folder).replace(os.sep, "/")
                status = os.stat(full)
                found[path] = File(path, status.st_size, bool(status.st_mode & 0o111), _reader(full))
    return dict(sorted(found.items()))


def _wheel(path: str, limits: Limits) -> WheelSubject:
    from accord_core.archive.wheel import open_wheel
    from accord_core.index.filenames import split_wheel

    subject = WheelSubject(path, limits, kind="wheel")
    subject.tags = split_wheel(subject.filename)
    try:
        wheel = open_wheel(path)
        subject.wheel = wheel
        subject.metadata = wheel.metadata_bytes()
        wheel.metadata()
    except ArchiveError as fault:
        subject.fault = fault
        return subject
    subject.facts = of_metadata(_raw(subject.metadata), f"{path}/{wheel.dist_info}/METADATA")
    files, library = {}, {}
    for member in sorted(wheel.members, key=lambda one: one.name):
        file = File(member.name, member.size, member.executable, _member_reader(wheel, member))
        files[member.name] = file
        scheme, inside = wheel.target(member)
        if scheme in ("purelib", "platlib") and not inside.startswith(f"{wheel.dist_info}/"):
            library[inside] = file
    subject.files, subject.library = files, library
    return subject


def _member_reader(wheel: Wheel, member: Any) -> Callable[[], bytes]:
    def read() -> bytes:
        return wheel.read(member)

    return read
