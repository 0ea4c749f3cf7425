"""What old locks recorded of their files: read from each format, and held against what an index offers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from accord.migrate.recorded import Recorded, RecordedFile, hold, recorded_in_toml, vouched_for

if TYPE_CHECKING:
    from collections.abc import Callable

    Migrate = Callable[..., Any]

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
WHEEL, SDIST = "spam-1.0-py3-none-any.whl", "spam-1.0.tar.gz"


def named(**files: str) -> Recorded:
    return Recorded(
        "poetry.lock", "spam", "1.0",
        tuple(RecordedFile(f"sha256:{digest}", {"wheel": WHEEL, "sdist": SDIST}[name]) for name, digest in files.items()),
    )  # fmt: skip


def digests(*found: str) -> Recorded:
    return Recorded("Pipfile.lock", "spam", "1.0", tuple(RecordedFile(f"sha256:{each}") for each in found))


def offered(**files: str) -> dict[str, dict[str, str]]:
    return {{"wheel": WHEEL, "sdist": SDIST}[name]: {"sha256": digest} for name, digest in files.items()}


def test_what_is_as_it_was_is_the_same() -> None:
    held = hold(named(wheel=A, sdist=B), offered(wheel=A, sdist=B))
    assert (held.same, held.replaced, held.gone, held.new) == ((WHEEL, SDIST), (), (), ())
    assert hold(digests(A, B), offered(wheel=A, sdist=B)).same == (WHEEL, SDIST)


def test_a_file_of_another_content_under_its_name_is_replaced() -> None:
    held = hold(named(wheel=A, sdist=B), offered(wheel=C, sdist=B))
    ((name, how),) = held.replaced
    assert name == WHEEL
    assert A in how
    assert C in how
    assert held.same == (SDIST,)


def test_what_nobody_offers_is_gone_and_what_nobody_knew_is_new() -> None:
    held = hold(named(wheel=A), offered(sdist=B))
    assert (held.gone, held.new, held.replaced) == ((WHEEL,), (SDIST,), ())


def test_digests_alone_beside_an_unknown_file_may_be_a_replacement() -> None:
    assert hold(digests(A, B), offered(wheel=A, sdist=C)).replaced[0][0] == SDIST
    # one of the two alone is no sign of it: new wheels are published, and files are deleted
    assert hold(digests(A), offered(wheel=A, sdist=C)).replaced == ()
    assert hold(digests(A, B), offered(wheel=A)).replaced == ()
    assert hold(digests(A, B), {}).gone == (f"sha256:{A}", f"sha256:{B}")


def test_digests_of_another_kind_say_nothing_for_or_against() -> None:
    other = {WHEEL: {"blake2b": A}}
    for recorded in (named(wheel=A), digests(A)):
        held = hold(recorded, other)
        assert (held.unsure, held.same, held.replaced, held.new) == ((WHEEL,), (), (), ())
    assert not vouched_for(named(wheel=A), WHEEL, {"blake2b": A})
    assert not vouched_for(named(wheel=A), WHEEL, {})


def test_one_right_digest_does_not_hide_a_wrong_one() -> None:
    both = Recorded(
        "poetry.lock", "spam", "1.0", (RecordedFile(f"sha256:{A}", WHEEL), RecordedFile("md5:00", WHEEL))
    )
    assert hold(both, {WHEEL: {"sha256": A, "md5": "11"}}).replaced
    assert hold(both, {WHEEL: {"sha256": A, "md5": "00"}}).same == (WHEEL,)


def test_a_name_that_is_not_the_files_own_vouches_for_nothing() -> None:
    assert vouched_for(named(wheel=A), WHEEL, {"sha256": A.upper()})
    assert not vouched_for(named(wheel=A), SDIST, {"sha256": A})


@pytest.mark.parametrize(
    ("lock", "files"),
    [
        ({"package": [{"files": [{"file": WHEEL, "hash": f"sha256:{A}"}]}]}, {(WHEEL, A)}),
        ({"package": [{}], "metadata": {"files": {"spam": [{"file": SDIST, "hash": f"sha256:{A}"},
         {"file": "spam-2.0.tar.gz", "hash": f"sha256:{B}"}]}}}, {(SDIST, A)}),
        ({"package": [{}], "metadata": {"files": {"spam 1.0": [
            {"url": f"https://index.example/files/{WHEEL}#frag", "hash": f"sha256:{A}"}]}}}, {(WHEEL, A)}),
        ({"package": [{}], "metadata": {"hashes": {"spam": [A, B]}}}, {(None, A), (None, B)}),
        ({"package": [{"sdist": {"url": f"https://index.example/{SDIST}", "hash": f"sha256:{B}"},
         "wheels": [{"url": f"https://index.example/{WHEEL}", "hash": f"sha256:{A}"}]}]}, {(WHEEL, A), (SDIST, B)}),
        ({"package": [{"files": ["no table", {"file": WHEEL, "hash": "crc:1"}, {"file": WHEEL, "hash": "sha256:xyz"}]}]},
         None),
    ],
    ids=["poetry 1.5", "poetry 1.0", "pdm 2", "poetry 0.12", "uv", "nothing that can be held"],
)  # fmt: skip
def test_each_form_of_a_lock_is_read(lock: dict[str, Any], files: set[tuple[str | None, str]] | None) -> None:
    lock["package"][0] |= {"name": "Spam", "version": "1.0"}
    found = recorded_in_toml(lock, "a.lock")
    if files is None:
        assert found == []
        return
    (recorded,) = found
    assert (recorded.where, recorded.name, recorded.version) == ("a.lock", "spam", "1.0")
    assert {(each.name, each.digest.removeprefix("sha256:")) for each in recorded.files} == files


def test_pipenv_and_requirements_record_digests_without_names(migrated: Migrate) -> None:
    lock = {"_meta": {}, "default": {"spam": {"version": "==1.0", "hashes": [f"sha256:{A}", f"sha256:{B}"]}}}
    made = migrated({"Pipfile": '[packages]\nspam = "*"\n', "Pipfile.lock": json.dumps(lock)})
    assert made.described.recorded == [digests(A, B)]
    made = migrated({"requirements.txt": f"Spam==1.0 --hash=sha256:{A} \\\n  --hash=sha256:{B}\n"})
    assert made.described.recorded[-1] == Recorded("requirements.txt", "spam", "1.0", digests(A, B).files)


def test_a_commit_of_an_old_lock_is_told(migrated: Migrate) -> None:
    poetry = (
        '[[package]]\nname = "mine"\nversion = "1"\n[package.source]\ntype = "git"\nurl = "https://git.example/mine"\n'
        f'reference = "main"\nresolved_reference = "{"0123456789" * 4}"\n'
    )
    made = migrated(
        {
            "pyproject.toml": '[tool.poetry]\nname = "spam"\nversion = "1"\n',
            "spam.py": "",
            "poetry.lock": poetry,
        }
    )
    assert "poetry.lock mine at commit 012345678901" in made.left
    assert made.described.pins == []
