"""Only the lines that must change do."""

from __future__ import annotations

import difflib
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.tasks.project_text import Place, add_requirement, lists, remove_requirement, set_source
from accord_core.errors import DocumentError, UsageError

PROJECT = """\
# a project

[project]
name = "shop"   # the name
dependencies = [
    "flask>=3",  # the web
    # and the tests
    'requests [socks] ; python_version >= "3.8"',
]

[project.optional-dependencies]
Plot = ["matplotlib"]

[dependency-groups]
dev = [{include-group = "test"}, "ruff"]
test = []

[tool.other]
x = 1
"""
PATH = "pyproject.toml"


def changed_lines(before: str, after: str) -> list[str]:
    diff = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in diff if line.startswith(("+", "-"))]


def test_a_new_dependency_is_one_new_line() -> None:
    after = add_requirement(PROJECT, "sqlalchemy>=2", Place(), PATH)
    assert changed_lines(PROJECT, after) == ['+     "sqlalchemy>=2",']


def test_a_list_in_order_stays_in_order() -> None:
    after = add_requirement(PROJECT, "httpx", Place(), PATH)
    assert tomllib.loads(after)["project"]["dependencies"][1] == "httpx"
    unordered = PROJECT.replace('"flask>=3"', '"zope"')
    after = add_requirement(unordered, "httpx", Place(), PATH)
    assert tomllib.loads(after)["project"]["dependencies"][2] == "httpx"


def test_a_dependency_of_the_same_name_is_replaced_and_keeps_its_comment() -> None:
    after = add_requirement(PROJECT, "Flask>=4", Place(), PATH)
    assert changed_lines(PROJECT, after) == ['-     "flask>=3",  # the web', '+     "Flask>=4",  # the web']


def test_another_marker_is_another_entry() -> None:
    after = add_requirement(PROJECT, 'flask<3; sys_platform == "win32"', Place(), PATH)
    assert len(tomllib.loads(after)["project"]["dependencies"]) == 3
    assert "flask>=5" in add_requirement(after, "flask>=5", Place(), PATH)
    again = add_requirement(after, 'flask<2; sys_platform == "win32"', Place(), PATH)
    assert 'flask<2; sys_platform == "win32"' in tomllib.loads(again)["project"]["dependencies"]


def test_a_name_that_is_there_under_several_markers_must_be_told_apart() -> None:
    text = """[project]
dependencies = ["a; os_name == 'nt'", "a<2; os_name != 'nt'"]
"""
    with pytest.raises(UsageError) as caught:
        add_requirement(text, "a>=5", Place(), PATH)
    assert caught.value.code == "ambiguous-dependency"


def test_extras_and_groups_are_found_by_their_normal_name() -> None:
    after = add_requirement(PROJECT, "numpy", Place(optional="plot"), PATH)
    assert tomllib.loads(after)["project"]["optional-dependencies"] == {"Plot": ["matplotlib", "numpy"]}
    after = add_requirement(PROJECT, "pytest", Place(group="TEST"), PATH)
    assert tomllib.loads(after)["dependency-groups"]["test"] == ["pytest"]


def test_a_group_with_includes_is_added_to_at_its_end() -> None:
    after = add_requirement(PROJECT, "mypy", Place(group="dev"), PATH)
    assert tomllib.loads(after)["dependency-groups"]["dev"] == [{"include-group": "test"}, "ruff", "mypy"]


def test_lists_and_tables_that_are_not_there_are_made() -> None:
    bare = '[project]\nname = "x"\n'
    after = add_requirement(bare, "a", Place(), PATH)
    assert after == '[project]\nname = "x"\ndependencies = [\n    "a",\n]\n'
    after = add_requirement(bare, "a", Place(group="dev"), PATH)
    assert after.endswith('[dependency-groups]\ndev = [\n    "a",\n]\n')
    after = add_requirement(bare, "a", Place(optional="x"), PATH)
    assert "[project.optional-dependencies]" in after


def test_removing_takes_one_line_and_hands_it_back() -> None:
    after, gone = remove_requirement(PROJECT, "requests", Place(), PATH)
    assert gone == ('requests [socks] ; python_version >= "3.8"',)
    assert tomllib.loads(after)["project"]["dependencies"] == ["flask>=3"]
    assert "# the web" in after
    assert remove_requirement(PROJECT, "nothing", Place(), PATH) == (PROJECT, ())


def test_the_lists_of_a_project_by_name() -> None:
    assert lists(PROJECT) == {
        "the project's dependencies": ("flask", "requests"),
        "extra Plot": ("matplotlib",),
        "group dev": ("ruff",),
        "group test": (),
    }


def test_a_source_is_written_and_taken_away_without_a_trace() -> None:
    after = set_source(PROJECT, "shared", {"path": "../shared", "editable": True}, PATH)
    assert tomllib.loads(after)["tool"]["accord"]["sources"] == {
        "shared": {"path": "../shared", "editable": True}
    }
    assert "[tool.accord.sources]" in after
    two = set_source(after, "other", {"git": "https://git.example/other.git"}, PATH)
    one = set_source(two, "other", None, PATH)
    assert tomllib.loads(one) == tomllib.loads(after)
    assert "sources" not in tomllib.loads(set_source(one, "shared", None, PATH))["tool"].get("accord", {})
    assert set_source(PROJECT, "shared", None, PATH) == PROJECT


def test_windows_line_ends_stay() -> None:
    before = PROJECT.replace("\n", "\r\n")
    after = add_requirement(before, "sqlalchemy", Place(), PATH)
    assert after.count("\r\n") == after.count("\n") == before.count("\n") + 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[project]\nname = "x\n', "toml-invalid"),
        ('[project]\ndependencies = "flask"\n', "wrong-type"),
        ("project = 3\n", "wrong-type"),
    ],
)
def test_a_broken_file_is_refused_with_a_place(text: str, code: str) -> None:
    with pytest.raises(DocumentError) as caught:
        add_requirement(text, "a", Place(), PATH)
    assert caught.value.code == code
    assert caught.value.where is not None


def test_a_group_and_an_extra_exclude_each_other() -> None:
    with pytest.raises(UsageError):
        Place(group="a", optional="b")


LAYOUTS = st.sampled_from(["[{}]", "[{},]", "[\n  {}\n]", "[\n    {},\n]", "[ {} ]", "[\n\t{}, # last\n]"])
WORDS = st.lists(
    st.sampled_from(["a>=1", "b", "c[x]", "d ; os_name == 'nt'", "e~=2.0", "zz"]), unique=True, max_size=5
)


@given(
    WORDS, LAYOUTS, st.sampled_from([", ", ",\n    ", ",  # why\n    "]), st.sampled_from(["a", "bb", "x>=1"])
)
def test_whatever_the_layout_the_meaning_is_what_was_asked(
    words: list[str], layout: str, comma: str, added: str
) -> None:
    array = layout.format(comma.join(f'"{word}"' for word in words)) if words else "[]"
    before = f"[project]\nname = 'x'\ndependencies = {array}\n\n[tool.y]\nz = 1\n"
    data = tomllib.loads(before)
    after = tomllib.loads(add_requirement(before, added, Place(), PATH))
    expected = [word for word in words if word.split(">")[0] != added.split(">", maxsplit=1)[0]]
    assert sorted(after["project"]["dependencies"]) == sorted([*expected, added])
    assert after["tool"] == data["tool"]
    back, gone = remove_requirement(add_requirement(before, "new", Place(), PATH), "new", Place(), PATH)
    assert gone == ("new",)
    assert tomllib.loads(back) == data
