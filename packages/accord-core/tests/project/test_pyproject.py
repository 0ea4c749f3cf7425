"""``pyproject.toml``: what it says is understood, and everything wrong with it is told at once, at its line."""

from __future__ import annotations

import pytest

from accord_core.errors import DocumentError
from accord_core.project.faults import Limits
from accord_core.project.pyproject import BuildSystem, Project, read_pyproject
from accord_core.project.tool_table import Index, Source, ToolTable, Workspace

WHOLE = """\
[build-system]
requires = ["hatchling>=1", "x"]
build-backend = "hatchling.build"
backend-path = ["."]

[project]
name = "Foo.Bar"
version = "1.0"
description = "d"
readme = {file = "R.md", content-type = "text/markdown"}
requires-python = ">=3.11"
license = "MIT OR Apache-2.0"
license-files = ["LICENSE*"]
authors = [{name = "A", email = "a@x.example"}]
keywords = ["k"]
classifiers = ["C"]
dynamic = ["maintainers"]
dependencies = [
  "Six>=1",
  "rich[x]; python_version < '4'",
]
[project.urls]
Home = "https://x.example"
[project.optional-dependencies]
Extra_One = ["a"]
[project.scripts]
run = "foo.cli:main"
[project.gui-scripts]
gui = "foo.gui:app.start [x]"
[project.entry-points."a.b"]
plug = "foo.plug"
[dependency-groups]
dev = ["pytest", {include-group = "Lint"}]
lint = ["ruff"]
[tool.accord]
constraints = ["six<2"]
overrides = ["rich==13"]
exclude-dependencies = ["Typing_Extensions"]
resolution = "lowest-direct"
prerelease = "allow"
exclude-newer = 2026-11-01
python = "3.12"
no-build = ["Foo_x"]
link-mode = "copy"
[tool.accord.sources]
Torch = { index = "pt" }
local = { path = "../l", editable = true }
repo = { git = "https://g.example/r", tag = "v1", subdirectory = "s" }
zip = { url = "https://h.example/z.zip", subdirectory = "z" }
[[tool.accord.index]]
name = "pt"
url = "https://pt.example/simple"
publish-url = "https://pt.example/legacy/"
explicit = true
projects = ["Torch_Vision"]
[[tool.accord.index]]
name = "main"
url = "https://index.example/simple"
default = true
[tool.other]
anything = 1
"""


def test_everything_said_is_understood() -> None:
    found = read_pyproject(WHOLE)
    assert (found.name, found.raw_name, found.version) == ("foo-bar", "Foo.Bar", "1.0")
    assert [(one.name, one.where.line, str(one.where)) for one in found.dependencies] == [
        ("six", 19, "pyproject.toml:19 [project.dependencies[0]]"),
        ("rich", 20, "pyproject.toml:20 [project.dependencies[1]]"),
    ]
    assert found.requires_python == ">=3.11"
    assert found.license == "MIT OR Apache-2.0"
    assert list(found.optional_dependencies) == ["extra-one"]
    assert found.scripts == {"run": "foo.cli:main"}
    assert found.gui_scripts == {"gui": "foo.gui:app.start [x]"}
    assert found.entry_points == {"a.b": {"plug": "foo.plug"}}
    assert found.build_system == BuildSystem(("hatchling>=1", "x"), "hatchling.build", (".",))
    assert found.is_package
    assert found.default_groups == ("dev",)
    assert found.raw["tool"]["other"] == {"anything": 1}


def test_the_table_of_accord() -> None:
    tool = read_pyproject(WHOLE).tool
    assert tool.indexes == (
        Index(
            "pt",
            "https://pt.example/simple",
            explicit=True,
            projects=("torch-vision",),
            publish_url="https://pt.example/legacy/",
        ),
        Index("main", "https://index.example/simple", default=True),
    )
    assert tool.sources == {
        "torch": Source(index="pt"),
        "local": Source(path="../l", editable=True),
        "repo": Source(git="https://g.example/r", revision=("tag", "v1"), subdirectory="s"),
        "zip": Source(url="https://h.example/z.zip", subdirectory="z"),
    }
    assert [one.text for one in tool.constraints] == ["six<2"]
    assert [one.text for one in tool.overrides] == ["rich==13"]
    assert tool.exclude_dependencies == ("typing-extensions",)
    assert (tool.resolution, tool.prerelease, tool.link_mode) == ("lowest-direct", "allow", "copy")
    assert (tool.exclude_newer, tool.python) == ("2026-11-01", "3.12")
    assert (tool.no_build, tool.no_build_projects) == (False, ("foo-x",))
    assert read_pyproject("[tool.accord]\nno-build = true").tool.no_build


def test_the_tables_of_the_build_backend_are_left_to_it() -> None:
    text = "[tool.accord]\nbackend = {}\nstep = []\nextension = []\n[tool.accord.build]\nmodules = ['spam']"
    assert read_pyproject(text).tool == ToolTable()


