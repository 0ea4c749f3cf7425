"""A filtered mirror: what its rules take, what it fetches, and how it goes on after it was killed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from accord.server.database import tables
from accord.server.errors import Refused
from accord.server.mirror import syncing
from accord.server.mirror.rules import read_rules
from accord.testing.indexes import wheel
from accord.testing.loopback import Asked, reply
from accord.testing.serving import InProcess
from accord.testing.upstreams import JSON, Upstream, indexes_row, limits, make, names, page
from accord_core.errors import RepositoryError, UsageError

DAY = 86_400


def rule(index: InProcess, **document: Any) -> None:
    """Give the index ``cache`` rules, as the command does."""
    with index.parts.database.write("test") as writing:
        syncing.set_rules(writing, indexes_row(index), document)
    syncing.apply_rules(index.parts, indexes_row(index))


def sync(index: InProcess) -> dict[str, Any]:
    return syncing.sync(index.parts, indexes_row(index), connections=2, report=lambda _: None)


def test_names_outside_the_rules_are_asked_of_nobody(cache: InProcess, upstream: Upstream) -> None:
    upstream.add("spam")
    upstream.add("zope-event")
    upstream.add("eggs")
    rule(cache, names=["Spam", "zope.*"])
    assert page(cache, "spam").status == 200
    assert page(cache, "zope-event").status == 200
    assert page(cache, "eggs").status == 404
    assert upstream.targets() == ["/simple/spam/", "/simple/zope-event/"]


def test_versions_platforms_and_the_newest_ones(cache: InProcess, upstream: Upstream) -> None:
    for version in ("1.0", "2.0", "3.0", "3.1rc1", "4.0"):
        upstream.add("spam", version)
    for tag in ("cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-win_amd64"):
        filename, content = wheel("spam", "3.0", tag=tag)
        upstream.made.add("spam", filename, content)
    upstream.made.add("spam", "spam-3.0.tar.gz", b"sdist")
    rule(cache, versions={"spam": "<4"}, platforms=["any", "manylinux*_x86_64"], newest=2, sdists=False)
    assert names(page(cache)) == [
        "spam-2.0-py3-none-any.whl",
        "spam-3.0-py3-none-any.whl",
        "spam-3.0-cp311-cp311-manylinux_2_17_x86_64.whl",
    ]
    refused = cache.get("/cache/files/spam/spam-4.0-py3-none-any.whl")
    assert refused.status == 410
    assert "not among the versions <4" in refused.json()["detail"]


def test_a_young_file_is_served_when_it_is_old_enough_and_not_before(
    cache: InProcess, upstream: Upstream
) -> None:
    filename, _ = upstream.add()
    # 2026-09-21T14:13:20Z is the clock's now.
    upstream.made.files["spam"][0].upload_time = "2026-09-20T14:13:20Z"
    rule(cache, cooldown_days=7)
    assert names(page(cache)) == []
    assert cache.get(f"/cache/files/spam/{filename}").status == 410
    cache.clock.forward(6 * DAY - 1)
    assert names(page(cache)) == []
    cache.clock.forward(1)
    assert names(page(cache)) == [filename]


def test_a_file_whose_age_upstream_does_not_say_is_as_old_as_it_is_known_here(
    cache: InProcess, upstream: Upstream
) -> None:
    filename, _ = upstream.add()
    rule(cache, cooldown_days=2)
    assert names(page(cache)) == []
    cache.clock.forward(2 * DAY)
    assert names(page(cache)) == [filename]


def test_what_is_blocked_is_gone_at_once_even_without_upstream(tmp_path: Path) -> None:
    upstream = Upstream()
    with InProcess.open(str(tmp_path / "cache"), limits=limits()) as cache:
        with upstream.server:
            make(cache, "cache", upstream.url)
            good, _ = upstream.add("spam", "1.0")
            bad, _ = upstream.add("spam", "6.6.6")
            page(cache)
            assert cache.get(f"/cache/files/spam/{bad}").status == 200
        rule(cache, blocked=[{"name": "spam", "version": "==6.6.6", "reason": "malware"}])
        assert names(page(cache)) == [good]
        refused = cache.get(f"/cache/files/spam/{bad}")
        assert (refused.status, refused.json()["code"]) == (410, "file-blocked")
        assert "blocked: malware" in refused.json()["detail"]
        rule(cache, blocked=[{"name": "spam", "reason": "all of it"}])
        assert names(page(cache)) == []
        rule(cache)
        assert names(page(cache)) == [good, bad]


def test_a_sync_fetches_what_the_rules_let_through_and_nothing_twice(
    cache: InProcess, upstream: Upstream
) -> None:
    upstream.add("spam", metadata=b"Metadata-Version: 2.1\nName: spam\nVersion: 1.0\n")
    upstream.add("spam", "2.0")
    upstream.add("eggs")
    rule(cache, names=["spam", "eggs"], newest=1)
    first = sync(cache)
    assert (first["projects"], first["files"], first["fetched"], first["failed"]) == (2, 2, 2, {})
    assert first["withheld"] == {"not among the 1 newest versions": 1}
    asked = len(upstream.targets("/files/"))
    again = sync(cache)
    assert (again["files"], again["fetched"]) == (2, 0)
    assert len(upstream.targets("/files/")) == asked


def test_a_dry_run_enters_nothing_and_fetches_nothing(cache: InProcess, upstream: Upstream) -> None:
    _, content = upstream.add()
    told = syncing.plan(cache.parts, indexes_row(cache), {"names": ["spam"]}, report=lambda _: None)
    assert (told["projects"], told["fetched"], told["fetched_bytes"]) == (1, 1, len(content))
    assert upstream.targets("/files/") == []
    assert cache.get("/cache/simple/", accept="application/vnd.pypi.simple.v1+json").json()["projects"] == []


def test_the_requirements_of_a_mirror_bring_what_they_need(cache: InProcess, upstream: Upstream) -> None:
    def add(name: str, version: str, *requires: str) -> None:
        filename, content = wheel(name, version, requires=requires)
        lines = [f"Requires-Dist: {each}" for each in requires]
        metadata = "\n".join(["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *lines, ""])
        upstream.made.add(name, filename, content, metadata=metadata.encode())

    add(
        "spam",
        "1.0",
        "eggs>=2",
        'ham; extra == "grill"',
        'tomli; python_version < "3.11"',
        'no; extra == "x"',
    )
    add("eggs", "1.0")
    add("eggs", "2.0", "spam")  # a circle
    add("ham", "1.0")
    add("tomli", "1.0")
    add("no", "1.0")
    add("other", "1.0")
    rule(cache, requirements=["Spam[grill]"])
    told = sync(cache)
    assert (told["projects"], told["fetched"], told["failed"], told["unknown"]) == (4, 4, {}, {})
    assert names(page(cache, "eggs")) == ["eggs-2.0-py3-none-any.whl"]
    for name, status in (("ham", 200), ("tomli", 200), ("no", 404), ("other", 404)):
        assert page(cache, name).status == status, name


def test_what_a_lock_names_is_had_with_its_hash_and_nothing_else(
    cache: InProcess, upstream: Upstream
) -> None:
    good, content = upstream.add()
    upstream.add("spam", "2.0")
    changed, _ = upstream.add("eggs")
    digest = hashlib.sha256(content).hexdigest()
    rule(cache, files={"spam": {good: digest}, "eggs": {changed: "0" * 64}})
    assert sync(cache)["fetched"] == 1
    assert names(page(cache)) == [good]
    assert names(page(cache, "eggs")) == []
    assert "another hash" in cache.get(f"/cache/files/eggs/{changed}").json()["detail"]


@pytest.mark.parametrize(
    "document",
    [
        {"nmaes": []},
        {"newest": 0},
        {"newest": "3"},
        {"cooldown_days": -1},
        {"names": "spam"},
        {"versions": {"spam": "two"}},
        {"blocked": [{"reason": "x"}]},
    ],
)
def test_rules_nobody_can_follow_are_refused(document: dict[str, Any]) -> None:
    with pytest.raises(Refused) as fault:
        read_rules(document)
    assert fault.value.code == "mirror-rules"


@pytest.mark.slow
def test_a_mirror_that_was_killed_goes_on_where_it_was(tmp_path: Path, upstream: Upstream) -> None:
    folder = str(tmp_path / "data")
    contents = {f"p{number}": upstream.add(f"p{number}") for number in range(12)}
    gate = threading.Event()

    def half(asked: Asked) -> bytes | None:
        if len(upstream.targets("/files/")) > 5:
            gate.wait(30)
        found = upstream.made.contents.get(asked.target.rpartition("/")[2])
        return reply(status=404) if found is None else reply(found)

    upstream.instead["/files/"] = half
    with InProcess.open(folder) as index:
        make(index, "cache", upstream.url)
    command = [sys.executable, "-m", "accord", "--json", "index", "mirror", "cache", "--data", folder]
    names_of = [word for name in contents for word in ("--name", name)]
    with open(tmp_path / "log", "wb") as log:
        running = subprocess.Popen([*command, *names_of, "--connections", "1"], stdout=log, stderr=log)
        end = time.monotonic() + 60
        while len(upstream.targets("/files/")) < 6:
            assert time.monotonic() < end
            time.sleep(0.05)
        os.kill(running.pid, signal.SIGKILL)
        running.wait(30)
    gate.set()
    del upstream.instead["/files/"]
    done = subprocess.run(command, check=True, capture_output=True, timeout=120)
    told = json.loads(done.stdout)
    assert told["files"] == 12
    assert told["failed"] == {}
    assert 7 <= told["fetched"] <= 8  # the one in hand is begun again; what was stored is not asked for
    with InProcess.open(folder) as index:
        for name, (filename, content) in contents.items():
            assert index.get(f"/cache/files/{name}/{filename}").body == content


def test_the_command_keeps_rules_and_says_what_it_did(tmp_path: Path, upstream: Upstream) -> None:
    from accord.tasks import index_upstream
    from accord.tasks.index_folder import Place

    folder = str(tmp_path / "data")
    with InProcess.open(folder):
        pass
    place = Place(folder)
    index_upstream.create_upstream(place, "cache", upstream.url, title="", public=True, rules={})
    with pytest.raises(UsageError, match="password"):
        index_upstream.create_upstream(
            place, "other", "https://ada:secret@index.example/simple", title="", public=True, rules={}
        )
    _, content = upstream.add()
    upstream.add("spam", "6.6.6")

    def mirror(wanted: index_upstream.Wanted, **options: Any) -> dict[str, Any]:
        given = {"anew": False, "fetch": True, "dry_run": False, "connections": 2, **options}
        return index_upstream.mirror(place, "cache", wanted, report=lambda _: None, **given)

    told = mirror(index_upstream.Wanted(names=("spam",), blocks=("spam==6.6.6",), reason="malware"))
    assert (told["fetched"], told["fetched_bytes"]) == (1, len(content))
    assert told["withheld"] == {"blocked: malware": 1}
    state = index_upstream.status(place)["cache"]
    assert (state["files"], state["bytes"]) == (1, len(content))
    assert [each["reason"] for each in state["blocked"]] == ["blocked: malware"]
    assert mirror(index_upstream.Wanted(unblocks=("spam",)))["fetched"] == 1
    assert index_upstream.refresh(place, "cache", (), retry=False)["refreshed"] == ["spam"]
    with pytest.raises(UsageError) as fault:
        index_upstream.refresh(place, "main", (), retry=False)
    assert fault.value.code == "index-not-upstream"


def test_a_pattern_is_held_against_the_list_of_upstream(cache: InProcess, upstream: Upstream) -> None:
    for name in ("zope-event", "zope-interface", "zopfli"):
        upstream.made.add(name, *wheel(name.replace("-", "_"), "1.0"))
    links = "".join(f'<a href="{name}/">{name}</a>' for name in upstream.made.files)
    page_of = upstream.made.answer

    def answer(asked: Asked) -> bytes | None:
        if asked.target == "/simple/":
            return reply(f"<html><body>{links}</body></html>".encode(), headers={"Content-Type": "text/html"})
        return page_of(asked)

    upstream.instead["/simple/"] = answer
    rule(cache, names=["zope.*"])
    told = sync(cache)
    assert (told["fetched"], told["failed"]) == (2, {})
    assert page(cache, "zope-event").status == 200
    assert page(cache, "zopfli").status == 404


MANY = 1_000_000


def list_of(upstream: Upstream, number: int) -> int:
    """Upstream's list has so many projects more, one of which is there; the size of its page."""
    upstream.made.add("zope-event", *wheel("zope_event", "1.0"))
    each = ",".join(f'{{"name":"project-{one:07}"}}' for one in range(number))
    body = f'{{"meta":{{"api-version":"1.0"}},"projects":[{each},{{"name":"zope-event"}}]}}'.encode()
    page_of = upstream.made.answer

    def answer(asked: Asked) -> bytes | None:
        return reply(body, headers={"Content-Type": JSON}) if asked.target == "/simple/" else page_of(asked)

    upstream.instead["/simple/"] = answer
    return len(body)


