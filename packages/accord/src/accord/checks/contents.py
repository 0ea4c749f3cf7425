"""Checks of what travels in an archive: files nobody meant to publish, and files that will be in somebody's way."""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from accord.checks.model import ADVICE, ERROR, WARNING, Finding, Register, listed
from accord.checks.subjects import File, ProjectSubject, Subject, WheelSubject

__all__ = ["CHECKS"]

check = Register()
_ALL = ("project", "sdist", "wheel")
_SECRET_NAMES = frozenset(
    (
        "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", ".pypirc", ".netrc", "_netrc", ".env", ".git-credentials",
        ".dockercfg", ".htpasswd", "terraform.tfstate",
    )
)  # fmt: skip
_KEY_SUFFIXES = (".pem", ".key", ".ppk", ".p12", ".pfx", ".jks", ".keystore")
_PRIVATE_KEY = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----")
_VALUE = re.compile(rb"(?m)^\s*(?:export\s+)?\w+\s*=\s*[^\s#]")
_KEY_BYTES = 100_000  # no key, and no file of passwords, is larger
_FOR_TESTS = re.compile(
    r"(^|/)((?!latest/)[\w-]*tests?|testing|testdata|test_data|fixtures?|examples?|docs?|vectors|samples?|dummy\w*|mocks?|fakes?)(/|$)|(^|/)test_",
    re.IGNORECASE,
)
_JUNK = re.compile(
    r"(^|/)(\.DS_Store|Thumbs\.db|desktop\.ini|\._[^/]*|\.coverage|npm-debug\.log|core)$"
    r"|(^|/)(\.git|\.hg|\.svn|\.idea|\.vscode|\.tox|\.nox|\.venv|\.mypy_cache|\.pytest_cache|\.ruff_cache|\.hypothesis"
    r"|\.ipynb_checkpoints|node_modules|__MACOSX)/"
)
_BACKUP = re.compile(r"(~|\.swp|\.swo|\.orig|\.rej|\.bak|\.tmp)$")
_COMPILED = re.compile(r"(^|/)__pycache__/|\.py[co]$")
_BESIDE = (
    "test", "tests", "testing", "doc", "docs", "example", "examples", "benchmark", "benchmarks", "script", "scripts",
    "src", "build", "dist", "tools", "conftest", "setup", "noxfile", "tasks", "requirements", ".github",
)  # fmt: skip
_NO_PROGRAMS = (
    ".py",
    ".pyi",
    ".txt",
    ".md",
    ".rst",
    ".json",
    ".toml",
    ".yaml",
    ".yml",
    ".typed",
    ".html",
    ".css",
)
_LARGE = 10_000_000
_INDEX_LIMIT = 100_000_000  # bytes of one file, where the index has not granted more
_LONG = 180  # characters below site-packages; Windows stops at 260 with what stands before
_SAME = 1_000  # bytes, below which equal files are boilerplate
_SAME_TOTAL = 200_000_000


def _shipped(subject: Subject) -> Iterator[File]:
    """The files that would travel: of a project those of its packages, of an archive all but its own records."""
    if isinstance(subject, ProjectSubject):
        yield from subject.library.values()
    elif isinstance(subject, WheelSubject):
        yield from (
            file for path, file in subject.files.items() if not path.startswith(f"{subject.dist_info}/")
        )
    else:
        yield from subject.files.values()


def _secret(file: File) -> str | None:
    """What a file gives away, None where it is harmless."""
    if not 0 < file.size <= _KEY_BYTES:
        return None
    if file.name in _SECRET_NAMES:
        if file.name == ".env" and not _VALUE.search(file.read()):
            return None
        if file.name.startswith("id_") and not _PRIVATE_KEY.search(file.read()):
            return None
        return "a file of passwords or keys"
    if file.name.endswith(_KEY_SUFFIXES):
        if file.name.endswith((".p12", ".pfx", ".jks", ".keystore")):
            return "a store of keys"
        if _PRIVATE_KEY.search(file.read()):
            return "a private key"
    return None


