"""Several indexes: stacks, names that never mix, promotion of a release, namespaces."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

import pytest

from accord.server.limits import DEFAULT
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.people import call, give, hide, person, put, wheel
from accord.testing.serving import basic

if TYPE_CHECKING:
    from accord.testing.serving import InProcess, Reply

JSON = "application/vnd.pypi.simple.v1+json"


def make(index: InProcess, name: str, *bases: str, **options: Any) -> None:
    made = call(index, "POST", "/api/indexes", {"name": name, "bases": list(bases), **options})
    assert made.status == 201, made.text


def stack(index: InProcess, name: str, token: str | None = None, **options: Any) -> Reply:
    return call(index, "PUT", f"/api/indexes/{name}/stack", options, token)


def code(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json().get("code", "")


def read(index: InProcess, path: str, token: str | None = None) -> Reply:
    return index.request("GET", path, {"accept": JSON, **(basic(token) if token else {})})


def files(index: InProcess, of: str, project: str = "spam", token: str | None = None) -> list[str]:
    found = read(index, f"/{of}/simple/{project}/", token)
    if found.status in (401, 404):
        return []
    assert found.status == 200, found.text
    return [file["filename"] for file in found.json()["files"]]


def names(index: InProcess, of: str, token: str | None = None) -> list[str]:
    found = read(index, f"/{of}/simple/", token)
    assert found.status == 200, found.text
    return [project["name"] for project in found.json()["projects"]]


ONE, TWO = wheel()[0], wheel(version="2.0")[0]


# ---------------------------------------------------------------------------------------------------- stacks


def test_a_stack_has_what_its_indexes_have_and_files_come_through_it(index: InProcess) -> None:
    make(index, "company", "main")
    make(index, "team", "company")
    put(index)
    put(index, "eggs", to="company")
    put(index, "ham", to="team")
    assert names(index, "team") == ["eggs", "ham", "spam"]
    assert names(index, "company") == ["eggs", "spam"]
    for project in ("spam", "eggs", "ham"):
        (file,) = files(index, "team", project)
        assert index.get(f"/team/files/{project}/{file}").body == wheel(project)[1]
    put(index, "tea", to="company")  # the list of the stack knows at once
    assert names(index, "team") == ["eggs", "ham", "spam", "tea"]


def test_a_name_belongs_to_the_first_index_that_has_it(index: InProcess) -> None:
    make(index, "team", "main")
    put(index, version="2.0")
    assert files(index, "team") == [TWO]
    put(index, to="team")  # what the first index gets hides the other at once, also from the shelf
    assert files(index, "team") == [ONE]
    assert index.get(f"/team/files/spam/{TWO}").status == 404
    assert names(index, "team") == ["spam"]
    assert files(index, "main") == [TWO]


def test_a_name_whose_files_are_gone_stays_its_index_s(index: InProcess) -> None:
    make(index, "team", "main")
    put(index, version="2.0")
    put(index, to="team")
    project = "/api/indexes/team/projects/spam"
    assert call(index, "PUT", f"{project}/status", {"status": "quarantined"}).status == 200
    assert files(index, "team") == []
    assert index.get(f"/team/files/spam/{TWO}").status == 404
    call(index, "PUT", f"{project}/status", {"status": "active"})
    call(index, "POST", f"{project}/withdraw", {"version": "1.0", "cause": "safety", "reason": "x"})
    assert files(index, "team") == []


def test_names_mix_only_where_the_asked_index_lists_them(index: InProcess) -> None:
    make(index, "team", "main")
    put(index)
    put(index, version="2.0")
    put(index, "eggs", version="2.0")
    other = zip_bytes(wheel_parts({"spam/__init__.py": b"value = 2\n"}))
    assert index.upload(ONE, other, index="team").status == 200
    put(index, "eggs", to="team")
    assert files(index, "team") == [ONE]
    assert stack(index, "team", mix=["Spam"]).json()["mix"] == ["spam"]
    assert files(index, "team") == [ONE, TWO]
    assert index.get(f"/team/files/spam/{ONE}").body == other  # the first index's
    assert index.get(f"/team/files/spam/{TWO}").status == 200
    assert read(index, "/team/simple/spam/").json()["versions"] == ["1.0", "2.0"]
    assert files(index, "team", "eggs") == [wheel("eggs")[0]]
    make(index, "lab", "team")  # what a base mixes, whoever builds on it does not
    assert files(index, "lab") == [ONE]
    assert stack(index, "team", mix=[]).status == 200
    assert files(index, "team") == [ONE]


def test_every_page_of_a_name_that_mixes_shows_what_the_simple_page_shows(index: InProcess) -> None:
    make(index, "team", "main")
    put(index)
    index.clock.forward(60)
    put(index, version="2.0")
    index.clock.forward(60)
    other = zip_bytes(wheel_parts({"spam/__init__.py": b"value = 2\n"}))
    assert index.upload(ONE, other, index="team").status == 200
    index.clock.forward(60)
    put(index, version="0.5", to="team")
    assert stack(index, "team", mix=["spam"]).status == 200
    shown = read(index, "/team/simple/spam/").json()
    found = index.get("/team/pypi/spam/json").json()
    assert list(found["releases"]) == shown["versions"] == ["0.5", "1.0", "2.0"]
    told = {
        file["filename"]: file["digests"]["sha256"] for each in found["releases"].values() for file in each
    }
    assert told == {file["filename"]: file["hashes"]["sha256"] for file in shown["files"]}
    assert found["info"]["version"] == "2.0"
    assert [file["filename"] for file in found["urls"]] == [TWO]
    assert found["last_serial"] == shown["meta"]["_last-serial"]
    for each in (file for files in found["releases"].values() for file in files):
        assert index.get(each["url"].removeprefix("http://index.example")).status == 200
    one = index.get("/team/pypi/spam/1.0/json").json()
    assert one["urls"][0]["digests"]["sha256"] == hashlib.sha256(other).hexdigest()
    assert index.get("/team/pypi/spam/2.0/json").json()["info"]["version"] == "2.0"
    titles = re.findall("<item>\n<title>(.*)</title>", index.get("/team/rss/project/spam/releases.xml").text)
    assert titles == ["0.5", "1.0", "2.0"]  # newest first; 1.0 is the first index's
    stack(index, "team", mix=[])
    assert list(index.get("/team/pypi/spam/json").json()["releases"]) == ["0.5", "1.0"]


def test_what_is_withdrawn_from_any_index_that_mixes_is_told(index: InProcess) -> None:
    make(index, "team", "main")
    put(index, version="2.0")
    put(index, to="team")
    stack(index, "team", mix=["spam"])
    gone = {"version": "2.0", "cause": "safety", "reason": "x"}
    call(index, "POST", "/api/indexes/main/projects/spam/withdraw", gone)
    assert index.get("/team/pypi/spam/2.0/json").json()["withdrawn"][0]["filename"] == TWO


def test_bases_change_and_every_page_knows_at_once(index: InProcess) -> None:
    make(index, "other")
    make(index, "team", "main")
    make(index, "lab", "team")
    put(index)
    put(index, version="2.0", to="other")
    for of in ("team", "lab"):
        assert files(index, of) == [ONE]
    assert stack(index, "team", bases=["other", "main"]).json()["bases"] == ["other", "main"]
    for of in ("team", "lab"):
        assert files(index, of) == [TWO]
    stack(index, "team", bases=[])
    for of in ("team", "lab"):
        assert files(index, of) == []
        assert names(index, of) == []


def test_an_index_does_not_build_on_itself_whatever_the_way(index: InProcess) -> None:
    make(index, "company", "main")
    make(index, "team", "company")
    for name, base in (("main", "main"), ("main", "team"), ("company", "team")):
        assert code(stack(index, name, bases=[base])) == (409, "index-cycle")
    assert stack(index, "team", bases=["main", "company", "main"]).json()["bases"] == ["main", "company"]


def test_a_stack_is_deep_at_its_limit_and_no_deeper(index: InProcess) -> None:
    for number in range(1, DEFAULT.stack_indexes):
        make(index, f"i{number}", "main" if number == 1 else f"i{number - 1}")
    make(index, "last")
    assert code(stack(index, "last", bases=[f"i{DEFAULT.stack_indexes - 1}"])) == (409, "stack-too-deep")
    assert stack(index, "last", bases=[f"i{DEFAULT.stack_indexes - 2}"]).status == 200
    created = call(index, "POST", "/api/indexes", {"name": "x", "bases": ["last"]})
    assert code(created) == (409, "stack-too-deep")


def test_building_on_a_private_index_gives_nobody_a_right_to_read_it(index: InProcess) -> None:
    make(index, "company", "main", public=False)
    make(index, "team", "company")
    put(index, version="2.0")
    put(index, to="company")
    put(index, "secret", to="company")
    ada, ben = person(index, "ada"), person(index, "ben")
    give(index, "company", "ada", "reader")
    assert names(index, "team", ada) == ["secret", "spam"]
    assert files(index, "team", token=ada) == [ONE]
    for token in (None, ben):
        assert names(index, "team", token) == []  # nor does main's spam stand for company's
        assert files(index, "team", token=token) == []
        for path in (f"files/spam/{ONE}", f"files/spam/{TWO}", "simple/secret/"):
            assert read(index, f"/team/{path}", token).status == (404 if token else 401), path
            nothing = read(index, f"/team/{path.replace('spam', 'soup')}", token)
            assert nothing.status == (404 if token else 401)  # no other answer for what is nowhere
    assert names(index, "team", ada) == ["secret", "spam"]  # after anybody's list lay on the shelf
    give(index, "team", "ben", "admin")
    assert code(stack(index, "main", ben, bases=[])) == (403, "not-allowed")
    assert code(stack(index, "team", ben, bases=["company"])) == (404, "no-such-index")


def test_a_transfer_ends_every_role_but_those_it_names(index: InProcess) -> None:
    put(index)
    for name in ("ada", "ben", "cleo"):
        person(index, name)
    give(index, "main/spam", "ada", "owner")
    give(index, "main/spam", "ben", "maintainer")
    path = "/api/indexes/main/projects/spam"
    unknown = call(index, "POST", f"{path}/transfer", {"user": "cleo", "keep": ["cleo"]})
    assert code(unknown) == (404, "no-such-role")
    assert call(index, "POST", f"{path}/transfer", {"user": "cleo", "keep": ["ben"]}).status == 201
    held = call(index, "GET", f"{path}/roles").json()["roles"]
    assert {role["user"]: role["role"] for role in held} == {"ben": "maintainer", "cleo": "owner"}


# ------------------------------------------------------------------------------------------------- promotion


def promote(index: InProcess, to: str = "prod", token: str | None = None, **options: str) -> Reply:
    document = {"from": "dev", "version": "1.0", **options}
    return call(index, "POST", f"/api/indexes/{to}/projects/spam/promote", document, token)


@pytest.fixture
def staged(index: InProcess) -> InProcess:
    make(index, "dev")
    make(index, "prod")
    put(index, to="dev")
    return index


def blobs(index: InProcess) -> set[str]:
    return set(index.parts.storage.digests())


def test_a_release_is_promoted_whole_and_no_byte_is_copied(staged: InProcess) -> None:
    older = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py2-none-any\n"
    staged.upload("spam-1.0-py2-none-any.whl", zip_bytes(wheel_parts(wheel=older)), index="dev")
    put(staged, version="2.0", to="dev")
    stored, serial = blobs(staged), staged.parts.database.serial()
    done = promote(staged)
    assert done.status == 201, done.text
    assert done.json()["new"] == done.json()["files"] == [ONE, "spam-1.0-py2-none-any.whl"]
    assert files(staged, "prod") == [ONE, "spam-1.0-py2-none-any.whl"]
    assert files(staged, "dev") == [ONE, "spam-1.0-py2-none-any.whl", TWO]
    assert blobs(staged) == stored
    assert staged.get(f"/prod/files/spam/{ONE}").body == wheel()[1]
    assert staged.get(f"/prod/files/spam/{ONE}.metadata").status == 200
    told = staged.get(f"/prod/changes?since={serial}").json()["changes"]
    assert [entry["action"] for entry in told] == ["create-project", "add-file", "add-file", "promote"]
    assert {entry["detail"]["from"] for entry in told[1:]} == {"dev"}
    before = staged.parts.database.serial()
    assert promote(staged).json()["new"] == []  # again: no change
    assert staged.parts.database.serial() == before


def test_a_promotion_that_meets_other_bytes_changes_nothing(staged: InProcess) -> None:
    older = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py2-none-any\n"
    staged.upload("spam-1.0-py2-none-any.whl", zip_bytes(wheel_parts(wheel=older)), index="dev")
    other = zip_bytes(wheel_parts({"x.py": b""}, wheel=older))
    staged.upload("spam-1.0-py2-none-any.whl", other, index="prod")
    before = staged.parts.database.serial()
    assert code(promote(staged)) == (409, "file-exists")
    assert staged.parts.database.serial() == before
    assert files(staged, "prod") == ["spam-1.0-py2-none-any.whl"]


def test_a_promoted_name_is_used_up_in_the_target(staged: InProcess) -> None:
    promote(staged)
    other = zip_bytes(wheel_parts({"spam/__init__.py": b"value = 2\n"}))
    assert code(staged.upload(ONE, other, index="prod")) == (409, "file-exists")
    withdrawal = {"version": "1.0", "cause": "safety", "reason": "x"}
    call(staged, "POST", "/api/indexes/prod/projects/spam/withdraw", withdrawal)
    assert code(promote(staged)) == (409, "file-exists")
    assert files(staged, "dev") == [ONE]


def test_what_is_not_offered_is_not_promoted(staged: InProcess) -> None:
    assert code(promote(staged, version="3.0")) == (404, "no-such-release")
    assert code(promote(staged, version="a b")) == (404, "no-such-release")
    assert code(promote(staged, to="dev")) == (409, "promote-same-index")
    assert code(promote(staged, **{"from": "none"})) == (404, "no-such-index")
    call(staged, "PUT", "/api/indexes/dev/projects/spam/status", {"status": "quarantined"})
    assert code(promote(staged)) == (404, "no-such-release")
    assert names(staged, "prod") == []


def test_promotion_asks_for_both_ends(staged: InProcess) -> None:
    hide(staged, "dev")
    ada = person(staged, "ada")
    give(staged, "prod", "ada", "uploader")
    assert code(promote(staged, token=ada)) == (404, "no-such-index")
    give(staged, "dev", "ada", "reader")
    assert promote(staged, token="").status == 401
    assert promote(staged, token=ada).status == 201  # who may make the project
    serials = staged.get("/prod/changes?since=0").json()["changes"]
    assert "dev" not in str(serials)  # of a private index nobody is told
    put(staged, version="2.0", to="dev")
    ben = person(staged, "ben")
    give(staged, "dev", "ben", "reader")
    give(staged, "prod/spam", "ben", "maintainer")
    assert code(promote(staged, token=ben, version="2.0")) == (403, "not-allowed")
    give(staged, "prod/spam", "ben", "owner")
    assert promote(staged, token=ben, version="2.0").status == 201


def test_a_private_project_stays_private_when_it_is_promoted(staged: InProcess) -> None:
    hide(staged, "dev/spam")
    assert promote(staged).status == 201
    assert read(staged, "/prod/simple/spam/").status == 404
    assert files(staged, "prod", token=staged.token) == [ONE]


def test_yanks_go_along(staged: InProcess) -> None:
    call(staged, "POST", "/api/indexes/dev/projects/spam/yank", {"version": "1.0", "reason": "bad"})
    promote(staged)
    assert read(staged, "/prod/simple/spam/").json()["files"][0]["yanked"] == "bad"


def test_bytes_outlive_the_index_they_came_from(staged: InProcess) -> None:
    promote(staged)
    withdrawal = {"version": "1.0", "cause": "safety", "reason": "x"}
    call(staged, "POST", "/api/indexes/dev/projects/spam/withdraw", withdrawal)
    staged.clock.forward(DEFAULT.restore_seconds)
    put(staged, version="2.0", to="dev")
    call(staged, "POST", "/api/indexes/dev/projects/spam/withdraw", {**withdrawal, "version": "2.0"})
    assert staged.get(f"/prod/files/spam/{ONE}").body == wheel()[1]


# ------------------------------------------------------------------------------------------------ namespaces


def reserve(index: InProcess, prefix: str, owner: str, **options: Any) -> Reply:
    return call(index, "PUT", f"/api/indexes/main/namespaces/{prefix}", {"owner": owner, **options})


@pytest.fixture
def spaces(index: InProcess) -> tuple[InProcess, str, str]:
    """An index where every user makes projects, and two users' tokens."""
    call(index, "PATCH", "/api/indexes/main", {"creators": "users"})
    return index, person(index, "ada"), person(index, "ben")


