"""The past of an index with an upstream: what it showed then, whatever upstream has deleted, added or changed since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accord.server.mirror.leaving import prune
from accord.server.mirror.report import status
from accord.server.mirror.syncing import apply_rules, set_rules
from accord.server.upkeep.fsck import check
from accord.testing.attestations import attestation, provenance
from accord.testing.indexes import wheel
from accord.testing.loopback import reply
from accord.testing.serving import InProcess, Reply, Served, basic
from accord.testing.upstreams import (
    JSON,
    Upstream,
    indexes_row,
    limits,
    make,
    names,
    page,
    pip,
    serving,
    stack,
)

ONE, TWO = "spam-1.0-py3-none-any.whl", "spam-2.0-py3-none-any.whl"


class Told:
    """An index before an upstream, and what it said."""

    def __init__(self, index: InProcess, upstream: Upstream) -> None:
        self.index = index
        self.upstream = upstream

    def now(self) -> int:
        """Look at upstream's page again; the serial of what is said then."""
        self.index.clock.forward(601)
        page(self.index)
        return self.index.parts.database.serial()

    def then(self, serial: int, at: str = "/cache") -> list[str]:
        found = self._page(serial, at)
        return names(found) if found.status == 200 else []

    def file(self, serial: int) -> dict[str, Any]:
        [found] = self._page(serial, "/cache").json()["files"]
        assert isinstance(found, dict)
        return found

    def get(self, serial: int, filename: str) -> Reply:
        return self.index.get(f"/cache/@{serial}/files/spam/{filename}")

    def _page(self, serial: int, at: str) -> Reply:
        return self.index.get(f"{at}/@{serial}/simple/spam/", accept=JSON)

    def lose(self, *filenames: str) -> None:
        files = self.upstream.made.files["spam"]
        files[:] = [file for file in files if file.filename not in filenames]


@pytest.fixture
def told(tmp_path: Path, upstream: Upstream, database_url: str) -> Iterator[Told]:
    with InProcess.open(str(tmp_path / "cache"), limits=limits(), database=database_url) as cache:
        make(cache, "cache", upstream.url)
        yield Told(cache, upstream)


# -------------------------------------------------------------------------------------------- exact, as we saw it


def test_what_upstream_deleted_and_added_since_changes_nothing_of_the_past(told: Told) -> None:
    stack(told.index, "team", "cache")
    _, content = told.upstream.add()
    first = told.now()
    assert told.index.get(f"/cache/files/spam/{ONE}").body == content
    told.lose(ONE)
    second = told.now()
    told.upstream.add("spam", "2.0")
    third = told.now()
    assert (names(page(told.index)), told.then(third)) == ([TWO], [TWO])
    assert told.then(second) == []
    for at in ("/cache", "/team"):
        assert told.then(first, at) == [ONE]
    found = told.get(first, ONE)
    assert (found.status, found.body) == (200, content)
    assert told.index.get(f"/team/@{first}/files/spam/{ONE}").body == content
    # The present does not give it, nor does a moment that did not have it.
    assert told.index.get(f"/cache/files/spam/{ONE}").status == 410
    assert told.get(second, ONE).status == told.get(third, ONE).status == 410
    assert told.get(first, TWO).status == 404
    assert "_withdrawn" in page(told.index).json()


def test_a_file_that_came_and_went_was_there_when_it_was(told: Told) -> None:
    _, content = told.upstream.add()
    serials = [told.now()]
    told.index.get(f"/cache/files/spam/{ONE}")
    for there in (False, True, False, True):
        told.lose(ONE)
        if there:
            told.upstream.made.add("spam", ONE, content)
        serials.append(told.now())
    assert [told.then(serial) for serial in serials] == [[ONE], [], [ONE], [], [ONE]]
    assert [told.get(serial, ONE).status for serial in serials] == [200, 404, 200, 404, 200]