@check("ships-secret", "A file gives a secret away", ERROR, *_ALL)
def ships_secret(subject: Subject) -> Iterable[Finding]:
    """What was published once is known for ever: take the file out, and replace the key or password.

    Looked for are names such as ``.pypirc``, ``.env`` and ``id_rsa`` and files that hold a private key. Keys among tests,
    examples and documentation are taken for what they are, see ``ships-test-key``.
    """
    for file in _shipped(subject):
        found = None if _FOR_TESTS.search(file.path) else _secret(file)
        if found:
            yield Finding(
                f"{file.path} is {found}", subject.where(file.path), "take it out, and replace what it holds"
            )


@check("ships-test-key", "A key of the tests is published", ADVICE, *_ALL)
def ships_test_key(subject: Subject) -> Iterable[Finding]:
    """A key that is only for tests does no harm, but scanners of those who install it will complain."""
    found = [file.path for file in _shipped(subject) if _FOR_TESTS.search(file.path) and _secret(file)]
    if found:
        yield Finding(
            f"keys or passwords of tests or examples travel along: {listed(found)}", subject.where(found[0])
        )


@check("ships-junk", "Files that nobody meant to publish", WARNING, *_ALL)
def ships_junk(subject: Subject) -> Iterable[Finding]:
    """Remains of editors, file managers, version control and caches. Delete them, or exclude them from the build."""
    paths = [file.path for file in _shipped(subject)]
    found = [
        path
        for path in paths
        if _JUNK.search(path)
        or (_BACKUP.search(path) and not _FOR_TESTS.search(path))  # tests make some on purpose
    ]
    if found:
        yield Finding(
            f"nobody meant to publish {listed(found)}", subject.where(found[0]), "delete or exclude them"
        )


@check("ships-compiled", "Compiled Python files are published", WARNING, "sdist", "wheel")
def ships_compiled(subject: Subject) -> Iterable[Finding]:
    """``__pycache__`` and ``.pyc`` belong to one interpreter of one machine, and hold its paths."""
    found = [file.path for file in _shipped(subject) if _COMPILED.search(file.path)]
    if found:
        yield Finding(
            f"compiled files travel along: {listed(found)}", subject.where(found[0]), "exclude them"
        )


@check("ships-egg-info", "Metadata of another format travel along", WARNING, "wheel")
def ships_egg_info(subject: WheelSubject) -> Iterable[Finding]:
    """An ``.egg-info`` below ``site-packages`` is a second answer to what is installed there."""
    found = sorted(
        {
            path.partition("/")[0]
            for path in subject.library
            if ".egg-info/" in path or path.endswith(".egg-info")
        }
    )
    if found:
        yield Finding(f"{listed(found)} is in the wheel", subject.where(found[0]), "exclude it")


@check("top-level-foreign", "A top-level name that is not the project's own", WARNING, "wheel")
def top_level_foreign(subject: WheelSubject) -> Iterable[Finding]:
    """A top-level ``tests``, ``docs`` or ``src`` overwrites that of every other project which makes the same mistake."""
    name = subject.wheel.name if subject.wheel else ""
    for top in subject.tops:
        if top.lower() in _BESIDE and top.lower() != name:
            files = [
                path
                for path in subject.library
                if path.partition("/")[0].partition(".")[0] == top or path.startswith(f"{top}/")
            ]
            yield Finding(
                f"{top!r} would lie on the top of site-packages",
                subject.where(files[0] if files else ""),
                "exclude it, or move it into the package",
            )


@check("file-large", "A large file travels along", ADVICE, "project", "sdist", "wheel")
def file_large(subject: Subject) -> Iterable[Finding]:
    """Everybody who installs it downloads it. Data of more than 10 MB may be better fetched when they are needed."""
    for file in _shipped(subject):
        if file.size > _LARGE and not re.search(r"\.(so|pyd|dll|dylib)(\.|$)", file.name):
            yield Finding(f"{file.path} has {file.size / 1e6:.0f} MB", subject.where(file.path))


@check("archive-large", "The archive is larger than the index takes", WARNING, "sdist", "wheel")
def archive_large(subject: Subject) -> Iterable[Finding]:
    """The public index takes files of up to 100 MB unless it has granted a project more."""
    size = os.path.getsize(subject.path)
    if size > _INDEX_LIMIT:
        yield Finding(
            f"it has {size / 1e6:.0f} MB, more than {_INDEX_LIMIT / 1e6:.0f}",
            subject.where(),
            "ask the index for more room, or leave something out",
        )


