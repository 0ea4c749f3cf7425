"""What an index takes for a file: each lie is told once, is refused by its own code and with the value shown, and the honest
file beside it is taken."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from accord.server.archives.contents import LIMITS
from accord.server.archives.examine import Examined, examine
from accord.server.archives.filenames import read_filename
from accord.server.errors import Refused
from accord.server.limits import Limits
from accord.testing.archives import Part, TarPart, record_bytes, sdist_bytes, wheel_parts, zip_bytes
from accord.testing.serving import InProcess
from accord_core.archive.limits import Limits as ArchiveLimits

WHEEL = "spam-1.0-py3-none-any.whl"
SDIST = "spam-1.0.tar.gz"


def examined(folder: Path, content: bytes, filename: str = WHEEL, limits: ArchiveLimits = LIMITS) -> Examined:
    path = folder / "received"
    path.write_bytes(content)
    return examine(str(path), filename, limits)


def refusal(folder: Path, content: bytes, filename: str = WHEEL, limits: ArchiveLimits = LIMITS) -> Refused:
    with pytest.raises(Refused) as refused:
        examined(folder, content, filename, limits)
    assert refused.value.status == 400
    return refused.value


# -- names ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filename", "code"),
    [
        ("spam-1.0.zip", "upload-filename"),
        ("spam-1.0.tar.bz2", "upload-filename"),
        ("spam-1.0-py3-none-any.egg", "upload-filename"),
        ("spam.tar.gz", "upload-filename"),
        ("spam-one.tar.gz", "upload-filename"),
        ("spam-1.0-py3-any.whl", "upload-filename"),
        ("spam-1.0-x1-py3-none-any.whl", "upload-filename"),
        ("../spam-1.0.tar.gz", "upload-filename"),
        ("a\\spam-1.0.tar.gz", "upload-filename"),
        ("spam-1.0\n.tar.gz", "upload-filename"),
        ("spam-1.0\x7f.tar.gz", "upload-filename"),
        ("späm-1.0.tar.gz", "upload-filename"),
        ("", "upload-filename"),
        ("spam-1.0-py3-none-amiga_m68k.whl", "upload-platform-unknown"),
        ("spam-1.0-py3-none-manylinux_x86_64.whl", "upload-platform-unknown"),
        ("spam-1.0-py3-none-manylinux2014_pdp11.whl", "upload-platform-unknown"),
        ("spam-1.0-rb3-none-any.whl", "upload-platform-unknown"),
        ("s" * 250 + "-1.0.tar.gz", "upload-name-too-long"),
        ("s" * 201 + "-1.0.tar.gz", "upload-name-too-long"),
    ],
)
def test_a_name_no_file_of_an_index_has_is_refused_before_the_file_is_opened(
    filename: str, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        read_filename(filename)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "filename",
    [
        "spam-1.0-1a-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "spam-1.0-cp39-abi3-macosx_11_0_arm64.whl",
        "spam-1.0-cp313-cp313t-win_arm64.whl",
        "spam-1.0-pp310-pypy310_pp73-musllinux_1_2_aarch64.whl",
        "spam-1.0-cp313-cp313-ios_13_0_arm64_iphonesimulator.whl",
        "spam-1.0-cp313-cp313-android_21_arm64_v8a.whl",
        "spam-1.0-cp313-cp313-pyodide_2025_0_wasm32.whl",
        "spam-1.0-py2.py3-none-any.whl",
        "spam-1.0-cp312-cp312-linux_x86_64.whl",
        "spam-1.0+local.1.tar.gz",
        "s" * 200 + "-1.0.tar.gz",
    ],
)
def test_names_of_honest_files_are_taken_and_are_exact(filename: str) -> None:
    assert read_filename(filename).exact == filename


def test_a_file_name_may_be_as_long_as_its_limit_and_no_longer() -> None:
    filename = "spam-1.0.tar.gz"
    assert read_filename(filename, Limits(filename_bytes=15)).name == "spam"
    with pytest.raises(Refused, match="longer than 14 bytes"):
        read_filename(filename, Limits(filename_bytes=14))


# -- zip confusion: two readers, two archives ----------------------------------------------------------

ZIP64 = struct.pack("<HHQQ", 1, 16, 10, 10)
UNICODE_PATH = b"\x01" + struct.pack("<L", zlib.crc32(b"spam/a.py")) + b"spam/b.py"
MODULE = Part("spam/__init__.py", b"value = 1\n", method=0)


def parts(**changes: object) -> list[Part]:
    """An honest wheel, its module changed."""
    first, *rest = wheel_parts()
    return [replace(first, method=0, **changes), *rest]  # type: ignore[arg-type]


def descriptor(part: Part) -> bytes:
    return b"PK\x07\x08" + struct.pack("<LLL", zlib.crc32(part.data), len(part.body()), len(part.data))


def stored_with_descriptor() -> bytes:
    later = {"crc": 0, "packed": 0, "size": 0}
    return zip_bytes(parts(both={"flags": 8}, local=later, descriptor=descriptor(MODULE)))


CONFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "stored, with a data descriptor": (stored_with_descriptor, "archive-descriptor-ambiguous"),
    "a descriptor that says something else": (
        lambda: zip_bytes(
            parts(both={"flags": 8}, descriptor=b"PK\x07\x08" + struct.pack("<LLL", 1, 10, 10))
        ),
        "archive-descriptor-disagrees",
    ),
    "a comment on a member": (lambda: zip_bytes(parts(comment=b"PK\x03\x04")), "archive-comment-hidden"),
    "a name twice": (lambda: zip_bytes([*wheel_parts(), MODULE]), "archive-name-twice"),
    "zip64 twice in the local header": (
        lambda: zip_bytes(parts(local_extra=ZIP64 * 2)),
        "archive-zip64-invalid",
    ),
    "zip64 that says another size": (
        lambda: zip_bytes(parts(local_extra=struct.pack("<HHQQ", 1, 16, 11, 11))),
        "archive-zip64-invalid",
    ),
    "zip64 of an odd length": (
        lambda: zip_bytes(parts(central_extra=struct.pack("<HH5s", 1, 5, b"12345"))),
        "archive-zip64-invalid",
    ),
    "an extra field cut off": (
        lambda: zip_bytes(parts(local_extra=b"\x01\x00\x20")),
        "archive-extra-invalid",
    ),
    "a second name in a Unicode path": (
        lambda: zip_bytes(parts(central_extra=struct.pack("<HH", 0x7075, len(UNICODE_PATH)) + UNICODE_PATH)),
        "archive-extra-invalid",
    ),
    "another size in the local header": (
        lambda: zip_bytes(parts(local={"size": 9})),
        "archive-header-disagrees",
    ),
    "another packed size in the local header": (
        lambda: zip_bytes(parts(local={"packed": 9})),
        "archive-header-disagrees",
    ),
    "another name in the local header": (
        lambda: zip_bytes(parts(local_name=b"spam/__main__.py")),
        "archive-header-disagrees",
    ),
    "fewer entries than the end says": (
        lambda: zip_bytes(wheel_parts(), end={"count": 9, "here": 9}),
        "archive-directory-invalid",
    ),
    "more entries than the end says": (
        lambda: zip_bytes(wheel_parts(), end={"count": 1, "here": 1}),
        "archive-directory-invalid",
    ),
    "two counts of entries": (lambda: zip_bytes(wheel_parts(), end={"here": 1}), "archive-multi-disk"),
    "another offset of the directory": (
        lambda: zip_bytes(wheel_parts(), end={"directory_offset": 3}),
        "archive-directory-misplaced",
    ),
    "data before the archive": (
        lambda: zip_bytes(wheel_parts(), prefix=b"#!/bin/sh\n"),
        "archive-directory-misplaced",
    ),
    "an extended zip64 end": (
        lambda: zip_bytes(wheel_parts(), zip64={"length": 52}),
        "archive-zip64-invalid",
    ),
    "a zip64 locator that points elsewhere": (
        lambda: zip_bytes(wheel_parts(), zip64={"locator": 0}),
        "archive-zip64-invalid",
    ),
    "an unknown record between members": (
        lambda: zip_bytes(parts(before=b"PK\x06\x08\x00\x00\x00\x00")),
        "archive-gap",
    ),
    "a gap before the directory": (lambda: zip_bytes(wheel_parts(), gap=b"PK\x05\x05\0\0"), "archive-gap"),
    "data behind the archive": (lambda: zip_bytes(wheel_parts(), suffix=b"\0"), "archive-trailing-data"),
    "two archives, one after the other": (
        lambda: zip_bytes(wheel_parts()) + zip_bytes(wheel_parts()),
        "archive-directory-misplaced",
    ),
    "a second end in the comment": (
        lambda: zip_bytes(wheel_parts(), comment=b"PK\x05\x06" + bytes(19)),
        "archive-ambiguous-end",
    ),
    "a name that is not UTF-8": (
        lambda: zip_bytes([*wheel_parts(), Part(b"spam/\xff.py")]),
        "archive-name-encoding",
    ),
    "a control character in a name": (
        lambda: zip_bytes([*wheel_parts(), Part("spam/\x1b.py")]),
        "archive-name-control",
    ),
    "a file that only streaming readers see": (
        lambda: zip_bytes([*wheel_parts(), Part("spam/evil.py", b"evil()", hidden=True)]),
        "archive-gap",
    ),
    "encrypted": (lambda: zip_bytes(parts(both={"flags": 1})), "archive-encrypted"),
    "packed with bzip2": (
        lambda: zip_bytes([*wheel_parts(), Part("spam/b.py", b"", method=12)]),
        "archive-method-unknown",
    ),
    "a link": (lambda: zip_bytes(parts(mode=0o120777)), "archive-link"),
    "a path out": (lambda: zip_bytes([*wheel_parts(), Part("../evil.pth")]), "archive-name-traversal"),
    "an absolute path": (lambda: zip_bytes([*wheel_parts(), Part("/etc/passwd")]), "archive-name-absolute"),
    "names that are one on some systems": (
        lambda: zip_bytes([*wheel_parts(), Part("SPAM/__init__.py")]),
        "archive-name-collides",
    ),
    "a checksum that is wrong": (
        lambda: zip_bytes(parts(both={"crc": 1})),
        "archive-crc-wrong",
    ),
    "a tar that calls itself a wheel": (sdist_bytes, "archive-not-zip"),
    "cut off": (lambda: zip_bytes(wheel_parts())[:-30], "archive-not-zip"),
}


@pytest.mark.parametrize("kind", CONFUSED)
def test_a_zip_that_two_readers_could_read_differently_is_refused(kind: str, tmp_path: Path) -> None:
    forge, code = CONFUSED[kind]
    refused = refusal(tmp_path, forge())
    assert (refused.code, refused.context[0]) == ("upload-file-invalid", code), refused.message


def test_honest_wheels_of_every_shape_are_taken(tmp_path: Path) -> None:
    later = {"crc": 0, "packed": 0, "size": 0}
    first, *rest = wheel_parts()
    streamed = replace(first, both={"flags": 8}, local=later, descriptor=descriptor(first))
    for content in (
        zip_bytes(wheel_parts()),
        zip_bytes(parts()),  # stored
        zip_bytes([streamed, *rest]),  # deflated, as a pipe has it
        zip_bytes(wheel_parts(), comment=b"a comment"),
        zip_bytes(wheel_parts(), zip64={}),
    ):
        assert examined(tmp_path, content).name == "spam"


# -- what a wheel holds -------------------------------------------------------------------------------


def test_record_must_be_there_and_true_of_every_file(tmp_path: Path) -> None:
    *others, record = wheel_parts()
    wrong = {part.name: b"other" if part.name == "spam/__init__.py" else part.data for part in others}
    for content, code in (
        (zip_bytes(others), "wheel-file-missing"),
        (
            zip_bytes([*others, Part(record.name, record_bytes(wrong, "spam-1.0.dist-info/RECORD"))]),  # type: ignore[arg-type]
            "record-size-wrong",
        ),
        (
            zip_bytes([*others, Part(record.name, record.data.replace(b"sha256=", b"sha256=A", 1))]),
            "record-digest-wrong",
        ),
        (zip_bytes([*others, Part("spam/more.py"), record]), "record-file-unlisted"),
        (
            zip_bytes([*others, Part(record.name, record.data + b"spam/gone.py,sha256=AAAA,1\n")]),
            "record-file-missing",
        ),
        (
            zip_bytes([*others, Part(record.name, record.data.replace(b"sha256", b"md5"))]),
            "record-digest-weak",
        ),
    ):
        assert refusal(tmp_path, content).context[0] == code


def test_wheel_and_metadata_must_be_there(tmp_path: Path) -> None:
    for missing in ("WHEEL", "METADATA"):
        files = {
            str(part.name): part.data
            for part in wheel_parts()
            if not str(part.name).endswith((f"/{missing}", "/RECORD"))
        }
        own = "spam-1.0.dist-info/RECORD"
        content = zip_bytes([*(Part(*one) for one in files.items()), Part(own, record_bytes(files, own))])
        assert refusal(tmp_path, content).context[0] == "wheel-file-missing"


def test_entry_points_that_do_not_parse_are_refused_and_good_ones_are_not(tmp_path: Path) -> None:
    good = "[console_scripts]\nspam = spam:main\n"
    assert examined(tmp_path, zip_bytes(wheel_parts(entry_points=good))).name == "spam"
    for text, code in (
        ("[console_scripts]\nspam\n", "entry-points-invalid"),
        ("[console_scripts]\n../spam = spam:main\n", "script-name-path"),
        ("[console_scripts]\npython = spam:main\n", "script-name-reserved"),
    ):
        assert refusal(tmp_path, zip_bytes(wheel_parts(entry_points=text))).context[0] == code


def test_a_wheel_under_tags_it_does_not_have_is_refused_with_both_shown(tmp_path: Path) -> None:
    refused = refusal(tmp_path, zip_bytes(wheel_parts()), "spam-1.0-py2-none-any.whl")
    assert refused.code == "upload-tags-disagree"
    assert "py2-none-any" in refused.message
    assert "py3-none-any" in refused.message


def test_the_licence_files_that_metadata_name_must_be_there(tmp_path: Path) -> None:
    info = "Metadata-Version: 2.4\nName: spam\nVersion: 1.0\nLicense-Expression: MIT\nLicense-File: LICENSE\n"
    refused = refusal(tmp_path, zip_bytes(wheel_parts(metadata=info)))
    assert (refused.code, refused.context) == ("upload-licence-missing", ("LICENSE",))
    there = {"spam-1.0.dist-info/licenses/LICENSE": b"MIT"}
    assert examined(tmp_path, zip_bytes(wheel_parts(there, metadata=info))).name == "spam"
    base = [TarPart("spam-1.0/PKG-INFO", info.encode())]
    assert refusal(tmp_path, sdist_bytes(base), SDIST).code == "upload-licence-missing"
    assert (
        examined(tmp_path, sdist_bytes([*base, TarPart("spam-1.0/LICENSE", b"MIT")]), SDIST).kind == "sdist"
    )


# -- metadata -----------------------------------------------------------------------------------------


def test_all_faults_of_the_metadata_are_told_at_once_each_with_its_value(tmp_path: Path) -> None:
    info = (
        "Metadata-Version: 2.3\nName: spam\nVersion: 1.0\nRequires-Dist: eggs >> 1\nRequires-Python: three\n"
        "Classifier: Private\nSummary: one\nProvides-Extra: -\nLicense-Expression: MIT\n"
    )
    refused = refusal(tmp_path, zip_bytes(wheel_parts(metadata=info)))
    assert refused.code == "upload-metadata-invalid"
    told = "\n".join(refused.context)
    for value in ("eggs >> 1", "three", "provides-extra"):
        assert value in told
    assert len(refused.context) == 3


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("Metadata-Version: 9.9", "9.9"),
        ("Requires-Dist: eggs; python_version ~ '3'", "python_version ~ '3'"),
        ("License-Expression: MIT-ish", "MIT-ish"),
        ("Description-Content-Type: application/pdf", "application/pdf"),
        ("Summary: one\nSummary: two", "two"),
        ("Requires-Dist: eggs\x1b[2J", "\\x1b"),
    ],
)
def test_metadata_that_are_not_valid_are_refused(line: str, value: str, tmp_path: Path) -> None:
    base = "Name: spam\nVersion: 1.0\n"
    head = "" if line.startswith("Metadata-Version") else "Metadata-Version: 2.4\n"
    refused = refusal(tmp_path, zip_bytes(wheel_parts(metadata=f"{head}{base}{line}\n")))
    assert value in refused.message


def test_metadata_as_tools_of_old_wrote_them_are_taken(tmp_path: Path) -> None:
    for info in (
        "Metadata-Version: 1.0\nName: spam\nVersion: 1.0\nClassifier: Private :: Do Not Upload\n",
        "Metadata-Version: 2.0\nName: spam\nVersion: 1.0\n",
        "Metadata-Version: 1.1\nName: spam\nVersion: 1.0\nDescription-Content-Type: UNKNOWN\n",
        "Metadata-Version: 2.1\nName: spam\nVersion: 1.0\nLicense-File: LICENSE\n",
        'Metadata-Version: 2.1\nName: spam\nVersion: 1.0\nProvides-Extra: :python_version < "3"\n',
        "Metadata-Version: 2.1\nName: Spam\nVersion: 1.0\nDescription-Content-Type: text/markdown\n\n# Spam\n",
    ):
        assert examined(tmp_path, zip_bytes(wheel_parts(metadata=info))).name == "spam"


# -- bombs --------------------------------------------------------------------------------------------


def test_what_unpacks_to_too_much_is_refused_at_its_edge(tmp_path: Path) -> None:
    wheel = zip_bytes(wheel_parts({"spam/zeros": bytes(100_000)}))
    exact = 0
    for total in range(100_000, 101_000):
        try:
            examined(tmp_path, wheel, limits=ArchiveLimits(total_bytes=total))
        except Refused:
            continue
        exact = total
        break
    assert exact
    assert (
        refusal(tmp_path, wheel, limits=ArchiveLimits(total_bytes=exact - 1)).context[0]
        == "archive-too-large"
    )
    ratio = ArchiveLimits(total_ratio=50, total_ratio_floor=1_000)
    assert refusal(tmp_path, wheel, limits=ratio).context[0] == "archive-ratio"
    sdist = sdist_bytes([*HONEST, TarPart("spam-1.0/zeros", bytes(1_000_000))])
    assert refusal(tmp_path, sdist, SDIST, limits=ratio).context[0] == "archive-ratio"
    assert examined(tmp_path, sdist, SDIST).kind == "sdist"


def test_a_wheel_that_unpacks_to_fifty_times_its_size_is_a_bomb_only_when_it_is_large(tmp_path: Path) -> None:
    assert LIMITS.total_ratio == 50
    assert LIMITS.total_ratio_floor == 64 << 20
    bomb = zip_bytes(wheel_parts({f"spam/{number}": bytes(10 << 20) for number in range(7)}))
    assert refusal(tmp_path, bomb).context[0] == "archive-ratio"


# -- sdists -------------------------------------------------------------------------------------------

HONEST = [
    TarPart("spam-1.0/PKG-INFO", b"Metadata-Version: 2.2\nName: spam\nVersion: 1.0\n"),
    TarPart("spam-1.0/pyproject.toml", b"[project]\nname = 'spam'\nversion = '1.0'\n"),
]


def sparse() -> bytes:
    """A sparse file as GNU tar packs it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for part in HONEST:
            entry = tarfile.TarInfo(part.name)
            entry.size = len(part.data)
            archive.addfile(entry, io.BytesIO(part.data))
        entry = tarfile.TarInfo("spam-1.0/holes")
        entry.type = tarfile.GNUTYPE_SPARSE
        archive.addfile(entry)
    return gzip.compress(buffer.getvalue(), mtime=0)


