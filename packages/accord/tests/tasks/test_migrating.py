"""accord migrate as a task: what is written, kept and removed, who decides that setup.py runs, and the check."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from accord.io import sandbox
from accord.migrate.model import Leftover
from accord.tasks.migrating import Options, _explained, migrate
from accord.tasks.session import Session
from accord.tasks.settings import ResolveSettings
from accord_core.errors import UsageError
from accord_core.lock.read import loads

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKEND = Path(__file__).parents[3] / "accord-backend"
EXAMPLE = Path(__file__).parents[4] / "examples" / "fast-count"
SETUP = (
    "from setuptools import setup\nsetup(name='spam', version='1.0', packages=['spam'], description='Spam')\n"
)
HIDDEN = (
    "from setuptools import setup\nimport getpass\n"
    "setup(name='spam', version='1.0', packages=['spam'], description=getpass.getuser())\n"
)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with Session(ResolveSettings(cache_dir=str(tmp_path / "cache")), environ={}) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "spam"
    (made / "spam").mkdir(parents=True)
    (made / "spam" / "__init__.py").write_text("")
    (made / "setup.py").write_text(SETUP)
    return made


def test_the_document_is_written_and_the_old_file_stays(folder: Path, session: Session) -> None:
    outcome = migrate(str(folder), Options(), session)
    assert (folder / "pyproject.toml").read_text() == outcome.written["pyproject.toml"]
    assert outcome.kept == ("setup.py",)
    assert (folder / "setup.py").exists()
    assert outcome.complete


def test_a_dry_run_writes_nothing(folder: Path, session: Session) -> None:
    outcome = migrate(str(folder), Options(dry_run=True, remove_old=True), session)
    assert 'name = "spam"' in outcome.written["pyproject.toml"]
    assert sorted(os.listdir(folder)) == ["setup.py", "spam"]


def test_old_files_go_only_where_nothing_of_them_is_left(folder: Path, session: Session) -> None:
    (folder / "setup.cfg").write_text("[flake8]\nmax-line-length = 100\n")
    outcome = migrate(str(folder), Options(remove_old=True), session)
    assert outcome.removed == ("setup.py",)
    assert sorted(os.listdir(folder)) == ["pyproject.toml", "setup.cfg", "spam"]


def test_a_setup_py_that_is_still_needed_is_not_removed(folder: Path, session: Session) -> None:
    (folder / "setup.py").write_text(SETUP.replace("packages=", "cmdclass={'build_py': object}, packages="))
    outcome = migrate(str(folder), Options(remove_old=True), session)
    assert (outcome.backend, outcome.removed, outcome.spent) == ("setuptools", (), ())


def test_nothing_is_run_unless_somebody_says_so(folder: Path, session: Session) -> None:
    trace = folder.parent / "it ran"
    (folder / "setup.py").write_text(f"{HIDDEN}open({str(trace)!r}, 'w')\n")
    asked: list[str] = []

    def no(question: str) -> bool:
        asked.append(question)
        return False

    for options, ask in (
        (Options(dry_run=True), None),
        (Options(run_setup=False, dry_run=True), no),
        (Options(dry_run=True), no),
    ):
        outcome = migrate(str(folder), options, session, ask=ask)
        assert not outcome.ran_setup
        assert not trace.exists()
        assert any("getpass" in left.why for left in outcome.leftovers)
    assert len(asked) == 1  # --no-run-setup is an answer


def test_migrating_twice_changes_nothing(folder: Path, session: Session) -> None:
    (folder / "requirements-dev.txt").write_text("pytest\n")
    migrate(str(folder), Options(), session)
    first = (folder / "pyproject.toml").read_text()
    migrate(str(folder), Options(), session)
    assert (folder / "pyproject.toml").read_text() == first


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, session: Session) -> None:
    with pytest.raises(UsageError) as caught:
        migrate(str(tmp_path / "nothing"), Options(), session)
    assert caught.value.code == "migrate-nothing"


def test_a_difference_is_excused_only_by_the_leftover_that_tells_it() -> None:
    from accord.migrate.compare import Difference

    lost = Difference("licence", "LGPL", None)
    assert _explained(lost, ()).reason is None
    assert _explained(lost, (Leftover("setup.py", "platforms = 'any'", "", ""),)).reason is None
    assert _explained(lost, (Leftover("license", "'LGPL'", "", ""),)).reason == "among the leftovers: 'LGPL'"
    file = Difference("NEWS.md", "is there", None)
    assert _explained(file, (Leftover("x", "include NEWS.md", "", ""),)).reason is None
    assert _explained(file, (Leftover("x", "files at the root: NEWS.md", "", ""),)).reason is not None
    path = Difference("a.b-1-py3.11-nspkg.pth", "is there", None)
    assert (
        _explained(path, (Leftover("setup.py:1", "namespace_packages = ['a']", "", ""),)).reason is not None
    )
    assert _explained(path, ()).reason is None


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with a wheel of this repository's backend."""
    made = str(tmp_path_factory.mktemp("links"))
    code = f"import accord_backend; accord_backend.build_wheel({made!r})"
    environ = {**os.environ, "PYTHONPATH": str(BACKEND / "src")}
    subprocess.run([sys.executable, "-c", code], cwd=BACKEND, env=environ, check=True)
    return made


