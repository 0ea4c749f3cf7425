"""What accord wheel inspect finds in honest, faulty and hostile files."""

from __future__ import annotations

import json
import tarfile
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from accord.testing.archives import Part, TarPart, wheel_parts, zip_bytes
from accord.wheels.fields import read_fields
from accord.wheels.inspection import inspect, is_shared_object
from accord.wheels.limits import Limits
from accord.wheels.page import page
from accord.wheels.tree import tree_of
from accord_core.archive import limits as archive_limits
from accord_core.errors import ArchiveError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    MakeWheel = Callable[..., str]
    MakeSdist = Callable[..., str]

METADATA = """Metadata-Version: 2.4
Name: spam
Version: 1.0
Summary: Eggs
License-Expression: MIT
Requires-Python: >=3.9
Requires-Dist: eggs>=1
Requires-Dist: ham; extra == "x"
X-Odd: kept
Description-Content-Type: text/markdown

# Spam

And more.
"""


def test_a_wheel_is_shown_whole(wheel: MakeWheel) -> None:
    path = wheel(
        {
            "spam/__init__.py": b"1\n",
            "spam/_fast.cpython-311-x86_64-linux-gnu.so": b"\x7fELF",
            "spam/data/a.txt": b"a" * 9,
        },
        metadata=METADATA,
        entry_points="[console_scripts]\nspam = spam:main\n[spam.plugins]\nx = spam.x\n",
    )
    found = inspect(path)
    assert (found.name, found.version, found.kind, found.tags) == ("spam", "1.0", "wheel", ("py3-none-any",))
    assert found.metadata.all("requires-dist") == ("eggs>=1", 'ham; extra == "x"')
    assert found.metadata.first("X-Odd") == "kept"
    assert found.metadata.first("Description") == "# Spam\n\nAnd more.\n"
    assert found.wheel.first("Generator") == "test"
    assert found.record.state == "complete" and found.record.rows == len(found.files)
    assert found.shared_objects == ("spam/_fast.cpython-311-x86_64-linux-gnu.so",)
    assert [(one.group, one.name) for one in found.entry_points] == [
        ("console_scripts", "spam"),
        ("spam.plugins", "x"),
    ]
    assert found.faults == ()
    record = json.loads(json.dumps(found.as_dict()))
    assert record["entry_points"]["console_scripts"] == {"spam": "spam:main"}
    assert record["size"] == Path(path).stat().st_size


def test_the_tree_adds_up(wheel: MakeWheel) -> None:
    found = inspect(wheel({"spam/a.py": b"12", "spam/b/c.py": b"345", "top.py": b"6"}))
    root = tree_of(found.files)
    spam = root.folders["spam"]
    assert (spam.size, spam.count, spam.folders["b"].size) == (5, 2, 3)
    assert [file.path for file in root.files] == ["top.py"]
    assert root.size == found.unpacked and root.count == len(found.files)


def test_an_sdist_is_shown_without_its_folder(sdist: MakeSdist) -> None:
    found = inspect(sdist({"PKG-INFO": METADATA.encode(), "src/spam/__init__.py": b""}))
    assert (found.kind, found.top, found.name, found.record.state) == ("sdist", "spam-1.0", "spam", "none")
    assert [file.path for file in found.files] == ["PKG-INFO", "src/spam/__init__.py"]


def test_links_of_an_sdist_are_shown_and_not_followed(sdist: MakeSdist) -> None:
    parts = [
        TarPart("spam-1.0/PKG-INFO", METADATA.encode()),
        TarPart("spam-1.0/passwords", kind=tarfile.SYMTYPE, link="/etc/passwd"),
    ]
    found = inspect(sdist(parts=parts))
    assert (found.files[1].kind, found.files[1].target, found.files[1].size) == ("link", "/etc/passwd", 0)


