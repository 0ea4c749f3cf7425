"""The requirements file format, sentence by sentence as pip reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord_core.errors import DocumentError
from accord_core.project.faults import Limits
from accord_core.project.requirements_file import Entry, RequirementsFile, read_requirements

A, B = "a" * 64, "b" * 64


def read(
    files: dict[str, str] | str,
    environment: dict[str, str] | None = None,
    *,
    constraint: bool = False,
    limits: Limits | None = None,
) -> RequirementsFile:
    texts = {"r.in": files} if isinstance(files, str) else files

    def opener(path: str) -> str:
        if path not in texts:
            raise FileNotFoundError(2, "No such file or directory", path)
        return texts[path]

    first = next(iter(texts))
    return read_requirements(first, opener, environment, constraint=constraint, limits=limits or Limits())


def one(text: str) -> Entry:
    (entry,) = read(text).entries
    return entry


def faults(files: dict[str, str] | str, *, constraint: bool = False) -> list[tuple[str, str]]:
    with pytest.raises(DocumentError) as caught:
        read(files, constraint=constraint)
    assert caught.value.code == "invalid-requirements"
    assert len(caught.value.context) == len(caught.value.faults)
    return [(str(fault.where), fault.code) for fault in caught.value.faults]


def test_names_lines_and_comments() -> None:
    found = read(
        "# head\n\nFoo_Bar[X]>=1 , <2 ; os_name == 'x'  # tail\n  six\nurl @ https://h.example/#frag\n"
    )
    assert [(entry.origin, str(entry.requirement)) for entry in found.entries] == [
        ("r.in:3", 'Foo_Bar[x]<2,>=1; os_name == "x"'),
        ("r.in:4", "six"),
        ("r.in:5", "url @ https://h.example/#frag"),
    ]
    assert found.entries[2].location == "https://h.example/#frag"


def test_continued_lines_keep_the_number_of_their_first() -> None:
    found = read(
        f"foo \\\n  >=1 \\\n  --hash=sha256:{A} \\\n  --hash sha256:{B.upper()}\nbar\\\n# comment\nbaz\n"
    )
    assert [(entry.text, entry.where.line, entry.hashes) for entry in found.entries] == [
        ("foo   >=1", 1, (f"sha256:{A}", f"sha256:{B}")),
        ("bar", 5, ()),
        ("baz", 7, ()),
    ]
    assert read("foo\\").entries[0].text == "foo"
    assert [entry.text for entry in read("# not continued \\\nfoo").entries] == ["foo"]


def test_variables_with_a_value_are_expanded() -> None:
    found = read(
        "-i https://${USER}:${TOKEN}@index.example/${lower}/${MISSING}",
        {"USER": "u", "TOKEN": "t", "EMPTY": ""},
    )
    assert found.options.index_url == "https://u:t@index.example/${lower}/${MISSING}"


def test_included_files_lie_beside_the_file_that_names_them() -> None:
    found = read(
        {
            "a/r.in": "-r sub/s.in\n-c ../c.txt\nx\n--requirement https://h.example/d/web.in",
            "a/sub/s.in": "--requirement=t.in",
            "a/sub/t.in": "deep",
            "a/../c.txt": "six<2\n-r a/sub/t.in",
            "a/../a/sub/t.in": "deeper",
            "https://h.example/d/web.in": "-cmore.txt",
            "https://h.example/d/more.txt": "web==1",
        }
    )
    assert [(entry.text, entry.constraint, entry.origin) for entry in found.entries] == [
        ("deep", False, "a/sub/t.in:1"),
        ("six<2", True, "a/../c.txt:1"),
        ("deeper", False, "a/../a/sub/t.in:1"),
        ("x", False, "a/r.in:3"),
        ("web==1", True, "https://h.example/d/more.txt:1"),
    ]
    assert [entry.text for entry in found.constraints] == ["six<2", "web==1"]
    assert len(found.requirements) == 3
    assert len(found.files) == 7


def test_options_of_the_file() -> None:
    options = read(
        "-i one\n--index-url=two\n--extra-index-url a --extra-index-url b\n-f links\n--find-links 'with space'\n--no-index\n"
        "--no-binary Foo_X,bar\n--no-binary :none:\n--only-binary=:all:\n--prefer-binary\n--pre\n--require-hashes\n"
        "--trusted-host h.example\n--use-feature fast-deps"
    ).options
    assert options.index_url == "two"
    assert options.extra_index_urls == ("a", "b")
    assert options.find_links == ("links", "with space")
    assert options.no_binary == ("foo-x", "bar", ":none:")
    assert options.only_binary == (":all:",)
    assert (options.no_index, options.prefer_binary, options.pre, options.require_hashes) == (True,) * 4
    assert options.trusted_hosts == ("h.example",)
    assert options.features == ("fast-deps",)


def test_settings_of_a_requirement() -> None:
    entry = one("foo --config-settings='--opt=a b' -C k=v")
    assert entry.config_settings == {"--opt": "a b", "k": "v"}


@pytest.mark.parametrize(
    ("line", "location", "name", "extras", "marker", "editable"),
    [
        ("./x", "./x", None, (), None, False),
        ("../x[A,b_c]", "../x", None, ("a", "b-c"), None, False),
        ("/abs/x ; os_name == 'a'", "/abs/x", None, (), 'os_name == "a"', False),
        ("dir/sub", "dir/sub", None, (), None, False),
        ("C:\\x", "C:\\x", None, (), None, False),
        ("x-1.0.tar.gz", "x-1.0.tar.gz", None, (), None, False),
        ("w_x-1.0-py3-none-any.whl", "w_x-1.0-py3-none-any.whl", "w-x", (), None, False),
        ("./w-1.0-py3-none-any.whl[z]", "./w-1.0-py3-none-any.whl", "w", ("z",), None, False),
        (
            "https://h.example/w%2B-1.0-py3-none-any.whl",
            "https://h.example/w%2B-1.0-py3-none-any.whl",
            "w+",
            (),
            None,
            False,
        ),
        (
            "https://h.example/a;b ; os_name == 'a'",
            "https://h.example/a;b",
            None,
            (),
            'os_name == "a"',
            False,
        ),
        (
            "git+https://h.example/r@v1#egg=Foo[x]",
            "git+https://h.example/r@v1#egg=Foo[x]",
            "foo",
            ("x",),
            None,
            False,
        ),
        ("-e .", ".", None, (), None, True),
        ("-e .[dev]", ".", None, ("dev",), None, True),
        ("-e.", ".", None, (), None, True),
        ("-e src", "./src", None, (), None, True),
        ('-e "my project"', "./my project", None, (), None, True),
        ("--editable=./x ; os_name == 'a b'", "./x", None, (), 'os_name == "a b"', True),
        (
            "-e git+ssh://g@h.example/r#egg=foo&subdirectory=s",
            "git+ssh://g@h.example/r#egg=foo&subdirectory=s",
            "foo",
            (),
            None,
            True,
        ),
        ("-e foo @ file:///x", "file:///x", "foo", (), None, True),
    ],
)
def test_paths_and_urls(
    line: str, location: str, name: str | None, extras: tuple[str, ...], marker: str | None, editable: bool
) -> None:
    entry = one(line)
    found = None if entry.requirement is None else entry.requirement.name
    assert (entry.location, found, entry.extras, entry.marker, entry.editable) == (
        location,
        name,
        extras,
        marker,
        editable,
    )


def test_every_fault_of_every_file_is_told() -> None:
    found = faults(
        {
            "r.in": "foo = 1\n--hsah=x\nbar --index-url x\n-r gone.in\n-r s.in\nfoo --hash=md5:00\n-e\n--pre=1\n--hash=sha256:00"
            "\n-r pyproject.toml\n\"open\n-i 'open\na --config-settings x\nfoo ./a -e b\n./x[a!]\ngit+https://h.example/#egg=a!",
            "s.in": "ok\n-r r.in\n^",
        }
    )
    assert found == [
        ("r.in:1", "invalid-requirement"),
        ("r.in:2", "invalid-option"),
        ("s.in:2", "requirements-cycle"),
        ("r.in:3", "invalid-option"),
        ("s.in:3", "invalid-requirement"),
        ("r.in:4", "unreadable-requirements"),
        ("r.in:6", "invalid-requirement"),
        ("r.in:7", "invalid-option"),
        ("r.in:8", "invalid-option"),
        ("r.in:9", "invalid-option"),
        ("r.in:10", "invalid-option"),
        ("r.in:11", "invalid-requirement"),
        ("r.in:12", "invalid-option"),
        ("r.in:13", "invalid-requirement"),
        ("r.in:14", "invalid-option"),
        ("r.in:15", "invalid-requirement"),
        ("r.in:16", "invalid-requirement"),
    ]


def test_slips_are_recognised() -> None:
    with pytest.raises(DocumentError) as caught:
        read("foo = 1\nfoo ^1\n--extra-indexurl x")
    hints = [fault.hint for fault in caught.value.faults]
    assert hints == [
        "a version is fixed with '=='",
        "'^1.2' is another tool's notation: write '>=1.2,<2'",
        "did you mean '--extra-index-url'?",
    ]


def test_no_password_in_a_message() -> None:
    with pytest.raises(DocumentError) as caught:
        read("foo @ https://user:${TOKEN}@h.example/x y", {"TOKEN": "geheim"})
    assert "geheim" not in str(caught.value.as_dict())
    assert "h.example" in str(caught.value.as_dict())


def test_constraints_need_a_name_and_nothing_but_versions() -> None:
    assert read("a<2\nb @ https://h.example/b.zip", constraint=True).constraints[0].text == "a<2"
    assert faults("./x\n-e ./x\nfoo[a]", constraint=True) == [
        (f"r.in:{n}", "invalid-requirement") for n in (1, 2, 3)
    ]


def test_a_file_may_be_included_twice_but_not_by_itself() -> None:
    assert len(read({"r.in": "-r s.in\n-r s.in", "s.in": "x"}).entries) == 2
    assert faults({"r.in": "-r r.in"}) == [("r.in:1", "requirements-cycle")]


def test_limits_hold_at_their_edge() -> None:
    deep = {f"{n}.in": f"-r {n + 1}.in" for n in range(3)} | {"3.in": "x"}
    assert read(deep, limits=Limits(requirement_depth=4)).entries
    with pytest.raises(DocumentError, match="fault"):
        read(deep, limits=Limits(requirement_depth=3))
    wide = {"r.in": "-r s.in\n" * 3, "s.in": "x"}
    assert read(wide, limits=Limits(requirement_files=4)).entries
    with pytest.raises(DocumentError, match="fault"):
        read(wide, limits=Limits(requirement_files=3))
    assert read("x\n" * 5, limits=Limits(requirement_lines=5)).entries
    with pytest.raises(DocumentError, match="fault"):
        read("x\n" * 6, limits=Limits(requirement_lines=5))


def test_faults_beyond_the_limit_are_counted() -> None:
    with pytest.raises(DocumentError) as caught:
        read("^\n" * 5, limits=Limits(faults=3))
    assert len(caught.value.faults) == 3
    assert caught.value.context[-1] == "and 2 more"


def test_what_is_not_text_is_told() -> None:
    def opener(path: str) -> str:
        return b"\xff".decode()

    with pytest.raises(DocumentError) as caught:
        read_requirements("r.in", opener)
    assert caught.value.faults[0].code == "unreadable-requirements"


@given(st.text("ab-=#\\ \n[];'\"/.:@{}$+e", max_size=25))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read(text)
    except DocumentError as error:
        assert error.faults
