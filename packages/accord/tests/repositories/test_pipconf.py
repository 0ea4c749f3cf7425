"""pip's configuration, with ``configparser`` and pip itself as oracles."""

from __future__ import annotations

import configparser
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.repositories.pipconf import config_files, parse_ini, read

_LINE = st.one_of(
    st.sampled_from(
        [
            "[global]",
            "[install]",
            "",
            "# comment",
            "  ; indented comment",
            "key = value",
            "key: value",
            "Key-Two=a = b",
            "key = ",
            "    continued",
            "  key = looks like one",
            "\tcontinued by a tab",
            "key = # no comment",
            "url = https://index.example/simple/#x",
            "a:b = c",
        ]
    )
)


@given(st.lists(_LINE, max_size=10))
def test_configparser_reads_the_same(lines: list[str]) -> None:
    oracle = configparser.RawConfigParser(strict=False)
    try:
        oracle.read_string("\n".join(lines))
    except configparser.Error:
        return
    expected = {section: dict(oracle.items(section)) for section in oracle.sections()}
    assert parse_ini(lines) == expected


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """A home and system of its own: nothing of this machine's pip configuration."""
    for folder in ("home/.pip", "home/.config/pip", "xdg/pip", "env"):
        (tmp_path / folder).mkdir(parents=True)
    return {
        "HOME": str(tmp_path / "home"),
        "XDG_CONFIG_HOME": str(tmp_path / "home" / ".config"),
        "XDG_CONFIG_DIRS": str(tmp_path / "xdg"),
    }


def test_files_are_those_pip_looks_at(home: dict[str, str]) -> None:
    """``pip config debug`` lists them; the environment's own file depends on the interpreter."""
    environ = {**home, "PATH": os.defpath}
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "debug"],
        env=environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    listed = [line.strip().split(", exists:")[0] for line in done.stdout.splitlines() if ", exists:" in line]
    assert set(config_files(environ, sys.prefix)) == set(listed)


def test_stronger_files_and_sections_and_variables_win(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "xdg/pip/pip.conf").write_text(
        "[global]\nindex-url = 1\ntimeout = 1\nretries = 1\n[install]\nproxy = 1\n"
    )
    (tmp_path / "home/.pip/pip.conf").write_text("[global]\nindex_url = 2\ncert = 2\n")
    (tmp_path / "home/.config/pip/pip.conf").write_text("[global]\nindex-url = 3\nproxy = 3\n")
    (tmp_path / "env/pip.conf").write_text("[global]\ntimeout = 4\n[freeze]\nretries = 4\n")
    environ = {**home, "PIP_RETRIES": "5", "PIP_NO_INDEX": ""}
    found = read(environ, str(tmp_path / "env"))
    values = {
        name: found.get(name) for name in ("index-url", "timeout", "retries", "proxy", "cert", "no-index")
    }
    assert values == {
        "index-url": ("3", str(tmp_path / "home/.config/pip/pip.conf")),
        "timeout": ("4", str(tmp_path / "env/pip.conf")),
        "retries": ("5", "PIP_RETRIES"),
        "proxy": ("1", str(tmp_path / "xdg/pip/pip.conf")),
        "cert": ("2", str(tmp_path / "home/.pip/pip.conf")),
        "no-index": None,
    }


def test_a_named_file_replaces_the_users_own_and_devnull_all(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "xdg/pip/pip.conf").write_text("[global]\nmade-up = system\n")
    (tmp_path / "home/.config/pip/pip.conf").write_text("[global]\nproxy = user\n")
    named = tmp_path / "named.conf"
    named.write_text("[global]\nindex-url = named\n")
    found = read({**home, "PIP_CONFIG_FILE": str(named)}, None)
    assert (found.get("made-up"), found.get("proxy")) == (
        ("system", str(tmp_path / "xdg/pip/pip.conf")),
        None,
    )
    assert found.get("index-url") == ("named", str(named))
    assert read({**home, "PIP_CONFIG_FILE": os.devnull}, None).get("made-up") is None


def test_pip_itself_sees_the_same_values(home: dict[str, str], tmp_path: Path) -> None:
    text = "[global]\nextra-index-url =\n    https://a.example/simple\n    file:///srv/b\nfind_links = /w x\n# c\ntrusted-host: h\n"
    (tmp_path / "home/.config/pip/pip.conf").write_text(text)
    environ = {**home, "PATH": os.defpath}
    code = "import json; from pip._internal.configuration import Configuration as C; c = C(isolated=False); c.load(); print(json.dumps(list(c.items()), default=dict))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    (seen,) = [
        values
        for path, values in json.loads(done.stdout)
        if path == str(tmp_path / "home/.config/pip/pip.conf")
    ]
    found = read(environ, None)
    assert {
        f"global.{name}": (found.get(name) or ("",))[0]
        for name in ("extra-index-url", "find-links", "trusted-host")
    } == seen
    assert found.several("extra-index-url")[0] == ["https://a.example/simple", "file:///srv/b"]


def test_an_unreadable_file_is_left_to_pip(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "xdg/pip/pip.conf").write_bytes(b"[global]\nindex-url = \xff\xfe\n")
    (tmp_path / "env/pip.conf").write_text("no section = 1\n[global\nindex-url\n")
    assert read(home, str(tmp_path / "env")).get("index-url") is None
