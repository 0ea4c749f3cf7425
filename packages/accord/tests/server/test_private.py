"""Who sees what: private indexes and private projects, on pages, in files, in lists, on the shelf."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.routing import Route

from accord.server.app import application
from accord.tasks import index_people
from accord.tasks.index_folder import Place
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.people import call, give, hide, person, put, wheel
from accord.testing.serving import InProcess, basic

if TYPE_CHECKING:
    from accord.testing.serving import Reply

JSON = "application/vnd.pypi.simple.v1+json"
FILE = wheel()[0]
PAGES = ("/simple/spam/", f"/files/spam/{FILE}", f"/files/spam/{FILE}.metadata")


def read(index: InProcess, path: str, token: str | None = None) -> Reply:
    return index.request("GET", path, {"accept": JSON, **(basic(token) if token else {})})


def names(index: InProcess, token: str | None = None, at: str = "") -> list[str]:
    return [project["name"] for project in read(index, f"{at}/simple/", token).json()["projects"]]


def test_a_private_project_is_its_readers_alone(index: InProcess) -> None:
    put(index)
    put(index, "eggs")
    ada, ben, cleo = (person(index, name) for name in ("ada", "ben", "cleo"))
    give(index, "main/spam", "ada", "reader")
    give(index, "main", "ben", "reader")  # of the whole index, not of what is private in it
    hide(index, "main/spam")
    assert names(index) == names(index, ben) == names(index, cleo) == ["eggs"]
    assert names(index, ada) == names(index, index.token) == ["eggs", "spam"]
    for path in PAGES:
        assert read(index, path, ada).status == 200, path
        for token in (None, ben, cleo):
            assert read(index, path, token).status == 404, path


def test_a_project_can_be_private_from_its_first_file_on(index: InProcess) -> None:
    put(index, "eggs")
    changed = call(index, "PATCH", "/api/indexes/main", {"new_projects": "private"})
    assert (changed.status, changed.json()["new_projects"]) == (200, "private")
    ada = person(index, "ada")
    give(index, "main", "ada", "uploader")
    before = index.parts.database.serial()
    assert put(index, token=ada).status == 200
    assert names(index) == ["eggs"]  # what was there stays as it was
    assert names(index, ada) == ["eggs", "spam"]
    for path in (*PAGES, "/project/spam/", "/pypi/spam/json"):
        assert read(index, path).status == 404, path
    assert "spam" not in index.get(f"/changes?since={before}").text
    assert "spam" not in index.get("/rss/packages.xml").text
    hide(index, "main/spam", hidden=False)
    assert names(index) == ["eggs", "spam"]
    assert call(index, "PATCH", "/api/indexes/main", {"new_projects": "public"}).status == 200
    assert put(index, "ham", token=ada).status == 200
    assert names(index) == ["eggs", "ham", "spam"]


def test_an_index_is_made_whose_projects_are_private_at_first(index: InProcess) -> None:
    made = {"name": "team", "new_projects": "private"}
    assert call(index, "POST", "/api/indexes", made).status == 201
    assert call(index, "POST", "/api/indexes", {**made, "name": "x", "new_projects": "secret"}).status == 400
    assert put(index, to="team").status == 200
    assert names(index, at="/team") == []
    assert names(index, index.token, at="/team") == ["spam"]


def test_a_private_project_that_exists_answers_as_one_that_does_not(index: InProcess) -> None:
    put(index)
    ada = person(index, "ada")
    hide(index, "main/spam")
    for token in (None, ada):
        for method, path, document in (
            ("GET", "/simple/NAME/", None),
            ("GET", "/files/NAME/NAME-1.0-py3-none-any.whl", None),
            ("GET", "/api/indexes/main/projects/NAME/roles", None),
            ("PUT", "/api/indexes/main/projects/NAME/roles/ada", {"role": "owner"}),
            ("PATCH", "/api/indexes/main/projects/NAME", {"private": False}),
        ):
            there = call(index, method, path.replace("NAME", "spam"), document, token or "")
            nothing = call(index, method, path.replace("NAME", "soup"), document, token or "")
            assert there.status == nothing.status, path
            if there.status != 403:
                assert there.text.replace("spam", "soup") == nothing.text, path
            assert there.headers.keys() == nothing.headers.keys()


def test_a_private_index_that_exists_answers_as_one_that_does_not(index: InProcess) -> None:
    assert call(index, "POST", "/api/indexes", {"name": "team", "public": False}).status == 201
    put(index, to="team")
    ada = person(index, "ada")
    bad = "accord_0000000000000000.AAAA"
    for token, status in (("", 401), (bad, 401), (ada, 404)):
        for path in ("simple/", "simple/spam/", f"files/spam/{FILE}"):
            there = call(index, "GET", f"/team/{path}", None, token)
            nothing = call(index, "GET", f"/none/{path}", None, token)
            assert (there.status, nothing.status) == (status, status), path
            assert there.text.replace("team", "none") == nothing.text
        there = call(index, "GET", "/api/indexes/team", None, token)
        nothing = call(index, "GET", "/api/indexes/none", None, token)
        assert there.text.replace("team", "none") == nothing.text
    give(index, "team", "ada", "reader")
    assert names(index, ada, "/team") == ["spam"]
    assert read(index, "/team/simple/spam/", ada).headers["cache-control"] == "private, no-cache"


def test_what_turns_private_leaves_the_shelf_before_anybody_is_answered_again(index: InProcess) -> None:
    put(index)
    for place in ("main/spam", "main"):
        assert read(index, "/simple/spam/").status == 200
        assert names(index) == ["spam"]
        assert index.parts.shelf.find("/simple/spam/") is not None
        hide(index, place)
        assert read(index, "/simple/spam/").status in (401, 404)
        assert read(index, "/simple/").status == 401 or names(index) == []
        assert read(index, "/simple/spam/", index.token).status == 200
        assert index.parts.shelf.find("/simple/spam/") is None
        hide(index, place, hidden=False)


@pytest.mark.parametrize("place", ["main", "main/spam"])
@pytest.mark.parametrize("by", ["the API", "the command line"])
def test_a_file_for_the_web_server_in_front_is_gone_with_it(tmp_path: Path, place: str, by: str) -> None:
    with InProcess.open(str(tmp_path / "data"), materialise=True) as index:
        put(index)
        assert read(index, "/simple/spam/").status == 200
        folder = Path(index.parts.settings.cache) / "pages"

        def written() -> list[Path]:
            # What is on its way out has a name nobody can guess, for a moment.
            found = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
            return [path for path in found if "spam" in path.parts and not path.parts[0].startswith("gone-")]

        assert written()
        if by == "the API":
            hide(index, place)
        else:
            name, _, project = place.partition("/")
            data = Place(index.parts.settings.data)
            index_people.set_visibility(data, name, project or None, private=True)
        assert written() == []
        assert read(index, "/simple/spam/").status in (401, 404)
        assert read(index, "/simple/spam/", index.token).status == 200
        assert written() == []


def test_a_reader_who_sees_more_leaves_nothing_of_it_on_the_shelf(index: InProcess) -> None:
    put(index)
    put(index, "eggs")
    hide(index, "main/spam")
    for _ in range(2):
        assert names(index, index.token) == ["eggs", "spam"]
        assert names(index) == ["eggs"]
        assert read(index, "/simple/spam/", index.token).status == 200
        assert read(index, "/simple/spam/").status == 404


def test_a_private_page_is_made_once_and_anew_after_a_change(index: InProcess) -> None:
    put(index)
    hide(index, "main")
    ada, ben = person(index, "ada"), person(index, "ben")
    give(index, "main", "ada", "reader")
    first = read(index, "/simple/spam/", ada)
    assert read(index, "/simple/spam/", index.token).body == first.body
    put(index, version="2.0")
    assert len(read(index, "/simple/spam/", ada).json()["files"]) == 2
    assert read(index, "/simple/spam/", ben).status == 404
    assert call(index, "DELETE", "/api/indexes/main/roles/ada").status == 204
    assert read(index, "/simple/spam/", ada).status == 404
    assert index.parts.shelf.find("/simple/spam/") is None
    # A list that leaves something away is not kept: who is next may see more.
    hide(index, "main/spam")
    give(index, "main", "ada", "reader")
    for _ in range(2):
        assert names(index, ada) == []
        assert names(index, index.token) == ["spam"]


def test_a_file_is_asked_for_under_its_own_project_only(index: InProcess) -> None:
    put(index)
    put(index, "eggs")
    hide(index, "main/spam")
    assert read(index, f"/files/eggs/{FILE}").status == 404
    assert read(index, f"/files/eggs/{FILE}", index.token).status == 404
    narrow = person(index, "ada", projects=["eggs"])
    give(index, "main", "ada", "admin")
    assert read(index, f"/files/spam/{FILE}", narrow).status == 404


def test_a_private_base_is_not_read_through_a_public_index(index: InProcess) -> None:
    call(index, "POST", "/api/indexes", {"name": "company", "public": False})
    call(index, "POST", "/api/indexes", {"name": "open", "bases": ["company", "main"]})
    put(index, "secret", to="company")
    put(index, "eggs")
    ada, eve = person(index, "ada"), person(index, "eve")
    give(index, "company", "ada", "reader")
    secret = wheel("secret")[0]
    assert call(index, "GET", "/api/indexes/open", None, person(index, "ben")).json()["bases"] == ["main"]
    assert call(index, "GET", "/api/indexes/open", None, ada).json()["bases"] == ["company", "main"]
    for path in ("/open/simple/secret/", f"/open/files/secret/{secret}"):
        # Whoever says who he is may see more: the same answer as for a name that nobody has.
        assert read(index, path).status == read(index, path.replace("secret", "nothing")).status == 401
        assert read(index, path, eve).status == 404
        assert read(index, path, ada).status == 200
        assert read(index, path).status == 401
    assert read(index, "/open/simple/eggs/").status == 200


def test_the_name_of_a_hidden_project_is_answered_by_nobody_else(index: InProcess) -> None:
    call(index, "POST", "/api/indexes", {"name": "team", "bases": ["main"]})
    put(index, "spam", to="team")
    put(index, "spam", "9.0")  # somebody takes the same name in the base
    hide(index, "team/spam")
    assert read(index, "/team/simple/spam/").status == 404
    assert read(index, f"/team/files/spam/{wheel('spam', '9.0')[0]}").status == 404
    # Nor where the hidden project is in a base, before the one of the same name.
    call(index, "POST", "/api/indexes", {"name": "open", "bases": ["team", "main"]})
    assert read(index, "/open/simple/spam/").status == 404
    assert read(index, f"/open/files/spam/{wheel('spam', '9.0')[0]}").status == 404
    [file] = read(index, "/open/simple/spam/", index.token).json()["files"]
    assert file["filename"] == FILE
    [file] = read(index, "/team/simple/spam/", index.token).json()["files"]
    assert file["filename"] == FILE


def test_a_narrowed_token_reads_what_anybody_reads_and_nothing_more(index: InProcess) -> None:
    put(index)
    put(index, "eggs")
    hide(index, "main/eggs")
    narrow = person(index, "admin", actions=["upload"], projects=["spam"])
    assert read(index, "/simple/spam/", narrow).status == 200
    assert read(index, "/simple/eggs/", narrow).status == 404
    assert names(index, narrow) == ["spam"]


@pytest.mark.slow
def test_hidden_and_missing_take_about_as_long(index: InProcess) -> None:
    put(index)
    hide(index, "main/spam")
    ada = person(index, "ada")
    took: dict[str, list[float]] = {"spam": [], "soup": []}
    for _ in range(150):
        for name, times in took.items():
            start = time.perf_counter()
            assert read(index, f"/simple/{name}/", ada).status == 404
            times.append(time.perf_counter() - start)
    hidden, missing = (sorted(times)[len(times) // 2] for times in took.values())
    assert hidden < 2 * missing


def test_no_route_of_any_room_tells_of_what_is_hidden(index: InProcess) -> None:
    call(index, "POST", "/api/indexes", {"name": "zebra", "public": False})
    call(index, "POST", "/api/indexes", {"name": "open", "bases": ["zebra", "main"]})
    put(index, "zanzibar")
    put(index, "zanzibar", to="zebra")
    put(index, "eggs")
    nobody, ben = "", person(index, "ben")
    give(index, "main", "ben", "reader")
    public = index.parts.database.serial()  # what was public then is hidden now, and in every earlier state
    hide(index, "main/zanzibar")
    person(index, "ada")
    answers = 0
    for route in application(index.parts).routes:
        if not isinstance(route, Route) or "GET" not in (route.methods or ()):
            continue
        for place, when in (("main", public), ("open", public), ("zebra", public), ("main", public + 1)):
            path = route.path.replace("{index}", place).replace("{when}", str(when))
            hidden, missing = (
                path.replace("{project}", name)
                .replace("{namespace}", name)
                .replace("{version}", "1.0")
                .replace("{filename}", f"{name}-1.0-py3-none-any.whl")
                .replace("{user}", "ada")
                for name in ("zanzibar", "zanzibor")
            )
            if "{" in hidden:
                continue
            for token in (nobody, ben):
                there, none = (call(index, "GET", path, None, token) for path in (hidden, missing))
                answers += 1
                assert there.status == none.status, (hidden, there.text)
                if "zanzibar" not in hidden:
                    assert "zanzibar" not in there.text, hidden
                if place != "zebra":
                    assert "zebra" not in there.text, hidden
    assert answers > 50


def test_a_page_of_dependencies_tells_no_names_of_a_base_nobody_reads(index: InProcess) -> None:
    call(index, "POST", "/api/indexes", {"name": "secret", "public": False})
    call(index, "POST", "/api/indexes", {"name": "open", "bases": ["secret", "main"]})
    for name, to in (
        ("hush", "secret"),
        ("eggs", "main"),
        ("hush", "main"),
        ("quiet", "main"),
        ("ham", "open"),
    ):
        put(index, name, to=to)
    hide(index, "main/quiet")
    metadata = "Metadata-Version: 2.1\nName: probe\nVersion: 1.0\n" + "".join(
        f"Requires-Dist: {name}\n" for name in ("hush", "eggs", "quiet", "ham", "none")
    )
    parts = wheel_parts(name="probe", version="1.0", metadata=metadata)
    assert index.upload("probe-1.0-py3-none-any.whl", zip_bytes(parts), index="open").status == 200

    def linked(token: str | None) -> list[str]:
        page = index.request("GET", "/open/project/probe/1.0/dependencies/").text
        assert token is None
        return [name for name in ("hush", "eggs", "quiet", "ham", "none") if f'project/{name}/"' in page]

    assert linked(None) == ["eggs", "ham"]


def test_a_name_that_looks_like_a_hidden_one_is_refused_without_telling_it(index: InProcess) -> None:
    ada = person(index, "ada")
    give(index, "main", "ada", "uploader")
    put(index, "hush-hush".replace("-", "_"))
    refused = index.upload(*wheel("hushhush"), token=ada)
    assert (refused.status, refused.json()["code"]) == (409, "project-look-alike")
    assert "hush-hush" in refused.text  # what everybody sees is told
    hide(index, "main/hush-hush")
    refused = index.upload(*wheel("hushhush"), token=ada)
    assert (refused.status, refused.json()["code"]) == (409, "project-look-alike")
    assert "hush-hush" not in refused.text
    assert "hush_hush" not in refused.text