@pytest.mark.slow
def test_a_list_of_a_million_names_is_looked_through(cache: InProcess, upstream: Upstream) -> None:
    """As many as the limit names; nothing is entered of those the pattern does not fit."""
    assert limits().mirror_projects >= MANY
    list_of(upstream, MANY)
    rule(cache, names=["zope.*"])
    told = sync(cache)
    assert (told["fetched"], told["failed"]) == (1, {})
    assert upstream.targets("/simple/p") == []
    with cache.parts.database.read() as connection:
        known = connection.execute(select(func.count()).select_from(tables.project)).scalar_one()
    assert known == 1


@pytest.mark.parametrize(("spare", "fits"), [(0, True), (-1, False)])
def test_a_list_of_names_is_read_to_its_limit_and_not_a_byte_further(
    tmp_path: Path, upstream: Upstream, spare: int, fits: bool
) -> None:
    size = list_of(upstream, 1_000)
    with InProcess.open(str(tmp_path), limits=limits(upstream_page_bytes=size + spare)) as cache:
        make(cache, "cache", upstream.url)
        rule(cache, names=["zope.*"])
        if fits:
            assert sync(cache)["fetched"] == 1
        else:
            with pytest.raises(RepositoryError) as fault:
                sync(cache)
            assert fault.value.code == "answer-too-large"
