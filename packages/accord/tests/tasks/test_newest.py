"""The newest version on a page for one interpreter."""

from __future__ import annotations

import pytest

from accord.repositories.candidates import Target
from accord.tasks.newest import newest_on_page
from accord_core.index.model import File

TARGET = Target({"python_full_version": "3.11.4"}, ("cp311-cp311-linux_x86_64", "py3-none-any"), "x")


def file(name: str, **more: object) -> File:
    return File(name, f"https://index.example/{name}", {}, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("files", "prereleases", "cutoff", "expected"),
    [
        ([file("a-1.9-py3-none-any.whl"), file("a-1.10-py3-none-any.whl")], False, None, "1.10"),
        ([file("a-1.0-py3-none-any.whl"), file("a-2.0rc1-py3-none-any.whl")], False, None, "1.0"),
        ([file("a-1.0-py3-none-any.whl"), file("a-2.0rc1-py3-none-any.whl")], True, None, "2.0rc1"),
        ([file("a-1.0.tar.gz"), file("a-2.0-cp312-cp312-win_amd64.whl")], False, None, "1.0"),
        ([file("a-1.0.tar.gz"), file("a-2.0.tar.gz", yanked=True)], False, None, "1.0"),
        ([file("a-1.0.tar.gz"), file("a-2.0.tar.gz", requires_python=">=3.12")], False, None, "1.0"),
        ([file("a-1.0.tar.gz", upload_time="2026-01-01T00:00:00Z"), file("a-2.0.tar.gz", upload_time="2026-03-01T00:00:00Z")],
         False, "2026-02-01T00:00:00Z", "1.0"),
        ([file("a-1.0.tar.gz")], False, "2026-02-01T00:00:00Z", None),
        ([file("b-9.tar.gz"), file("a-nonsense.tar.gz"), file("README")], False, None, None),
        ([], False, None, None),
    ],
)  # fmt: skip
def test_newest(files: list[File], prereleases: bool, cutoff: str | None, expected: str | None) -> None:
    assert newest_on_page("a", tuple(files), TARGET, prereleases=prereleases, cutoff=cutoff) == expected
