"""The frontend asks a backend as PEP 517 and PEP 660 say, caches what it may, and believes nothing unchecked."""

from __future__ import annotations

import os
import threading
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from accord.build.policy import BuildPolicy
from accord.testing.builds import BareEnvironments, Tree
from accord_core.errors import BuildError, RepositoryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from accord.build.frontend import Builder
    from accord.build.ports import Python

    MakeProject = Callable[..., str]
    MakeBuilder = Callable[..., Builder]


def leftovers(tmp_path: Path) -> list[str]:
    folder = tmp_path / "cache" / "builds-v1"
    return [name for name in os.listdir(folder) if name.startswith(".")] if folder.exists() else []


def content(wheel: str, name: str = "demo.py") -> str:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(name).decode()


def test_metadata_comes_from_the_prepare_hook(
    project: MakeProject, builder: MakeBuilder, tmp_path: Path
) -> None:
    found = builder().metadata(Tree(project()))
    assert (found.name, found.version, found.origin) == ("demo", "1.0", "built")
    assert b"Requires-Dist: other>=2" in found.data
    assert leftovers(tmp_path) == []


def test_without_the_prepare_hook_a_wheel_is_built_and_kept(
    project: MakeProject, builder: MakeBuilder
) -> None:
    tree = project("del prepare_metadata_for_build_wheel\n", files={"count": "0"})
    with open(os.path.join(tree, "backend.py"), "a", encoding="utf-8") as file:
        file.write(
            "_build = build_wheel\ndef build_wheel(*args):\n    open('count', 'a').write('1')\n    return _build(*args)\n"
        )
    source = Tree(tree, key="sdist-digest")
    make = builder()
    assert make.metadata(source).origin == "built"
    assert make.wheel(source, "unused").path.endswith("demo-1.0-py3-none-any.whl")
    assert Path(tree, "count").read_text(encoding="utf-8") == "01"


def test_a_wheel_is_built_and_described(project: MakeProject, builder: MakeBuilder, tmp_path: Path) -> None:
    built = builder().wheel(Tree(project()), str(tmp_path / "out"))
    assert os.path.dirname(built.path) == str(tmp_path / "out")
    assert built.size == os.path.getsize(built.path)
    assert os.stat(built.path).st_mode & 0o777 == 0o644


def test_an_editable_wheel_is_built_by_its_own_hooks(
    project: MakeProject, builder: MakeBuilder, tmp_path: Path
) -> None:
    tree = project("""
        def get_requires_for_build_editable(config_settings=None):
            return ["editables"]
        """)
    environments = BareEnvironments()
    builder(environments).editable(Tree(tree), str(tmp_path / "out"))
    assert environments.asked == [(), ("editables",)]


def test_a_backend_without_editables_says_so(
    project: MakeProject, builder: MakeBuilder, tmp_path: Path
) -> None:
    tree = project("del build_editable, prepare_metadata_for_build_editable")
    with pytest.raises(BuildError) as caught:
        builder().editable(Tree(tree), str(tmp_path / "out"))
    assert caught.value.code == "build-editable-unsupported"
    with pytest.raises(BuildError) as caught:
        builder().metadata(Tree(tree), editable=True)
    assert caught.value.code == "build-editable-unsupported"


def test_what_the_backend_asks_for_is_added_to_what_is_declared(
    project: MakeProject, builder: MakeBuilder, tmp_path: Path
) -> None:
    pyproject = '[build-system]\nrequires = ["one"]\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    tree = project(
        """
        def get_requires_for_build_wheel(config_settings=None):
            return ["one", "two>=2"]
        """,
        pyproject=pyproject,
    )
    environments = BareEnvironments()
    builder(environments).wheel(Tree(tree), str(tmp_path / "out"))
    assert environments.asked == [("one",), ("one", "two>=2")]


def test_no_isolation_makes_no_environment(project: MakeProject, builder: MakeBuilder) -> None:
    environments = BareEnvironments()
    builder(environments, isolated=False).metadata(Tree(project()))
    assert environments.asked == []


def test_config_settings_reach_the_hooks(project: MakeProject, builder: MakeBuilder, tmp_path: Path) -> None:
    settings = ((None, "all", "1"), ("demo", "own", "2"), ("demo", "own", "3"), ("else", "no", "4"))
    built = builder(settings=settings).wheel(Tree(project(), name="demo"), str(tmp_path / "out"))
    assert content(built.path) == "settings = {'all': '1', 'own': ['2', '3']}\n"


