"""``accord publish`` with Upload 2.0, against an index that is served: whole releases, previews, and every way to stop."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accord.testing.serving import Served
from accord.testing.uploading import HttpUploader, make_release

Publish = Callable[..., Any]


def page(site: Served, name: str) -> list[str]:
    request = urllib.request.Request(
        f"{site.url}/simple/{name}/", headers={"accept": "application/vnd.pypi.simple.v1+json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return [file["filename"] for file in json.load(answer)["files"]]
    except urllib.error.HTTPError as refused:
        refused.close()
        return []


@pytest.fixture
def to_site(publish: Publish, site: Served, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """``accord publish`` to the index, with its token in the variable."""
    monkeypatch.setenv("ACCORD_PUBLISH_TOKEN", site.token)
    monkeypatch.setenv("ACCORD_PUBLISH_URL", f"{site.url}/legacy/")
    return publish


def test_a_release_is_published_whole(to_site: Publish, site: Served, tmp_path: Path) -> None:
    make_release(tmp_path, "whole")
    done = to_site("--json")
    assert done.status == 0, done.err
    [release] = json.loads(done.out)["releases"]
    assert (release["protocol"], release["state"], release["session"]) == ("2.0", "published", None)
    assert [file["state"] for file in release["files"]] == ["published", "published"]
    assert page(site, "whole") == ["whole-1.0-py3-none-any.whl", "whole-1.0.tar.gz"]


def test_the_same_again_is_no_change(to_site: Publish, site: Served, tmp_path: Path) -> None:
    make_release(tmp_path, "again")
    to_site()
    before = page(site, "again")
    done = to_site("--json")
    assert done.status == 0, done.err
    assert json.loads(done.out)["releases"][0]["state"] == "there"
    assert page(site, "again") == before


def test_other_bytes_under_a_used_name_stop_everything(
    to_site: Publish, site: Served, tmp_path: Path
) -> None:
    wheel, sdist = make_release(tmp_path, "used")
    assert to_site(str(wheel)).status == 0
    make_release(tmp_path, "used", content=b"value = 2\n")
    done = to_site()
    assert done.status == 1
    assert "publish-conflict" in done.err
    assert "the session was canceled: nothing was published" in done.err
    assert page(site, "used") == [wheel.name]
    done = to_site("--skip-existing")
    assert done.status == 0, done.err
    assert page(site, "used") == [wheel.name, sdist.name]


def test_a_preview_is_installed_then_published(to_site: Publish, site: Served, tmp_path: Path) -> None:
    make_release(tmp_path, "early")
    done = to_site("--preview", "--json")
    [release] = json.loads(done.out)["releases"]
    assert (done.status, release["state"]) == (0, "staged")
    assert page(site, "early") == []
    target = tmp_path / "target"
    pip = [sys.executable, "-m", "pip", "install", "--isolated", "-q", "--no-cache-dir", "-t", str(target)]
    pip += ["-i", f"{site.url}/simple/", "--extra-index-url", release["stage"], "early==1.0"]
    subprocess.run(pip, check=True, capture_output=True)
    assert (target / "early" / "__init__.py").is_file()
    accord = [sys.executable, "-m", "accord"]
    subprocess.run([*accord, "venv", "-q", "env"], check=True, capture_output=True)
    accord += ["pip", "install", "--env", "env", "-i", f"{site.url}/simple/", "--index", release["stage"]]
    subprocess.run([*accord, "early==1.0"], check=True, capture_output=True)
    subprocess.run(["env/bin/python", "-c", "import early"], check=True)
    done = to_site("--finish", release["session"])
    assert done.status == 0, done.err
    assert len(page(site, "early")) == 2


def test_a_preview_says_how_to_install_it(to_site: Publish, tmp_path: Path) -> None:
    make_release(tmp_path, "told")
    done = to_site("--preview")
    assert "pip install --extra-index-url http://" in done.out
    assert "uv pip install --index http://" in done.out
    assert "accord pip install --index http://" in done.out
    assert "accord publish --finish http://" in done.out
    assert to_site("--cancel", "told==1.0").status == 0


@pytest.mark.parametrize("how", ["url", "release"])
def test_a_preview_is_thrown_away(to_site: Publish, site: Served, tmp_path: Path, how: str) -> None:
    name = f"thrown{how}"
    make_release(tmp_path, name)
    [release] = json.loads(to_site("--preview", "--json").out)["releases"]
    done = to_site("--cancel", release["session"] if how == "url" else f"{name}==1.0")
    assert (done.status, "canceled" in done.out) == (0, True)
    assert page(site, name) == []
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(release["stage"], timeout=30)
    refused.value.close()
    assert (
        to_site("--cancel", f"{name}==1.0").status == 2
    )  # there is none any more, and none was left by asking
    assert to_site().status == 0


def test_an_open_session_is_not_taken_over_unasked(to_site: Publish, site: Served, tmp_path: Path) -> None:
    make_release(tmp_path, "open")
    session = HttpUploader(site.url, site.token).open("open")
    done = to_site()
    assert done.status == 1
    assert "publish-session-open" in done.err
    assert session["links"]["session"] in done.err
    assert "--resume" in done.err


def test_resuming_sends_only_what_is_missing_or_different(
    to_site: Publish, site: Served, tmp_path: Path
) -> None:
    wheel, sdist = make_release(tmp_path, "half", content=b"old = 1\n")
    upload = HttpUploader(site.url, site.token)
    session = upload.open("half")
    upload.put(session, wheel.name, wheel.read_bytes())
    wheel_before, link = wheel.read_bytes(), upload.call("GET", session["links"]["session"])[1]["files"]
    make_release(tmp_path, "half", content=b"new = 1\n")
    other, _ = wheel.read_bytes(), wheel.write_bytes(wheel_before)
    assert to_site("--resume", "--preview").status == 0
    files = upload.call("GET", session["links"]["session"])[1]["files"]
    assert files[wheel.name]["link"] == link[wheel.name]["link"]  # the same upload: it was not sent again
    wheel.write_bytes(other)
    assert to_site("--resume").status == 0
    with urllib.request.urlopen(f"{site.url}/files/half/{wheel.name}", timeout=30) as answer:
        assert answer.read() == other
    assert sdist.name in page(site, "half")


def test_what_others_put_into_the_session_is_told(to_site: Publish, site: Served, tmp_path: Path) -> None:
    wheel, sdist = make_release(tmp_path, "shared")
    upload = HttpUploader(site.url, site.token)
    upload.put(upload.open("shared"), sdist.name, sdist.read_bytes())
    done = to_site("--resume", str(wheel))
    assert done.status == 0, done.err
    assert f"published with these: {sdist.name}" in done.err
    assert page(site, "shared") == [sdist.name, wheel.name]


def test_ctrl_c_cancels_the_session_and_says_so(site: Served, tmp_path: Path) -> None:
    """In the middle of a file, of which no byte ever comes."""
    make_release(tmp_path, "stopped")
    slow = tmp_path / "slow.py"
    slow.write_text(
        "import sys, time\n"
        "from accord.publish.parcels import Parcel\n"
        "from accord.io.http.sending import Body\n"
        "def body(self, progress):\n"
        "    def pieces():\n"
        "        print('sending', flush=True)\n"
        "        time.sleep(600)\n"
        "        yield b''\n"
        "    return Body(self.size, pieces)\n"
        "Parcel.body = body\n"
        "from accord.cli.main import main\n"
        "sys.argv[1:] = ['publish', '--no-check', *sys.argv[1:]]\n"
        "main()\n"
    )
    environ = {**os.environ, "HOME": str(tmp_path), "ACCORD_PUBLISH_TOKEN": site.token}
    process = subprocess.Popen(
        [sys.executable, str(slow), "--index", f"{site.url}/legacy/"],
        cwd=tmp_path, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "sending\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT)
    assert "the session was canceled: nothing was published" in said
    assert HttpUploader(site.url, site.token).open("stopped")["status"] == "open"  # its place is free


def test_a_network_that_fails_leaves_the_session_to_go_on_with(
    tmp_path: Path, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_release(tmp_path, "lost")
    with Served(str(tmp_path / "data")) as own:
        monkeypatch.setenv("ACCORD_PUBLISH_TOKEN", own.token)
        monkeypatch.setenv("ACCORD_HTTP_TIMEOUT", "2")
        from accord.publish import sessions

        sent = sessions.upload

        def upload_then_die(*words: Any) -> str:
            found = sent(*words)
            own.kill()
            return found

        with monkeypatch.context() as patched:
            patched.setattr("accord.publish.sessions.upload", upload_then_die)
            done = publish("--index", f"{own.url}/legacy/")
        assert done.status == 1
        assert "nothing was published; the session stays open until" in done.err
        assert "--resume" in done.err
        own.start()
        done = publish("--index", f"{own.url}/legacy/", "--resume")
        assert done.status == 0, done.err
        assert len(page(own, "lost")) == 2


def test_a_session_that_is_gone_may_have_been_published(
    to_site: Publish, site: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PEP 694 "Session Status Retention": a 404 is no error in itself, the session no longer exists."""
    make_release(tmp_path, "retained")
    from accord.publish import sessions
    from accord.publish.desk import refusal

    sent = sessions.publish

    def publish_then_forget(desk: Any, session: Any, *, wait: bool) -> Any:
        sent(desk, session, wait=wait)
        gone = desk.ask("GET", f"{session.url}-gone", again=True)
        raise refusal(gone, "publish the release", session.url)

    monkeypatch.setattr("accord.publish.sessions.publish", publish_then_forget)
    done = to_site()
    assert done.status == 1
    assert "the session no longer exists" in done.err
    assert "it may be published" in done.err
    assert "stays open" not in done.err
    assert len(page(site, "retained")) == 2