TARS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a sparse file": (sparse, "archive-special-file"),
    "a sparse file in pax": (
        lambda: sdist_bytes(
            [*HONEST, TarPart("spam-1.0/a", pax={"GNU.sparse.map": "0,1", "GNU.sparse.size": "9"})]
        ),
        "archive-special-file",
    ),
    "a device": (
        lambda: sdist_bytes([*HONEST, TarPart("spam-1.0/a", kind=tarfile.CHRTYPE)]),
        "archive-special-file",
    ),
    "a pipe": (
        lambda: sdist_bytes([*HONEST, TarPart("spam-1.0/a", kind=tarfile.FIFOTYPE)]),
        "archive-special-file",
    ),
    "a link out": (
        lambda: sdist_bytes([*HONEST, TarPart("spam-1.0/a", kind=tarfile.SYMTYPE, link="../../etc/passwd")]),
        "archive-link-out",
    ),
    "an absolute link": (
        lambda: sdist_bytes([*HONEST, TarPart("spam-1.0/a", kind=tarfile.SYMTYPE, link="/etc/passwd")]),
        "archive-link-out",
    ),
    "a link through a link": (
        lambda: sdist_bytes(
            [
                *HONEST,
                TarPart("spam-1.0/a", kind=tarfile.SYMTYPE, link="b"),
                TarPart("spam-1.0/c", kind=tarfile.SYMTYPE, link="a/../d"),
            ]
        ),
        "archive-link-through-link",
    ),
    "a hard link to nothing": (
        lambda: sdist_bytes([*HONEST, TarPart("spam-1.0/a", kind=tarfile.LNKTYPE, link="/etc/shadow")]),
        "archive-link-target-missing",
    ),
    "a name twice": (lambda: sdist_bytes([*HONEST, HONEST[0]]), "archive-name-twice"),
    "several top folders": (
        lambda: sdist_bytes([*HONEST, TarPart("eggs-1.0/a")]),
        "sdist-several-folders",
    ),
    "a file beside the folder": (
        lambda: sdist_bytes([*HONEST, TarPart("setup.py")]),
        "sdist-several-folders",
    ),
    "a path out": (lambda: sdist_bytes([*HONEST, TarPart("spam-1.0/../../a")]), "archive-name-traversal"),
    "an absolute path": (lambda: sdist_bytes([*HONEST, TarPart("/spam-1.0/a")]), "archive-name-absolute"),
    "a pax header that gives another name": (
        lambda: sdist_bytes([*HONEST, TarPart("spam-1.0/a", pax={"path": "../a"})]),
        "archive-name-traversal",
    ),
    "a pax header that gives another size": (
        lambda: sdist_bytes([*HONEST, TarPart("spam-1.0/a", b"x" * 600, pax={"size": "5"})]),
        "archive-data-broken",
    ),
    "data behind the end": (lambda: sdist_bytes(HONEST, trailing=b"more"), "archive-trailing-data"),
    "data behind the gzip": (lambda: sdist_bytes(HONEST) + b"more", "archive-trailing-data"),
    "cut off": (lambda: sdist_bytes(HONEST)[:-20], "archive-truncated"),
    "no PKG-INFO": (lambda: sdist_bytes(HONEST[1:]), "sdist-metadata-missing"),
    "PKG-INFO that is a link": (
        lambda: sdist_bytes(
            [HONEST[1], TarPart("spam-1.0/PKG-INFO", kind=tarfile.SYMTYPE, link="pyproject.toml")]
        ),
        "sdist-metadata-missing",
    ),
    "a zip that calls itself .tar.gz": (lambda: zip_bytes(wheel_parts()), "sdist-kind-unknown"),
}


