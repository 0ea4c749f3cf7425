"""Every lock we write installs with pip and with uv and yields our exact set; Accord's own tables decide nothing."""

from __future__ import annotations

import hashlib
import os
import sys
import tomllib
from collections.abc import Iterator

import pytest

from accord.testing.loopback import Loopback
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
    """pip wants to be told about repositories, because it cannot hash one; that it still does is asked here too."""
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


@pytest.fixture
def served(world: World) -> Iterator[World]:
    """A locked project of files only, from everywhere: an index and archives over HTTP, archives by path, wheels and an
    sdist from a find-links folder; with an extra, a group, and markers of both outcomes."""
    world.publish(
        "alpha",
        "1.0",
        requires=["beta>=1", "onwindows; sys_platform == 'win32'", "onlinux; os_name == 'posix'"],
        extras={"fast": ["speed"]},
    )
    for name in ("beta", "speed", "onwindows", "onlinux"):
        world.publish(name, "1.0")
    world.publish("tester", "1.0", requires=["found"])
    world.publish("found", "0.5")
    for name, (filename, content) in {
        "farwheel": wheel_file("farwheel", "1.0", requires=["beta"])[:2],
        "farsource": sdist_file("farsource", "1.0", requires=["found"]),
    }.items():
        world.index.add(name, filename, content)
        world.index.files.pop(name)  # not on the index: by URL alone
    for name, folder in (("nearwheel", "dist"), ("found", "wheels")):
        filename, content, _ = wheel_file(name, "1.0", requires=["beta"])
        world.write(f"{folder}/{filename}", content)
    for name, folder in (("nearsource", "dist"), ("foundsource", "wheels")):
        filename, content = sdist_file(name, "1.0", requires=["beta"])
        world.write(f"{folder}/{filename}", content)
    with Loopback(world.index.answer) as server:
        world.use(f"{server.url}/simple/")
        world.project(
            "alpha",
            "foundsource",
            "never; python_version < '3'",
            f"farwheel @ {server.url}/files/farwheel-1.0-py3-none-any.whl",
            f"farsource @ {server.url}/files/farsource-1.0.tar.gz",
            more='[project.optional-dependencies]\nfast = ["alpha[fast]", "nearsource"]\n'
            '[dependency-groups]\ntest = ["tester", "nearwheel; os_name == \'posix\'"]\n'
            "[tool.accord.sources]\n"
            'nearwheel = { path = "dist/nearwheel-1.0-py3-none-any.whl" }\n'
            'nearsource = { path = "dist/nearsource-1.0.tar.gz" }\n',
        )
        world.accord("lock", "--find-links", "wheels").fine()
        yield world


SERVED = ("alpha", "beta", "onlinux", "found", "foundsource", "farwheel", "farsource")
CHOICES = [
    pytest.param("", "", SERVED, id="plain", marks=pytest.mark.slow),
    pytest.param("fast", "", (*SERVED, "speed", "nearsource"), id="extra", marks=pytest.mark.slow),
    pytest.param("", "test", (*SERVED, "tester", "nearwheel"), id="group", marks=pytest.mark.slow),
    pytest.param("fast", "test", (*SERVED, "speed", "nearsource", "tester", "nearwheel"), id="both"),
]


@pytest.mark.parametrize("tables", TABLES)
@pytest.mark.parametrize(("extra", "group", "names"), CHOICES)
def test_pip_installs_our_set_of_files_from_everywhere(
    served: World, tables: str, extra: str, group: str, names: tuple[str, ...]
) -> None:
    if tables == "without":
        served.write("pylock.toml", _bare(served.read("pylock.toml")))
    wanted = dict.fromkeys(names, "1.0")
    ours = (("--extra", extra) if extra else ()) + (("--group", group) if group else ())
    lock = f"pylock.toml[{extra}]" if extra else "pylock.toml"
    pips = ("--group", f"pylock.toml:{group}") if group else ()
    assert _ours(served, "ours", "--lock", "pylock.toml", *ours) == wanted
    assert _pips(served, "pips", "-r", lock, *pips) == wanted


def test_files_below_a_lock_go_where_it_goes(served: World) -> None:
    """Archives by path and wheels of a find-links folder; who made the lock where is no part of it."""
    lock = served.read("pylock.toml")
    assert 'path = "./wheels/found-1.0-py3-none-any.whl"' in lock
    assert served.here not in lock
    for name in ("pylock.toml", "wheels", "dist"):
        served.run("mv", served.path(name), served.home).fine()
    elsewhere = os.path.join(served.home, "pylock.toml")
    wanted = dict.fromkeys(SERVED, "1.0")
    assert _pips(served, "pips", "-r", elsewhere) == wanted
    assert _ours(served, "ours", "--lock", elsewhere) == wanted


