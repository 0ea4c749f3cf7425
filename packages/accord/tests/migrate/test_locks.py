"""Other tools' locks: what can be translated without resolving again is, with every hash; the rest becomes pins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accord_core.lock.read import loads
from accord_core.lock.select import select

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Migrate = Callable[..., Any]

PROJECT = (
    '[project]\nname = "shop"\nversion = "1"\ndependencies = ["a"]\n[dependency-groups]\ndev = ["t"]\n'
    '[project.optional-dependencies]\nfast = ["f"]\n[tool.uv]\nconstraint-dependencies = ["a<9"]\nfuture = 1\n'
)
REGISTRY = 'source = { registry = "https://index.example/simple" }\n'


def package(name: str, version: str, more: str = "") -> str:
    file = f"https://files.example/{name}-{version}"
    return (
        f'[[package]]\nname = "{name}"\nversion = "{version}"\n{REGISTRY}{more}'
        f'sdist = {{ url = "{file}.tar.gz", hash = "sha256:{"1" * 64}", size = 10 }}\n'
        f'wheels = [{{ url = "{file}-py3-none-any.whl", hash = "sha256:{"2" * 64}", size = 20 }}]\n\n'
    )


UV = (
    'version = 1\nrequires-python = ">=3.9"\n\n[[package]]\nname = "shop"\nversion = "1"\nsource = { editable = "." }\n'
    'dependencies = [{ name = "a" }]\n[package.optional-dependencies]\nfast = [{ name = "f" }]\n'
    '[package.dev-dependencies]\ndev = [{ name = "t" }]\n\n'
    + package(
        "a", "1.0", 'dependencies = [{ name = "w", marker = "sys_platform == \'win32\'" }, { name = "c" }]\n'
    )
    + package("c", "2.0", 'dependencies = [{ name = "a" }]\n')
    + package("f", "1.0", 'dependencies = [{ name = "w" }]\n')
    + package("t", "3.0")
    + package("w", "0.1")
)
LINUX = {"sys_platform": "linux", "python_version": "3.11", "python_full_version": "3.11.1"}
WINDOWS = LINUX | {"sys_platform": "win32"}
TAGS = ("py3-none-any",)


def test_a_uv_lock_installs_what_uv_would(migrated: Migrate) -> None:
    made = migrated({"pyproject.toml": PROJECT, "uv.lock": UV})
    lock = loads(made.locks["pylock.toml"], "pylock.toml")

    def chosen(
        markers: dict[str, str], extras: tuple[str, ...] = (), groups: tuple[str, ...] = ()
    ) -> set[str]:
        return {each.name for each in select(lock, markers, TAGS, extras, groups, path="pylock.toml")}

    assert chosen(LINUX) == {"a", "c"}
    assert chosen(WINDOWS) == {"a", "c", "w"}
    assert chosen(LINUX, extras=("fast",)) == {"a", "c", "f", "w"}
    assert chosen(LINUX, groups=("dev",)) == {"a", "c", "t"}


def test_every_hash_size_and_url_is_kept(migrated: Migrate) -> None:
    lock = loads(migrated({"pyproject.toml": PROJECT, "uv.lock": UV}).locks["pylock.toml"], "pylock.toml")
    for each in lock.packages:
        assert each.sdist is not None
        assert each.sdist.hashes == {"sha256": "1" * 64}
        assert each.wheels[0].hashes == {"sha256": "2" * 64}
        assert each.wheels[0].size == 20
        assert each.wheels[0].url == f"https://files.example/{each.name}-{each.version}-py3-none-any.whl"
        assert each.index == "https://index.example/simple"


def test_the_project_table_and_its_build_stay_and_uv_s_own_becomes_accord_s(migrated: Migrate) -> None:
    made = migrated({"pyproject.toml": PROJECT, "uv.lock": UV})
    assert made.project["dependencies"] == ["a"]
    assert made.accord["constraints"] == ["a<9"]
    assert "uv" not in made.data["tool"]
    assert "accord has no such setting" in made.left


def test_a_lock_that_cannot_be_translated_is_told_and_not_written(migrated: Migrate) -> None:
    workspace = UV + '[[package]]\nname = "other"\nversion = "1"\nsource = { virtual = "." }\n'
    for text in (workspace, UV.replace("version = 1\n", "version = 7\n", 1)):
        made = migrated({"pyproject.toml": PROJECT, "uv.lock": text})
        assert made.locks == {}
        assert "uv.lock the lock" in made.left


def test_a_lock_without_urls_becomes_pins(migrated: Migrate) -> None:
    made = migrated(
        {
            "pyproject.toml": '[tool.poetry]\nname = "spam"\nversion = "1"\n',
            "spam.py": "",
            "poetry.lock": '[[package]]\nname = "A.b"\nversion = "1.0"\n[[package]]\nname = "two"\nversion = "1"\n'
            '[[package]]\nname = "two"\nversion = "2"\n[[package]]\nname = "here"\nversion = "1"\n'
            '[package.source]\ntype = "directory"\nurl = "x"\n',
        }
    )
    assert made.described.pins == ["a-b==1.0"]