@pytest.mark.parametrize("kind", TARS)
def test_an_sdist_that_is_not_one_folder_of_plain_files_is_refused(kind: str, tmp_path: Path) -> None:
    forge, code = TARS[kind]
    refused = refusal(tmp_path, forge(), SDIST)
    assert (refused.code, refused.context[0]) == ("upload-file-invalid", code), refused.message


def test_an_sdist_with_links_inside_itself_is_taken(tmp_path: Path) -> None:
    links = [
        TarPart("spam-1.0/a", kind=tarfile.SYMTYPE, link="pyproject.toml"),
        TarPart("spam-1.0/b", kind=tarfile.LNKTYPE, link="spam-1.0/pyproject.toml"),
    ]
    assert examined(tmp_path, sdist_bytes([*HONEST, *links]), SDIST).version == "1.0"


def test_an_sdist_whose_folder_is_another_release_is_refused(tmp_path: Path) -> None:
    refused = refusal(tmp_path, sdist_bytes(), "spam-1.1.tar.gz")
    assert refused.code == "upload-version-disagrees"
    other = [replace(part, name=part.name.replace("spam-1.0", "spam-1.1")) for part in HONEST]
    assert refusal(tmp_path, sdist_bytes(other), SDIST).code == "upload-folder-disagrees"


