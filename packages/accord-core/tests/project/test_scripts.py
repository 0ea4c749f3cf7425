"""Inline script metadata: the standard's regular expression, and lines counted in the script."""

from __future__ import annotations

import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord_core.errors import DocumentError
from accord_core.project.faults import Limits
from accord_core.project.scripts import read_script, write_script_block

SCRIPT = """\
#!/usr/bin/env python
# /// other
# x = 1
# ///

# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "requests<3",
#
#   "rich",
# ]
# [tool.accord]
# exclude-newer = "7 days"
# ///
import requests
"""
REFERENCE = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$")


def test_what_a_block_says() -> None:
    for text in (SCRIPT, SCRIPT.replace("\n", "\r\n")):
        script = read_script(text, "s.py")
        assert script is not None
        assert script.requires_python == ">=3.11"
        assert [(one.name, one.where.line) for one in script.dependencies] == [("requests", 9), ("rich", 11)]
        assert script.tool.exclude_newer == "7 days"


def test_no_block_is_no_script() -> None:
    assert read_script("import x\n", "s.py") is None
    assert read_script("# /// script\n# dependencies = []\n", "s.py") is None  # "unclosed": not a block


def test_several_blocks_are_refused() -> None:
    with pytest.raises(DocumentError) as caught:
        read_script(SCRIPT + SCRIPT, "s.py")
    assert (caught.value.code, str(caught.value.where)) == ("invalid-script", "s.py:22")
    with pytest.raises(ValueError, match="several"):
        write_script_block(SCRIPT + SCRIPT, "")


def test_every_fault_at_its_line_of_the_script() -> None:
    text = (
        "\n# /// script\n# dependancies = []\n# requires-python = 'x'\n# dependencies = ['^',\n#  3]\n# ///\n"
    )
    with pytest.raises(DocumentError) as caught:
        read_script(text, "s.py")
    assert [(fault.where.line, fault.code) for fault in caught.value.faults if fault.where] == [
        (3, "unknown-key"),
        (4, "invalid-value"),
        (5, "invalid-requirement"),
        (6, "wrong-type"),
    ]
    with pytest.raises(DocumentError) as caught:
        read_script("\n\n# /// script\n# a = 1\n# = 1\n# ///\n", "s.py")
    assert str(caught.value.where) == "s.py:5"


def test_the_size_of_a_script_is_limited() -> None:
    limits = Limits(script_characters=len(SCRIPT))
    assert read_script(SCRIPT, "s.py", limits=limits)
    with pytest.raises(DocumentError) as caught:
        read_script(SCRIPT + "#", "s.py", limits=limits)
    assert caught.value.code == "document-too-large"


def test_writing_replaces_only_the_block() -> None:
    written = write_script_block(SCRIPT, 'dependencies = ["a"]\n')
    start, end = SCRIPT.index("# /// script"), SCRIPT.index("import requests")
    assert written == SCRIPT[:start] + '# /// script\n# dependencies = ["a"]\n# ///\n' + SCRIPT[end:]


@pytest.mark.parametrize(
    ("before", "head"),
    [
        ("import x\n", ""),
        ("#!/bin/x\nimport x\n", "#!/bin/x\n"),
        ("#!/bin/x\r\n# -*- coding: utf-8 -*-\r\nimport x\r\n", "#!/bin/x\n# -*- coding: utf-8 -*-\n"),
        ("# coding: latin-1\n", "# coding: latin-1\n"),
        ("", ""),
    ],
)
def test_a_new_block_stands_below_shebang_and_encoding(before: str, head: str) -> None:
    written = write_script_block(before, "a = 1\n\nb = 2")
    assert ("\r\n" in written) == ("\r\n" in before)
    assert written.replace("\r\n", "\n").startswith(head + "# /// script\n# a = 1\n#\n# b = 2\n# ///\n")
    assert len(list(REFERENCE.finditer(written.replace("\r\n", "\n")))) == 1


@given(
    st.lists(
        st.sampled_from(["dependencies = []", "", "x = '''", "# c", "'''", " y = 1", "/// script", "///"]),
        max_size=5,
    )
)
def test_what_is_written_is_what_the_reference_finds(lines: list[str]) -> None:
    toml = "\n".join(lines)
    written = write_script_block("import x\n", toml)
    found = [match for match in REFERENCE.finditer(written) if match["type"] == "script"]
    if "///" in lines:
        return  # the closing sign inside the block ends it: no writer can say it
    assert len(found) == 1
    content = "".join(
        line[2:] if line.startswith("# ") else line[1:]
        for line in found[0]["content"].splitlines(keepends=True)
    )
    assert content.rstrip("\n") == toml.rstrip("\n")


def test_reading_keeps_the_toml() -> None:
    script = read_script(SCRIPT, "s.py")
    assert script is not None
    assert tomllib.loads(script.toml) == script.raw
