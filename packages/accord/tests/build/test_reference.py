"""Direct references: every way to write one, what it means, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from accord.build.limits import Limits
from accord.build.reference import Reference, locked_reference, parse_reference, public_url
from accord_core.errors import UsageError
from accord_core.lock.model import Archive, Directory, Vcs

if TYPE_CHECKING:
    from pathlib import Path

HOST = "https://index.example"
DIGEST = "0" * 64


def read(text: str, base: str = "/", **options: object) -> Reference:
    return parse_reference(text, base=base, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{HOST}/a-1.tar.gz", Reference("archive", f"{HOST}/a-1.tar.gz")),
        (
            f"{HOST}/get?file=a#egg=A_b[c,D]",
            Reference("archive", f"{HOST}/get?file=a", name="a-b", extras=("c", "d")),
        ),
        (
            f"{HOST}/a-1-py3-none-any.whl#sha256={DIGEST}",
            Reference("wheel", f"{HOST}/a-1-py3-none-any.whl", hashes=(("sha256", DIGEST),)),
        ),
        (
            f"{HOST}/a-1.zip#subdirectory=x/y&sha512={DIGEST * 2}",
            Reference("archive", f"{HOST}/a-1.zip", subdirectory="x/y", hashes=(("sha512", DIGEST * 2),)),
        ),
        (f"git+{HOST}/o/r.git", Reference("git", f"{HOST}/o/r.git")),
        (f"git+{HOST}/o/r.git@v1.0", Reference("git", f"{HOST}/o/r.git", revision="v1.0")),
        (f"git+{HOST}/o/r@feature/x#egg=r", Reference("git", f"{HOST}/o/r", revision="feature/x", name="r")),
        (
            "git+ssh://git@index.example/o/r.git@main",
            Reference("git", "ssh://git@index.example/o/r.git", revision="main"),
        ),
        ("git+ssh://git@index.example/o/r.git", Reference("git", "ssh://git@index.example/o/r.git")),
        (f"git+{HOST}/o/r@refs/pull/7/head", Reference("git", f"{HOST}/o/r", revision="refs/pull/7/head")),
        (
            "git+file:///srv/x/../r.git@v1",
            Reference("git", "file:///srv/r.git", path="/srv/r.git", revision="v1"),
        ),
    ],
)
def test_urls(text: str, expected: Reference) -> None:
    assert read(text) == expected


def test_paths(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "a b-1.tar.gz").touch()
    (tmp_path / "a-1-py3-none-any.whl").touch()
    base = str(tmp_path)
    url = tmp_path.as_uri()
    assert read("./pkg", base) == Reference("directory", f"{url}/pkg", path=f"{base}/pkg")
    assert read("pkg/../pkg/", base) == read("./pkg", base) == read(f"{url}/pkg", "/")
    assert read("./pkg[X,y]", base).extras == ("x", "y")
    assert read(f"{url}/pkg#egg=n&subdirectory=s", base).subdirectory == "s"
    assert read("a b-1.tar.gz", base) == read(f"{url}/a%20b-1.tar.gz", base)
    assert read("a-1-py3-none-any.whl", base).kind == "wheel"
    assert read("./pkg", base, editable=True, name="N_n", extras=("e",)) == Reference(
        "directory", f"{url}/pkg", path=f"{base}/pkg", editable=True, name="n-n", extras=("e",)
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "reference-invalid"),
        ("./gone", "reference-not-found"),
        ("file:///gone/a.whl", "reference-not-found"),
        ("file://other.example/a.whl", "url-invalid"),
        ("hg+https://index.example/r", "reference-vcs-unsupported"),
        ("ftp://index.example/a.tar.gz", "reference-vcs-unsupported"),
        ("git+git://index.example/r", "reference-invalid"),
        ("git+ext::sh -c id", "reference-invalid"),
        ("git@index.example:o/r.git", "reference-invalid"),
        ("git+git@index.example:o/r.git", "reference-invalid"),
        ("git+https://index.example", "reference-invalid"),
        (f"git+{HOST}/r@--upload-pack=evil", "git-revision-invalid"),
        (f"git+{HOST}/r@-x", "git-revision-invalid"),
        (f"git+{HOST}/r@a..b", "git-revision-invalid"),
        (f"git+{HOST}/r@a%20b", "git-revision-invalid"),
        (f"git+{HOST}/r@a~1", "git-revision-invalid"),
        (f"git+{HOST}/r@", "git-revision-invalid"),
        (f"git+{HOST}/r#subdirectory=../x", "reference-invalid"),
        (f"git+{HOST}/r#subdirectory=/x", "reference-invalid"),
        (f"git+{HOST}/r#subdirectory=a%5Cb", "reference-invalid"),
        (f"{HOST}/a.tar.gz#md5=00", "reference-hash-weak"),
        (f"{HOST}/a.tar.gz#sha256=00", "reference-invalid"),
        (f"{HOST}/a.tar.gz#egg=-x", "reference-invalid"),
        (f"{HOST}/a\nb.tar.gz", "reference-invalid"),
    ],
)
def test_what_is_refused(text: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert caught.value.code == code


def test_the_length_of_a_url_has_a_limit() -> None:
    url = f"{HOST}/a.tar.gz"
    assert read(url, limits=Limits(url_length=len(url))).kind == "archive"
    with pytest.raises(UsageError):
        read(url, limits=Limits(url_length=len(url) - 1))


@pytest.mark.parametrize("text", [f"{HOST}/a.tar.gz", f"git+{HOST}/r"])
def test_only_folders_are_editable(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text, editable=True)
    assert caught.value.code == "reference-not-editable"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("git+https://u:p@Index.Example/o/r.git", "git+https://index.example/o/r/", True),
        ("git+ssh://git@index.example/o/r", "git+ssh://index.example/o/r.git", True),
        ("git+https://index.example/o/r@a", "git+https://index.example/o/r@b", False),
        ("git+https://index.example/o/r#subdirectory=a", "git+https://index.example/o/r", False),
        ("https://u:p@index.example/a.tar.gz", "https://index.example/a.tar.gz#egg=a", True),
        ("https://index.example/a.tar.gz", "https://index.example/A.tar.gz", False),
    ],
)
def test_identity(one: str, other: str, same: bool) -> None:
    assert (read(one).identity == read(other).identity) is same


def test_a_link_to_a_folder_is_that_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert read("link", str(tmp_path)).identity == read("real", str(tmp_path)).identity


def test_credentials_are_not_shown() -> None:
    for text in (
        "https://user:s3cret@index.example/a.tar.gz",
        "git+https://user:s3cret@index.example/o/r@v1",
    ):
        reference = read(text)
        assert "s3cret" not in str(reference)
        assert "s3cret" not in reference.identity


@pytest.mark.parametrize(
    ("url", "recorded"),
    [
        ("https://user:pw@index.example/a", "https://index.example/a"),
        ("https://token@index.example/a", "https://index.example/a"),
        ("https://${USER}:${PW}@index.example/a", "https://${USER}:${PW}@index.example/a"),
        ("https://${TOKEN}@index.example/a", "https://${TOKEN}@index.example/a"),
        ("https://user:${PW}@index.example/a", "https://index.example/a"),
        ("ssh://git@index.example/a", "ssh://git@index.example/a"),
        ("ssh://me@index.example/a", "ssh://index.example/a"),
        ("https://git@index.example/a", "https://index.example/a"),
        ("file:///a@b/c", "file:///a@b/c"),
    ],
)
def test_pep_610_says_which_credentials_may_be_recorded(url: str, recorded: str) -> None:
    assert public_url(url) == recorded


def test_a_lock_entry_is_a_reference_again(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "a-1-py3-none-any.whl").touch()
    base = str(tmp_path)
    commit = "a" * 40
    vcs = Vcs(
        type="git", url=f"{HOST}/o/r.git", requested_revision="main", commit_id=commit, subdirectory="s"
    )
    assert locked_reference(vcs, name="r", base=base) == (
        Reference("git", f"{HOST}/o/r.git", revision="main", subdirectory="s", name="r"),
        commit,
    )
    directory = locked_reference(Directory(path="./pkg", editable=True), name="p", base=base)[0]
    assert (directory.kind, directory.path, directory.editable) == ("directory", f"{base}/pkg", True)
    archive = Archive(path="./a-1-py3-none-any.whl", hashes={"sha256": DIGEST})
    wheel = locked_reference(archive, name="a", base=base)[0]
    assert (wheel.kind, wheel.hashes) == ("wheel", (("sha256", DIGEST),))


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (Vcs(type="hg", url=f"{HOST}/r", commit_id="a" * 40), "reference-vcs-unsupported"),
        (Vcs(type="git", url=f"{HOST}/r", commit_id="--output=x"), "git-revision-invalid"),
        (Vcs(type="git", url=f"{HOST}/r", commit_id="a" * 40, subdirectory="../x"), "reference-invalid"),
        (Archive(url=f"{HOST}/a.zip", subdirectory="/x"), "reference-invalid"),
    ],
)
def test_a_hostile_lock_entry_is_refused(entry: Vcs | Archive, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        locked_reference(entry, name="x", base="/")
    assert caught.value.code == code