# -- what an index says --------------------------------------------------------------------------------


def code(index: InProcess, filename: str, content: bytes, **fields: str) -> str:
    reply = index.upload(filename, content, **fields)
    return "" if reply.status == 200 else str(reply.json()["code"])


def test_names_are_exact_unless_the_index_takes_others(index: InProcess) -> None:
    info = "Metadata-Version: 2.1\nName: My.Spam\nVersion: 1.0.0\n"
    wheel = zip_bytes(wheel_parts(name="My.Spam", version="1.0.0", metadata=info))
    reply = index.upload("My.Spam-1.0.0-py3-none-any.whl", wheel)
    assert reply.json()["context"] == ["My.Spam-1.0.0-py3-none-any.whl", "my_spam-1.0.0-py3-none-any.whl"]
    sdist = sdist_bytes([TarPart("My.Spam-1.0.0/PKG-INFO", info.encode())])
    assert code(index, "My.Spam-1.0.0.tar.gz", sdist) == "upload-filename-inexact"
    index.request(
        "PATCH",
        "/api/indexes/main/policy",
        {"content-type": "application/json", "authorization": f"Bearer {index.token}"},
        b'{"exact_names": false}',
    )
    assert code(index, "My.Spam-1.0.0.tar.gz", sdist) == ""
    assert code(index, "My.Spam-1.0.0-py3-none-any.whl", wheel) == ""