def test_a_reserved_namespace_keeps_its_names_for_its_owner(spaces: tuple[InProcess, str, str]) -> None:
    index, ada, ben = spaces
    assert put(index, "acme_old", token=ben).status == 200
    assert reserve(index, "Acme", "ada").json()["namespace"] == "acme"
    for project in ("acme", "acme_new", "acme_other"):
        refused = put(index, project, token=ben)
        assert code(refused) == (409, "namespace-reserved"), project
    assert put(index, "acmeish", token=ben).status == 200
    assert put(index, "acme_old", "2.0", token=ben).status == 200  # older than the grant
    assert put(index, "acme_new", token=ada).status == 200
    assert put(index, "acme_more").status == 409  # an administrator is no owner either
    assert index.get("/namespaces").json() == [{"name": "acme"}]
    listed = call(index, "GET", "/api/indexes/main/namespaces").json()["namespaces"]
    assert listed == [{"index": "main", "namespace": "acme", "owner": "ada", "open": False}]
    assert call(index, "DELETE", "/api/indexes/main/namespaces/acme").status == 204
    assert put(index, "acme_more", token=ben).status == 200
    assert index.get("/namespaces").json() == []


def test_a_page_says_at_once_whether_an_owner_of_its_namespace_owns_it(
    spaces: tuple[InProcess, str, str],
) -> None:
    index, _, ben = spaces
    put(index, "acme", token=ben)
    reserve(index, "acme", "ada")

    def owned() -> bool:
        (grant,) = read(index, "/simple/acme/").json()["namespaces"]
        return bool(grant["owned"])

    assert not owned()
    give(index, "main/acme", "ada", "owner")
    assert owned()
    assert call(index, "DELETE", "/api/indexes/main/projects/acme/roles/ada").status == 204
    assert not owned()


