"""add, remove and upgrade over a fake engine: what is written, what is asked of it, and that failure leaves no trace."""

from __future__ import annotations

import os
import tomllib
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from accord.io.files import replace_if
from accord.tasks.outcomes import LockOutcome, SyncOutcome
from accord.tasks.project_edit import Addition, add, bound, lock_and_sync, remove
from accord_core.errors import AccordError, DocumentError, ResolutionError, UsageError
from accord_core.lock.model import Lock, Package

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """\
[project]
name = "shop"
dependencies = ["flask>=3"]  # kept

[dependency-groups]
dev = ["ruff"]
"""


@dataclass
class Engine:
    """Locks every name of ``versions`` that the project asks for, by writing their names into the lock."""

    versions: dict[str, str]
    fails_at: str = ""
    calls: list[str] = field(default_factory=list)

    def lock(self, project_dir: str, *, again: bool = False) -> LockOutcome:
        self._call("lock again" if again else "lock")
        with open(os.path.join(project_dir, "pyproject.toml")) as file:
            text = file.read()
        packages = tuple(
            Package(name=name, version=text_) for name, text_ in self.versions.items() if name in text
        )
        path = os.path.join(project_dir, "pylock.toml")
        with open(path, "w") as file:
            file.write(f"# {len(self.calls)} {sorted(package.name for package in packages)}")
        return LockOutcome(path=path, lock=Lock(packages=packages), seconds=1.0, written=True)

    def sync(self, project_dir: str) -> SyncOutcome:
        self._call("sync")
        return SyncOutcome(env=os.path.join(project_dir, ".venv"))

    def turn(self, project_dir: str) -> AbstractContextManager[object]:
        return nullcontext()

    def _call(self, what: str) -> None:
        self.calls.append(what)
        if what == self.fails_at:
            raise ResolutionError("no-solution", "a failure")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    return tmp_path


def read(project: Path) -> dict[str, list[str]]:
    data = tomllib.loads((project / "pyproject.toml").read_text())
    return {"": data["project"]["dependencies"], **data.get("dependency-groups", {})}


def test_a_bare_name_gets_the_locked_version_as_its_lower_bound(project: Path) -> None:
    engine = Engine({"httpx": "0.28.1"})
    outcome = add(str(project), Addition(("httpx",)), engine, lock=True, sync=True)
    assert read(project)[""] == ["flask>=3", "httpx>=0.28.1"]
    assert outcome.added == ("httpx>=0.28.1",)
    assert engine.calls == ["lock", "lock again", "sync"]
    assert outcome.lock is not None
    assert outcome.lock.seconds == 2.0


def test_a_bound_that_was_given_is_kept_and_locked_once(project: Path) -> None:
    engine = Engine({"httpx": "0.28.1"})
    add(str(project), Addition(("httpx[http2]<1",)), engine, lock=True, sync=True)
    assert read(project)[""] == ["flask>=3", "httpx[http2]<1"]
    assert engine.calls == ["lock", "sync"]


def test_raw_writes_what_was_given(project: Path) -> None:
    add(str(project), Addition(("httpx",), raw=True), Engine({"httpx": "1"}), lock=True, sync=True)
    assert read(project)[""] == ["flask>=3", "httpx"]


def test_without_locking_nothing_is_asked_of_the_engine(project: Path) -> None:
    engine = Engine({"httpx": "1"})
    outcome = add(str(project), Addition(("httpx",)), engine, lock=False, sync=False)
    assert engine.calls == []
    assert (outcome.lock, outcome.sync) == (None, None)
    assert read(project)[""] == ["flask>=3", "httpx"]


def test_several_go_into_a_group_with_extras_and_marker(project: Path) -> None:
    addition = Addition(
        ("mypy", "types-x"), group="dev", extras=("faster",), marker="os_name == 'posix'", raw=True
    )
    add(str(project), addition, Engine({}), lock=True, sync=False)
    assert read(project)["dev"] == [
        'mypy[faster]; os_name == "posix"',
        "ruff",
        'types-x[faster]; os_name == "posix"',
    ]


