"""Wrong lockers, each with one seeded fault, in what they write or in what they install: the suite finds every one."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from accord_conformance.adapters import player
from accord_conformance.locks import CHECKS
from accord_conformance.protocol import Answer, Request
from accord_conformance.running import play_case
from accord_conformance.testing import Damage, Faulty, agreeing, cases_like, failures, tool_here

NUMBERS = count()


def writing(pattern: str, text: str) -> Damage:
    """Writes another text into the lock where the pattern is found."""

    def damage(request: Request, answer: Answer) -> Answer:
        if answer.outcome != "done" or not isinstance(answer.value, dict):
            return answer
        changed = re.sub(pattern, text, answer.value["text"], flags=re.MULTILINE)
        return replace(answer, value={**answer.value, "text": changed})

    return damage


def named(name: str) -> Damage:
    """Gives the lock another name."""
    return lambda request, answer: replace(answer, value={**answer.value, "name": name})


def without(project: str) -> Damage:
    """Leaves out a project that is to be installed."""

    def damage(request: Request, answer: Answer) -> Answer:
        for folder in Path(request.values["purelib"]).glob(f"{project}-*.dist-info"):
            shutil.rmtree(folder)
        return answer

    return damage


def along_with(project: str) -> Damage:
    """Installs a project that is not wanted."""

    def damage(request: Request, answer: Answer) -> Answer:
        folder = Path(request.values["purelib"]) / f"{project}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project}\nVersion: 1.0\n")
        return answer

    return damage


def another_version(request: Request, answer: Answer) -> Answer:
    """Has installed the project of the same path in the working directory."""
    for folder in Path(request.values["purelib"]).glob("demo-1.0.dist-info"):
        path = folder.rename(folder.with_name("demo-2.0.dist-info")) / "METADATA"
        path.write_text(path.read_text("utf-8").replace("Version: 1.0", "Version: 2.0"), encoding="utf-8")
    return answer


def elsewhere(request: Request, answer: Answer) -> Answer:
    """Puts the lock into a folder below the project's."""
    folder = Path(request.folder) / "locks"
    folder.mkdir()
    (folder.parent / "pylock.toml").rename(folder / "pylock.toml")
    return answer


def with_code(version: str) -> Damage:
    """Has installed a module that says another version: that of another file, or of another commit."""

    def damage(request: Request, answer: Answer) -> Answer:
        for path in Path(request.values["purelib"]).glob("demo.py"):
            path.write_text(f"version = {version!r}\n", encoding="utf-8")
        return answer

    return damage


def linked(request: Request, answer: Answer) -> Answer:
    """Puts a link to the tree where the module should be."""
    path = Path(request.values["purelib"]) / "demo.py"
    path.unlink(missing_ok=True)
    path.symlink_to(Path(request.folder) / "tree" / "demo.py")
    return answer


def without_direct_url(request: Request, answer: Answer) -> Answer:
    for path in Path(request.values["purelib"]).glob("*.dist-info/direct_url.json"):
        path.unlink()
    return answer


def never_the_same(request: Request, answer: Answer) -> Answer:
    return writing(r"\A", f"# {next(NUMBERS)}\n")(request, answer)


def half_inline(request: Request, answer: Answer) -> Answer:
    """One package more, in the other style."""
    more = '\n[[packages]]\nname = "other"\nversion = "1.0"\nwheels = [{url = "https://files.example/other-1.0-py3-none-any.whl"}]\n'
    more += '[[packages]]\nname = "third"\n[[packages.wheels]]\nurl = "https://files.example/third-1.0-py3-none-any.whl"\n'
    return writing(r"\Z", more)(request, answer)