def test_an_open_namespace_lets_others_in(spaces: tuple[InProcess, str, str]) -> None:
    index, _, ben = spaces
    assert reserve(index, "acme", "ada", open=True).status == 200
    assert put(index, "acme_new", token=ben).status == 200


def test_grants_of_two_owners_do_not_overlap(spaces: tuple[InProcess, str, str]) -> None:
    index, _, _ = spaces
    reserve(index, "acme-tools", "ada")
    for prefix, owner in (("acme", "ben"), ("acme-tools", "ada"), ("acme-tools-x", "ben")):
        assert code(reserve(index, prefix, owner)) == (409, "namespace-overlaps"), prefix
    assert reserve(index, "acme-tools-x", "ada").status == 200
    assert reserve(index, "acme", "ada").status == 200
    assert reserve(index, "acme-to", "ben").status == 409
    assert reserve(index, "acm", "ben").status == 200


@pytest.mark.parametrize("prefix", ["-", "a--", "%C3%A9", "a%2Fb", "a" * 201])
def test_a_namespace_has_a_name(spaces: tuple[InProcess, str, str], prefix: str) -> None:
    index, _, _ = spaces
    assert reserve(index, prefix, "ada").status in (400, 404)
    assert index.get("/namespaces").json() == []


def test_only_administrators_reserve(spaces: tuple[InProcess, str, str]) -> None:
    index, ada, _ = spaces
    path = "/api/indexes/main/namespaces/acme"
    assert call(index, "PUT", path, {"owner": "ada"}, ada).status == 403
    assert call(index, "PUT", path, {"owner": "ada"}, "").status == 401
    assert code(reserve(index, "acme", "nobody")) == (404, "no-such-user")
    reserve(index, "acme", "ada")
    assert call(index, "DELETE", path, None, ada).status == 403
    assert code(call(index, "DELETE", path.replace("acme", "other"))) == (404, "no-such-namespace")