def test_a_bare_name_that_is_asked_for_already_keeps_its_bound(project: Path) -> None:
    outcome = add(str(project), Addition(("Flask",)), Engine({"flask": "9"}), lock=True, sync=True)
    assert read(project)[""] == ["flask>=3"]
    assert outcome.added == ()


@pytest.mark.parametrize("fails_at", ["lock", "lock again", "sync"])
@pytest.mark.parametrize("had_lock", [True, False])
def test_whatever_fails_both_files_are_as_they_were(project: Path, fails_at: str, had_lock: bool) -> None:
    lock = project / "pylock.toml"
    if had_lock:
        lock.write_text("before")
    os.chmod(project / "pyproject.toml", 0o640)
    with pytest.raises(ResolutionError):
        add(str(project), Addition(("httpx",)), Engine({"httpx": "1"}, fails_at), lock=True, sync=True)
    assert (project / "pyproject.toml").read_text() == PROJECT
    assert (project / "pyproject.toml").stat().st_mode & 0o777 == 0o640
    assert lock.exists() is had_lock
    if had_lock:
        assert lock.read_text() == "before"


def test_an_interrupt_is_a_failure_too(project: Path) -> None:
    class Interrupted(Engine):
        def sync(self, project_dir: str) -> SyncOutcome:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add(str(project), Addition(("httpx",)), Interrupted({"httpx": "1"}), lock=True, sync=True)
    assert (project / "pyproject.toml").read_text() == PROJECT
    assert not (project / "pylock.toml").exists()


def test_a_linked_project_file_stays_a_link(project: Path) -> None:
    real = project / "real.toml"
    (project / "pyproject.toml").rename(real)
    (project / "pyproject.toml").symlink_to("real.toml")
    add(str(project), Addition(("httpx",)), Engine({"httpx": "1"}), lock=True, sync=True)
    assert (project / "pyproject.toml").is_symlink()
    assert "httpx>=1" in real.read_text()


def test_an_editable_path_is_named_by_itself_and_gets_a_source(project: Path) -> None:
    other = project / "libs" / "shared"
    other.mkdir(parents=True)
    (other / "pyproject.toml").write_text('[project]\nname = "My.Shared"\n')
    outcome = add(str(project), Addition(editable=(str(other),)), Engine({}), lock=True, sync=True)
    assert outcome.added == ("My.Shared",)
    sources = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["accord"]["sources"]
    assert sources == {"My.Shared": {"path": "./libs/shared", "editable": True}}
    outcome = remove(str(project), ["my-shared"], Engine({}), group=None, optional=None, lock=True, sync=True)
    assert outcome.removed == ("My.Shared",)
    assert "sources" not in (project / "pyproject.toml").read_text()


