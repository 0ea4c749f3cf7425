"""Every lock we write installs with pip and with uv and yields our exact set; Accord's own tables decide nothing."""

from __future__ import annotations

import os
import tomllib

import pytest

from accord.testing.worlds import World, sdist_file, uv_program, wheel_file

needs_uv = pytest.mark.skipif(uv_program() is None, reason="uv is not here")

# With our tables a lock is tried by `make test`'s long form too; without them is the harder case.
TABLES = [pytest.param("with", marks=pytest.mark.slow), "without"]

PLAIN = {"alpha": "1.0", "beta": "1.0", "direct": "1.0", "archived": "1.0", "built": "1.0", "onlinux": "1.0"}
EVERYTHING = {**PLAIN, "speed": "1.0", "tester": "1.0"}


@pytest.fixture
def various(world: World) -> World:
    """A locked project with everything a lock can say: extras, groups, markers, a wheel by URL, an archive, an sdist
    without a wheel; all that pip can install from a lock."""
    world.publish(
        "alpha",
        "1.0",
        requires=["beta>=1", "onwindows; sys_platform == 'win32'", "onlinux; os_name == 'posix'"],
        extras={"fast": ["speed"]},
    )
    for name in ("beta", "speed", "onwindows", "onlinux"):
        world.publish(name, "1.0")
    world.publish("beta", "2.0")
    world.publish("tester", "1.0", requires=["beta"])
    world.publish_sdist("built", "1.0", requires=["beta"])
    wheel, content, _ = wheel_file("direct", "1.0", requires=["beta"])
    archive, packed = sdist_file("archived", "1.0", requires=["beta"])
    world.write(f"dist/{wheel}", content)
    world.write(f"dist/{archive}", packed)
    world.project(
        "alpha",
        "beta<2",
        "built",
        f"direct @ file://{world.path('dist', wheel)}",
        f"archived @ file://{world.path('dist', archive)}",
        more='[project.optional-dependencies]\nfast = ["alpha[fast]"]\n'
        '[dependency-groups]\ntest = ["tester"]\n',
    )
    world.accord("lock").fine()
    return world


def _bare(lock: str) -> str:
    """A lock without any ``[tool]`` table."""
    kept, skipping = [], False
    for line in lock.splitlines(keepends=True):
        if line.startswith("["):
            skipping = line.startswith(("[tool", "[packages.tool", "[[packages.tool"))
        if not skipping:
            kept.append(line)
    text = "".join(kept)
    read = tomllib.loads(text)
    assert "tool" not in read
    assert all("tool" not in package for package in read["packages"])
    return text


def _ours(world: World, env: str, *words: str) -> dict[str, str]:
    world.accord("sync", "--env", env, *words).fine()
    return world.installed(env)


def _pips(world: World, env: str, *words: str) -> dict[str, str]:
    world.accord("venv", env).fine()
    world.pip(env, "install", *words).fine()
    return world.installed(env)


def _uvs(world: World, env: str, *words: str) -> dict[str, str]:
    world.accord("venv", env).fine()
    world.uv(env, "sync", *words).fine()
    return world.installed(env)


@pytest.mark.parametrize("tables", TABLES)
@pytest.mark.slow
def test_pip_installs_our_set(various: World, tables: str) -> None:
    if tables == "without":
        various.write("pylock.toml", _bare(various.read("pylock.toml")))
    assert _ours(various, "ours", "--lock", "pylock.toml") == PLAIN
    assert _pips(various, "pips", "-r", "pylock.toml") == PLAIN


@pytest.mark.parametrize("tables", TABLES)
def test_pip_installs_our_set_with_an_extra_and_a_group(various: World, tables: str) -> None:
    if tables == "without":
        various.write("pylock.toml", _bare(various.read("pylock.toml")))
    words = ("--extra", "fast", "--group", "test")
    assert _ours(various, "ours", "--lock", "pylock.toml", *words) == EVERYTHING
    assert _pips(various, "pips", "-r", "pylock.toml[fast]", "--group", "pylock.toml:test") == EVERYTHING


@needs_uv
@pytest.mark.parametrize("tables", TABLES)
def test_uv_installs_our_set(various: World, tables: str) -> None:
    if tables == "without":
        various.write("pylock.toml", _bare(various.read("pylock.toml")))
    assert _uvs(various, "plain", "pylock.toml") == _ours(various, "ours", "--lock", "pylock.toml") == PLAIN
    words = ("--extra", "fast", "--group", "test")
    assert _uvs(various, "all", "pylock.toml", *words) == EVERYTHING
    assert _ours(various, "ours", "--lock", "pylock.toml", *words) == EVERYTHING


def test_a_lock_without_our_tables_is_locked_again_to_the_same_packages(various: World) -> None:
    before = various.read("pylock.toml")
    various.write("pylock.toml", _bare(before))
    various.accord("lock").fine()
    assert various.read("pylock.toml") == before