def test_a_release_has_one_sdist(index: InProcess) -> None:
    index.request(
        "PATCH",
        "/api/indexes/main/policy",
        {"content-type": "application/json", "authorization": f"Bearer {index.token}"},
        b'{"exact_names": false}',
    )
    assert code(index, SDIST, sdist_bytes()) == ""
    assert code(index, "Spam-1.0.tar.gz", sdist_bytes()) == "sdist-exists"


def test_names_of_modules_of_python_are_not_to_be_had(index: InProcess) -> None:
    for name in ("json", "asyncio", "requirements-txt", "site-packages"):
        info = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        bare = name.replace("-", "_")
        wheel = zip_bytes(wheel_parts(name=bare, metadata=info))
        assert code(index, f"{bare}-1.0-py3-none-any.whl", wheel) == "project-name-not-usable"


def test_a_name_that_looks_like_another_is_not_to_be_had(index: InProcess) -> None:
    for name, expected in (
        ("pillow", ""),
        ("pil1ow", "project-look-alike"),
        ("p_illow", "project-look-alike"),
    ):
        wheel = zip_bytes(wheel_parts(name=name))
        assert code(index, f"{name}-1.0-py3-none-any.whl", wheel) == expected


def test_a_requirement_with_a_url_is_refused_where_the_index_is_public(index: InProcess) -> None:
    info = (
        "Metadata-Version: 2.1\nName: spam\nVersion: 1.0\nRequires-Dist: eggs @ https://eggs.example/e.whl\n"
    )
    wheel = zip_bytes(wheel_parts(metadata=info))
    reply = index.upload(WHEEL, wheel)
    assert reply.json()["code"] == "upload-direct-url"
    assert "https://eggs.example/e.whl" in reply.json()["detail"]
    assert index.post("/api/indexes", {"name": "team", "public": False}).status == 201
    assert index.upload(WHEEL, wheel, index="team").status == 200