FAULTS: dict[str, tuple[str, Damage]] = {
    "puts the lock elsewhere": ("locker/write/beside-the-project", elsewhere),
    "takes a path from the working directory": ("locker/sources/directory-with-slashes", another_version),
    "installs a directory that the person does without": (
        "locker/sources/without-directories",
        along_with("demo"),
    ),
    "forgets a dependency": (
        "locker/write/dependencies-are-complete",
        writing(r'\{ ?name = "lib-two"[^}]*\},?', ""),
    ),
    "records an identity without its kind": (
        "locker/attested/identities-in-form",
        writing(
            r'(name = "demo"\nversion = "1.0"\n)',
            r'\1attestation-identities = [{repository = "demo/demo", workflow = "release.yml", environment = "release"}]\n',
        ),
    ),
    "records an identity without the publisher's keys": (
        "locker/attested/identities-in-form",
        writing(
            r'(name = "demo"\nversion = "1.0"\n)',
            r'\1attestation-identities = [{kind = "GitHub"}]\n',
        ),
    ),
    "installs an sdist that the person does without": ("locker/sources/without-sdists", agreeing),
    "takes a wheel with a wrong hash": ("locker/install/wrong-hash", agreeing),
    "takes a wheel with a wrong size": ("locker/install/wrong-size", agreeing),
    "takes a lock of a later major version": ("locker/install/later-major", agreeing),
    "takes a lock for other Pythons": ("locker/install/python-unfit", agreeing),
    "takes a lock for other environments": ("locker/install/environment-unfit", agreeing),
    "takes two entries of a project": ("locker/install/ambiguous", agreeing),
    "takes two sources": ("locker/install/two-sources", agreeing),
    "takes a package without a source": ("locker/install/no-source", agreeing),
    "takes a wheel that does not fit": ("locker/install/no-wheel-fits", agreeing),
    "installs nothing, and is content": ("locker/install/plain", without("demo")),
    "installs what a marker excludes": ("locker/install/marker-false", along_with("other")),
    "installs an extra nobody chose": ("locker/install/extra-not-chosen", along_with("other")),
    "forgets the extra that was chosen": ("locker/install/extra-chosen", without("other")),
    "forgets the default groups": ("locker/install/default-groups", without("demo")),
    "follows dependencies": ("locker/install/dependencies-not-followed", along_with("other")),
    "installs what an empty lock does not name": ("locker/install/empty-lock", along_with("other")),
    "forgets what is for the extra that was chosen": ("locker/install/extra-other-chosen", without("third")),
    "does not read the marker of a chosen extra": ("locker/install/extra-not-in", along_with("other")),
    "installs the chosen group alone": ("locker/install/group-chosen", without("demo")),
    "takes the sdist where a wheel fits": ("locker/sources/wheel-before-sdist", with_code("sdist")),
    "takes a wheel that does not fit for the sdist": (
        "locker/sources/no-wheel-fits-sdist",
        with_code("windows"),
    ),
    "takes the last commit for the locked one": ("locker/sources/vcs", with_code("later")),
    "takes the requested branch": ("locker/sources/vcs-requested-branch", with_code("later")),
    "links a directory that is not editable": ("locker/sources/directory-not-editable", linked),
    "writes no direct_url.json": ("locker/sources/directory-direct-url", without_direct_url),
    "writes another lock-version": ("locker/write/lock-version", writing(r'"1\.0"$', '"1.1"')),
    "writes no created-by": ("locker/write/created-by", writing(r"^created-by.*$", "")),
    "writes no hashes": ("locker/write/hashes", writing(r", hashes = \{[^}]*\}", "")),
    "writes a wrong hash": ("locker/write/right-hash", writing(r"[0-9a-f]{64}", "0" * 64)),
    "records no wheel": ("locker/write/plain", writing(r"^wheels = \[[^\]]*\]", "wheels = []")),
    "says that its lock is for nowhere": (
        "locker/write/environments",
        writing(r"^lock-version", "environments = [\"sys_platform == 'nowhere'\"]\nlock-version"),
    ),
    "writes another Requires-Python of a package": (
        "locker/write/requires-python",
        writing(r'^(name = "lib-one")', '\\1\nrequires-python = ">=3.9"'),
    ),
    "writes names as projects write them": (
        "locker/write/names",
        writing('^name = "demo"', 'name = "Demo"'),
    ),
    "writes the page for the file": (
        "locker/write/places",
        writing(r'(url = "[^"]*/)files/[^"]*"', r'\1simple/demo/"'),
    ),
    "writes a wrong hash beside the right one": (
        "locker/write/right-hash",
        writing(r"hashes = \{", 'hashes = { md5 = "00",'),
    ),
    "writes another size": ("locker/write/size-type", writing(r"size = \d+", "size = 1")),
    "writes when it was locked": (
        "locker/write/upload-times",
        writing(r"upload-time = 2025-01-25", "upload-time = 2026-01-25"),
    ),
    "lists dependencies by name alone": (
        "locker/write/dependencies",
        writing(r'\{ name = "lib-one" \}', '"lib-one"'),
    ),
    "writes the keys of wheels as they come": (
        "locker/write/key-order",
        writing(r'(?s)\A(.*)(url = "[^"]*"), (.*?)(, hashes = )', r"\1\3, \2\4"),
    ),
    "writes another directory": (
        "locker/write/directory",
        writing(r'(directory = \{ path = ")[^"]*"', r'\1elsewhere"'),
    ),
    "writes a wrong hash of an archive": ("locker/write/archive", writing(r"[0-9a-f]{64}", "0" * 64)),
    "lists extras as a text": ("locker/write/extras", writing(r"^extras = .*$", 'extras = "x"')),
    "has no group where it has extras": (
        "locker/write/extras-and-groups",
        writing(r"^dependency-groups = .*$", "dependency-groups = []"),
    ),
    "writes weak hashes": ("locker/write/secure-hashes", writing("sha256", "md5")),
    "writes no sizes": ("locker/write/sizes", writing(r", size = \d+", "")),
    "writes a time without a zone": (
        "locker/write/upload-times",
        writing(r"(upload-time = [^Z,+]*)(Z|\+00:00)", r"\1"),
    ),
    "writes names as they come": ("locker/write/names", writing('^name = "lib-one"', 'name = "Lib.One"')),
    "gives the file another name": ("locker/write/file-name", named("Lock.toml")),
    "leaves a dependency out": ("locker/write/plain", writing('^name = "lib-one"', 'name = "other"')),
    "names dependencies that are nowhere": (
        "locker/write/dependencies",
        writing(r'\{ name = "lib-one" \}', '{ name = "nowhere" }'),
    ),
    "writes no lock in TOML": ("locker/write/plain", writing(r"^\[\[packages\]\]", "[[packages")),
    "writes a marker with extra": (
        "locker/write/no-extra",
        writing(r'^(name = "lib-one")', "\\1\nmarker = \"extra == 'x'\""),
    ),
    "writes another lock each time": ("locker/write/same-again", never_the_same),
    "forgets the extras": ("locker/write/extras", writing(r"^extras = .*$", "")),
    "locks the impossible": ("locker/write/unsatisfiable", agreeing),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_found(name: str) -> None:
    pattern, damage = FAULTS[name]
    cases = cases_like(pattern)
    tool = tool_here("accord")

    assert not failures(tool, cases), "the honest tool passes"
    assert failures(tool, cases, damage)


def test_markers_of_environments_that_are_true_at_once_are_seen() -> None:
    found = CHECKS["environments-exclusive"]
    windows, posix, linux = "sys_platform == 'win32'", "os_name == 'posix'", "sys_platform == 'linux'"

    assert not list(found({"environments": [windows, linux]}))
    assert list(found({"environments": [windows, posix, linux]}))


@pytest.mark.parametrize(
    ("damage", "verdict"),
    [
        (lambda request, answer: answer, "reading-1"),
        (half_inline, "reading-2"),
        # The name of a key is not all of it: an sdist's hashes are not a wheel's.
        (
            writing(r"^sdist = \{.*$", '[packages.sdist]\nname = "x"\n[packages.sdist.hashes]\nsha256 = "x"'),
            "reading-1",
        ),
    ],
)
def test_tables_that_are_inline_here_and_not_there_are_seen(damage: Damage, verdict: str) -> None:
    (case,) = cases_like("locker/write/inline-tables")
    tool = tool_here("accord")
    asked = Faulty(player(tool.adapter, case.role, tool.bin), damage)
    try:
        assert play_case(tool, case, asked).verdict == verdict
    finally:
        asked.close()