def test_a_file_without_a_project_is_a_file() -> None:
    found = read_pyproject("[dependency-groups]\nx = []\n[tool.accord]\ndefault-groups = []")
    assert (found.name, found.version, found.default_groups, found.is_package) == (None, None, (), False)
    assert read_pyproject("").default_groups == ()


def test_a_dynamic_version_is_not_missing() -> None:
    found = read_pyproject('[project]\nname = "x"\ndynamic = ["version"]')
    assert (found.version, found.dynamic) == (None, ("version",))


def test_a_build_system_without_backend_is_the_old_one() -> None:
    found = read_pyproject('[build-system]\nrequires = ["setuptools"]').build_system
    assert found == BuildSystem(("setuptools",), "setuptools.build_meta:__legacy__")


def faults(text: str) -> list[tuple[int | None, str, str]]:
    with pytest.raises(DocumentError) as caught:
        read_pyproject(text)
    error = caught.value
    assert error.code == "invalid-pyproject"
    assert error.where == error.faults[0].where
    found = []
    for fault in error.faults:
        assert fault.where is not None
        assert fault.message
        found.append(
            (fault.where.line, fault.code, ".".join(filter(None, (fault.where.table, fault.where.key))))
        )
    return found


def test_every_fault_at_once() -> None:
    text = WHOLE.replace('"Foo.Bar"', '"-foo"').replace('"1.0"', '"one"').replace('">=3.11"', '"3.11"')
    text = text.replace("MIT OR", "MINE OR").replace('"LICENSE*"', '"../L"').replace("email =", "mail =")
    text = text.replace('["k"]', '"k"').replace("maintainers", "name").replace('"Six>=1"', "5")
    text = (
        text.replace("foo.cli:main", "foo cli")
        .replace("a.b", "console_scripts")
        .replace('"ruff"', '"ruff ="')
    )
    text = (
        text.replace("lowest-direct", "lowst").replace("2026-11-01", "'yesterday'").replace("Foo_x", "Foo x")
    )
    assert faults(text) == [
        (7, "invalid-name", "project.name"),
        (8, "invalid-value", "project.version"),
        (11, "invalid-value", "project.requires-python"),
        (12, "invalid-value", "project.license"),
        (13, "invalid-value", "project.license-files"),
        (14, "unknown-key", "project.authors[0].mail"),
        (15, "wrong-type", "project.keywords"),
        (17, "invalid-value", "project.dynamic"),
        (19, "wrong-type", "project.dependencies[0]"),
        (27, "invalid-value", "project.scripts.run"),
        (30, "unknown-key", "project.entry-points.console_scripts"),
        (34, "invalid-requirement", "dependency-groups.lint[0]"),
        (39, "invalid-value", "tool.accord.resolution"),
        (41, "invalid-value", "tool.accord.exclude-newer"),
        (43, "invalid-value", "tool.accord.no-build[0]"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("project = 1", [(1, "wrong-type", "project")]),
        ("[project]", [(1, "missing-key", "project.name"), (1, "missing-key", "project.version")]),
        ("[build-system]", [(1, "missing-key", "build-system.requires")]),
        ("dependency-groups = []", [(1, "wrong-type", "dependency-groups")]),
        ("[tool.accord]\nsources = 1\nindex = {}", [(2, "wrong-type", "tool.accord.sources"), (3, "wrong-type", "tool.accord.index")]),
        ("[tool.accord]\ndefault-groups = ['dev']", [(2, "unknown-group", "tool.accord.default-groups[0]")]),
        ("[tool.accord.sources]\n'a b' = {path = 'x'}\nb = 1", [(2, "invalid-name", 'tool.accord.sources."a b"'), (3, "wrong-type", "tool.accord.sources.b")]),
        ("[tool.accord.sources]\na = {}\nA = {path = 'x'}", [(2, "conflicting-keys", "tool.accord.sources.a"), (3, "duplicate-name", "tool.accord.sources.A")]),
        ("[tool.accord.sources]\na = {git = 'x', tag = 't', rev = 'r'}", [(2, "conflicting-keys", "tool.accord.sources.a")]),
        ("[tool.accord.sources]\na = {url = 'x', tag = 't'}", [(2, "conflicting-keys", "tool.accord.sources.a.tag")]),
        ("[tool.accord.sources]\na = {git = 'x', editable = true}", [(2, "conflicting-keys", "tool.accord.sources.a.editable")]),
        ("[tool.accord.sources]\na = {git = 'x', subdirectory = '../y'}", [(2, "bad-subdirectory", "tool.accord.sources.a.subdirectory")]),
        ("[tool.accord.sources]\na = {index = 'x'}", [(2, "unknown-index", "tool.accord.sources.a.index")]),
        ("[[tool.accord.index]]\nname = 'a'", [(1, "missing-key", "tool.accord.index[0].url")]),
        (
            ("[[tool.accord.index]]\nname = 'a'\nurl = 'u'\ndefault = true\nprojects = ['x']\n"
            "[[tool.accord.index]]\nname = 'a'\nurl = 'u'\ndefault = true\n"
            "[[tool.accord.index]]\nname = 'b'\nurl = 'u'\nprojects = ['X']\n"),
            [
                (7, "duplicate-name", "tool.accord.index[1].name"),
                (9, "conflicting-keys", "tool.accord.index[1].default"),
                (13, "conflicting-keys", "tool.accord.index[2].projects"),
            ],
        ),
        (
            "[[tool.accord.index]]\nname = 'a'\nurl = 'u'\ndefault = true\nexplicit = true",
            [(5, "conflicting-keys", "tool.accord.index[0].explicit")],
        ),
        (
            "[project]\nname='x'\nversion='1'\ndynamic=['version', 'nope']\nreadme={}\nlicense={}\n",
            [(3, "conflicting-keys", "project.version"), (4, "invalid-value", "project.dynamic"), (5, "conflicting-keys", "project.readme"), (6, "invalid-value", "project.license")],
        ),
    ],
)  # fmt: skip
def test_each_fault(text: str, expected: list[tuple[int, str, str]]) -> None:
    assert faults(text) == expected


