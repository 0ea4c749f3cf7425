"""Bad input gets: a coded error that says what to do, a status that is not 0, and environment and lock as they were."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from accord.testing.archives import Part, wheel_parts, zip_bytes
from accord.testing.loopback import Asked, Loopback, reply
from accord.testing.worlds import World, refusal, wheel_file

Unchanged = Callable[[World], AbstractContextManager[None]]


# ------------------------------------------------------------ what is asked for does not exist


def test_an_unknown_name(settled: World, unchanged: Unchanged) -> None:
    settled.project("alpha", "nobody-made-this")
    with unchanged(settled):
        error = settled.refused("sync", code="unknown-project")
    told = "\n".join([error["message"], *error["context"]])
    assert "nobody-made-this" in told
    assert "pyproject.toml" in told  # who asked for it


def test_an_unknown_name_added_leaves_pyproject_too(settled: World, unchanged: Unchanged) -> None:
    before = settled.read("pyproject.toml")
    with unchanged(settled):
        settled.refused("add", "nobody-made-this", code="unknown-project")
    assert settled.read("pyproject.toml") == before


def test_no_version_that_matches(settled: World, unchanged: Unchanged) -> None:
    settled.project("alpha", "beta>=7")
    with unchanged(settled):
        error = settled.refused("sync", code="no-matching-version")
    told = "\n".join([error["message"], *error["context"]])
    assert "beta" in told
    assert ">=7" in told


def test_two_requirements_that_exclude_each_other_are_both_named(
    settled: World, unchanged: Unchanged
) -> None:
    settled.publish("beta", "2.0")
    settled.publish("gamma", "1.0", requires=["beta<2"])
    settled.publish("delta", "1.0", requires=["beta>=2"])
    settled.project("alpha", "gamma", "delta")
    with unchanged(settled):
        error = settled.refused("lock", code="unsatisfiable")
    told = "\n".join([error["message"], *error["context"]])
    for part in ("gamma", "delta", "beta<2", "beta>=2"):
        assert part in told


@pytest.mark.parametrize("tag", ["cp38-cp38-win_amd64", "cp27-none-any", "py3-none-macosx_11_0_arm64"])
def test_no_wheel_for_this_python(settled: World, unchanged: Unchanged, tag: str) -> None:
    settled.publish("elsewhere", "1.0", tag=tag)
    settled.project("alpha", "elsewhere")
    with unchanged(settled):
        error = settled.refused("sync", code="no-compatible-wheel")
    told = "\n".join([error["message"], *error["context"]])
    assert "elsewhere" in told
    assert tag in told


def test_no_wheel_for_this_python_in_a_lock(settled: World, unchanged: Unchanged) -> None:
    """A lock made for another machine is refused by name, not half installed."""
    text = settled.read("pylock.toml").replace("-py3-none-any.whl", "-cp38-cp38-win_amd64.whl")
    settled.write("pylock.other.toml", text)
    with unchanged(settled):
        error = settled.refused("sync", "--lock", "pylock.other.toml", "--env", ".venv", code="no-wheel")
    assert "alpha" in error["message"]


def test_a_version_that_needs_another_python(settled: World, unchanged: Unchanged) -> None:
    settled.publish("modern", "1.0", requires_python=">=3.99")
    settled.project("alpha", "modern")
    with unchanged(settled):
        error = settled.refused("sync", code="requires-python")
    assert "3.99" in "\n".join([error["message"], *error["context"]])


# ------------------------------------------------------------ hashes that do not agree


def test_an_index_that_lies_about_a_hash(settled: World, unchanged: Unchanged) -> None:
    file = settled.publish("liar", "1.0")
    file.hashes["sha256"] = "0" * 64
    settled.project("alpha", "liar")
    with unchanged(settled):
        error = settled.refused("sync", code="hash-mismatch")
    assert "liar-1.0" in error["message"]


def test_a_lock_whose_hash_was_edited(settled: World, unchanged: Unchanged) -> None:
    text = settled.read("pylock.toml")
    digest = hashlib.sha256(settled.index.contents["beta-1.0-py3-none-any.whl"]).hexdigest()
    assert digest in text
    settled.write("pylock.toml", text.replace(digest, "1" * 64))
    with unchanged(settled):
        error = settled.refused("sync", "--frozen", code="hash-mismatch")
    assert "beta-1.0" in error["message"]


def test_a_file_changed_on_the_index_after_the_lock(world: World) -> None:
    world.publish("alpha", "1.0")
    world.project("alpha")
    world.accord("lock").fine()
    world.index.contents["alpha-1.0-py3-none-any.whl"] = wheel_file(
        "alpha", "1.0", files={"alpha/__init__.py": b"import os; os.system('true')\n"}
    )[1]
    world.refused("sync", "--frozen", code="hash-mismatch")
    assert not os.path.exists(
        world.path(".venv", "lib", f"python3.{sys.version_info.minor}", "site-packages", "alpha")
    )


def test_a_hash_required_and_missing(settled: World, unchanged: Unchanged) -> None:
    settled.write("requirements.txt", "alpha==1.0\nbeta==1.0\n")
    with unchanged(settled):
        settled.refused(
            "pip",
            "install",
            "--require-hashes",
            "-r",
            "requirements.txt",
            "--env",
            ".venv",
            code="hash-missing",
        )


def test_a_hash_in_a_requirements_file_that_no_file_has(settled: World, unchanged: Unchanged) -> None:
    settled.publish("delta", "1.0")
    settled.write("requirements.txt", f"delta==1.0 --hash=sha256:{'2' * 64}\n")
    with unchanged(settled):
        settled.refused("pip", "install", "-r", "requirements.txt", "--env", ".venv", code="hash-mismatch")


# ------------------------------------------------------------ archives


def _publish_bytes(world: World, content: bytes) -> None:
    """An honest page over a dishonest file: its hash is right, what is in it is not."""
    world.publish_file("spam", "spam-1.0-py3-none-any.whl", content)
    world.project("alpha", "spam")


HONEST = zip_bytes(wheel_parts())
HOSTILE: dict[str, bytes] = {
    "truncated": HONEST[:-30],
    "cut in the middle": HONEST[: len(HONEST) // 2],
    "empty": b"",
    "no zip": b"<html>not found</html>" * 40,
    "path traversal": zip_bytes(wheel_parts({"spam/__init__.py": b"", "../../escaped.py": b"1"})),
    "absolute path": zip_bytes(wheel_parts({"spam/__init__.py": b"", "/tmp/escaped.py": b"1"})),
    "backslashes": zip_bytes(wheel_parts({"spam/__init__.py": b"", "..\\escaped.py": b"1"})),
    "a link": zip_bytes([Part("spam/link", b"/etc/passwd", mode=0o120777), *wheel_parts()]),
    "two files of one name": zip_bytes([Part("spam/__init__.py", b"other = 2\n"), *wheel_parts()]),
    "names that differ in case": zip_bytes(wheel_parts({"spam/a.py": b"", "spam/A.py": b""})),
    "a bomb by ratio": zip_bytes(wheel_parts({"spam/__init__.py": b"", "spam/zeros": b"\0" * 60_000_000})),
    "another name in the local header": zip_bytes(
        [Part("spam/x.py", b"1", local_name=b"spam/y.py"), *wheel_parts()]
    ),
    "data after the end": HONEST + b"trailing" * 20,
    "a RECORD that lies": zip_bytes(wheel_parts(record=b"spam/__init__.py,sha256=AAAA,10\n")),
    "a file RECORD does not know": zip_bytes([Part("spam/extra.py", b"1"), *wheel_parts()]),
    "another project inside": zip_bytes(wheel_parts(name="ham")),
    "no dist-info": zip_bytes([Part("spam/__init__.py", b"")]),
}


@pytest.mark.parametrize("trick", HOSTILE)
def test_a_hostile_or_damaged_wheel(settled: World, unchanged: Unchanged, trick: str) -> None:
    _publish_bytes(settled, HOSTILE[trick])
    with unchanged(settled):
        ran = settled.accord("sync", "--json")
    assert ran.status == 1
    error = ran.document()["error"]
    assert error["code"] != "internal-error"
    assert error["hint"]
    assert "spam" in "\n".join([error["message"], *error["context"], str(error["cause"])])
    assert not os.path.exists("/tmp/escaped.py")


def test_the_honest_twin_of_the_hostile_wheels_installs(settled: World) -> None:
    _publish_bytes(settled, HONEST)
    settled.accord("sync").fine()
    assert settled.asked_python(".venv", "import spam; print(spam.value)") == "1"


def test_nothing_of_a_refused_wheel_reaches_the_store(settled: World) -> None:
    _publish_bytes(settled, HOSTILE["path traversal"])
    assert settled.accord("sync").status == 1
    left = [name for _, _, files in os.walk(settled.cache) for name in files if "escaped" in name]
    assert left == []
    settled.accord("cache", "verify").fine()


# ------------------------------------------------------------ documents


def test_every_fault_of_a_broken_pyproject_at_once(settled: World, unchanged: Unchanged) -> None:
    settled.write(
        "pyproject.toml",
        "[project]\n"  # 1
        'name = "-shop-"\n'  # 2
        'version = "one"\n'  # 3
        'dependencies = ["alpha", "bet a >=", 7]\n'  # 4
        "[project.optional-dependencies]\n"  # 5
        'fast = "not a list"\n'  # 6
        "[dependency-groups]\n"  # 7
        'dev = [{ include-group = "gone" }]\n'  # 8
        "[tool.accord]\n"  # 9
        'resolution = "newest"\n',  # 10
    )
    with unchanged(settled):
        error = settled.refused("sync", code="invalid-pyproject")
    places = {
        (fault["where"]["table"], fault["where"]["key"], fault["where"]["line"]) for fault in error["faults"]
    }
    assert {line for _, _, line in places} >= {2, 3, 4, 6, 8, 10}
    assert all(table for table, _, _ in places)
    assert ("project", "name", 2) in places
    assert ("project", "version", 3) in places
    assert ("tool.accord", "resolution", 10) in places


def test_a_pyproject_that_is_no_toml(settled: World, unchanged: Unchanged) -> None:
    settled.write("pyproject.toml", "[project\nname = 1\n")
    with unchanged(settled):
        error = settled.refused("lock", code="invalid-pyproject")
    assert error["where"]["line"] == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("lock-version = '9.0'\n", "unsupported-lock-version"),
        ("packages = 3\n", "invalid-lock"),
        ("[[packages]\n", "invalid-lock"),
    ],
)
def test_a_broken_lock_is_refused_when_it_is_to_be_followed(
    settled: World, unchanged: Unchanged, text: str, code: str
) -> None:
    settled.write("pylock.bad.toml", text)
    with unchanged(settled):
        settled.refused("sync", "--lock", "pylock.bad.toml", "--env", ".venv", code=code)


def test_a_requirement_that_cannot_be_read(settled: World, unchanged: Unchanged) -> None:
    settled.write("requirements.in", "alpha\nbeta ==\n")
    with unchanged(settled):
        ran = settled.accord("pip", "compile", "requirements.in", "--json")
    error = ran.document()["error"]
    assert ran.status != 0
    assert error["code"] != "internal-error"
    assert "requirements.in:2" in str(error["where"]) + str(error) or error["where"]["line"] == 2


# ------------------------------------------------------------ the index


@pytest.fixture
def impatient() -> dict[str, str]:
    """Variables with which an index that fails is given up soon."""
    return {"ACCORD_HTTP_TIMEOUT": "20", "ACCORD_HTTP_RETRIES": "1"}


def _asks(settled: World, url: str) -> None:
    settled.use(url)
    settled.project("alpha", "delta")


def test_a_dead_index(settled: World, unchanged: Unchanged, impatient: dict[str, str]) -> None:
    with Loopback(lambda asked: None) as server:
        url = server.url
    _asks(settled, f"{url}/simple")
    with unchanged(settled):
        error = settled.refused("sync", code="index-unreachable", **impatient)
    assert "127.0.0.1" in str(error)


def test_an_index_that_never_answers(settled: World, unchanged: Unchanged, impatient: dict[str, str]) -> None:
    stop = threading.Event()

    def hang(asked: Asked) -> bytes | None:
        stop.wait(30)
        return None

    with Loopback(hang) as server:
        _asks(settled, f"{server.url}/simple")
        with unchanged(settled):
            try:
                settled.refused("sync", code="index-timeout", **impatient | {"ACCORD_HTTP_TIMEOUT": "0.5"})
            finally:
                stop.set()


ANSWERS: dict[str, tuple[Callable[[Asked], bytes | None], str]] = {
    "500": (lambda asked: reply(b"oops", status=500), "index-server-error"),
    "503": (lambda asked: reply(b"", status=503), "index-server-error"),
    "403": (lambda asked: reply(b"", status=403), "index-unauthorized"),
    "closes": (lambda asked: None, "index-unreachable"),
    "not HTTP": (lambda asked: b"220 mail ready\r\n\r\n", "index-protocol"),
    "garbage": (
        lambda asked: reply(b"\x00\xff garbage", headers={"Content-Type": "application/octet-stream"}),
        "index-content-type",
    ),
    "broken JSON": (
        lambda asked: reply(b'{"files": [', headers={"Content-Type": "application/vnd.pypi.simple.v1+json"}),
        "index-page-invalid",
    ),
    "a future API": (
        lambda asked: reply(
            b'{"meta": {"api-version": "2.0"}, "name": "x", "files": []}',
            headers={"Content-Type": "application/vnd.pypi.simple.v1+json"},
        ),
        "index-api-version",
    ),
    "a redirect loop": (
        lambda asked: reply(status=302, headers={"Location": asked.target}),
        "index-redirect",
    ),
    "half a page": (
        lambda asked: reply(
            b"<html>", length=900, headers={"Content-Type": "text/html", "Connection": "close"}
        ),
        "download-truncated",
    ),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_index_that_answers_wrongly(
    settled: World, unchanged: Unchanged, impatient: dict[str, str], answer: str
) -> None:
    say, code = ANSWERS[answer]
    with Loopback(say) as server:
        _asks(settled, f"{server.url}/simple")
        with unchanged(settled):
            error = settled.refused("sync", code=code, **impatient)
    assert "127.0.0.1" in str(error)


def test_offline_and_not_in_the_cache(settled: World, unchanged: Unchanged) -> None:
    _asks(settled, "http://127.0.0.1:9/simple")
    with unchanged(settled):
        settled.refused("sync", "--offline", code="offline")


def _cut(world: World, times: int) -> Callable[[Asked], bytes | None]:
    """An index whose downloads break off, the first ``times`` times."""
    left = [times]

    def answer(asked: Asked) -> bytes | None:
        said = world.index.answer(asked)
        if asked.target.startswith("/files/") and not asked.target.endswith(".metadata") and left[0]:
            left[0] -= 1
            assert said is not None
            return said[:-100].replace(b" Status\r\n", b" Status\r\nConnection: close\r\n", 1)
        return said

    return answer


def _publish_with_metadata(world: World, name: str) -> None:
    filename, content, metadata = wheel_file(name, "1.0")
    world.index.add(name, filename, content, metadata=metadata)


def test_a_download_cut_short_is_never_installed(
    settled: World, unchanged: Unchanged, impatient: dict[str, str]
) -> None:
    _publish_with_metadata(settled, "delta")
    with Loopback(_cut(settled, 99)) as server:
        _asks(settled, f"{server.url}/simple")
        with unchanged(settled):
            settled.refused("sync", code="download-truncated", **impatient)


def test_a_download_cut_once_is_taken_up_again(settled: World, impatient: dict[str, str]) -> None:
    _publish_with_metadata(settled, "delta")
    with Loopback(_cut(settled, 1)) as server:
        _asks(settled, f"{server.url}/simple")
        settled.accord("sync", **impatient).fine()
    assert settled.asked_python(".venv", "import delta; print(delta.version)") == "1.0"


def test_the_words_say_code_cause_and_what_to_do(settled: World) -> None:
    settled.project("nobody-made-this")
    ran = settled.accord("sync")
    assert ran.status == 1
    assert ran.out == ""
    assert ran.err.startswith("error[unknown-project]: ")
    assert "hint: " in ran.err
    assert "see docs/reference/errors.md#unknown-project" in ran.err


def test_refusal_in_json_is_one_document(settled: World) -> None:
    settled.project("nobody-made-this")
    ran = settled.process("lock", "--json")
    assert refusal(ran, "unknown-project")["docs"].endswith("#unknown-project")
