"""A lock that breaks the standard is refused with all its faults; what the standard lets pass is read."""

from __future__ import annotations

import pytest

from accord_core.errors import DocumentError
from accord_core.lock import read

D = "ab" * 32
HEAD = 'lock-version = "1.0"\ncreated-by = "x"\n'


def faults(text: str) -> list[tuple[int | None, str]]:
    with pytest.raises(DocumentError) as caught:
        read.loads(text, "pylock.toml")
    assert caught.value.code == "invalid-lock"
    assert caught.value.hint
    return [(fault.where.line if fault.where else None, fault.code) for fault in caught.value.faults]


def package(body: str) -> list[tuple[int | None, str]]:
    """Faults of an entry that begins at line 3; its own lines begin at 5."""
    return faults(f'{HEAD}[[packages]]\nname = "a"\n{body}\n')


WHEEL = f'wheels = [{{ url = "https://h.example/a-1.0-py3-none-any.whl", hashes = {{ sha256 = "{D}" }} }}]'


def test_an_empty_document_lacks_three_keys() -> None:
    assert faults("") == [(None, "missing-key")] * 3


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", [(3, "missing-source")]),
        ("wheels = []", [(3, "missing-source")]),
        (f'{WHEEL}\nvcs = {{ type = "git", url = "u", commit-id = "c" }}', [(6, "conflicting-sources")]),
        (f'directory = {{ path = "." }}\narchive = {{ url = "u", hashes = {{ sha256 = "{D}" }} }}', [(6, "conflicting-sources")]),
        ("vcs = {}", [(5, "missing-key")] * 3),
        ('vcs = { type = 1, url = 2, commit-id = "c" }', [(5, "wrong-type")] * 2),
        ("directory = { editable = 1 }", [(5, "wrong-type"), (5, "missing-key")]),
        ("directory = []", [(5, "wrong-type")]),
        ('directory = { path = ".", subdirectory = "../x" }', [(5, "bad-subdirectory")]),
        ("archive = { url = 'u' }", [(5, "missing-key")]),
        ("archive = { url = 'u', hashes = {} }", [(5, "missing-key")]),
        ("archive = { url = 'u', hashes = { sha256 = 1 } }", [(5, "wrong-type")]),
        ("archive = { url = 'u', hashes = { sha256 = 'ab' } }", [(5, "bad-hash")]),
        ("archive = { url = 'u', size = -1, hashes = { other = 'ab' } }", [(5, "wrong-type")]),
        ("archive = { url = 'u', size = true, upload-time = 'x', hashes = { other = 'ab' } }", [(5, "wrong-type")] * 2),
        ('version = "x"\n' + WHEEL, [(5, "invalid-value")]),
        ('version = "2.0"\n' + WHEEL, [(6, "file-name-mismatch")]),
        (WHEEL.replace("a-1.0", "b-1.0"), [(5, "file-name-mismatch")]),
        (WHEEL.replace("-none-any", ""), [(5, "bad-file-name")]),
        (WHEEL.replace("url =", 'name = "../a-1.0-py3-none-any.whl", url ='), [(5, "bad-file-name")]),
        (WHEEL.replace("url", "src"), [(5, "missing-key")]),
        (WHEEL.replace("wheels = [", "wheels = [1, "), [(5, "wrong-type")]),
        (f'sdist = {{ path = "a-1.0.exe", hashes = {{ sha256 = "{D}" }} }}', [(5, "bad-file-name")]),
        (f"marker = 'x'\nrequires-python = 'x'\nindex = 1\n{WHEEL}", [(5, "invalid-value"), (6, "invalid-value"), (7, "wrong-type")]),
        (f"dependencies = ['b']\ntool = 1\n{WHEEL}", [(5, "wrong-type"), (6, "wrong-type")]),
        (f"attestation-identities = [{{ kind = 1 }}, {{}}]\n{WHEEL}", [(5, "wrong-type"), (5, "missing-key")]),
    ],
)  # fmt: skip
def test_each_fault_of_a_package(body: str, expected: list[tuple[int, str]]) -> None:
    assert sorted(package(body), key=str) == sorted(expected, key=str)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'lock-version = 1\ncreated-by = 2\npackages = "x"',
            [(1, "wrong-type"), (2, "wrong-type"), (3, "wrong-type")],
        ),
        (
            f"{HEAD}packages = []\nextras = ['A_b']\ndependency-groups = 1",
            [(4, "invalid-value"), (5, "wrong-type")],
        ),
        (f"{HEAD}packages = []\nenvironments = [\n 'x',\n 3]", [(5, "invalid-value"), (6, "wrong-type")]),
        (f"{HEAD}packages = []\nrequires-python = '3'\ntool = []", [(4, "invalid-value"), (5, "wrong-type")]),
        (f"{HEAD}[[packages]]\nname = 'A'\n{WHEEL}", [(4, "invalid-value"), (5, "file-name-mismatch")]),
        ("lock-version = '1.x'\ncreated-by = 'x'\npackages = []", [(1, "invalid-value")]),
    ],
)
def test_each_fault_of_the_lock(text: str, expected: list[tuple[int, str]]) -> None:
    assert faults(text) == expected


def test_another_major_version_is_refused_unread() -> None:
    with pytest.raises(DocumentError) as caught:
        read.loads("lock-version = '2.0'\npackages = 'anything'")
    assert caught.value.code == "unsupported-lock-version"


def test_a_later_minor_version_and_unknown_keys_are_read() -> None:
    lock = read.loads(f"{HEAD.replace('1.0', '1.1')}new = 1\n[[packages]]\nname = 'a'\nnew = 1\n{WHEEL}")
    assert lock.newer_than_known
    assert lock.packages[0].name == "a"
    assert not read.loads(f"{HEAD}packages = []").newer_than_known


def test_a_time_without_offset_is_utc() -> None:
    text = f"{HEAD}[[packages]]\nname='a'\narchive={{url='u', upload-time=2026-01-02T03:04:05, hashes={{x='ab'}}}}"
    archive = read.loads(text).packages[0].archive
    assert archive is not None
    assert archive.upload_time == "2026-01-02T03:04:05Z"


@pytest.mark.parametrize(
    ("name", "is_lock"),
    [
        ("pylock.toml", True),
        ("pylock.dev.toml", True),
        ("pylock.a.b.toml", False),
        ("pylock..toml", False),
        ("pylock", False),
        ("xpylock.toml", False),
        ("pylock.txt", False),
    ],
)
def test_names_of_locks(name: str, is_lock: bool) -> None:
    """The standard's expressions: ``^pylock\\.([^.]+)\\.toml$`` or ``pylock.toml``."""
    assert read.is_lock_name(name) is is_lock
