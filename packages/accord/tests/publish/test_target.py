"""Which index is meant, and with whose secret: every place people write it down."""

from __future__ import annotations

from pathlib import Path

import pytest

from accord.publish.target import Endpoints, Tables, Target, endpoints, find_target, outright, read_pypirc
from accord_core.errors import AccordError

PROJECT: Tables = (
    "[[tool.accord.index]]",
    [
        {"name": "mirror", "url": "https://mirror.example/simple/"},
        {
            "name": "team",
            "url": "https://team.example/simple/",
            "publish-url": "https://team.example/legacy/",
        },
    ],
)
USER: Tables = ("config.toml", [{"name": "home", "url": "https://home.example/simple/"}])
PYPIRC = """\
[distutils]
index-servers =
    first
    second

[first]
repository = https://first.example/legacy/
username = ada
password = s3cr%t

[second]
repository: https://second.example/legacy/
"""


def pypirc(home: Path, text: str) -> dict[str, Target]:
    (home / ".pypirc").write_text(text)
    return read_pypirc({"HOME": str(home)})


@pytest.mark.parametrize(
    ("url", "root", "form"),
    [
        ("https://a.example/legacy/", "https://a.example/upload/", "https://a.example/legacy/"),
        ("https://a.example/legacy", "https://a.example/upload/", "https://a.example/legacy/"),
        (
            "https://a.example/team/upload/",
            "https://a.example/team/upload/",
            "https://a.example/team/legacy/",
        ),
        ("https://a.example/team/simple", "https://a.example/team/upload/", "https://a.example/team/legacy/"),
        ("https://a.example", "https://a.example/upload/", "https://a.example/"),
        ("https://a.example/root/dev/", "https://a.example/root/dev/upload/", "https://a.example/root/dev/"),
        ("https://u:p@a.example/legacy/?x=1", "https://a.example/upload/", "https://a.example/legacy/"),
    ],
)
def test_both_addresses_are_found_from_one(url: str, root: str, form: str) -> None:
    assert endpoints(url) == Endpoints(root, form)


def test_the_command_line_comes_first_then_variables_then_tables_then_pypirc(tmp_path: Path) -> None:
    servers = pypirc(tmp_path, PYPIRC.replace("    second\n", ""))
    environ = {
        "ACCORD_PUBLISH_URL": "https://variable.example/legacy/",
        "UV_PUBLISH_URL": "https://uv.example/",
    }
    tables = [PROJECT, USER]
    assert find_target("https://said.example/", tables, servers, environ).url == "https://said.example/"
    assert find_target("mirror", tables, servers, environ).url == "https://mirror.example/simple/"
    assert find_target(None, tables, servers, environ).url == "https://variable.example/legacy/"
    assert (
        find_target(None, tables, servers, {"UV_PUBLISH_INDEX": "home"}).url == "https://home.example/simple/"
    )
    assert find_target(None, tables, servers, {}).url == "https://team.example/legacy/"
    assert find_target(None, [USER], servers, {}).url == "https://first.example/legacy/"


def test_several_that_could_be_meant_are_none(tmp_path: Path) -> None:
    with pytest.raises(AccordError, match="first, second") as refused:
        find_target(None, [], pypirc(tmp_path, PYPIRC), {})
    assert refused.value.code == "publish-index-ambiguous"
    two = (
        "pyproject",
        [{"name": n, "url": "https://a.example/", "publish-url": "https://a.example/"} for n in "ab"],
    )
    with pytest.raises(AccordError) as refused:
        find_target(None, [two], {}, {})
    assert refused.value.code == "publish-index-ambiguous"


@pytest.mark.parametrize(("asked", "code"), [(None, "publish-no-index"), ("nobody", "publish-index-unknown")])
def test_an_index_nobody_knows_is_said(asked: str | None, code: str) -> None:
    with pytest.raises(AccordError) as refused:
        find_target(asked, [USER], {}, {})
    assert refused.value.code == code


def test_pypirc_is_read_as_twine_reads_it(tmp_path: Path) -> None:
    found = pypirc(tmp_path, PYPIRC)
    assert found["first"].auth == ("ada", "s3cr%t")
    assert found["second"].auth is None
    old = pypirc(tmp_path, "[only]\nrepository = https://only.example/\npassword = x\n")
    assert old["only"].auth == ("__token__", "x")
    assert pypirc(tmp_path, "[pypi]\npassword = x\n") == {}  # which host that is stands nowhere here


def test_the_same_address_finds_its_password(tmp_path: Path) -> None:
    found = find_target("https://first.example/legacy", [], pypirc(tmp_path, PYPIRC), {})
    assert found.auth == ("ada", "s3cr%t")
    assert find_target("https://u:p@first.example/legacy/", [], {}, {}).auth == ("u", "p")
    assert find_target("https://other.example/", [], pypirc(tmp_path, PYPIRC), {}).auth is None


def test_a_broken_pypirc_is_refused_without_quoting_it(tmp_path: Path) -> None:
    with pytest.raises(AccordError) as refused:
        pypirc(tmp_path, "[first]\npassword = hunter2\nhunter3\n  x\n[first]\n")
    assert refused.value.code == "pypirc-invalid"
    assert "hunter" not in str(refused.value) + repr(refused.value.__cause__) + str(refused.value.context)
    assert "hunter" not in repr(Target("https://u:hunter2@a.example/", None, "x", ("u", "hunter2")))


@pytest.mark.parametrize(
    ("token", "environ", "auth"),
    [
        ("flag", {"ACCORD_PUBLISH_TOKEN": "variable"}, ("__token__", "flag")),
        (None, {"ACCORD_PUBLISH_TOKEN": "mine", "UV_PUBLISH_TOKEN": "uv"}, ("__token__", "mine")),
        (None, {"UV_PUBLISH_TOKEN": "uv", "TWINE_PASSWORD": "t"}, ("__token__", "uv")),
        (None, {"TWINE_USERNAME": "ada", "TWINE_PASSWORD": "t"}, ("ada", "t")),
        (None, {"TWINE_USERNAME": "ada"}, None),
        (None, {}, None),
    ],
)
def test_a_secret_said_for_this_run(
    token: str | None, environ: dict[str, str], auth: tuple[str, str] | None
) -> None:
    assert outright(token, environ) == auth
