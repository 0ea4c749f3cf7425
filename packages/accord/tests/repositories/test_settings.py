"""Index settings: every place they are written, and what wins."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accord.io.http import Client
from accord.repositories.defaultindex import ask, default_index
from accord.repositories.local import FindLinks, LocalIndex
from accord.repositories.settings import IndexSettings, credentials, index_settings, repositories
from accord.tasks.settings import ResolveSettings
from accord.testing.indexes import MadeUp, wheel
from accord_core.errors import AccordError, RepositoryError


@pytest.fixture
def nothing(tmp_path: Path) -> dict[str, str]:
    """Variables that name nothing, and a home without configuration."""
    return {
        "HOME": str(tmp_path),
        "PIP_CONFIG_FILE": os.devnull,
        "ACCORD_INDEX_URL": "https://default.example/simple",
    }


def gather(environ: dict[str, str], flags: ResolveSettings | None = None, **more: Any) -> IndexSettings:
    return index_settings(flags, environ=environ, **more)


def urls(settings: IndexSettings) -> list[str]:
    return [index.url.removeprefix("https://").removesuffix("/simple") for index in settings.indexes]


def code_of(environ: dict[str, str], flags: ResolveSettings | None = None, **more: Any) -> str:
    with pytest.raises(AccordError) as caught:
        gather(environ, flags, **more)
    return caught.value.code


def test_the_default_is_the_weightiest_that_is_named(nothing: dict[str, str], tmp_path: Path) -> None:
    del nothing["ACCORD_INDEX_URL"]
    config = tmp_path / "config"
    config.mkdir()
    conf = tmp_path / "pip.conf"
    conf.write_text("[global]\nindex-url = https://pipconf.example/simple\n")
    environ, project, flags = {**nothing, "PIP_CONFIG_FILE": str(conf)}, [], ResolveSettings()
    assert urls(gather(environ)) == ["pipconf.example"]
    environ["PIP_INDEX_URL"] = "https://pipenv.example/simple"
    assert urls(gather(environ)) == ["pipenv.example"]
    environ["UV_INDEX_URL"] = "https://uv.example/simple"
    assert urls(gather(environ)) == ["uv.example"]
    (config / "config.toml").write_text('[[index]]\nurl = "https://user.example/simple"\ndefault = true\n')
    assert urls(gather(environ, config_dir=str(config))) == ["user.example"]
    environ["ACCORD_INDEX_URL"] = "https://accord.example/simple"
    assert urls(gather(environ, config_dir=str(config))) == ["accord.example"]
    project = [{"name": "ours", "url": "https://project.example/simple", "default": True}]
    assert urls(gather(environ, config_dir=str(config), project_indexes=project)) == ["project.example"]
    flags = ResolveSettings(index_url="https://flag.example/simple")
    assert urls(gather(environ, flags, config_dir=str(config), project_indexes=project)) == ["flag.example"]


def test_the_order_is_flags_project_variables_default_pips_extras(nothing: dict[str, str]) -> None:
    environ = {
        **nothing,
        "UV_INDEX": "named=https://uv-index.example/simple https://uv-index2.example/simple",
        "UV_EXTRA_INDEX_URL": "https://uv-extra.example/simple",
        "PIP_EXTRA_INDEX_URL": "https://pip-extra.example/simple https://pip-extra2.example/simple",
    }
    flags = ResolveSettings(
        indexes=["a=https://flag.example/simple"], extra_index_urls=["https://flag-extra.example/simple"]
    )
    project = [{"name": "p", "url": "https://project.example/simple"}]
    settings = gather(environ, flags, project_indexes=project)
    assert urls(settings) == [
        "flag.example",
        "flag-extra.example",
        "project.example",
        "uv-index.example",
        "uv-index2.example",
        "uv-extra.example",
        "default.example",
        "pip-extra.example",
        "pip-extra2.example",
    ]
    assert [index.name for index in settings.indexes][:4] == ["a", None, "p", "named"]


def test_project_tables_keep_their_order_around_the_default(nothing: dict[str, str]) -> None:
    tables = [
        {"name": "before", "url": "https://before.example/simple"},
        {"name": "main", "url": "https://main.example/simple", "default": True},
        {"name": "after", "url": "https://after.example/simple"},
    ]
    assert urls(gather(nothing, project_indexes=tables)) == [
        "before.example",
        "main.example",
        "after.example",
    ]


def test_the_same_index_written_twice_counts_once_with_all_that_was_said_of_it(
    nothing: dict[str, str],
) -> None:
    environ = {
        **nothing,
        "UV_INDEX": "mine=https://default.example/simple/",
        "ACCORD_INDEX_URL": "https://me:pw@default.example/simple",
    }
    (index,) = gather(environ).indexes
    assert (index.name, index.url, index.auth) == ("mine", "https://default.example/simple", ("me", "pw"))


def test_credentials_are_no_part_of_what_is_shown(nothing: dict[str, str]) -> None:
    environ = {**nothing, "ACCORD_INDEX_URL": "https://me:secret@default.example/simple"}
    settings = gather(environ)
    client = Client(environ={})
    sources = repositories(settings, client)
    assert "secret" not in repr(settings.indexes) + repr(sources.everything) + sources.everything[0].key
    assert credentials(settings, environ).known("https://default.example/simple/x/") == ("me", "secret")
    assert credentials(settings, environ).known("https://other.example/simple/x/") is None


def test_find_links_of_all_places_are_used_and_paths_are_absolute(
    nothing: dict[str, str], tmp_path: Path
) -> None:
    environ = {**nothing, "PIP_FIND_LINKS": "/pip https://links.example/page", "UV_FIND_LINKS": "/uv1,/uv2"}
    settings = gather(environ, ResolveSettings(find_links=["wheels", "file:///flag", "/pip"]))
    assert settings.find_links == (
        os.path.abspath("wheels"),
        "/flag",
        "/pip",
        "/uv1",
        "/uv2",
        "https://links.example/page",
    )


@pytest.mark.parametrize("variable", ["PIP_NO_INDEX", "UV_NO_INDEX", "ACCORD_NO_INDEX", "--no-index"])
def test_no_index_drops_every_index_and_keeps_the_folders(nothing: dict[str, str], variable: str) -> None:
    environ = {**nothing, "UV_INDEX": "https://x.example/simple", "PIP_FIND_LINKS": "/w"}
    flags = ResolveSettings(no_index=variable == "--no-index")
    if variable != "--no-index":
        environ[variable] = "1"
    settings = gather(environ, flags, assignments={"spam": "x"})
    assert (settings.indexes, settings.find_links, settings.assignments) == ((), ("/w",), {})


def test_assignments_come_from_projects_of_an_index_and_from_sources(nothing: dict[str, str]) -> None:
    tables = [
        {
            "name": "torch",
            "url": "https://torch.example/simple",
            "explicit": True,
            "projects": ["Torch", "torch_vision"],
        },
        {"name": "ours", "url": "https://ours.example/simple", "explicit": True},
    ]
    settings = gather(nothing, project_indexes=tables, assignments={"Spam.Eggs": "ours"})
    assert settings.assignments == {"torch": "torch", "torch-vision": "torch", "spam-eggs": "ours"}


def test_faults_are_named(nothing: dict[str, str], tmp_path: Path) -> None:
    assert code_of(nothing, assignments={"spam": "nowhere"}) == "index-unknown"
    twice = [{"name": "a", "url": "https://1.example"}, {"name": "a", "url": "https://2.example"}]
    assert code_of(nothing, project_indexes=twice) == "setting-invalid"
    assert (
        code_of(nothing, project_indexes=[{"url": "https://1.example", "projects": ["x"]}])
        == "setting-invalid"
    )
    assert code_of({**nothing, "UV_INDEX": "ftp://index.example"}) == "url-invalid"
    assert code_of({**nothing, "UV_HTTP_TIMEOUT": "soon"}) == "setting-invalid"
    assert code_of({**nothing, "UV_HTTP_TIMEOUT": "0"}) == "setting-invalid"
    assert code_of({**nothing, "PIP_NO_INDEX": "perhaps"}) == "setting-invalid"
    assert code_of(nothing, ResolveSettings(keyring_provider="magic")) == "setting-invalid"
    for broken in ("index = [", f"index = {'[' * 5000}{']' * 5000}"):
        (tmp_path / "config.toml").write_text(broken)
        assert code_of(nothing, config_dir=str(tmp_path)) == "config-invalid"
    (tmp_path / "config.toml").write_text("[index]\nurl = 1\n")
    assert code_of(nothing, config_dir=str(tmp_path)) == "setting-invalid"


def test_how_the_network_is_used_comes_from_the_same_places(nothing: dict[str, str], tmp_path: Path) -> None:
    environ = {
        **nothing,
        "PIP_DEFAULT_TIMEOUT": "180",
        "PIP_RETRIES": "7",
        "PIP_CERT": "/pip.pem",
        "PIP_PROXY": "http://proxy.example",
        "PIP_TRUSTED_HOST": "a.example b.example:8080",
        "PIP_CLIENT_CERT": "/client.pem",
        "PIP_KEYRING_PROVIDER": "disabled",
        "UV_CONCURRENT_DOWNLOADS": "9",
    }
    settings = gather(environ)
    http = settings.http
    assert (http.timeout, http.retries, http.connections) == (180.0, 7, 9)
    assert (http.ca_file, http.client_certificate, http.proxy) == (
        "/pip.pem",
        "/client.pem",
        "http://proxy.example",
    )
    assert (http.trusted_hosts, settings.keyring, http.offline) == (
        ("a.example", "b.example:8080"),
        "disabled",
        False,
    )
    stronger = {**environ, "UV_HTTP_TIMEOUT": "5", "SSL_CERT_FILE": "/ssl.pem", "UV_OFFLINE": "1"}
    assert gather(stronger).http.timeout == 5.0
    assert gather(stronger).http.ca_file == "/ssl.pem"
    assert gather(stronger).http.offline is True
    assert gather(stronger, ResolveSettings(cert="/flag.pem")).http.ca_file == "/flag.pem"
    assert gather({**nothing, "REQUESTS_CA_BUNDLE": str(tmp_path)}).http.ca_folder == str(tmp_path)


def test_paths_are_indexes_too(nothing: dict[str, str], tmp_path: Path) -> None:
    made = MadeUp()
    made.add("spam", *wheel("spam", "1.0"))
    simple = made.write(str(tmp_path))
    environ = {**nothing, "ACCORD_INDEX_URL": f"file://{simple}", "PIP_FIND_LINKS": str(tmp_path / "files")}
    with Client(environ={}) as client:
        sources = repositories(gather(environ), client)
        (index,) = sources.order("spam")
        assert isinstance(index, LocalIndex)
        page = index.page("spam", None, None).page
        assert page is not None
        assert [file.filename for file in page.files] == ["spam-1.0-py3-none-any.whl"]
        assert [file.filename for file in sources.overlay("spam")] == ["spam-1.0-py3-none-any.whl"]
        sources = repositories(gather({**environ, "PIP_NO_INDEX": "1"}), client)
        (folder,) = sources.everything
        assert isinstance(folder, FindLinks)


# ---------------------------------------------------------------- the default nobody wrote down


@pytest.fixture
def python_with_pip(tmp_path: Path) -> Iterator[Path]:
    """An "interpreter" that answers as one with a pip of another default would."""
    pip = tmp_path / "site" / "pip" / "__init__.py"
    pip.parent.mkdir(parents=True)
    pip.write_text("")
    program = tmp_path / "bin" / "python"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho run >> "{tmp_path}/runs"\ncat "{tmp_path}/answer"\n')
    program.chmod(0o755)
    (tmp_path / "answer").write_text(f"https://from-pip.example/simple\n{pip}\n")
    yield program


def test_the_default_of_the_pip_beside_the_interpreter_is_asked_once(
    nothing: dict[str, str], python_with_pip: Path, tmp_path: Path
) -> None:
    del nothing["ACCORD_INDEX_URL"]
    cache = str(tmp_path / "cache")
    for _ in range(3):
        settings = gather(nothing, python=str(python_with_pip), cache_dir=cache)
        assert urls(settings) == ["from-pip.example"]
    assert (tmp_path / "runs").read_text() == "run\n"


def test_it_is_asked_again_when_its_pip_changes(python_with_pip: Path, tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    default_index(str(python_with_pip), cache)
    (tmp_path / "site/pip/__init__.py").write_text("__version__ = 'other'\n")
    (tmp_path / "answer").write_text(f"https://changed.example/simple\n{tmp_path}/site/pip/__init__.py\n")
    assert default_index(str(python_with_pip), cache) == "https://changed.example/simple"


def test_an_interpreter_without_pip_is_remembered_until_a_folder_it_searches_changes(
    python_with_pip: Path, tmp_path: Path
) -> None:
    cache, site = str(tmp_path / "cache"), tmp_path / "site"
    (tmp_path / "answer").write_text(f"\n{site}\n")
    assert ask(str(python_with_pip), cache) is None
    assert ask(str(python_with_pip), cache) is None
    assert (tmp_path / "runs").read_text() == "run\n"
    (site / "pip-26.dist-info").mkdir()
    os.utime(site, (time.time() + 5, time.time() + 5))
    ask(str(python_with_pip), cache)
    assert (tmp_path / "runs").read_text() == "run\nrun\n"


def test_a_real_interpreter_has_a_real_answer(tmp_path: Path) -> None:
    pytest.importorskip("pip")
    from pip._internal.models.index import PyPI

    assert default_index(sys.executable, str(tmp_path)) == PyPI.simple_url


def test_without_any_pip_the_error_says_what_to_do(
    python_with_pip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "answer").write_text("\n/nowhere\n")
    monkeypatch.setattr(sys, "executable", str(python_with_pip))
    with pytest.raises(RepositoryError) as caught:
        default_index("/no/such/python", None)
    assert caught.value.code == "no-default-index"
    assert "ACCORD_INDEX_URL" in (caught.value.hint or "")


def test_a_damaged_or_unwritable_cache_only_costs_the_question(python_with_pip: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "interpreters-v1"
    cache.mkdir(parents=True)
    (cache / "default-indexes").write_bytes(b"\x00junk")
    assert default_index(str(python_with_pip), str(tmp_path / "cache")) == "https://from-pip.example/simple"
    (tmp_path / "file").write_text("")
    assert default_index(str(python_with_pip), str(tmp_path / "file")) == "https://from-pip.example/simple"


def test_settings_stay_cheap_enough_for_every_run(
    nothing: dict[str, str], python_with_pip: Path, tmp_path: Path
) -> None:
    """With only variables and one small pip.conf: under 5 ms, and nothing heavy imported."""
    import subprocess

    conf = tmp_path / "pip.conf"
    conf.write_text("[global]\nextra-index-url = file:///srv/a\nfind-links = /srv/w\n")
    environ = {**os.environ, **nothing, "PIP_CONFIG_FILE": str(conf)}
    del environ["ACCORD_INDEX_URL"]
    code = f"""
import os, sys, time
from accord.repositories.settings import index_settings
environ = dict(os.environ)
def once():
    start = time.process_time()
    index_settings(environ=environ, python={str(python_with_pip)!r}, cache_dir={str(tmp_path / "cache")!r})
    return time.process_time() - start
once()
before = set(sys.modules)
print(min(once() for _ in range(5)) * 1000)
heavy = {{"configparser", "tomllib", "urllib.parse", "re", "typing", "subprocess", "socket", "json", "pathlib", "dataclasses"}}
print(sorted(heavy & (set(sys.modules) - before)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    milliseconds, heavy = done.stdout.split("\n")[:2]
    assert float(milliseconds) < 5
    assert heavy == "[]"