def test_slips_are_recognised() -> None:
    with pytest.raises(DocumentError) as caught:
        read_pyproject(
            "[project]\nname='x'\nversion='1'\ndependancies=['a=1', './b', 'c^1']\n"
            "optional_dependencies={}\n[tool.accord]\nexclude_newer='1 day'\nresolution='Highest'"
        )
    assert [fault.hint for fault in caught.value.faults] == [
        "did you mean 'dependencies'?",
        "did you mean 'optional-dependencies'?",
        "did you mean 'exclude-newer'?",
        "did you mean 'highest'?",
    ]
    with pytest.raises(DocumentError) as caught:
        read_pyproject("[project]\nname='x'\nversion='1'\ndependencies=['a=1', './b', 'c^1']")
    assert [fault.hint for fault in caught.value.faults] == [
        "a version is fixed with '=='",
        "a path or URL needs a name before it: 'name @ …'",
        "'^1.2' is another tool's notation: write '>=1.2,<2'",
    ]


@pytest.mark.parametrize(
    ("text", "line"), [("a = 1\nb = = 2\n", 2), ("a = 1\na = 2", 2), ("x = '''\n\n", 3), ("[a]\n[a]\n", 2)]
)
def test_what_is_not_toml_tells_the_line(text: str, line: int) -> None:
    with pytest.raises(DocumentError) as caught:
        read_pyproject(text)
    assert caught.value.where is not None
    assert (caught.value.code, caught.value.where.line) == ("invalid-pyproject", line)


def test_toml_nested_without_end_is_refused() -> None:
    with pytest.raises(DocumentError, match="nests too deeply"):
        read_pyproject("a = " + "[" * 100_000)


def test_the_size_of_a_document_is_limited() -> None:
    def whole(limit: int) -> Project:
        return read_pyproject("#" * 100, limits=Limits(document_characters=limit))

    assert whole(100)
    with pytest.raises(DocumentError) as caught:
        whole(99)
    assert caught.value.code == "document-too-large"


def test_a_workspace_names_its_members() -> None:
    tool = read_pyproject(
        '[tool.accord.workspace]\nmembers = ["packages/*"]\nexclude = ["packages/old"]\n'
    ).tool
    assert tool.workspace == Workspace(("packages/*",), ("packages/old",))
    assert read_pyproject("").tool.workspace is None


@pytest.mark.parametrize(
    ("text", "code", "key"),
    [
        ("[tool.accord.workspace]", "missing-key", "tool.accord.workspace.members"),
        ('[tool.accord.workspace]\nmembers = ["../*"]', "invalid-value", "tool.accord.workspace.members[0]"),
        ('[tool.accord.workspace]\nmembers = ["/opt"]', "invalid-value", "tool.accord.workspace.members[0]"),
        (
            '[tool.accord.workspace]\nmembers = ["a"]\nmember = 1',
            "unknown-key",
            "tool.accord.workspace.member",
        ),
        ('[tool.accord]\nbuild-sandbox = "off"', "invalid-value", "tool.accord.build-sandbox"),
        ('[tool.accord]\nbuild-network = ["a b"]', "invalid-value", "tool.accord.build-network[0]"),
    ],
)
def test_what_a_project_may_not_say_of_its_builds(text: str, code: str, key: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_pyproject(text)
    (fault,) = caught.value.faults
    assert fault.code == code and key.rpartition(".")[2].partition("[")[0] in str(fault.where)


def test_what_a_project_says_of_its_builds() -> None:
    tool = read_pyproject('[tool.accord]\nbuild-sandbox = "require"\nbuild-network = ["Foo_x"]\n').tool
    assert (tool.build_sandbox, tool.build_network_projects) == ("require", ("foo-x",))
    assert read_pyproject("[tool.accord]\nbuild-network = true").tool.build_network