@check("file-executable", "Files are executable and no programs", ADVICE, "wheel")
def file_executable(subject: WheelSubject) -> Iterable[Finding]:
    """Mode bits of the builder's disk got into the wheel, and installers keep this one. Nothing runs these files: they are
    no programs, and begin with no ``#!``.
    """
    found = [
        path
        for path, file in subject.library.items()
        if file.executable and path.endswith(_NO_PROGRAMS) and file.read()[:2] != b"#!"
    ]
    if found:
        yield Finding(
            f"executable, and no program: {listed(found)}",
            subject.where(found[0]),
            "chmod a-x, and build again",
        )


@check("file-duplicate", "The same bytes travel several times", ADVICE, "wheel")
def file_duplicate(subject: WheelSubject) -> Iterable[Finding]:
    """Copies are downloaded and installed as often as they stand there; often a folder was packed by two rules."""
    sizes: dict[int, list[File]] = defaultdict(list)
    for file in subject.library.values():
        if file.size >= _SAME:
            sizes[file.size].append(file)
    candidates = [file for files in sizes.values() if len(files) > 1 for file in files]
    if sum(file.size for file in candidates) > _SAME_TOTAL:
        return
    same: dict[bytes, list[str]] = defaultdict(list)
    for file in candidates:
        same[hashlib.sha256(file.read()).digest()].append(file.path)
    groups = sorted((paths for paths in same.values() if len(paths) > 1), key=lambda paths: paths[0])
    if groups:
        spare = sum(subject.library[paths[0]].size * (len(paths) - 1) for paths in groups)
        examples = "; ".join(f"{listed(paths, 3)} are the same" for paths in groups[:2])
        more = f" (of {len(groups)} groups)" if len(groups) > 2 else ""
        yield Finding(f"{spare:,} bytes travel again: {examples}{more}", subject.where(groups[0][0]))


@check("wheel-empty", "The wheel installs nothing", ADVICE, "wheel")
def wheel_empty(subject: WheelSubject) -> Iterable[Finding]:
    """There is no module in it. That is right for a release that only asks for others, and a slip of the build otherwise."""
    if not any(path.endswith((".py", ".pyi", ".so", ".pyd", ".pth")) for path in subject.library) and not any(
        "/scripts/" in path for path in subject.files
    ):
        yield Finding(
            "there is nothing to import in it", subject.where(), "tell the builder where the modules are"
        )


@check("path-long", "A path is very long", ADVICE, "project", "wheel")
def path_long(subject: Subject) -> Iterable[Finding]:
    """Windows refuses paths of more than 260 characters, and ``site-packages`` may stand deep."""
    for path in subject.library:
        if len(path) > _LONG:
            yield Finding(f"{path} has {len(path)} characters", subject.where(path))


@check("case-collision", "Two files differ in case only", ERROR, "project")
def case_collision(subject: ProjectSubject) -> Iterable[Finding]:
    """On macOS and Windows they are one file. Archives that hold both are refused by our reader and by others."""
    seen: dict[str, str] = {}
    for path in subject.library:
        other = seen.setdefault(path.casefold(), path)
        if other != path:
            yield Finding(
                f"{path} and {other} differ in case only", subject.where(path), "rename one of them"
            )


@check("not-examined", "A file was not examined", ADVICE, *_ALL)
def not_examined(subject: Subject) -> Iterable[Finding]:
    """Some checks read files only up to a limit, so that no archive can keep them busy for ever; and a module for
    a newer Python than the one that runs this cannot be parsed. These were left out.
    """
    found = [path for path, source in subject.sources.items() if source.skipped]
    found += [
        path
        for path, file in subject.library.items()
        if ".so" in path and file.size > subject.limits.binary_bytes
    ]
    readme = subject.facts.readme if subject.facts else None
    if readme and readme.text and len(readme.text) > subject.limits.rendered_characters:
        found.append("the readme")
    if found:
        yield Finding(f"not examined: {listed(found)}", subject.where())


CHECKS = tuple(check.checks)
