"""An index that demands a password gets it from wherever people keep it, and it is seen nowhere else.

"Nowhere" is looked for: in everything the commands say, and in every file they leave in the project, the environment,
the cache and the home.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator

import pytest

from accord.testing.loopback import Asked, Loopback, reply
from accord.testing.worlds import World, wheel_file

USER, SECRET = "robot", "s3cr3t-Pa55-w0rd"
BASIC = base64.b64encode(f"{USER}:{SECRET}".encode()).decode()
KEYRING = """#!/bin/sh
echo "$@" >> "$HOME/asked-of-keyring"
[ "$1 $3" = "get robot" ] && cat "$HOME/ring"
"""

# A fake of the `keyring` package: what it is asked is written down, what it knows is in a file.
LIBRARY = """
import os
class Found:
    def __init__(self, username, password):
        self.username, self.password = username, password
def get_credential(service, username):
    with open(os.path.join(os.environ["HOME"], "ring")) as file:
        return Found("robot", file.read().strip())
"""


@pytest.fixture
def private(world: World) -> Iterator[Loopback]:
    """``alpha`` needs ``beta``; ``gamma`` has to be built; no tool is told where."""
    for name, requires in (("alpha", ["beta"]), ("beta", [])):
        filename, content, metadata = wheel_file(name, "1.0", requires=requires)
        world.index.add(name, filename, content, metadata=metadata if requires else None)
    world.publish_sdist("gamma", "1.0")
    for name in ("ACCORD_DEFAULT_INDEX", "PIP_INDEX_URL", "UV_DEFAULT_INDEX"):
        del world.environ[name]

    def answer(asked: Asked) -> bytes | None:
        if asked.headers.get("authorization") != f"Basic {BASIC}":
            return reply(b"who?", status=401, headers={"WWW-Authenticate": 'Basic realm="index"'})
        return world.index.answer(asked)

    with Loopback(answer) as server:
        yield server


def _home(world: World, name: str, text: str, mode: int = 0o600) -> str:
    path = os.path.join(world.home, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def _keep(world: World, kind: str, port: int) -> tuple[str, ...]:
    """Write the secret where ``kind`` says; returns the flags to use."""
    plain, full = f"http://127.0.0.1:{port}/simple", f"http://{USER}:{SECRET}@127.0.0.1:{port}/simple"
    if kind == "flag":
        return ("--index-url", full)
    if kind in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "ACCORD_DEFAULT_INDEX"):
        world.environ[kind] = full
    elif kind in ("UV_INDEX", "ACCORD_INDEX"):
        world.environ |= {
            kind: f"corp={plain}",
            f"{kind}_CORP_USERNAME": USER,
            f"{kind}_CORP_PASSWORD": SECRET,
        }
    elif kind == "pip.conf":
        world.environ["PIP_CONFIG_FILE"] = _home(world, "pip.conf", f"[global]\nindex-url = {full}\n")
    elif kind.startswith("netrc"):
        _home(
            world,
            ".netrc",
            f"{'default' if 'default' in kind else 'machine 127.0.0.1'} login {USER} password {SECRET}\n",
        )
        world.environ["ACCORD_DEFAULT_INDEX"] = plain
    else:
        _home(world, "ring", SECRET + "\n")
        if kind.startswith("keyring command"):
            folder = os.path.dirname(_home(world, "programs/keyring", KEYRING, 0o755))
            world.environ["PATH"] = f"{folder}{os.pathsep}{world.environ['PATH']}"
        else:
            world.environ["PYTHONPATH"] = os.path.dirname(_home(world, "library/keyring.py", LIBRARY))
        if "named" in kind:
            world.environ |= {"UV_INDEX": f"corp={plain}", "UV_INDEX_CORP_USERNAME": USER}
        else:
            bare = kind == "keyring library, no user name"
            world.environ["ACCORD_DEFAULT_INDEX"] = plain if bare else plain.replace("://", f"://{USER}@")
        return ("--keyring-provider", "import" if "library" in kind else "subprocess")
    return ()


KINDS = [
    "flag",
    "ACCORD_DEFAULT_INDEX",
    "UV_DEFAULT_INDEX",
    "PIP_INDEX_URL",
    "ACCORD_INDEX",
    "UV_INDEX",
    "pip.conf",
    "netrc",
    "netrc default",
    "keyring command",
    "keyring command, named index",
    "keyring library",
    "keyring library, no user name",
]


def _written(world: World) -> list[str]:
    """The files below the world in which the secret stands, but for those where its owner put it."""
    found = []
    for folder, _, names in os.walk(world.root):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    content = file.read()
                if SECRET.encode() in content or BASIC.encode() in content:
                    found.append(os.path.relpath(path, world.root))
    return sorted(set(found) - {"home/.netrc", "home/pip.conf", "home/ring"})


@pytest.mark.parametrize("kind", KINDS)
def test_a_password_opens_the_index_and_is_seen_nowhere_else(
    world: World, private: Loopback, kind: str
) -> None:
    flags = _keep(world, kind, private.port)
    world.project("alpha", "gamma")
    world.write("nosuch.in", "nosuch\n")
    # In this process where that is enough: not where a library is to be found, or where the line itself holds the secret.
    run = world.process if kind == "flag" or "library" in kind else world.accord
    said = []
    for words, status in (
        (("lock", "-vv"), 0),
        (("sync", "-vv"), 0),
        (("pip", "compile", "pyproject.toml", "--emit-index-url", "-o", "requirements.txt"), 0),
        (("pip", "compile", "pyproject.toml", "--json"), 0),
        (("pip", "compile", "nosuch.in", "-v"), 1),
        (("pip", "install", "--env", ".venv", "--reinstall", "beta", "--json"), 0),
    ):
        ran = run(*words, *flags)
        assert ran.status == status, ran.err
        said.append(ran.out + ran.err)
    said.append(run("history", "--json").fine().out)
    assert [text for text in said if SECRET in text or BASIC in text] == []
    assert _written(world) == []
    assert world.installed(".venv") == {"alpha": "1.0", "beta": "1.0", "gamma": "1.0"}


def test_a_wrong_password_is_refused_and_not_shown(world: World, private: Loopback) -> None:
    world.environ["UV_INDEX"] = f"corp=http://{USER}:wrong-{SECRET}@127.0.0.1:{private.port}/simple"
    world.project("alpha")
    for words in (("lock", "-vv"), ("lock", "--json")):
        ran = world.process(*words)
        assert ran.status == 1
        assert "index-unauthorized" in ran.out + ran.err
        assert SECRET not in ran.out + ran.err
    assert _written(world) == []


def test_a_page_of_links_behind_a_password(world: World) -> None:
    """The files it links to are behind the same password, and the requirements file names the page without it."""
    filename, content, _ = wheel_file("alpha", "1.0")

    def answer(asked: Asked) -> bytes:
        if asked.headers.get("authorization") != f"Basic {BASIC}":
            return reply(status=401, headers={"WWW-Authenticate": 'Basic realm="links"'})
        if asked.target == "/links/":
            page = f'<a href="/files/{filename}">{filename}</a>'.encode()
            return reply(page, headers={"Content-Type": "text/html"})
        return reply(content if asked.target.endswith(".whl") else b"", headers={"Accept-Ranges": "none"})

    with Loopback(answer) as server:
        world.write("alpha.in", "alpha\n")
        links = ("--no-index", "--find-links", f"http://{USER}:{SECRET}@127.0.0.1:{server.port}/links/")
        world.process("venv").fine()
        compiled = world.process("pip", "compile", "alpha.in", "--emit-find-links", *links).fine()
        assert f"--find-links http://127.0.0.1:{server.port}/links/" in compiled.out
        assert SECRET not in compiled.out + compiled.err
        world.process("pip", "install", "alpha", *links).fine()
    assert world.installed(".venv") == {"alpha": "1.0"}
    assert _written(world) == []


@pytest.mark.parametrize(
    "words",
    [
        ("pip", "install", "alpha beta @ {url}/x.whl"),
        ("pip", "compile", "{url}"),
        ("pip", "compile", "wrong.in"),
        ("sync", "--lock", "{url}/pylock.toml"),
        ("run", "{url}/script.py"),
        ("pip", "install", "--index-url", "ftp://robot:" + SECRET + "@index.example", "alpha"),
    ],
    ids=lambda words: " ".join(words)[:24],
)
def test_no_refusal_quotes_a_password(world: World, words: tuple[str, ...]) -> None:
    url = f"http://{USER}:{SECRET}@127.0.0.1:9"
    world.accord("venv").fine()
    world.write("wrong.in", f"alpha beta @ {url}/x.whl\n")
    line = [word.format(url=url) for word in words]
    for more in ((), ("--json",)):
        ran = world.process(*line[:1], *more, *line[1:])
        assert ran.status != 0
        assert SECRET not in ran.out + ran.err
