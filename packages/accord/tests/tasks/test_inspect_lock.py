"""What a lock says: its tree, why a package is in it, what is newer, and its other forms."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from accord.tasks import inspect_lock
from accord.tasks.export import export
from accord.tasks.settings import CompileOutput, Selection
from accord.tasks.trees import Edge, Node, grow
from accord_core.errors import AccordError, RepositoryError
from accord_core.lock.model import Archive, File, Lock, Package, Vcs
from accord_core.lock.write import dumps

if TYPE_CHECKING:
    from pathlib import Path


def package(name: str, version: str, *needs: str, marker: str | None = None) -> Package:
    wheel = File(
        name=f"{name}-{version}-py3-none-any.whl",
        url=f"https://index.example/{name}.whl",
        hashes={"sha256": "0" * 64},
    )
    return Package(
        name=name,
        version=version,
        marker=marker,
        wheels=(wheel,),
        dependencies=tuple({"name": need} for need in needs),
    )


LOCK = Lock(
    packages=(
        package("flask", "3.0", "click", "werkzeug"),
        package("click", "8.1"),
        package("werkzeug", "3.0", "markupsafe"),
        package("markupsafe", "2.0", marker="sys_platform == 'win32'"),
        package("markupsafe", "3.0", marker="sys_platform != 'win32'"),
        package("ruff", "0.9", marker="'dev' in dependency_groups"),
    ),
    dependency_groups=("dev",),
    tool={"accord": {"inputs": "x", "only-groups": {"dev": ["ruff"]}}},
)
PROJECT = """\
[project]
name = "Shop"
version = "1.0"
dependencies = ["flask[async]>=3", "click; os_name == 'posix'", "not a requirement"]
[dependency-groups]
dev = ["ruff", {include-group = "x"}]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "pylock.toml").write_text(dumps(LOCK))
    return tmp_path


def test_the_tree_begins_with_the_project_and_merges_forks(project: Path) -> None:
    lock = inspect_lock.read_lock(str(project / "pylock.toml"))
    nodes = inspect_lock.lock_nodes(lock)
    root = inspect_lock.project_node(str(project))
    assert nodes["markupsafe"].version == "2.0 | 3.0"
    (tree,) = grow({**nodes, root.name: root}, [root.name])
    assert (tree.name, tree.version) == ("shop", "1.0")
    assert {one.name: one.asked for one in tree.branches} == {
        "click": '; os_name == "posix"',
        "flask": "[async]>=3",
        "ruff": "(group dev)",
    }


def test_why_tells_the_ways_from_the_project(project: Path) -> None:
    nodes, root = inspect_lock.lock_nodes(LOCK), inspect_lock.project_node(str(project))
    ways = inspect_lock.why(nodes, root, "click")
    assert [[edge.target for edge in way] for way in ways] == [["shop", "click"], ["shop", "flask", "click"]]
    with pytest.raises(AccordError) as caught:
        inspect_lock.why(nodes, root, "django")
    assert caught.value.code == "not-locked"


def test_why_tells_no_more_ways_than_its_limit() -> None:
    many = {f"m{index}": Node(f"m{index}", "", "1", (Edge("t"),)) for index in range(20)}
    root = Node("r", "r", "", tuple(Edge(name) for name in many))
    nodes = {**many, "t": Node("t", "t", "1")}
    limits = inspect_lock.LIMITS
    assert len(inspect_lock.why(nodes, root, "t")) == limits.paths
    assert len(inspect_lock.why(nodes, root, "t", limits=inspect_lock.Limits(paths=20))) == 20


@dataclass
class Index:
    versions: dict[str, str | None]

    def newest(self, name: str, *, prereleases: bool) -> str | None:
        if name == "broken":
            raise RepositoryError("index-unreachable", "no")
        return self.versions.get(name)


def test_outdated_compares_by_order_of_versions(project: Path) -> None:
    root = inspect_lock.project_node(str(project))
    index = Index({"flask": "3.0.0", "click": "8.10", "werkzeug": "2.9", "markupsafe": "3.0", "ruff": None})
    found = inspect_lock.outdated(LOCK, root, index)
    assert [(one.name, one.locked, one.newest, one.asked) for one in found] == [
        ("click", "8.1", "8.10", '; os_name == "posix"'),
        ("markupsafe", "2.0", "3.0", None),
    ]
    assert inspect_lock.outdated(LOCK, root, index, names=["flask"]) == ()


def test_what_has_no_version_by_number_is_not_asked_for() -> None:
    lock = Lock(packages=(
        Package(name="a", version="1", vcs=Vcs(type="git", url="https://git.example/a", commit_id="0" * 40)),
        Package(name="b", version="1", archive=Archive(url="https://index.example/b.zip", hashes={"sha256": "0"})),
    ))  # fmt: skip
    assert inspect_lock.outdated(lock, None, Index({"a": "9", "b": "9"})) == ()
    assert inspect_lock.lock_nodes(lock)["a"].version == "1"


def test_a_failure_of_the_index_is_not_swallowed() -> None:
    with pytest.raises(RepositoryError):
        inspect_lock.outdated(Lock(packages=(package("broken", "1"),)), None, Index({}))


@pytest.mark.parametrize(
    ("content", "code"), [(None, "lock-not-found"), (b"\xff", "invalid-lock"), (b"x = 1", "invalid-lock")]
)
def test_a_lock_that_cannot_be_read(tmp_path: Path, content: bytes | None, code: str) -> None:
    path = tmp_path / "pylock.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AccordError) as caught:
        inspect_lock.read_lock(str(path))
    assert caught.value.code == code


def test_export_as_requirements_leaves_groups_out_unless_asked(project: Path) -> None:
    path = str(project / "pylock.toml")
    form = CompileOutput(hashes=True, strip_markers=False, header=False)
    text = export(path, selection=Selection(), form=form, output=None).text
    assert "flask==3.0 \\\n    --hash=sha256:" in text
    assert 'markupsafe==2.0 ; sys_platform == "win32"' in text
    assert "ruff" not in text
    assert "ruff==0.9" in export(path, selection=Selection(groups=("dev",)), form=form, output=None).text
    only = export(path, selection=Selection(only_groups=("dev",)), form=form, output=None).text
    assert "ruff==0.9" in only
    assert "flask" not in only


def test_export_as_a_lock_has_no_table_of_ours(project: Path) -> None:
    target = project / "pylock.plain.toml"
    outcome = export(
        str(project / "pylock.toml"),
        selection=Selection(),
        form=CompileOutput(format="pylock.toml"),
        output=str(target),
    )
    assert outcome.path == str(target)
    data = tomllib.loads(target.read_text())
    assert "tool" not in data
    assert len(data["packages"]) == len(LOCK.packages)
