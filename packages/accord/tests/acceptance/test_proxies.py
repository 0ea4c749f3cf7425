"""Behind a proxy: the whole way from a lock to an environment goes through it, and its password is seen nowhere.

The index is called ``index.example``, which no name server knows: without the proxy nobody gets there.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from accord.testing.loopback import Asked, Loopback, reply
from accord.testing.worlds import World

SECRET = "pr0xy-s3cret"
BASIC = base64.b64encode(f"me:{SECRET}".encode()).decode()
HERE = "http://index.example"


@pytest.fixture
def proxy(world: World) -> Iterator[Loopback]:
    """Hands on what is asked of ``index.example`` by whoever knows the password."""
    world.publish("alpha", "1.0", requires=["beta"])
    world.publish("beta", "1.0")
    for name in [name for name in world.environ if name.lower().endswith("_proxy")]:
        del world.environ[name]
    world.use(f"{HERE}/simple")
    world.environ |= {"ACCORD_HTTP_RETRIES": "0", "ACCORD_HTTP_TIMEOUT": "10"}

    def answer(asked: Asked) -> bytes | None:
        if asked.headers.get("proxy-authorization") != f"Basic {BASIC}":
            return reply(status=407, headers={"Proxy-Authenticate": "Basic"})
        if not asked.target.startswith(HERE):
            return reply(status=502)
        return world.index.answer(replace(asked, target=asked.target[len(HERE) :]))

    with Loopback(answer) as server:
        yield server


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "ACCORD_PROXY", "PIP_PROXY"])
def test_lock_and_sync_go_through_it(world: World, proxy: Loopback, variable: str) -> None:
    world.environ[variable] = f"http://me:{SECRET}@127.0.0.1:{proxy.port}"
    world.project("alpha")
    said = ""
    for words in (("lock", "-vv"), ("sync", "-vv")):
        ran = world.process(*words).fine()
        said += ran.out + ran.err
    assert world.installed(".venv") == {"alpha": "1.0", "beta": "1.0"}
    assert {asked.target for asked in proxy.asked} >= {f"{HERE}/simple/alpha/", f"{HERE}/simple/beta/"}
    assert SECRET not in said
    written = []
    for folder, _, names in os.walk(world.root):
        for path in (os.path.join(folder, name) for name in names):
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    content = file.read()
                if SECRET.encode() in content or BASIC.encode() in content:
                    written.append(path)
    assert written == []


@pytest.mark.parametrize(
    "said", ["127.0.0.1", "*", "127.0.0.0/8", "127.0.0.1:{port}", "other.example, 127.0.0.1"]
)
def test_what_no_proxy_names_is_asked_directly(world: World, proxy: Loopback, said: str) -> None:
    with Loopback(world.index.answer) as direct:
        world.use(f"{direct.url}/simple")
        world.environ |= {
            "http_proxy": f"http://127.0.0.1:{proxy.port}",
            "NO_PROXY": said.format(port=direct.port),
        }
        world.project("alpha")
        world.process("lock").fine()
        assert direct.asked
    assert proxy.asked == []


def test_a_proxy_that_wants_a_password_says_so(world: World, proxy: Loopback) -> None:
    world.project("alpha")
    error = world.refused(
        "lock", code="proxy-unauthorized", http_proxy=f"http://me:wrong-{SECRET}@127.0.0.1:{proxy.port}"
    )
    assert SECRET not in str(error)
    assert "http://user:password@proxy:port" in error["hint"]


@pytest.mark.parametrize("kind", ["socks4", "socks5", "socks5h"])
def test_a_proxy_of_another_kind_is_refused_without_its_password(
    world: World, proxy: Loopback, kind: str
) -> None:
    world.project("alpha")
    url = f"{kind}://me:{SECRET}@127.0.0.1:{proxy.port}"
    error = world.refused("lock", code="proxy-unsupported", ALL_PROXY=url)
    assert f"{kind}://****@127.0.0.1" in error["message"]
    assert SECRET not in str(error)
    assert proxy.asked == []