@pytest.mark.parametrize(
    ("token", "code"), [("", "publish-unauthorized"), ("accord_00.AAAA", "publish-unauthorized")]
)
def test_who_is_not_known_is_told_what_to_do(
    publish: Publish, site: Served, tmp_path: Path, token: str, code: str
) -> None:
    make_release(tmp_path, "unknown")
    done = publish("--index", f"{site.url}/legacy/", *(("--token", token) if token else ()))
    assert done.status == 1
    assert code in done.err
    assert "ACCORD_PUBLISH_TOKEN" in done.err
    assert token == "" or token not in done.err + done.out


@pytest.mark.parametrize(
    "address", ["legacy/", "upload/", "simple/", "", "main/legacy/", "main/simple", "legacy"]
)
def test_any_address_of_the_index_leads_to_its_sessions(
    publish: Publish, site: Served, tmp_path: Path, address: str
) -> None:
    name = "at" + address.replace("/", "")
    make_release(tmp_path, name)
    done = publish("--json", "--index", f"{site.url}/{address}", "--token", site.token)
    assert done.status == 0, done.err
    assert json.loads(done.out)["releases"][0]["protocol"] == "2.0"


def test_several_releases_are_published_only_when_meant(
    to_site: Publish, site: Served, tmp_path: Path
) -> None:
    make_release(tmp_path, "many", "1.0")
    make_release(tmp_path, "many", "1.1")
    done = to_site()
    assert done.status == 2
    assert "publish-mixed" in done.err
    assert page(site, "many") == []
    assert to_site("--all").status == 0
    assert len(page(site, "many")) == 4


