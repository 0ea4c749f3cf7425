"""The header reader agrees with ``packaging`` and refuses what has no single meaning."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.metadata import parse_email

from accord_core.archive.metadata import parse_metadata

Code = Callable[[Callable[[], object]], str]

TYPICAL = b"""\
Metadata-Version: 2.2
Name: Spam.Eggs
Version: 1.0
Summary: folded
        over lines: with a colon
Requires-Python: >=3.8, <4
Requires-Dist: ham>=1; python_version < "3.9"
Requires-Dist: bacon[crisp]
  >=2
Provides-Extra: cold
Dynamic: Requires-Python
Dynamic: Version

Requires-Dist: not-a-field-but-text
"""


def test_fields_are_the_strings_as_written() -> None:
    found = parse_metadata(TYPICAL)
    assert (found.name, found.version, found.metadata_version) == ("Spam.Eggs", "1.0", "2.2")
    assert found.requires_dist == ['ham>=1; python_version < "3.9"', "bacon[crisp] >=2"]
    assert found.requires_python == ">=3.8, <4"
    assert found.provides_extra == ["cold"]
    assert found.dynamic == ["requires-python", "version"]


@pytest.mark.parametrize(
    "change",
    [lambda text: text, lambda text: text.replace(b"\n", b"\r\n"), lambda text: b"\xef\xbb\xbf" + text],
)
def test_line_ends_and_marks_change_nothing(change: Callable[[bytes], bytes]) -> None:
    found = parse_metadata(change(TYPICAL))
    assert found.requires_dist[1] == "bacon[crisp] >=2" and found.name == "Spam.Eggs"


def test_a_body_need_not_be_utf8_but_the_header_must(code: Code) -> None:
    assert parse_metadata(TYPICAL + b"\xff\xfe").name == "Spam.Eggs"
    assert code(lambda: parse_metadata(b"Name: \xff\nVersion: 1\n\n")) == "metadata-not-utf8"


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("metadata-incomplete", b"Metadata-Version: 2.1\nName: spam\n"),
        ("metadata-incomplete", b"Version: 1\n"),
        ("metadata-incomplete", b""),
        ("metadata-field-twice", b"Name: spam\nName: ham\nVersion: 1\n"),
        ("metadata-field-twice", b"Name: spam\nVersion: 1\nVersion: 2\n"),
        ("metadata-version-unsupported", b"Metadata-Version: 3.0\nName: spam\nVersion: 1\n"),
        ("accepted", b"Metadata-Version: 2.9\nName: spam\nVersion: 1\n"),
        ("accepted", b"Metadata-Version: 1.0\nName: spam\nVersion: 1\n"),
    ],
)
def test_what_has_no_single_meaning_is_refused(expected: str, text: bytes, code: Code) -> None:
    assert code(lambda: parse_metadata(text)) == expected


def test_static_only_from_metadata_2_2_on() -> None:
    """PEP 643: before 2.2 nothing in an sdist is promised; from then on all that is not Dynamic."""
    header = b"Name: spam\nVersion: 1\n"
    assert not parse_metadata(b"Metadata-Version: 2.1\n" + header).is_static()
    assert parse_metadata(b"Metadata-Version: 2.2\n" + header).is_static()
    assert parse_metadata(b"Metadata-Version: 2.10\n" + header).is_static()
    assert parse_metadata(b"Metadata-Version: 2.2\nDynamic: Summary\n" + header).is_static()
    dynamic = parse_metadata(b"Metadata-Version: 2.2\nDynamic: REQUIRES-DIST\n" + header)
    assert not dynamic.is_static() and dynamic.is_static("requires-python")


WORD = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")),
    min_size=1,
    max_size=12,
)
LINES = st.lists(st.lists(WORD, min_size=1, max_size=3).map(" ".join), max_size=5)


@given(name=WORD, requires=LINES, extras=LINES)
def test_random_documents_read_as_with_packaging(name: str, requires: list[str], extras: list[str]) -> None:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1"]
    lines += [f"Requires-Dist: {value}" for value in requires] + [
        f"Provides-Extra: {value}" for value in extras
    ]
    data = ("\n".join(lines) + "\n\nbody\n").encode()
    raw, _ = parse_email(data)
    found = parse_metadata(data)
    assert found.name == raw["name"]
    assert found.requires_dist == raw.get("requires_dist", [])
    assert found.provides_extra == raw.get("provides_extra", [])


def test_the_hot_module_stays_cheap() -> None:
    script = "import sys; b=set(sys.modules); import accord_core.archive.metadata; print(*sorted(set(sys.modules)-b))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert {name for name in out.split() if not name.startswith("accord_core")} <= {"__future__"}