def test_the_environment_of_a_build_is_private(
    project: MakeProject, builder: MakeBuilder, tmp_path: Path
) -> None:
    tree = project("""
        import json, sys
        def build_wheel(directory, config_settings=None, metadata_directory=None):
            with open("seen.json", "w") as file:
                json.dump({"environ": dict(os.environ), "path": sys.path}, file)
            raise SystemExit(1)
        """)
    environ = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/home/person",
        "PYTHONPATH": "/home/person/lib",
        "VIRTUAL_ENV": "/home/person/venv",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "UV_INDEX_PRIVATE_PASSWORD": "s3cret",
        "CFLAGS": "-O2",
        "MINE": "1",
        "SOURCE_DATE_EPOCH": "1700000000",
    }
    with pytest.raises(BuildError):
        builder(environ=environ, keep=frozenset({"MINE"})).wheel(Tree(tree), str(tmp_path / "out"))
    with open(os.path.join(tree, "seen.json"), encoding="utf-8") as file:
        text = file.read()
    import json

    seen = json.loads(text)["environ"]
    assert "s3cret" not in text
    assert "/home/person" not in text
    assert (seen["CFLAGS"], seen["MINE"], seen["SOURCE_DATE_EPOCH"]) == ("-O2", "1", "1700000000")
    scratch = str(tmp_path / "cache" / "builds-v1")
    assert seen["HOME"].startswith(scratch)
    assert seen["TMPDIR"].startswith(scratch)


def test_what_is_kept_is_not_built_again(project: MakeProject, builder: MakeBuilder, tmp_path: Path) -> None:
    source = Tree(project(), key="k1")
    make = builder()
    first = make.wheel(source, "unused")
    environments = BareEnvironments()
    again = builder(environments).wheel(source, "unused")
    assert again == first
    assert environments.asked == []
    assert builder(environments).metadata(source).origin == "built"
    environments.asked.clear()
    assert builder(environments).metadata(source).name == "demo"
    assert environments.asked == []
    assert leftovers(tmp_path) == []


def test_everything_that_shapes_a_build_is_in_its_key(project: MakeProject, builder: MakeBuilder) -> None:
    tree = project()
    base = {"PATH": os.environ["PATH"]}
    wheels = [
        builder(environ=base).wheel(Tree(tree, key="k1"), "unused"),
        builder(environ=base).wheel(Tree(tree, key="k2"), "unused"),
        builder(environ=base, settings=((None, "a", "b"),)).wheel(Tree(tree, key="k1"), "unused"),
        builder(environ={**base, "CFLAGS": "-O3"}).wheel(Tree(tree, key="k1"), "unused"),
    ]
    assert len({os.path.dirname(os.path.dirname(wheel.path)) for wheel in wheels}) == 4
    same = builder(environ={**base, "LANG": "de_DE.UTF-8"}).wheel(Tree(tree, key="k1"), "unused")
    assert same == wheels[0]


def test_a_damaged_wheel_in_the_cache_is_built_again(project: MakeProject, builder: MakeBuilder) -> None:
    source = Tree(project(), key="k1")
    first = builder().wheel(source, "unused")
    with open(first.path, "ab") as file:
        file.write(b"x")
    again = builder().wheel(source, "unused")
    assert os.path.getsize(again.path) == again.size


def test_a_folder_without_key_is_built_each_time(
    project: MakeProject, builder: MakeBuilder, tmp_path: Path
) -> None:
    environments = BareEnvironments()
    source = Tree(project())
    builder(environments).wheel(source, str(tmp_path / "out"))
    builder(environments).wheel(source, str(tmp_path / "out"))
    assert len(environments.asked) == 2


STATIC = '[project]\nname = "Demo"\nversion = "1.0"\ndependencies = ["a>=1"]\n'


def test_static_metadata_runs_nothing(project: MakeProject, builder: MakeBuilder) -> None:
    environments = BareEnvironments()
    found = builder(environments).metadata(Tree(project("raise SystemExit(1)", pyproject=STATIC)))
    assert (found.name, found.origin) == ("demo", "pyproject.toml")
    assert environments.asked == []


def test_pkg_info_counts_in_an_sdist_only(project: MakeProject, builder: MakeBuilder) -> None:
    text = "Metadata-Version: 2.2\nName: demo\nVersion: 1.0\nRequires-Dist: static\n"
    tree = project(files={"PKG-INFO": text})
    assert b"static" in builder().metadata(Tree(tree, info=text.encode())).data
    assert b"static" not in builder().metadata(Tree(tree)).data


