"""What people write, read into wishes: two readers that agree, and options that files bring along."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from accord.tasks.asked import Wish
from accord.tasks.inputs import pins_of, read_inputs
from accord.tasks.settings import ResolveSettings
from accord_core.errors import AccordError, DocumentError, UsageError

# An option on a line of its own sends a file to the reader of the full format and changes nothing that is compared.
FULL = "\n--prefer-binary\n"

LINES = (
    "a",
    "A_b.C",
    "a>=1",
    "a >= 1 , < 2",
    "a (>=1)",
    "a==1.*",
    "a~=1.4",
    "a===1.0",
    "a!=1",
    "a[x]",
    "a[x, Y_z]>=1",
    "a[]",
    "a ; python_version < '3.9'",
    'a>=1;sys_platform=="win32" and (os_name=="nt" or extra=="x")',
    "a>=1  # a comment",
    "a>=1\t# a comment",
    "a#b",
    "# a comment",
    "",
    "   ",
    "   a   ",
    "a@b",
    "a @ https://files.example/a-1.0.tar.gz",
    "a @ https://files.example/a-1.0.tar.gz ; python_version < '3.9'",
    "https://files.example/a-1.0-py3-none-any.whl",
    "./a",
    "../a[x]",
    "a/b",
    "a-1.0-py3-none-any.whl",
    "a.whl",
    "A.ZIP",
    "a.tar.gz",
    "a.tar.gz==1",
    "a.tgz ; python_version < '3.9'",
    "a[x].whl",
    "file:a",
    "~/a",
    "-e ./a",
    "a==1 --hash=sha256:" + "0" * 64,
    "a==1 \\\n  --hash=sha256:" + "0" * 64,
    "a>=1, \\\n <2",
    "a>=",
    "a b",
    "a;",
    "a>=1,",
    "==1",
    "a\x0cb",
    "é",
    "a\u00a0>=1",
    "${NAME}>=1",
)


def shown(wish: Wish) -> tuple[object, ...]:
    return (
        wish.requirement,
        wish.reference,
        wish.marker,
        wish.origin,
        wish.via,
        wish.editable,
        wish.hashes,
        wish.selection,
    )


def read(path: Path, text: str) -> list[tuple[object, ...]] | str:
    path.write_text(text, encoding="utf-8")
    try:
        found = read_inputs([str(path)], ResolveSettings(), environ={})
    except AccordError as fault:
        return fault.code
    return [shown(wish) for wish in found.asked.wishes]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("inputs") / "requirements.in"


@pytest.mark.parametrize("line", LINES)
def test_a_line_means_the_same_to_both_readers(path: Path, line: str) -> None:
    assert read(path, f"first\n{line}\n") == read(path, f"first\n{line}{FULL}")


@given(st.lists(st.sampled_from(LINES), max_size=5))
@example(["a", "a.whl"])
def test_a_file_means_the_same_to_both_readers(path: Path, lines: list[str]) -> None:
    text = "\n".join(lines)
    assert read(path, text) == read(path, f"{text}\n{FULL}")


@given(st.text(alphabet="ab1.=<>!~[],;@#-_ \t'\"()/", max_size=25))
def test_any_line_means_the_same_to_both_readers(path: Path, line: str) -> None:
    assert read(path, f"{line}\n") == read(path, f"{line}{FULL}")


def test_every_wish_knows_its_line(path: Path) -> None:
    found = read(path, "# head\na\n\nb>=1\n")
    assert isinstance(found, list)
    assert [(one[3], one[4]) for one in found] == [(f"{path}:2", f"-r {path}"), (f"{path}:4", f"-r {path}")]


def test_options_of_a_file_count_less_than_those_of_the_command_line(path: Path) -> None:
    path.write_text(
        "--index-url https://file.example/simple\n--extra-index-url https://more.example\n--pre\na\n"
    )
    read = read_inputs([str(path)], ResolveSettings(), environ={})
    assert (read.settings.index_url, read.settings.prerelease) == ("https://file.example/simple", "allow")
    said = ResolveSettings(
        index_url="https://flag.example", prerelease="disallow", extra_index_urls=("https://one.example",)
    )
    read = read_inputs([str(path)], said, environ={})
    assert (read.settings.index_url, read.settings.prerelease) == ("https://flag.example", "disallow")
    assert read.settings.extra_index_urls == ("https://one.example", "https://more.example")


def test_variables_of_the_environment_are_put_in(path: Path) -> None:
    path.write_text("${NAME}>=1\n")
    found = read_inputs([str(path)], ResolveSettings(), environ={"NAME": "spam"})
    assert str(found.asked.wishes[0].requirement) == "spam>=1"


def test_included_files_and_constraints_are_read_and_listed(tmp_path: Path) -> None:
    (tmp_path / "requirements.in").write_text("-r more.in\n-c limits.txt\na\n")
    (tmp_path / "more.in").write_text("b ; python_version >= '3'\n")
    (tmp_path / "limits.txt").write_text("c<2\n")
    found = read_inputs([str(tmp_path / "requirements.in")], ResolveSettings(), environ={})
    assert sorted(str(wish.requirement) for wish in found.asked.wishes) == ["a", 'b; python_version >= "3"']
    assert [str(wish.requirement) for wish in found.asked.constraints] == ["c<2"]
    assert [Path(name).name for name in found.files] == ["requirements.in", "more.in", "limits.txt"]


def test_words_of_a_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = [
        "a>=1",
        "./b",
        "c.whl",
        "git+https://git.example/d.git",
        "e @ https://files.example/e.whl",
        "f/g",
    ]
    found = read_inputs([], ResolveSettings(), words=words, editable=["./h"], environ={}).asked.wishes
    assert [wish.reference for wish in found] == [
        None,
        "./b",
        "c.whl",
        "git+https://git.example/d.git",
        "https://files.example/e.whl",
        "f/g",
        "./h",
    ]
    assert [wish.editable for wish in found] == [False] * 6 + [True]
    assert all(wish.base == str(tmp_path) for wish in found if wish.reference)
    with pytest.raises(UsageError) as caught:
        read_inputs([], ResolveSettings(), words=["a>>1"], environ={})
    assert caught.value.code == "requirement-invalid"


def test_excludes_are_names_in_normal_form(tmp_path: Path) -> None:
    (tmp_path / "excludes.txt").write_text("# none of these\nFoo_Bar  # really\n\nbaz\n")
    settings = ResolveSettings(excludes=(str(tmp_path / "excludes.txt"),))
    assert read_inputs([], settings, environ={}).asked.excludes == {"foo-bar", "baz"}


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"x\xe9\n", "document-not-utf8"), (b"a" * (16 * 1024 * 1024 + 1), "document-too-large")],
)
def test_a_file_that_is_no_text_or_too_large_is_refused(tmp_path: Path, body: bytes, code: str) -> None:
    (tmp_path / "requirements.in").write_bytes(body)
    with pytest.raises(DocumentError) as caught:
        read_inputs([str(tmp_path / "requirements.in")], ResolveSettings(), environ={})
    assert caught.value.code == code


def test_a_file_of_the_largest_size_is_read(tmp_path: Path) -> None:
    body = b"a\n" + b"#" * (16 * 1024 * 1024 - 2)
    (tmp_path / "requirements.in").write_bytes(body)
    found = read_inputs([str(tmp_path / "requirements.in")], ResolveSettings(), environ={})
    assert len(found.asked.wishes) == 1


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    (tmp_path / "requirements.in").write_bytes(b"\xef\xbb\xbfa\n")
    found = read_inputs([str(tmp_path / "requirements.in")], ResolveSettings(), environ={})
    assert str(found.asked.wishes[0].requirement) == "a"


@pytest.mark.parametrize(("name", "code"), [("nothing.in", "file-not-found"), ("", "file-unreadable")])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, code: str) -> None:
    settings = ResolveSettings(constraints=(str(tmp_path / name),))
    with pytest.raises(UsageError) as caught:
        read_inputs([], settings, environ={})
    assert caught.value.code == code


def test_a_file_over_the_network_is_refused_by_name() -> None:
    with pytest.raises(UsageError) as caught:
        read_inputs(["https://files.example/requirements.txt"], ResolveSettings(), environ={})
    assert caught.value.code == "file-remote"


def test_pins_of_an_earlier_output() -> None:
    text = "\n".join(
        [
            "# by hand==1",
            "--index-url https://index.example/simple?a==1",
            "a==1.0",
            "B_c[x]==2.0.post1 ; python_version >= '3'",
            "d==3.0 \\",
            "    --hash=sha256:00",
            "    # via a==9",
            "e==4.0  # via a",
            "f==5.0 --hash=sha256:00",
            "g===6.0",
            "h>=7,==7.1",
            "i==8.0,!=8.1",
            "j @ https://files.example/j.whl",
        ]
    )
    assert pins_of(text) == {"a": "1.0", "b-c": "2.0.post1", "d": "3.0", "e": "4.0", "f": "5.0"}


@pytest.mark.parametrize(
    "body",
    [
        "six\n".encode("utf-16"),
        b"\xff\xfes\0i\0x\0",
        "# -*- coding: latin-1 -*-\nsix  # é\n".encode("latin-1"),
    ],
)
def test_a_requirements_file_in_another_encoding_that_it_announces(tmp_path: Path, body: bytes) -> None:
    """As pip reads them; PowerShell's ``pip freeze > requirements.txt`` is UTF-16."""
    path = tmp_path / "requirements.txt"
    path.write_bytes(body)
    wishes = read_inputs([str(path)], ResolveSettings()).asked.wishes
    assert [wish.requirement.name for wish in wishes if wish.requirement] == ["six"]