def test_yanks_python_versions_and_times_were_what_they_were(told: Told) -> None:
    told.upstream.add()
    file = told.upstream.made.files["spam"][0]
    keys = ("yanked", "requires-python", "upload-time")
    changes: list[dict[str, Any]] = [
        {"requires_python": ">=3.8", "upload_time": "2024-01-01T00:00:00.000000Z"},
        {"requires_python": ">=3.9"},
        {"yanked": True, "yank_reason": "broken"},
        {"yank_reason": "very broken", "requires_python": None},
        {"yanked": False, "yank_reason": None, "upload_time": "2024-01-02T00:00:00.000000Z"},
    ]
    said: dict[int, dict[str, Any]] = {}
    for change in changes:
        for name, value in change.items():
            setattr(file, name, value)
        serial = told.now()
        said[serial] = page(told.index).json()["files"][0]
    assert len(said) == len(changes)
    for serial, expected in said.items():
        then = told.file(serial)
        assert {key: then.get(key) for key in keys} == {key: expected.get(key) for key in keys}


def test_what_newer_versions_pushed_out_of_a_mirror_stands_in_its_past(
    tmp_path: Path, upstream: Upstream
) -> None:
    with InProcess.open(str(tmp_path / "x"), limits=limits()) as index:
        make(index, "cache", upstream.url, filter={"newest": 1})
        told = Told(index, upstream)
        _, content = upstream.add()
        first = told.now()
        index.get(f"/cache/files/spam/{ONE}")
        upstream.add("spam", "2.0")
        told.now()
        assert names(page(index)) == [TWO]
        assert told.then(first) == [ONE]
        assert told.get(first, ONE).body == content


def test_a_project_that_is_gone_upstream_stands_in_the_past(told: Told) -> None:
    _, content = told.upstream.add()
    first = told.now()
    told.index.get(f"/cache/files/spam/{ONE}")
    del told.upstream.made.files["spam"]
    later = told.now()
    assert names(page(told.index)) == told.then(later) == []
    assert told.then(first) == [ONE]
    assert told.get(first, ONE).body == content


def test_bytes_that_are_not_here_are_asked_of_upstream_which_may_still_have_them(told: Told) -> None:
    _, content = told.upstream.add()
    first = told.now()
    told.lose(ONE)
    told.now()
    assert told.then(first) == [ONE]  # it was said
    there = told.upstream.made.contents.pop(ONE)
    refused = told.get(first, ONE)
    assert (refused.status, refused.json()["code"]) == (503, "upstream-unavailable")
    told.upstream.made.contents[ONE] = there
    assert told.get(first, ONE).body == content
    assert told.index.get(f"/cache/files/spam/{ONE}").status == 410


def test_provenance_stands_in_the_past_as_well(tmp_path: Path, upstream: Upstream) -> None:
    _, content = upstream.add()
    body = provenance(attestation(ONE, content))
    upstream.made.files["spam"][0].provenance = f"{upstream.server.url}/evidence"
    upstream.instead["/evidence"] = lambda _: reply(body)
    address = "https://packages.example"
    with InProcess.open(str(tmp_path / "x"), limits=limits(), public_url=address) as index:
        make(index, "cache", upstream.url)
        told = Told(index, upstream)
        first = told.now()
        url = page(index).json()["files"][0]["provenance"]
        assert index.get(url.removeprefix(address)).body == body
        told.lose(ONE)
        told.now()
        url = told.file(first)["provenance"]
        assert url == f"{address}/cache/@{first}/integrity/spam/1.0/{ONE}/provenance"
        assert index.get(url.removeprefix(address)).body == body
        assert index.get(f"/cache/integrity/spam/1.0/{ONE}/provenance").status == 410