@pytest.mark.network
@pytest.mark.slow
def test_a_real_project_builds_the_same_wheel_and_a_loss_is_seen(
    folder: Path, links: str, tmp_path: Path
) -> None:
    settings = ResolveSettings(cache_dir=str(tmp_path / "cache"), find_links=(links,))
    with Session(settings) as session:
        outcome = migrate(str(folder), Options(check=True, dry_run=True), session)
        assert outcome.backend == "accord"
        assert [each for each in outcome.differences or () if each.reason is None] == []
        (folder / "setup.py").write_text(HIDDEN)
        lost = migrate(str(folder), Options(check=True, dry_run=True, run_setup=False), session)
        assert [each.what for each in lost.differences or () if each.reason is None] == ["Summary"]
        ran = migrate(str(folder), Options(check=True, dry_run=True, run_setup=True), session)
        assert ran.ran_setup
        assert [each for each in ran.differences or () if each.reason is None] == []


WICKED = """\
import getpass, socket
from setuptools import setup

def tried(act):
    try:
        act()
    except OSError:
        return "no"
    return "yes"

tried(lambda: open({outside!r}, "w").close())
saw = [
    tried(lambda: open({secret!r}).read()),
    tried(lambda: socket.create_connection({address!r}, 5).close()),
]
setup(name="spam", version="1.0", packages=["spam"], description=getpass.getuser()[:0] + " ".join(saw))
"""


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize(("mode", "seen"), [("require", "no no"), ("off", "yes yes")])
def test_a_setup_py_is_run_where_builds_are(folder: Path, tmp_path: Path, mode: str, seen: str) -> None:
    """It writes outside, reads a key and connects, and hides what failed: in the sandbox none of it comes about, and the
    rest is told."""
    if mode == "require" and sandbox.probe() is not None:
        pytest.skip(f"no sandbox here: {sandbox.probe()}")
    outside, secret = tmp_path / "outside", tmp_path / "home" / ".ssh" / "id"
    secret.parent.mkdir(parents=True)
    secret.write_text("a key")
    settings = ResolveSettings(cache_dir=str(tmp_path / "cache"), build_sandbox=mode)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        Session(settings, environ={**os.environ, "HOME": str(tmp_path / "home")}) as session,
    ):
        text = WICKED.format(outside=str(outside), secret=str(secret), address=server.getsockname())
        (folder / "setup.py").write_text(text)
        outcome = migrate(str(folder), Options(run_setup=True, dry_run=True), session)
    assert outcome.ran_setup
    assert f'description = "{seen}"' in outcome.written["pyproject.toml"]
    assert outside.exists() == (mode == "off")


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("target", ["meson-python", "scikit-build-core"])
def test_a_project_that_outgrew_its_description_builds_the_same_wheel(
    links: str, tmp_path: Path, target: str
) -> None:
    folder = tmp_path / "fast-count"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("build", "*.so", "__pycache__"))
    settings = ResolveSettings(cache_dir=str(tmp_path / "cache"), find_links=(links,))
    with Session(settings) as session:
        outcome = migrate(str(folder), Options(outgrown=target, check=True), session)
        assert [each for each in outcome.differences or () if each.reason is None] == []
        text = (folder / "pyproject.toml").read_text()
        assert f'requires = ["{target}' in text
        assert "[tool.pytest.ini_options]" in text
        assert "tool.accord" not in text
        with pytest.raises(UsageError) as caught:
            migrate(str(folder), Options(outgrown=target), session)
    assert caught.value.code == "migrate-not-described"


def test_a_build_file_that_is_there_is_not_written_over(tmp_path: Path, session: Session) -> None:
    folder = tmp_path / "fast-count"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("build", "*.so", "__pycache__"))
    (folder / "meson.build").write_text("# by hand\n")
    before = (folder / "pyproject.toml").read_text()
    with pytest.raises(UsageError) as caught:
        migrate(str(folder), Options(outgrown="meson-python"), session)
    assert caught.value.code == "migrate-file-exists"
    assert (folder / "meson.build").read_text() == "# by hand\n"
    assert (folder / "pyproject.toml").read_text() == before


@pytest.mark.network
@pytest.mark.slow
def test_versions_of_an_old_lock_are_kept_while_they_fit(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "Pipfile").write_text('[packages]\nidna = ">=3.5"\nsix = ">=1.16"\n')
    (folder / "Pipfile.lock").write_text(
        '{"_meta": {}, "default": {"idna": {"version": "==3.6"}, "six": {"version": "==1.15.0"}}}'
    )
    with Session(ResolveSettings(cache_dir=str(tmp_path / "cache"))) as session:
        outcome = migrate(str(folder), Options(lock=True), session)
    locked = {
        each.name: each.version
        for each in loads((folder / "pylock.toml").read_text(), "pylock.toml").packages
    }
    assert locked["idna"] == "3.6"
    assert locked["six"] != "1.15.0"
    assert [left.what for left in outcome.leftovers] == ["six 1.15.0"]
