"""accord migrate --lock: digests of the old lock against an index that is honest, one that lost files, and one that lies."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

import pytest

from accord.migrate.recorded import Recorded, RecordedFile
from accord.tasks.migrate_locking import check_recorded, screen
from accord.tasks.migrating import Migrated, Options, migrate
from accord.tasks.session import Session
from accord.tasks.settings import ResolveSettings
from accord.testing.indexes import MadeUp, wheel
from accord_core.errors import RepositoryError
from accord_core.lock.model import File, Lock, Package
from accord_core.lock.read import loads

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., Migrated]

POETRY = '[tool.poetry]\nname = "shop"\nversion = "1"\n[tool.poetry.dependencies]\npython = ">=3.8"\nspam = "^1.0"\n'


@pytest.fixture
def index() -> MadeUp:
    """spam 1.0 as a wheel for any machine and one that is built for an old Python, and spam 1.1."""
    made = MadeUp()
    for version, tag in (("1.0", "py3-none-any"), ("1.0", "py2.py3-none-any"), ("1.1", "py3-none-any")):
        made.add("spam", *wheel("spam", version, tag=tag))
    return made


@pytest.fixture
def run(index: MadeUp, tmp_path: Path) -> Run:
    """``run({path: text}, only=False)``: migrate with --lock against the index as it is then."""

    def run(files: dict[str, str], *, only: bool = False) -> Migrated:
        folder = tmp_path / "shop"
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
        simple = index.write(str(tmp_path / "index"))
        settings = ResolveSettings(index_url=f"file://{simple}", cache_dir=str(tmp_path / "cache"))
        with Session(settings) as session:
            return migrate(str(folder), Options(lock=True, only_locked_files=only), session)

    return run


def sha(index: MadeUp, filename: str) -> str:
    return f"sha256:{hashlib.sha256(index.contents[filename]).hexdigest()}"


def poetry_lock(*files: tuple[str, str]) -> str:
    rows = ", ".join(f'{{file = "{name}", hash = "{digest}"}}' for name, digest in files)
    return f'[[package]]\nname = "spam"\nversion = "1.0"\nfiles = [{rows}]\n'


ONE, TWO = "spam-1.0-py3-none-any.whl", "spam-1.0-py2.py3-none-any.whl"


def project(index: MadeUp, *files: tuple[str, str]) -> dict[str, str]:
    return {"pyproject.toml": POETRY, "poetry.lock": poetry_lock(*files)}


def locked(outcome: Migrated) -> tuple[str | None, set[str]]:
    with open(os.path.join(outcome.folder, "pylock.toml"), encoding="utf-8") as file:
        (package,) = loads(file.read(), "pylock.toml").packages
    return package.version, {each.filename for each in package.wheels}


def test_an_honest_index_gives_the_old_versions_with_all_their_files(run: Run, index: MadeUp) -> None:
    outcome = run(project(index, (ONE, sha(index, ONE)), (TWO, sha(index, TWO))))
    assert locked(outcome) == ("1.0", {ONE, TWO})
    assert outcome.leftovers == ()
    assert outcome.notes == ("2 of the files locked are those the old lock knew",)
    assert outcome.as_dict()["notes"] == list(outcome.notes)


def test_a_file_that_somebody_replaced_is_refused_and_nothing_is_changed(run: Run, index: MadeUp) -> None:
    with pytest.raises(RepositoryError) as caught:
        run(project(index, (ONE, f"sha256:{'0' * 64}"), (TWO, sha(index, TWO))))
    assert caught.value.code == "migrate-locked-file-replaced"
    assert ONE in caught.value.message
    assert "poetry.lock" in caught.value.message
    assert sha(index, ONE) in caught.value.context[0]


def test_a_failure_leaves_the_project_as_it_was_so_that_it_can_be_tried_again(
    run: Run, index: MadeUp, tmp_path: Path
) -> None:
    with pytest.raises(RepositoryError):
        run(project(index, (ONE, f"sha256:{'0' * 64}")))
    assert sorted(os.listdir(tmp_path / "shop")) == ["poetry.lock", "pyproject.toml"]
    assert (tmp_path / "shop" / "pyproject.toml").read_text() == POETRY


def test_no_flag_lets_a_replaced_file_in(run: Run, index: MadeUp) -> None:
    with pytest.raises(RepositoryError) as caught:
        run(project(index, (ONE, f"sha256:{'0' * 64}"), (TWO, sha(index, TWO))), only=True)
    assert caught.value.code == "migrate-locked-file-replaced"


def test_files_that_are_gone_are_told(run: Run, index: MadeUp) -> None:
    outcome = run(project(index, (ONE, sha(index, ONE)), ("spam-1.0.tar.gz", f"sha256:{'1' * 64}")))
    (left,) = outcome.leftovers
    assert (left.where, left.what) == ("poetry.lock", "spam 1.0: 1 files (spam-1.0.tar.gz)")
    assert "no such files" in left.why


def test_files_that_are_new_are_counted_or_left_out(run: Run, index: MadeUp) -> None:
    outcome = run(project(index, (ONE, sha(index, ONE))))
    assert locked(outcome)[1] == {ONE, TWO}
    assert outcome.notes[1].startswith("1 of the files locked (spam) are newer than the old lock")
    assert outcome.complete  # nothing of the old was lost


def test_only_locked_files_leaves_the_new_ones_out(run: Run, index: MadeUp) -> None:
    outcome = run(project(index, (ONE, sha(index, ONE))), only=True)
    assert locked(outcome)[1] == {ONE}
    assert outcome.notes[1] == "1 files that the old lock did not know are left out"


def test_only_locked_files_with_none_that_is_left_is_refused(run: Run, index: MadeUp) -> None:
    with pytest.raises(RepositoryError) as caught:
        run(project(index, ("spam-1.0.tar.gz", f"sha256:{'1' * 64}")), only=True)
    assert caught.value.code == "migrate-locked-file-missing"


def pipenv(*digests: str) -> dict[str, str]:
    lock = {"_meta": {}, "default": {"spam": {"version": "==1.0", "hashes": list(digests)}}}
    return {"Pipfile": '[packages]\nspam = "*"\n', "Pipfile.lock": json.dumps(lock)}


def test_a_digest_that_is_gone_beside_an_unknown_file_is_refused(run: Run, index: MadeUp) -> None:
    with pytest.raises(RepositoryError) as caught:
        run(pipenv(sha(index, ONE), f"sha256:{'0' * 64}"))
    assert caught.value.code == "migrate-locked-file-replaced"
    assert "may have been replaced" in caught.value.message
    assert "--only-locked-files" in str(caught.value.hint)


def test_what_the_old_lock_knew_can_be_had_all_the_same(run: Run, index: MadeUp) -> None:
    outcome = run(pipenv(sha(index, ONE), f"sha256:{'0' * 64}"), only=True)
    assert locked(outcome) == ("1.0", {ONE})


def test_requirements_with_digests_are_held_too(run: Run, index: MadeUp) -> None:
    good = f"spam==1.0 --hash={sha(index, ONE)} --hash={sha(index, TWO)}\n"
    assert locked(run({"requirements.txt": good})) == ("1.0", {ONE, TWO})


def test_a_requirement_whose_file_was_replaced_is_refused(run: Run, index: MadeUp) -> None:
    with pytest.raises(RepositoryError) as caught:
        run({"requirements.txt": f"spam==1.0 --hash=sha256:{'0' * 64}\n"})
    assert caught.value.code == "migrate-locked-file-replaced"


UV = (
    'version = 1\n[[package]]\nname = "shop"\nversion = "1"\nsource = {{ virtual = "." }}\ndependencies = [{{ name = "spam" }}]\n'
    '[[package]]\nname = "spam"\nversion = "1.0"\nsource = {{ registry = "https://index.example/simple" }}\n'
    'wheels = [{{ url = "https://files.example/{name}", hash = "{digest}", size = 1 }}]\n'
)
UV_PROJECT = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["spam"]\n'


def test_a_uv_lock_stays_what_it_is_and_is_held(run: Run, index: MadeUp) -> None:
    outcome = run({"pyproject.toml": UV_PROJECT, "uv.lock": UV.format(name=ONE, digest=sha(index, ONE))})
    assert locked(outcome) == ("1.0", {ONE})
    assert "https://files.example/" in outcome.written["pylock.toml"]
    assert outcome.notes == ("1 files of the old lock are on the index as they were",)


def test_a_uv_lock_of_a_replaced_file_is_refused(run: Run, index: MadeUp) -> None:
    with pytest.raises(RepositoryError) as caught:
        run({"pyproject.toml": UV_PROJECT, "uv.lock": UV.format(name=ONE, digest=f"sha256:{'0' * 64}")})
    assert caught.value.code == "migrate-locked-file-replaced"


def test_what_nobody_asks_for_here_is_told(run: Run, index: MadeUp) -> None:
    lock = poetry_lock((ONE, sha(index, ONE))) + '[[package]]\nname = "colorama"\nversion = "0.4"\n'
    outcome = run({"pyproject.toml": POETRY, "poetry.lock": lock})
    assert [left.what for left in outcome.leftovers] == ["1 versions: colorama"]


def test_an_index_that_changes_its_mind_while_it_is_asked_is_refused(index: MadeUp) -> None:
    """What it said first was fine; what was locked then is another file under the same name."""
    known = Recorded("poetry.lock", "spam", "1.0", (RecordedFile(sha(index, ONE), ONE),))
    checked = check_recorded(index.memory(), [known], exact=False)
    for name in (ONE, TWO):
        made = File(name=name, url=f"https://files.example/{name}", hashes={"sha256": "0" * 64})
        package = Package(name="spam", version="1.0", index="memory:index", wheels=(made,))
        with pytest.raises(RepositoryError) as caught:
            screen(Lock(packages=(package,)), checked, exact=False)
        assert caught.value.code == "migrate-locked-file-replaced"


def test_a_project_the_index_never_heard_of_is_told(index: MadeUp) -> None:
    known = Recorded("poetry.lock", "lost", "1.0", (RecordedFile(f"sha256:{'1' * 64}", "lost-1.0.tar.gz"),))
    (checked,) = check_recorded(index.memory(), [known], exact=False)
    assert (checked.held.gone, dict(checked.offered)) == (("lost-1.0.tar.gz",), {})


def test_versions_are_the_same_however_they_are_spelt(index: MadeUp) -> None:
    known = Recorded("poetry.lock", "spam", "1.0.0", (RecordedFile(sha(index, ONE), ONE),))
    (checked,) = check_recorded(index.memory(), [known], exact=False)
    assert checked.held.same == (ONE,)
