"""A wheel is one wheel, the one its name says, and nothing in it reaches outside its places."""

from __future__ import annotations

import ensurepip
import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from accord.testing.archives import Part, record_bytes, wheel_parts, zip_bytes
from accord_core.archive.limits import Limits
from accord_core.archive.wheel import open_wheel, parse_wheel_file, same_version
from accord_core.errors import ArchiveError

Write = Callable[..., str]
Code = Callable[[Callable[[], object]], str]
NAME = "spam-1.0-py3-none-any.whl"
WHEEL = "Wheel-Version: {}\nRoot-Is-Purelib: {}\nTag: py3-none-any\n"


def changed(member: str, **options: object) -> bytes:
    return zip_bytes([replace(part, **options) if part.name == member else part for part in wheel_parts()])  # type: ignore[arg-type]


def holding(*names: str, **options: object) -> bytes:
    files = {"spam/__init__.py": b"", **dict.fromkeys(names, b"x")}
    return zip_bytes(wheel_parts(files, **options))  # type: ignore[arg-type]


def scripts(text: str) -> bytes:
    return zip_bytes(wheel_parts(entry_points=f"[console_scripts]\n{text}\n"))


def test_an_honest_wheel_tells_everything(write: Write) -> None:
    files = {
        "spam/__init__.py": b"value = 1\n",
        "spam/data,1.txt": b"x",
        "spam-1.0.data/scripts/spam": b"#!python\n",
    }
    points = "# comment\n[console_scripts]\nspam = spam.cli:main [extra]\n\n[spam.plugins]\none = spam\n"
    path = write(zip_bytes(wheel_parts(files, entry_points=points)), NAME)
    with open_wheel(path) as wheel:
        assert (wheel.name, wheel.version, wheel.dist_info) == ("spam", "1.0", "spam-1.0.dist-info")
        assert wheel.wheel_file.root_is_purelib and wheel.wheel_file.tags == ("py3-none-any",)
        assert {member.name: wheel.read(member) for member in wheel.members}.items() >= files.items()
        assert [wheel.target(member) for member in wheel.members[:3]] == [
            ("purelib", "spam/__init__.py"),
            ("purelib", "spam/data,1.txt"),
            ("scripts", "spam"),
        ]
        found = [(point.group, point.name, point.module, point.attribute) for point in wheel.entry_points()]
        assert found == [("console_scripts", "spam", "spam.cli", "main"), ("spam.plugins", "one", "spam", "")]
        assert wheel.metadata().name == "spam"
        assert wheel.rows["spam/data,1.txt"].size == 1
        assert wheel.find("spam/__init__.py") is wheel.members[0]