@pytest.mark.slow
def test_an_old_lock_installs_again_from_the_past_though_upstream_deleted_the_file(tmp_path: Path) -> None:
    upstream = Upstream()
    with upstream.server:
        _, content = upstream.add()
        served = serving(tmp_path, upstream)
        with served:
            assert pip(served, tmp_path / "one", "spam") == 0
        digest = hashlib.sha256(content).hexdigest()
        lock = tmp_path / "requirements.txt"
        lock.write_text(f"spam==1.0 --hash=sha256:{digest}\n")
        upstream.made.files["spam"].clear()
        upstream.add("spam", "2.0")
        with InProcess.open(served.folder) as index:
            serial = index.parts.database.serial()
            index.clock.at = 1_900_000_000_000_000
            assert names(page(index)) == [TWO]
    with served:
        words = ("--require-hashes", "-r", str(lock))
        assert pip(served, tmp_path / "two", *words) == 1
        past = f"{served.url}/cache/@{serial}/simple/"
        assert pip(served, tmp_path / "three", "--index-url", past, *words) == 0
        assert (tmp_path / "three" / "spam").is_dir()


# ----------------------------------------------------------------------------- what is not given out of the past


def _block(told: Told) -> None:
    index = indexes_row(told.index)
    with told.index.parts.database.write("operator") as writing:
        rules = {"blocked": [{"name": "spam", "version": "==1.0", "reason": "malware"}]}
        index = set_rules(writing, index, rules)
    apply_rules(told.index.parts, index)


def _quarantine(told: Told) -> None:
    told.upstream.made.status["spam"] = ("quarantined", "malware")
    told.upstream.made.files["spam"].clear()
    told.now()


def _quarantine_then_gone(told: Told) -> None:
    _quarantine(told)
    del told.upstream.made.files["spam"]
    told.now()


def _quarantine_with_its_files_then_gone(told: Told) -> None:
    told.upstream.made.status["spam"] = ("quarantined", "malware")
    told.now()
    del told.upstream.made.status["spam"]
    del told.upstream.made.files["spam"]
    told.now()


def _quarantine_then_the_rest_is_back(told: Told) -> None:
    _quarantine(told)
    del told.upstream.made.status["spam"]
    told.upstream.add("spam", "2.0")
    told.now()


def _withdrawn_upstream(told: Told) -> None:
    told.lose(ONE)
    document = {
        "meta": {"api-version": "1.5"},
        "name": "spam",
        "versions": ["1.0"],
        "files": [],
        "_withdrawn": [{"filename": ONE, "version": "1.0", "cause": "safety", "reason": "malware"}],
    }
    told.upstream.instead["/simple/"] = lambda _: reply(
        json.dumps(document).encode(), headers={"Content-Type": JSON}
    )
    told.now()


def _other_bytes(told: Told) -> None:
    told.lose(ONE)
    told.upstream.made.add("spam", ONE, b"other")
    told.now()


FORBIDDEN: dict[str, Callable[[Told], None]] = {
    "blocked by the operator": _block,
    "in quarantine": _quarantine,
    "in quarantine, then gone": _quarantine_then_gone,
    "in quarantine with its files, then gone": _quarantine_with_its_files_then_gone,
    "gone with a quarantine": _quarantine_then_the_rest_is_back,
    "withdrawn upstream for a cause": _withdrawn_upstream,
    "other bytes upstream": _other_bytes,
}


@pytest.mark.parametrize("why", FORBIDDEN)
def test_what_is_dangerous_is_not_given_out_of_the_past(told: Told, why: str) -> None:
    told.upstream.add()
    first = told.now()
    assert told.index.get(f"/cache/files/spam/{ONE}").status == 200
    FORBIDDEN[why](told)
    assert told.then(first) == []
    assert told.get(first, ONE).status in (403, 404, 410)
    # Nor later, when upstream does not speak of it any more.
    told.upstream.instead.clear()
    told.upstream.made.files["spam"] = []
    told.now()
    assert told.then(first) == []
    assert told.get(first, ONE).status in (403, 404, 410)