def test_a_wheel_is_named_by_its_file_name(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    (project / "demo_x-1.0-py3-none-any.whl").write_bytes(b"")
    add(str(project), Addition(("./demo_x-1.0-py3-none-any.whl",)), Engine({}), lock=True, sync=True)
    sources = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["accord"]["sources"]
    assert sources == {"demo-x": {"path": "./demo_x-1.0-py3-none-any.whl"}}


def test_a_repository_is_a_source_of_one_name(project: Path) -> None:
    addition = Addition(("lib",), git="https://git.example/lib.git", tag="v1", subdirectory="python")
    add(str(project), addition, Engine({"lib": "1"}), lock=True, sync=True)
    data = tomllib.loads((project / "pyproject.toml").read_text())
    assert data["project"]["dependencies"] == ["flask>=3", "lib"]
    assert data["tool"]["accord"]["sources"]["lib"] == {
        "git": "https://git.example/lib.git",
        "tag": "v1",
        "subdirectory": "python",
    }


def test_a_requirements_file_is_added_whole(project: Path) -> None:
    file = project / "more.txt"
    file.write_text("-c limits.txt\nhttpx>=1  # web\nanyio<9 ; python_version > '3'\n")
    (project / "limits.txt").write_text("idna<4\n")
    outcome = add(str(project), Addition(files=(str(file),)), Engine({}), lock=True, sync=True)
    assert outcome.added == ("httpx>=1", 'anyio<9; python_version > "3"')


@pytest.mark.parametrize(
    ("addition", "code"),
    [
        (Addition(), "usage"),
        (Addition(("flask >> 3",)), "requirement-invalid"),
        (Addition(("./nowhere",)), "file-not-found"),
        (Addition(("a", "b"), git="https://git.example/a.git"), "usage"),
        (Addition(("a",), rev="x"), "usage"),
        (Addition(("a",), git="https://git.example/a.git", rev="x", tag="y"), "usage"),
        (Addition(("a",), group="x", optional="y"), "usage"),
        (Addition(("a",), marker="nonsense"), "requirement-invalid"),
        (Addition(("./nothing.zip",)), "file-not-found"),
    ],
)
def test_what_cannot_be_added_is_refused_before_anything_is_written(
    project: Path, addition: Addition, code: str
) -> None:
    engine = Engine({})
    with pytest.raises(AccordError) as caught:
        add(str(project), addition, engine, lock=True, sync=True)
    assert caught.value.code == code
    assert engine.calls == []
    assert (project / "pyproject.toml").read_text() == PROJECT


def test_a_source_tree_without_a_name_is_refused(project: Path) -> None:
    (project / "old").mkdir()
    (project / "old" / "setup.py").write_text("")
    with pytest.raises(UsageError) as caught:
        add(str(project), Addition(editable=(str(project / "old"),)), Engine({}), lock=True, sync=True)
    assert caught.value.code == "path-without-name"


def test_removing_what_is_not_there_says_where_it_is(project: Path) -> None:
    with pytest.raises(UsageError) as caught:
        remove(str(project), ["ruff"], Engine({}), group=None, optional=None, lock=True, sync=True)
    assert caught.value.code == "not-a-dependency"
    assert caught.value.hint == "it is in group dev"
    outcome = remove(str(project), ["ruff"], Engine({}), group="dev", optional=None, lock=True, sync=True)
    assert outcome.removed == ("ruff",)
    assert read(project)["dev"] == []


def test_an_upgrade_that_cannot_be_installed_leaves_the_lock(project: Path) -> None:
    (project / "pylock.toml").write_text("before")
    with pytest.raises(ResolutionError):
        lock_and_sync(str(project), Engine({}, "sync"))
    assert (project / "pylock.toml").read_text() == "before"


def test_a_project_file_that_is_no_text_is_refused(project: Path) -> None:
    (project / "pyproject.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(DocumentError) as caught:
        add(str(project), Addition(("a",)), Engine({}), lock=True, sync=True)
    assert caught.value.code == "toml-invalid"


@pytest.mark.parametrize(
    ("version", "kind", "expected"),
    [
        ("1.2.3", "lower", ">=1.2.3"),
        ("1.2.3", "major", "<2,>=1.2.3"),
        ("1.2.3", "minor", "<1.3,>=1.2.3"),
        ("1.2.3", "exact", "==1.2.3"),
        ("1.2.3+cu1", "lower", ">=1.2.3"),
        ("1.2.3+cu1", "exact", "==1.2.3+cu1"),
        ("1!2.3", "major", "<1!3,>=1!2.3"),
        ("2.0rc1", "minor", "<2.1,>=2.0rc1"),
    ],
)
def test_bounds(version: str, kind: str, expected: str) -> None:
    made = bound(Version(version), kind)
    assert ",".join(sorted(str(made).split(","))) == expected
    assert made.contains(Version(version), prereleases=True)


# -- a file that somebody else edits meanwhile ----------------------------------------------------------------

PRECIOUS = "\n[tool.mine]\nprecious = true\n"


@dataclass
class Disturbed(Engine):
    """Somebody saves the project file from an editor during each call named in ``during``."""

    during: tuple[str, ...] = ()

    def _call(self, what: str) -> None:
        if what in self.during:
            with open(self.path, "a") as file:
                file.write(PRECIOUS.replace("mine", f"mine{len(self.calls)}"))
        super()._call(what)

    path: str = ""


def disturbed(project: Path, *during: str, fails_at: str = "") -> Disturbed:
    return Disturbed({"httpx": "1"}, fails_at, during=during, path=str(project / "pyproject.toml"))


@pytest.mark.parametrize("during", [("lock",), ("lock again",), ("sync",), ("lock", "lock again", "sync")])
def test_what_somebody_writes_during_an_edit_stays(project: Path, during: tuple[str, ...]) -> None:
    add(str(project), Addition(("httpx",)), disturbed(project, *during), lock=True, sync=True)
    assert read(project)[""] == ["flask>=3", "httpx>=1"]
    assert (project / "pyproject.toml").read_text().count("precious = true") == len(during)


@pytest.mark.parametrize("fails_at", ["lock", "lock again", "sync"])
def test_what_somebody_writes_during_an_edit_that_fails_stays(project: Path, fails_at: str) -> None:
    engine = disturbed(project, fails_at, fails_at=fails_at)
    with pytest.raises(ResolutionError) as caught:
        add(str(project), Addition(("httpx",)), engine, lock=True, sync=True)
    assert "precious = true" in (project / "pyproject.toml").read_text()
    assert "changed by somebody else" in " ".join(caught.value.context)
    assert not (project / "pylock.toml").exists()


def test_what_somebody_writes_during_a_removal_stays(project: Path) -> None:
    remove(
        str(project), ["flask"], disturbed(project, "lock"), group=None, optional=None, lock=True, sync=True
    )
    assert read(project)[""] == []
    assert "precious = true" in (project / "pyproject.toml").read_text()


def test_an_edit_between_reading_and_writing_is_seen(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last moment before the rename: the edit is made again, of the file as it then is."""
    path = str(project / "pyproject.toml")
    real, left = replace_if, 2

    def late(target: str, before: bytes, data: bytes, *, mode: int) -> bool:
        nonlocal left
        if left:
            left -= 1
            with open(path, "a") as file:
                file.write(f"# {left}\n")
        return real(target, before, data, mode=mode)

    monkeypatch.setattr("accord.tasks.project_document.replace_if", late)
    add(str(project), Addition(("httpx",)), Engine({"httpx": "1"}), lock=True, sync=True)
    assert read(project)[""] == ["flask>=3", "httpx>=1"]
    assert (project / "pyproject.toml").read_text().endswith("# 1\n# 0\n")
    left = 1000
    with pytest.raises(DocumentError) as caught:
        add(str(project), Addition(("attrs",)), Engine({}), lock=True, sync=True)
    assert caught.value.code == "project-changed"
    assert "attrs" not in (project / "pyproject.toml").read_text()


def test_a_byte_order_mark_stays(project: Path) -> None:
    path = project / "pyproject.toml"
    path.write_bytes(b"\xef\xbb\xbf" + PROJECT.encode())
    add(str(project), Addition(("httpx",)), Engine({"httpx": "1"}), lock=True, sync=True)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf[project]")
    assert tomllib.loads(path.read_text("utf-8-sig"))["project"]["dependencies"] == ["flask>=3", "httpx>=1"]


def test_a_project_file_that_is_no_toml_is_refused(project: Path) -> None:
    (project / "pyproject.toml").write_text("a = [\n")
    with pytest.raises(DocumentError) as caught:
        add(str(project), Addition(("httpx",)), Engine({}), lock=True, sync=True)
    assert caught.value.code == "toml-invalid"