def test_a_wheel_with_a_faulty_record_is_shown_with_the_fault(wheel: MakeWheel) -> None:
    found = inspect(wheel(parts=[*wheel_parts(), Part("spam/extra.py", b"import os\n")]))
    assert (found.record.state, found.record.code) == ("faulty", "record-file-unlisted")
    assert "spam/extra.py" in {file.path for file in found.files}


def test_a_damaged_document_hides_no_other(wheel: MakeWheel) -> None:
    parts = [
        Part(part.name, part.data, packed=b"\xff" * 9) if part.raw_name().endswith(b"/WHEEL") else part
        for part in wheel_parts(metadata=METADATA)
    ]
    found = inspect(wheel(parts=parts))
    assert found.metadata.first("Summary") == "Eggs"
    assert any("WHEEL" in fault for fault in found.faults)


def test_an_unsafe_archive_is_refused(wheel: MakeWheel) -> None:
    with pytest.raises(ArchiveError) as caught:
        inspect(wheel(parts=[*wheel_parts(), Part("../evil.py", b"")]))
    assert caught.value.code == "archive-name-traversal"


@pytest.mark.parametrize("name", ["spam.egg", "README.md", "spam-1.0.tar.bz2"])
def test_another_kind_of_file_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(UsageError) as caught:
        inspect(str(tmp_path / name))
    assert caught.value.code == "distribution-kind-unknown"


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        inspect(str(tmp_path / "spam-1.0-py3-none-any.whl"))
    assert caught.value.code == "file-not-found"


def test_a_document_at_the_limit_is_read_and_one_above_is_named(wheel: MakeWheel) -> None:
    path = wheel(metadata=METADATA)
    size = len(METADATA.encode())
    at = inspect(path, Limits(archive=archive_limits.Limits(metadata_bytes=size)))
    above = inspect(path, Limits(archive=archive_limits.Limits(metadata_bytes=size - 1)))
    assert at.name == "spam" and at.faults == ()
    assert above.name == "" and "METADATA" in above.faults[0]


def test_entries_at_the_limit_are_listed_and_one_more_is_refused(sdist: MakeSdist) -> None:
    path = sdist({"PKG-INFO": METADATA.encode(), "a.py": b"", "b.py": b""})
    assert len(inspect(path, Limits(archive=archive_limits.Limits(entries=3))).files) == 3
    with pytest.raises(ArchiveError) as caught:
        inspect(path, Limits(archive=archive_limits.Limits(entries=2)))
    assert caught.value.code == "archive-too-many-entries"


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("a/b.so", True),
        ("a/libx.so.1.2", True),
        ("a/b.pyd", True),
        ("a/b.so.py", False),
        ("a/so", False),
        (".so.1", False),
    ],
)
def test_shared_objects_are_known_by_their_names(path: str, is_one: bool) -> None:
    assert is_shared_object(path) is is_one


def test_folded_values_and_old_ways_to_fold_are_unfolded() -> None:
    fields = read_fields(b"Name: x\nLicense: a\n        b\n       |c\nKeywords: k\n\nbody: not a field\n")
    assert fields.pairs == (
        ("Name", "x"),
        ("License", "a\nb\nc"),
        ("Keywords", "k"),
        ("Description", "body: not a field\n"),
    )