def test_a_promotion_makes_no_project_in_a_namespace_of_somebody_else(staged: InProcess) -> None:
    person(staged, "ada")
    done = call(staged, "PUT", "/api/indexes/prod/namespaces/spam", {"owner": "ada"})
    assert done.status == 200
    assert code(promote(staged)) == (409, "namespace-reserved")


@pytest.mark.parametrize(
    ("policy", "refused"),
    [
        ({"project_bytes": 10}, (413, "project-too-large")),
        ({"direct_urls": False}, (400, "upload-direct-url")),
        ({"local_versions": False}, (400, "upload-local-version")),
    ],
)
def test_a_promotion_is_held_to_what_the_target_asks_of_files(
    staged: InProcess, policy: dict[str, object], refused: tuple[int, str]
) -> None:
    call(staged, "PATCH", "/api/indexes/dev/policy", {"direct_urls": True})
    version = "1.0+here"
    metadata = f"Metadata-Version: 2.1\nName: eggs\nVersion: {version}\nRequires-Dist: ham @ https://files.example/ham.whl\n"
    parts = wheel_parts(name="eggs", version=version, metadata=metadata)
    assert staged.upload(f"eggs-{version}-py3-none-any.whl", zip_bytes(parts), index="dev").status == 200
    lenient = {"direct_urls": True}
    assert call(staged, "PATCH", "/api/indexes/prod/policy", {**lenient, **policy}).status == 200
    before = staged.parts.database.serial()
    path = "/api/indexes/prod/projects/eggs/promote"
    assert code(call(staged, "POST", path, {"from": "dev", "version": version})) == refused
    assert staged.parts.database.serial() == before
    none = {"project_bytes": 0, "direct_urls": True, "local_versions": True}
    assert call(staged, "PATCH", "/api/indexes/prod/policy", none).status == 200
    assert call(staged, "POST", path, {"from": "dev", "version": version}).status == 201


def test_a_namespace_is_no_deeper_than_four_hyphens(spaces: tuple[InProcess, str, str]) -> None:
    """PEP 752: "Repositories SHOULD impose a depth limit"."""
    index, _, _ = spaces
    assert code(reserve(index, "a-b-c-d-e-f", "ada")) == (400, "namespace-name")
    assert reserve(index, "a-b-c-d-e", "ada").status == 200