def test_two_at_once_build_once(project: MakeProject, builder: MakeBuilder) -> None:
    tree = project("""
        good = build_wheel
        def build_wheel(directory, *args):
            import time
            with open("count", "a") as file:
                file.write("1")
            time.sleep(0.3)
            return good(directory)
        """)
    results: list[str] = []
    make = builder()
    threads = [
        threading.Thread(target=lambda: results.append(make.wheel(Tree(tree, key="k"), "unused").sha256))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    assert len(set(results)) == 1
    assert Path(tree, "count").read_text(encoding="utf-8") == "1"


@pytest.mark.parametrize(("name", "version"), [("other", "1.0"), ("demo", "2.0")])
def test_another_project_than_promised_is_refused(
    project: MakeProject, builder: MakeBuilder, tmp_path: Path, name: str, version: str
) -> None:
    source = Tree(project(), name=name, version=version)
    for ask in (
        lambda: builder().metadata(source),
        lambda: builder().wheel(source, str(tmp_path / "out")),
        lambda: builder().metadata(Tree(project(pyproject=STATIC, name="p2"), name=name, version=version)),
    ):
        with pytest.raises(BuildError) as caught:
            ask()
        assert caught.value.code == "build-metadata-mismatch"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("policy", "source", "words"),
    [
        (BuildPolicy(frozenset({":all:"}), "--no-build"), {"name": "demo"}, "--no-build"),
        (BuildPolicy(frozenset({":all:"})), {"name": "demo"}, "--only-binary :all:"),
        (BuildPolicy(frozenset({"demo"})), {"name": "demo"}, "--only-binary demo"),
        (BuildPolicy(frozenset({"other"})), {}, "has no name"),
    ],
    ids=["no-build", "only-binary-all", "by-name", "nameless"],
)
def test_a_refused_build_runs_nothing(
    project: MakeProject,
    builder: MakeBuilder,
    tmp_path: Path,
    policy: BuildPolicy,
    source: dict[str, str],
    words: str,
) -> None:
    environments = BareEnvironments()
    tree = Tree(project(), **source)  # type: ignore[arg-type]
    make = builder(environments, policy=policy)
    for ask in (lambda: make.metadata(tree), lambda: make.wheel(tree, str(tmp_path / "out"))):
        with pytest.raises(BuildError) as caught:
            ask()
        assert caught.value.code == "build-refused"
        assert words in caught.value.message
    assert environments.asked == []


def test_the_policy_lets_other_projects_and_own_folders_be_built(
    project: MakeProject, builder: MakeBuilder
) -> None:
    tree = project()
    assert builder(policy=BuildPolicy(frozenset({"other"}))).metadata(Tree(tree, name="demo")).name == "demo"
    assert builder(policy=BuildPolicy(frozenset({":all:"}))).metadata(Tree(tree, own=True)).name == "demo"


class NothingToBeHad:
    def make(self, requirements: tuple[str, ...], python: Python) -> str:
        raise RepositoryError("index-unreachable", "the index cannot be reached", hint="look at the network")


def test_an_environment_that_cannot_be_had_is_named(project: MakeProject, builder: MakeBuilder) -> None:
    pyproject = '[build-system]\nrequires = ["nowhere"]\nbuild-backend = "nowhere"\n'
    with pytest.raises(BuildError) as caught:
        builder(NothingToBeHad()).metadata(Tree(project(pyproject=pyproject)))
    assert caught.value.code == "build-requirement-unavailable"
    assert "nowhere" in caught.value.context[0]
    assert caught.value.hint == "look at the network"


def test_a_project_that_needs_itself_to_build_is_found_out(
    project: MakeProject, builder: MakeBuilder
) -> None:
    source = Tree(project(), key="k", label="demo 1.0 (sdist)")

    class BuildsItself:
        def make(self, requirements: tuple[str, ...], python: Python) -> str:
            builder(self).wheel(source, "unused")
            return python.executable

    with pytest.raises(BuildError) as caught:
        builder(BuildsItself()).wheel(source, "unused")
    cause = caught.value.__cause__
    assert isinstance(cause, BuildError)
    assert (cause.code, cause.context) == ("build-cycle", ("to build demo 1.0 (sdist)",))
    assert builder().wheel(source, "unused").size > 0


def test_what_a_killed_build_left_goes_away_after_days(
    project: MakeProject, builder: MakeBuilder, tmp_path: Path
) -> None:
    folder = tmp_path / "cache" / "builds-v1"
    for name, days in (("old", 3.1), ("young", 2.9)):
        (folder / f".scratch-{name}" / "tree").mkdir(parents=True)
        then = time.time() - days * 86_400
        os.utime(folder / f".scratch-{name}", (then, then))
    builder().metadata(Tree(project()))
    assert leftovers(tmp_path) == [".scratch-young"]