class Elements(HTMLParser):
    """The tags of a page and the attributes they have, as a browser's tokenizer sees them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "javascript:alert(1)",
    "&lt;script&gt;",
    "\u202e txt.exe",
    "<!--",
    "]]>",
    "</pre></details></section></main><iframe src=//evil.example>",
)


def tags_of(text: str) -> list[tuple[str, dict[str, str | None]]]:
    elements = Elements()
    elements.feed(text)
    return elements.tags


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_word_of_a_stranger_becomes_markup(wheel: MakeWheel, attack: str) -> None:
    def build(word: str) -> str:
        line = word.replace("\n", " ")
        text = (
            f"Metadata-Version: 2.4\nName: spam\nVersion: 1.0\nSummary: {line}\nRequires-Dist: {line}\nX-{'y'}: {line}\n"
            f"Classifier: {line}\nLicense: {line}\nRequires-Python: {line}\nProject-URL: {line}\n\n{line}\n"
        )
        found = inspect(
            wheel(
                {"spam/" + line.replace("/", "").replace("\u202e", "").replace(":", ""): b""},
                metadata=text,
                wheel=f"Wheel-Version: 1.0\nGenerator: {line}\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
                entry_points="[console_scripts]\nspam = spam:main\n",
            )
        )
        return page(found)

    hostile, harmless = build(attack), build("harmless")
    assert [tag for tag, _ in tags_of(hostile)] == [tag for tag, _ in tags_of(harmless)]
    for tag, attributes in tags_of(hostile):
        assert tag not in ("script", "iframe", "img", "a", "link", "object")
        assert not any(name.startswith("on") or name in ("href", "src", "style") for name in attributes)
    assert "\u202e" not in hostile
    assert "default-src 'none'" in hostile


def test_the_page_needs_nothing_else_and_says_what_it_is(wheel: MakeWheel) -> None:
    text = page(inspect(wheel(metadata=METADATA)))
    assert "http://" not in text and "https://" not in text and "url(" not in text
    tags = tags_of(text)
    assert ("html", {"lang": "en"}) in tags
    names = [tag for tag, _ in tags]
    assert names.count("h1") == 1 and "main" in names and "title" in names
    # Every section is named by the heading in it.
    labels = {attributes["aria-labelledby"] for tag, attributes in tags if tag == "section"}
    assert labels <= {attributes.get("id") for tag, attributes in tags if tag == "h2"}
    assert "prefers-color-scheme: dark" in text and "width=device-width" in text


def test_a_page_lists_files_to_the_limit_and_folders_beyond(wheel: MakeWheel) -> None:
    found = inspect(wheel({f"spam/m{number}.py": b"" for number in range(7)}))
    count = len(found.files)
    assert "m3.py" in page(found, Limits(page_files=count))
    beyond = page(found, Limits(page_files=count - 1))
    assert "m3.py" not in beyond and "spam/" in beyond and "folders only" in beyond


def test_a_page_lists_values_to_the_limit(wheel: MakeWheel) -> None:
    requires = "".join(f"Requires-Dist: r{number}x\n" for number in range(9))
    found = inspect(wheel(metadata=f"Metadata-Version: 2.1\nName: spam\nVersion: 1.0\n{requires}"))
    assert "r8x" in page(found, Limits(page_values=9)) and "more." not in page(found, Limits(page_values=9))
    cut = page(found, Limits(page_values=8))
    assert "r7x" in cut and "r8x" not in cut and "And 1 more." in cut


def test_a_zipped_sdist_is_shown_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "spam-1.0.zip"
    path.write_bytes(
        zip_bytes([Part("spam-1.0/PKG-INFO", METADATA.encode()), Part("spam-1.0/spam.py", b"1")])
    )
    found = inspect(str(path))
    assert (found.kind, found.name, found.top) == ("sdist", "spam", "spam-1.0")
    assert [file.path for file in found.files] == ["PKG-INFO", "spam.py"]


def test_a_long_value_is_cut_on_the_page(wheel: MakeWheel) -> None:
    found = inspect(wheel(metadata=METADATA.replace("Eggs", "E" * 100)))
    assert "E" * 100 in page(found, Limits(shown_bytes=100))
    assert "E" * 100 not in page(found, Limits(shown_bytes=99))


@pytest.mark.slow
def test_fifty_thousand_files_are_inspected_in_less_than_three_seconds(wheel: MakeWheel) -> None:
    path = wheel({f"spam/p{number // 500}/m{number}.py": b"x = 1\n" for number in range(50_000)})
    begun = time.process_time()
    found = inspect(path)
    tree_of(found.files)
    assert time.process_time() - begun < 3
    assert len(found.files) == 50_003 and found.record.state == "complete"