def test_what_accord_check_refuses_is_not_sent(to_site: Publish, site: Served, tmp_path: Path) -> None:
    wheel, _ = make_release(tmp_path, "unfit")
    wheel.write_bytes(wheel.read_bytes()[:-30])
    done = to_site("--no-check")
    assert done.status == 1  # it cannot even be read
    make_release(tmp_path, "unfit", content=b"value = 1\n")
    secret = tmp_path / "dist" / "unfit-1.0.tar.gz"
    secret.rename(tmp_path / "dist" / "unfit_-1.0.tar.gz")
    done = to_site()
    assert "publish-check-failed" in done.err
    assert page(site, "unfit") == []


def test_a_dry_run_asks_nobody(publish: Publish, tmp_path: Path) -> None:
    make_release(tmp_path, "dry")
    done = publish("--dry-run", "--index", "https://index.example/legacy/")
    assert done.status == 0, done.err
    assert "would be published" in done.out


def test_a_token_is_not_sent_where_everybody_can_read_it(publish: Publish, tmp_path: Path) -> None:
    make_release(tmp_path, "plain")
    done = publish("--index", "http://index.example/legacy/", "--token", "secret")
    assert done.status == 2
    assert "publish-insecure" in done.err


def test_nothing_to_publish_is_said(to_site: Publish, tmp_path: Path) -> None:
    assert "publish-nothing" in to_site().err
    (tmp_path / "x.txt").write_text("x")
    assert "publish-not-a-distribution" in to_site("x.txt").err
    assert "file-not-found" in to_site("dist/spam-1.0.tar.gz").err


@pytest.mark.parametrize("words", [("--finish", "a==1", "--cancel", "a==1"), ("--finish", "x"), ("--cancel", "a==1", "--preview")])  # fmt: skip
def test_words_that_do_not_go_together_are_a_usage_error(to_site: Publish, words: tuple[str, ...]) -> None:
    assert to_site(*words).status == 2


@pytest.mark.parametrize("place", ["netrc", "pypirc", "url", "twine", "uv", "stdin", "index"])
def test_a_secret_is_found_where_people_keep_it(
    publish: Publish, site: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    name = f"kept{place}"
    make_release(tmp_path, name)
    home = tmp_path / "home"
    home.mkdir()
    words = ["--index", f"{site.url}/legacy/"]
    if place == "netrc":
        (home / ".netrc").write_text(f"machine 127.0.0.1 login __token__ password {site.token}\n")
        (home / ".netrc").chmod(0o600)
    elif place == "pypirc":
        section = f"repository = {site.url}/legacy/\nusername = __token__\npassword = {site.token}\n"
        (home / ".pypirc").write_text(f"[distutils]\nindex-servers = ours\n\n[ours]\n{section}")
        words = []
    elif place == "url":
        words = ["--index", f"{site.url}/legacy/".replace("://", f"://__token__:{site.token}@")]
    elif place == "twine":
        monkeypatch.setenv("TWINE_USERNAME", "__token__")
        monkeypatch.setenv("TWINE_PASSWORD", site.token)
    elif place == "uv":
        monkeypatch.setenv("UV_PUBLISH_TOKEN", site.token)
    elif place == "stdin":
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{site.token}\n"))
        words += ["--token", "-"]
    else:
        table = f"[[tool.accord.index]]\nname = 'ours'\nurl = '{site.url}/simple/'\n"
        project = f"[project]\nname = '{name}'\nversion = '1.0'\n{table}publish-url = '{site.url}/legacy/'\n"
        (tmp_path / "pyproject.toml").write_text(project)
        monkeypatch.setenv("ACCORD_INDEX_OURS_USERNAME", "__token__")
        monkeypatch.setenv("ACCORD_INDEX_OURS_PASSWORD", site.token)
        words = []
    done = publish(*words)
    assert done.status == 0, done.err
    assert site.token not in done.out + done.err
    assert len(page(site, name)) == 2