def test_what_left_upstream_can_be_blocked_afterwards_and_unblocked(told: Told) -> None:
    _, content = told.upstream.add()
    first = told.now()
    told.index.get(f"/cache/files/spam/{ONE}")
    told.lose(ONE)
    told.now()
    assert told.then(first) == [ONE]
    _block(told)
    assert told.then(first) == []
    assert told.get(first, ONE).status == 410
    assert "blocked: malware" in told.get(first, ONE).json()["detail"]
    index = indexes_row(told.index)
    with told.index.parts.database.write("operator") as writing:
        index = set_rules(writing, index, {})
    apply_rules(told.index.parts, index)
    assert told.then(first) == [ONE]
    assert told.get(first, ONE).body == content


def test_a_mirror_of_a_server_of_ours_honours_what_that_withdrew_in_its_past(
    tmp_path: Path, upstream: Upstream
) -> None:
    (tmp_path / "origin").mkdir()
    with (
        Served(str(tmp_path / "origin" / "data")) as origin,
        InProcess.open(str(tmp_path / "cache"), limits=limits()) as there,
    ):
        name, content = wheel("spam", "1.0")
        assert origin.upload(name, content).status == 200
        make(there, "cache", f"{origin.url}/simple")
        told = Told(there, upstream)
        first = told.now()
        assert there.get(f"/cache/files/spam/{name}").body == content
        assert told.then(first) == [name]
        body = json.dumps({"version": "1.0", "cause": "safety", "reason": "malware"}).encode()
        headers = {"content-type": "application/json", **basic(origin.token)}
        target = "/api/indexes/main/projects/spam/withdraw"
        assert origin.request("POST", target, headers, body).status == 201
        told.now()
        assert told.then(first) == []
        refused = told.get(first, name)
        assert refused.status == 410
        assert "upstream withdrew it (safety): malware" in refused.json()["detail"]


# --------------------------------------------------------------------------------------------------- its bounds


def test_what_is_gone_for_too_long_is_given_up_with_its_bytes(
    tmp_path: Path, upstream: Upstream, database_url: str
) -> None:
    options = {"limits": limits(upstream_gone_seconds=86_400), "database": database_url}
    with InProcess.open(str(tmp_path / "x"), **options) as index:
        make(index, "cache", upstream.url)
        told = Told(index, upstream)
        _, content = upstream.add()
        digest = hashlib.sha256(content).hexdigest()
        first = told.now()
        index.get(f"/cache/files/spam/{ONE}")
        told.lose(ONE)
        told.now()
        index.clock.forward(86_399)
        assert prune(index.parts) == 0
        assert told.then(first) == [ONE]
        index.clock.forward(1)
        assert prune(index.parts) == 1
        assert prune(index.parts) == 0
        assert told.then(first) == []
        assert index.parts.storage.size(digest) is None
        assert check(index.parts, digests=True) == ()
        # It may come back, and is fetched anew.
        upstream.made.add("spam", ONE, content)
        told.now()
        assert names(page(index)) == [ONE]
        assert index.get(f"/cache/files/spam/{ONE}").body == content


def test_a_project_s_past_has_so_many_files_that_are_gone_the_latest(
    tmp_path: Path, upstream: Upstream
) -> None:
    with InProcess.open(str(tmp_path / "x"), limits=limits(upstream_gone_files=2)) as index:
        make(index, "cache", upstream.url)
        told = Told(index, upstream)
        for number in range(4):
            upstream.add("spam", f"{number}.0")
        first = told.now()
        every = told.then(first)
        for filename in every[:3]:
            told.lose(filename)
            told.now()
        assert prune(index.parts) == 1
        assert told.then(first) == every[1:]


def test_a_cache_with_files_that_are_not_here_is_whole_for_fsck(told: Told) -> None:
    told.upstream.add()
    told.upstream.add("spam", "2.0", metadata=b"Metadata-Version: 2.1\nName: spam\nVersion: 2.0\n")
    told.now()
    assert check(told.index.parts, digests=True) == ()
    assert status(told.index.parts)["cache"]["files"] == 0