@pytest.mark.parametrize(
    ("expected", "data"),
    [
        pytest.param(*row[1:], id=row[0])
        for row in [
            ("honest", "accepted", zip_bytes(wheel_parts())),
            ("no-dist-info", "wheel-dist-info-missing", zip_bytes([Part("spam.py", b"")])),
            ("dist-info-deeper", "accepted", holding("spam/ham-1.dist-info/METADATA")),
            ("two-dist-infos", "wheel-dist-info-several", holding("ham-1.dist-info/METADATA")),
            ("other-name", "wheel-dist-info-disagrees", zip_bytes(wheel_parts(name="ham"))),
            ("other-version", "wheel-dist-info-disagrees", zip_bytes(wheel_parts(version="1.1"))),
            ("same-version", "accepted", zip_bytes(wheel_parts(version="1.0.0", metadata="Name: Spam\nVersion: 1\n"))),
            ("metadata-name", "wheel-metadata-disagrees", zip_bytes(wheel_parts(metadata="Name: ham\nVersion: 1.0\n"))),
            ("metadata-version", "wheel-metadata-disagrees", zip_bytes(wheel_parts(metadata="Name: spam\nVersion: 2\n"))),
            ("no-wheel-file", "wheel-file-missing", zip_bytes([p for p in wheel_parts() if "WHEEL" not in str(p.name)])),
            ("no-record", "wheel-file-missing", zip_bytes(wheel_parts()[:-1])),
            ("wheel-1.9", "accepted", zip_bytes(wheel_parts(wheel=WHEEL.format("1.9", "True")))),
            ("wheel-2.0", "wheel-version-unsupported", zip_bytes(wheel_parts(wheel=WHEEL.format("2.0", "true")))),
            ("wheel-none", "wheel-file-invalid", zip_bytes(wheel_parts(wheel="Root-Is-Purelib: true\n"))),
            ("purelib-maybe", "wheel-file-invalid", zip_bytes(wheel_parts(wheel=WHEEL.format("1.0", "maybe")))),
            ("changed-file", "record-digest-wrong", changed("spam/__init__.py", data=b"value = 2\n")),
            ("longer-file", "record-size-wrong", changed("spam/__init__.py", data=b"value = 10\n")),
            ("unlisted-file", "record-file-unlisted", zip_bytes([Part("evil.pth", b"import os"), *wheel_parts()])),
            ("missing-file", "record-file-missing", zip_bytes(wheel_parts()[1:])),
            ("weak-record", "record-digest-weak",
             zip_bytes(wheel_parts({}, record=record_bytes({}, "x").replace(b"x,,", b"")
                                   + b"".join(b"spam-1.0.dist-info/%s,md5=x,\n" % n for n in (b"METADATA", b"WHEEL"))))),
            ("changed-metadata", "record-digest-wrong",
             changed("spam-1.0.dist-info/METADATA", data=b"Metadata-Version: 2.1\nName: spam\nVersion: 2.0\n")),
            ("file-where-a-folder-goes", "wheel-target-twice", holding("spam-1.0.data/purelib/spam")),
            ("scheme", "wheel-scheme-unknown", holding("spam-1.0.data/etc/x")),
            ("scheme-without-path", "wheel-scheme-unknown", holding("spam-1.0.data/scripts")),
            ("foreign-data", "wheel-data-foreign", holding("ham-1.0.data/scripts/x")),
            ("two-places-one-file", "wheel-target-twice", holding("spam-1.0.data/purelib/spam/__init__.py")),
            ("two-data-places-one-file", "wheel-target-twice", holding("spam-1.0.data/purelib/x.py", "spam-1.0.data/platlib/x.py")),
            ("two-data-places-one-file-case", "wheel-target-twice", holding("spam-1.0.data/purelib/X.py", "x.py")),
            ("two-places-two-files", "accepted", holding("spam-1.0.data/purelib/x.py", "spam-1.0.data/data/x.py")),
            ("script-python", "script-name-reserved", holding("spam-1.0.data/scripts/python3")),
            ("script-in-folder", "script-name-path", holding("spam-1.0.data/scripts/x/y")),
            ("data-bin-python", "script-name-reserved", holding("spam-1.0.data/data/bin/python")),
            ("data-pyvenv", "script-name-reserved", holding("spam-1.0.data/data/pyvenv.cfg")),
            ("data-pyvenv-case", "script-name-reserved", holding("spam-1.0.data/data/PyVenv.CFG")),
            ("data-pyvenv-folder", "wheel-target-reserved", holding("spam-1.0.data/data/pyvenv.cfg/x")),
            ("data-python-folder", "script-name-reserved", holding("spam-1.0.data/data/Bin/python3/x")),
            ("data-scripts-python", "script-name-reserved", holding("spam-1.0.data/data/Scripts/Python.exe")),
            ("data-own", "wheel-target-reserved", holding("spam-1.0.data/data/.accord/journal")),
            ("data-own-deep", "wheel-target-reserved", holding("spam-1.0.data/data/.accord/history/9/moves")),
            ("data-own-case", "wheel-target-reserved", holding("spam-1.0.data/data/.Accord/journal")),
            ("data-own-hidden", "wheel-target-reserved", holding("spam-1.0.data/data/.acc\u200cord/journal")),
            ("data-own-file", "wheel-target-reserved", holding("spam-1.0.data/data/.accord")),
            ("data-lib64", "wheel-target-reserved", holding("spam-1.0.data/data/lib64/python3.12/x.py")),
            ("data-bin-file", "wheel-target-reserved", holding("spam-1.0.data/data/bin")),
            (
                "data-startup",
                "wheel-target-reserved",
                holding("spam-1.0.data/data/lib/python3.12/site-packages/_accord.pth"),
            ),
            ("startup", "wheel-target-reserved", holding("_accord.pth")),
            ("startup-data", "wheel-target-reserved", holding("spam-1.0.data/purelib/_ACCORD_base.pth")),
            ("data-near-own", "accepted", holding("spam-1.0.data/data/.accord-spam/journal")),
            ("data-own-below", "accepted", holding("spam-1.0.data/data/share/.accord/journal")),
            ("data-bin-folder", "accepted", holding("spam-1.0.data/data/bin/spam.d/python")),
            ("another-startup", "accepted", holding("accord.pth")),
            ("data-bin-tool", "accepted", holding("spam-1.0.data/data/bin/tool")),
        ]
    ],
)  # fmt: skip
def test_one_lie_each(expected: str, data: bytes, write: Write, code: Code) -> None:
    path = write(data, NAME)

    def whole() -> None:
        with open_wheel(path) as wheel:
            for member in wheel.members:
                wheel.read(member)
                b"".join(wheel.stream(member, chunk=5))
            wheel.metadata()

    assert code(whole) == expected


def test_a_stream_is_held_against_record_too(write: Write, code: Code) -> None:
    with open_wheel(write(changed("spam/__init__.py", data=b"value = 2\n"), NAME)) as wheel:
        assert code(lambda: list(wheel.stream(wheel.members[0]))) == "record-digest-wrong"