@needs_uv
def test_a_lock_with_a_repository_installs_with_uv(world: World) -> None:
    """pip refuses every repository in a lock, because it cannot hash one; that it still does is asked here too."""
    world.publish("beta", "1.0")
    world.tree("repository", "gitted", "1.0", requires=["beta"])
    git = ("git", "-C", world.path("repository"), "-c", "user.name=a", "-c", "user.email=a@host.example")
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "one")):
        world.run(*git, *words).fine()
    world.run("git", "clone", "-q", "--bare", world.path("repository"), world.path("bare.git")).fine()
    world.project("beta", f"gitted @ git+file://{world.path('bare.git')}@main")
    world.accord("lock").fine()
    commit = world.run("git", "-C", world.path("bare.git"), "rev-parse", "main").out.strip()
    assert commit in world.read("pylock.toml")
    assert _ours(world, "ours", "--lock", "pylock.toml") == {"gitted": "1.0", "beta": "1.0"}
    assert _uvs(world, "uvs", "pylock.toml") == {"gitted": "1.0", "beta": "1.0"}
    world.accord("venv", "pips").fine()
    refused = world.pip("pips", "install", "-r", "pylock.toml")
    assert "hash version control" in refused.err
    # What was moved on the branch since does not matter: the lock names a commit.
    world.write("repository/backend.py", world.read("repository/backend.py").replace('"1.0"', '"2.0"'))
    world.run(*git, "commit", "-qam", "two").fine()
    world.run(*git, "push", "-q", world.path("bare.git"), "main").fine()
    assert _ours(world, "again", "--lock", "pylock.toml") == {"gitted": "1.0", "beta": "1.0"}


@pytest.mark.slow
def test_a_lock_over_http_installs_with_pip(world: World) -> None:
    from accord.testing.loopback import Loopback

    world.publish("alpha", "1.0", requires=["beta"])
    world.publish("beta", "1.0")
    with Loopback(world.index.answer) as server:
        world.use(f"{server.url}/simple/")
        world.project("alpha")
        world.accord("lock").fine()
        assert f'url = "{server.url}/files/alpha-1.0-py3-none-any.whl"' in world.read("pylock.toml")
        assert _pips(world, "pips", "-r", "pylock.toml") == {"alpha": "1.0", "beta": "1.0"}


# ------------------------------------------------------------ requirements.txt


def test_requirements_with_hashes_install_with_pip_and_ours(various: World) -> None:
    various.accord("export", "-o", "requirements.txt", "--extra", "fast", "--group", "test").fine()
    assert _pips(various, "pips", "--require-hashes", "-r", "requirements.txt") == EVERYTHING
    various.accord("pip", "sync", "--require-hashes", "requirements.txt", "--env", "ours").fine()
    assert various.installed("ours") == EVERYTHING


@pytest.mark.slow
@needs_uv
def test_requirements_with_hashes_install_with_uv(various: World) -> None:
    various.accord("export", "-o", "requirements.txt").fine()
    assert _uvs(various, "uvs", "--require-hashes", "requirements.txt") == PLAIN


@pytest.mark.parametrize("form", ["requirements.txt", "pylock.toml"])
@pytest.mark.slow
def test_what_is_compiled_installs_with_pip(various: World, form: str) -> None:
    direct = [line for line in os.listdir(various.path("dist")) if line.endswith(".whl")]
    various.write(
        "requirements.in", f"alpha[fast]\nbeta<2\nbuilt\ndirect @ file://{various.path('dist', direct[0])}\n"
    )
    various.accord("pip", "compile", "requirements.in", "-o", form, "--generate-hashes").fine()
    wanted = dict.fromkeys(("alpha", "beta", "speed", "built", "direct", "onlinux"), "1.0")
    hashes = ("--require-hashes",) if form == "requirements.txt" else ()
    assert _pips(various, "pips", *hashes, "-r", form) == wanted
    various.accord("pip", "sync", form, "--env", "ours").fine()
    assert various.installed("ours") == wanted


@pytest.mark.slow
def test_a_lock_exported_to_another_folder_finds_its_files(various: World) -> None:
    os.mkdir(various.path("deploy"))
    various.accord("export", "-o", "deploy/pylock.toml").fine()
    assert "[tool" not in various.read("deploy/pylock.toml")
    assert _pips(various, "pips", "-r", "deploy/pylock.toml") == PLAIN
    assert _ours(various, "ours", "--lock", "deploy/pylock.toml") == PLAIN


def test_an_editable_in_a_lock_is_ours_alone(world: World) -> None:
    """pip refuses locks with folders in them (it cannot hash one); a project's own folder therefore is in none."""
    world.publish("beta", "1.0")
    world.tree("library", "local", "1.0", requires=["beta"])
    world.project("local", more='[tool.accord.sources]\nlocal = { path = "./library", editable = true }\n')
    world.accord("sync").fine()
    assert world.installed(".venv") == {"local": "1.0", "beta": "1.0"}
    package = {one["name"]: one for one in tomllib.loads(world.read("pylock.toml"))["packages"]}["local"]
    assert package["directory"]["path"] in ("library", "./library")
    assert "version" not in package