@pytest.fixture
def unhashed(world: World) -> World:
    """A locked project with a repository and a folder beside files."""
    world.publish("alpha", "1.0", requires=["gitted"])
    world.publish("beta", "1.0")
    world.publish("beta", "2.0")
    world.tree("repository", "gitted", "1.0", requires=["beta"])
    world.tree("library", "local", "1.0", requires=["beta"])
    git = ("git", "-C", world.path("repository"), "-c", "user.name=a", "-c", "user.email=a@host.example")
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "one")):
        world.run(*git, *words).fine()
    world.project(
        "alpha",
        "beta<2",
        "local",
        f"gitted @ git+file://{world.path('repository')}@main",
        more='[tool.accord.sources]\nlocal = { path = "./library" }\n',
    )
    return world


TOLD = ("--no-deps", "--no-require-hashes")


@pytest.mark.slow
def test_pip_installs_what_has_no_hash_when_it_is_told_so(unhashed: World) -> None:
    """And goes on checking the hashes that are there."""
    unhashed.accord("lock").fine()
    wanted = dict.fromkeys(("alpha", "beta", "gitted", "local"), "1.0")
    assert _ours(unhashed, "ours", "--lock", "pylock.toml") == wanted
    assert _pips(unhashed, "pips", *TOLD, "-r", "pylock.toml") == wanted
    unhashed.write("wrong/pylock.toml", "")
    unhashed.accord("export", "-o", "wrong/pylock.toml").fine()
    lock = unhashed.read("wrong/pylock.toml")
    digest = hashlib.sha256(unhashed.index.contents["beta-1.0-py3-none-any.whl"]).hexdigest()
    assert digest in lock
    unhashed.write("wrong/pylock.toml", lock.replace(digest, "0" * 64))
    unhashed.accord("venv", "empty").fine()
    refused = unhashed.pip("empty", "install", *TOLD, "-r", "wrong/pylock.toml")
    assert "DO NOT MATCH THE HASHES" in refused.err
    assert unhashed.installed("empty") == {}


def test_whoever_locks_what_pip_refuses_is_told_once(unhashed: World) -> None:
    said = unhashed.accord("lock").fine().err
    assert said.count("note: ") == 1
    assert "gitted (git), local (a folder)" in said
    assert all(word in said for word in TOLD)
    assert "note: " not in unhashed.accord("lock").fine().err, "nothing was written"
    for words in (("-o", "pylock.c.toml"), ("--format", "pylock.toml")):
        ran = unhashed.accord("pip", "compile", "pyproject.toml", *words).fine()
        assert ran.err.count("note: there is no hash of gitted") == 1
        assert "note: " not in ran.out
    assert "note: " not in unhashed.accord("pip", "compile", "pyproject.toml").fine().err
    unhashed.project("beta<2")
    assert "note: " not in unhashed.accord("lock").fine().err


def test_a_lock_of_a_repository_alone_needs_no_telling(unhashed: World) -> None:
    """Where nothing has a hash pip asks for none; what the repository needs it would then choose itself."""
    unhashed.write("gitted.in", f"gitted @ git+file://{unhashed.path('repository')}@main\n")
    ran = unhashed.accord("pip", "compile", "gitted.in", "-o", "pylock.g.toml", "--no-deps").fine()
    assert "note: " not in ran.err
    assert _pips(unhashed, "pips", "--no-deps", "-r", "pylock.g.toml") == {"gitted": "1.0"}


@pytest.mark.parametrize("way", [pytest.param("find-links", marks=pytest.mark.slow), "sources"])
def test_a_repository_built_once_is_a_file_like_any_other(unhashed: World, way: str) -> None:
    """docs/how-to/for-pip-users.md, "Repositories and folders in a lock"."""
    repository = f"git+file://{unhashed.path('repository')}@main"
    unhashed.run(
        sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", "wheels", repository, "./library"
    ).fine()
    sources = "".join(
        f'{name} = {{ path = "wheels/{name}-1.0-py3-none-any.whl" }}\n' for name in ("gitted", "local")
    )
    more = f"[tool.accord.sources]\n{sources}" if way == "sources" else ""
    unhashed.project("alpha", "beta<2", "local", "gitted", more=more)
    flags = ("--find-links", "wheels") if way == "find-links" else ()
    assert "note: " not in unhashed.accord("lock", *flags).fine().err
    wanted = dict.fromkeys(("alpha", "beta", "gitted", "local"), "1.0")
    assert _pips(unhashed, "pips", "-r", "pylock.toml") == wanted
    assert _ours(unhashed, "ours", "--lock", "pylock.toml") == wanted


@pytest.mark.slow
def test_a_lock_over_http_installs_with_pip(world: World) -> None:
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
    """pip refuses locks with folders beside files (it cannot hash a folder); a project's own folder is in none."""
    world.publish("beta", "1.0")
    world.tree("library", "local", "1.0", requires=["beta"])
    world.project("local", more='[tool.accord.sources]\nlocal = { path = "./library", editable = true }\n')
    world.accord("sync").fine()
    assert world.installed(".venv") == {"local": "1.0", "beta": "1.0"}
    package = {one["name"]: one for one in tomllib.loads(world.read("pylock.toml"))["packages"]}["local"]
    assert package["directory"]["path"] in ("library", "./library")
    assert "version" not in package
