"""accord wheel as a person types it: output, JSON, exit statuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accord.cli.commands.wheel_diff import IGNORABLE as OFFERED
from accord.tasks.wheel_files import IGNORABLE
from accord.testing.archives import sdist_bytes, wheel_parts, zip_bytes

Accord = Callable[..., Any]


@pytest.fixture
def spam(tmp_path: Path) -> str:
    """A wheel in the folder the commands run in."""
    name = "spam-1.0-py3-none-any.whl"
    (tmp_path / name).write_bytes(
        zip_bytes(wheel_parts({"spam/__init__.py": b"a = 1\n", "spam/d/e.py": b""}))
    )
    return name


def other(tmp_path: Path, files: dict[str, bytes], **options: Any) -> str:
    (tmp_path / "other").mkdir()
    path = tmp_path / "other" / "spam-1.0-py3-none-any.whl"
    path.write_bytes(zip_bytes(wheel_parts(files, **options)))
    return str(path)


def test_what_can_be_ignored_is_what_the_engine_ignores() -> None:
    assert OFFERED == IGNORABLE


def test_inspect_shows_folders_and_with_files_all(accord: Accord, spam: str) -> None:
    short, deep, all_of_it = (
        accord("wheel", "inspect", spam, *words)
        for words in (("--depth", "1"), ("--depth", "2"), ("--files",))
    )
    assert short.status == 0
    assert "spam 1.0 (wheel)" in short.out and "py3-none-any" in short.out
    assert "d/" not in short.out and "d/" in deep.out
    assert "e.py" not in deep.out and "e.py" in all_of_it.out
    assert "Metadata-Version: 2.1" in accord("wheel", "inspect", spam, "--metadata").out
    assert accord("wheel", "inspect", spam, "--depth", "x").status == 2


def test_inspect_gives_one_json_document_and_a_page(accord: Accord, spam: str, tmp_path: Path) -> None:
    ran = accord("wheel", "inspect", spam, "--json", "--html", "spam.html")
    assert json.loads(ran.out)["record"]["state"] == "complete"
    assert (tmp_path / "spam.html").read_text().startswith("<!doctype html>")
    assert accord("wheel", "inspect", spam, "--html", "spam.html").out == ""


def test_inspect_takes_an_sdist(accord: Accord, tmp_path: Path) -> None:
    (tmp_path / "spam-1.0.tar.gz").write_bytes(sdist_bytes())
    assert "spam 1.0 (sdist)" in accord("wheel", "inspect", "spam-1.0.tar.gz").out


def test_control_characters_of_a_stranger_do_not_reach_the_terminal(accord: Accord, tmp_path: Path) -> None:
    metadata = "Metadata-Version: 2.1\nName: spam\nVersion: 1.0\nSummary: \x1b[2J\x1b]0;owned\x07\n"
    path = other(tmp_path, {"spam.py": b"\x1b[31m"}, metadata=metadata)
    for words in (("inspect", path), ("inspect", path, "--metadata"), ("inspect", path, "--files")):
        assert "\x1b" not in accord("wheel", *words).out


def test_diff_ends_with_0_1_and_2(accord: Accord, spam: str, tmp_path: Path) -> None:
    same = accord("wheel", "diff", spam, spam)
    assert (same.status, same.out) == (0, "")
    path = other(tmp_path, {"spam/__init__.py": b"a = 2\n", "spam/new.py": b""})
    ran = accord("wheel", "diff", spam, path, "--text")
    assert ran.status == 1
    assert "+ spam/new.py (0 B)" in ran.out and "- spam/d/e.py" in ran.out and "+a = 2" in ran.out
    record = json.loads(accord("wheel", "diff", spam, path, "--json", "--text").out)
    assert record["same"] is False and record["text"][0]["path"] == "spam/__init__.py"
    (tmp_path / "other" / "spam-2.0-py3-none-any.whl").write_bytes(b"no zip")
    broken = accord("wheel", "diff", spam, "other/spam-2.0-py3-none-any.whl")
    assert broken.status == 2 and "archive-not-zip" in broken.err


def test_diff_ignores_what_it_is_told_to(accord: Accord, spam: str, tmp_path: Path) -> None:
    text = "Wheel-Version: 1.0\nGenerator: other\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    path = other(tmp_path, {"spam/__init__.py": b"a = 1\n", "spam/d/e.py": b""}, wheel=text)
    assert accord("wheel", "diff", spam, path).status == 1
    assert accord("wheel", "diff", spam, path, "--ignore", "generator", "--ignore", "record").status == 0
    assert accord("wheel", "diff", spam, path, "--loose").status == 0


def test_verify_ends_with_1_when_one_of_several_is_bad(accord: Accord, spam: str, tmp_path: Path) -> None:
    assert accord("wheel", "verify", spam).status == 0
    path = other(tmp_path, {"spam/__init__.py": b""}, record=b"")
    ran = accord("wheel", "verify", spam, path)
    assert ran.status == 1
    assert f"ok {spam}" in ran.out and "[record-file-unlisted]" in ran.out
    record = json.loads(accord("wheel", "verify", "--json", spam, path).out)
    assert [one["ok"] for one in record] == [True, False]
    assert accord("wheel", "verify", spam, "--require-hash", "sha256:" + "0" * 64).status == 1
    assert accord("wheel", "verify", "nowhere-1-py3-none-any.whl").status == 2


def test_a_wheel_goes_into_a_folder_and_comes_back(accord: Accord, spam: str, tmp_path: Path) -> None:
    assert accord("wheel", "unpack", spam).out == "spam-1.0\n"
    made = accord("wheel", "pack", "spam-1.0", "-o", "out", "--build-number", "2")
    assert made.out == "out/spam-1.0-2-py3-none-any.whl\n"
    assert accord("wheel", "verify", made.out.strip()).status == 0
    assert json.loads(accord("wheel", "pack", "spam-1.0", "-o", "out", "--json").out)["dropped"] == []
    assert accord("wheel", "unpack", spam).status == 2
    (tmp_path / "spam-1.0" / "spam-1.0.dist-info" / "RECORD.jws").write_text("{}")
    assert "RECORD.jws" in accord("wheel", "pack", "spam-1.0", "-o", "out").err


def test_the_moment_of_a_packed_wheel_is_the_variable(
    accord: Accord, spam: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accord("wheel", "unpack", spam)
    accord("wheel", "pack", "spam-1.0", "-o", "one")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    accord("wheel", "pack", "spam-1.0", "-o", "two")
    name = "spam-1.0-py3-none-any.whl"
    assert "2023-11-14" in accord("wheel", "diff", f"one/{name}", f"two/{name}").out
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    assert "source-date-invalid" in accord("wheel", "pack", "spam-1.0").err


def test_tags_prints_the_new_names(accord: Accord, spam: str, tmp_path: Path) -> None:
    ran = accord("wheel", "tags", "--python-tag", "+py2", "--remove", spam)
    assert ran.out == "spam-1.0-py2.py3-none-any.whl\n"
    assert not (tmp_path / spam).exists()
    again = accord("wheel", "tags", "--python-tag=-py2", ran.out.strip(), "--json")
    assert json.loads(again.out) == [{"path": spam, "changed": True, "removed": False}]
    assert accord("wheel", "tags", "--abi-tag", "none", spam).out == f"{spam}\n"


def test_a_pure_wheel_needs_no_repair(accord: Accord, spam: str) -> None:
    ran = accord("wheel", "repair", spam)
    assert ran.status == 2 and "wheel-repair-needless" in ran.err


def test_many_files_that_differ_in_their_times_alone_are_one_line(
    accord: Accord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "spam-1.0-py3-none-any.whl"
    for count, lines in ((7, 10), (8, 1)):  # and three documents
        path = tmp_path / str(count) / name
        path.parent.mkdir()
        path.write_bytes(zip_bytes(wheel_parts({f"spam/m{number}.py": b"" for number in range(count)})))
        accord("wheel", "unpack", str(path), "-d", str(path.parent))
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        accord("wheel", "pack", str(path.parent / "spam-1.0"), "-o", "out")
        ran = accord("wheel", "diff", str(path), f"out/{name}", "--ignore", "packing", "--ignore", "order")
        assert len(ran.out.splitlines()) == lines
        assert (
            len(json.loads(accord("wheel", "diff", str(path), f"out/{name}", "--json").out)["changed"])
            == count + 3
        )