@pytest.mark.parametrize(
    ("expected", "line"),
    [
        ("accepted", "spam = spam:main"),
        ("accepted", "spam-2.1 = spam.cli:App.run"),
        ("accepted", "pythonize = spam:main"),
        ("accepted", "spam:cli = spam:main"),
        ("accepted", "py.test = spam:main"),
        ("accepted", "pip3.12 = spam:main"),
        ("script-name-path", "../spam = spam:main"),
        ("script-name-path", ".. = spam:main"),
        ("script-name-path", "/usr/bin/spam = spam:main"),
        ("script-name-path", "a\\b = spam:main"),
        ("script-name-path", "C:spam = spam:main"),
        ("script-name-reserved", "python = spam:main"),
        ("script-name-reserved", "Python3.EXE = spam:main"),
        ("script-name-reserved", "python3.12 = spam:main"),
        ("script-name-reserved", "python3.13t = spam:main"),
        ("script-name-reserved", "pypy3 = spam:main"),
        ("script-name-reserved", "activate = spam:main"),
        ("script-name-reserved", "activate.fish = spam:main"),
        ("entry-points-invalid", "spam = spam"),
        ("entry-points-invalid", "spam = import os; x"),
        ("entry-points-invalid", "spam = spam:main()"),
        ("entry-points-invalid", "spam"),
        ("entry-points-invalid", "= spam:main"),
        ("entry-points-invalid", "[]\nspam = spam:main"),
        ("entry-point-twice", "spam = spam:main\nspam = spam:other"),
    ],
)
def test_script_names_and_references(expected: str, line: str, write: Write, code: Code) -> None:
    with open_wheel(write(scripts(line), NAME)) as wheel:
        assert code(wheel.entry_points) == expected


@pytest.mark.parametrize(
    "name", ["spam.zip", "spam-1.0.whl", "spam-1.0-py3-none.whl", "a-1-2-3-4-5-6.whl", "-1-py3-none-any.whl"]
)
def test_file_names(name: str, write: Write, code: Code) -> None:
    assert code(lambda: open_wheel(write(zip_bytes(wheel_parts())), filename=name)) == "wheel-name-invalid"


def test_a_wheel_kept_under_its_digest(write: Write) -> None:
    with open_wheel(write(zip_bytes(wheel_parts()), "0123abcd"), filename=NAME) as wheel:
        assert wheel.name == "spam"


@pytest.mark.parametrize("spare", [0, -1])
def test_metadata_and_record_have_limits(spare: int, write: Write, code: Code) -> None:
    parts = wheel_parts()
    sizes = {str(part.name).rpartition("/")[2]: len(part.data) for part in parts}
    limits = Limits(
        metadata_bytes=max(sizes["METADATA"], sizes["WHEEL"]) + spare, record_bytes=sizes["RECORD"]
    )
    path = write(zip_bytes(parts), NAME)
    assert code(lambda: open_wheel(path, limits).metadata()) == (
        "wheel-file-too-large" if spare else "accepted"
    )
    limits = Limits(record_bytes=sizes["RECORD"] + spare)
    assert code(lambda: open_wheel(path, limits)) == ("wheel-file-too-large" if spare else "accepted")


def test_versions_that_are_spelled_differently() -> None:
    assert (
        same_version("1.0", "1")
        and same_version("1.0+local_1", "1.0+local.1")
        and same_version("1.0RC1", "1.0rc1")
    )
    assert not same_version("1.0", "1.0.1") and not same_version("what", "1")


def test_a_wheel_file_may_be_folded_by_carriage_returns() -> None:
    assert parse_wheel_file(b"Wheel-Version: 1.0\r\nRoot-Is-Purelib: False\r\nBuild: 7\r\n").build == "7"


def test_the_wheels_python_brings_read_as_with_zipfile() -> None:
    """Real wheels, made by other people's tools."""
    found = sorted(Path(ensurepip.__file__).parent.glob("_bundled/*.whl"))
    if not found:
        pytest.skip("this Python brings no wheels")
    for path in found:
        with open_wheel(str(path)) as wheel, zipfile.ZipFile(path) as oracle:
            assert [member.name for member in wheel.members] == [
                n for n in oracle.namelist() if not n.endswith("/")
            ]
            for member in wheel.members:
                assert (
                    hashlib.sha256(wheel.read(member)).digest()
                    == hashlib.sha256(oracle.read(member.name)).digest()
                )
            assert wheel.metadata().requires_python


def test_the_error_names_the_wheel(write: Write) -> None:
    path = write(zip_bytes([Part("x", b"")]), NAME)
    with pytest.raises(ArchiveError) as caught:
        open_wheel(path)
    assert caught.value.where is not None and caught.value.where.path == path
