"""Finding projects: what comes first, what is forgiven, what nobody finds who may not read it, and that it stays true."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy import text as sql

from accord.server import jobs
from accord.server.catalogue import access, filling, indexes
from accord.server.catalogue import search as search_module
from accord.server.catalogue.search import KeepingUp, open_search
from accord.server.catalogue.search_rows import RANKED, STATE, USES, Spoken, popular
from accord.server.database import Database, tables
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.browsing import Browser, add_person
from accord.testing.serving import InProcess, basic

if TYPE_CHECKING:
    from sqlalchemy import Connection


def publish(
    index: InProcess, name: str, *, version: str = "1.0", index_name: str = "", **fields: str
) -> None:
    lines = "".join(f"{key.replace('_', '-')}: {value}\n" for key, value in fields.items())
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{lines}"
    stem = name.replace("-", "_")
    wheel = zip_bytes(wheel_parts({f"{stem}.py": b""}, name=stem, version=version, metadata=metadata))
    reply = index.upload(f"{stem}-{version}-py3-none-any.whl", wheel, index=index_name)
    assert reply.status == 200, reply.text


def found(index: InProcess, text: str, *, fresh: bool = True) -> list[str]:
    """``fresh``: after what is missing was entered, as the thread of a server and a search in the web do."""
    if fresh:
        index.parts.search.fill()
    with index.parts.database.read() as connection:
        here = indexes.index_named(connection, "main")
        order = [one.id for one in indexes.reading_order(connection, here)]
        return [one.name for one in index.parts.search.find(connection, text, order, order, lambda *_: False)]


def test_the_exact_name_comes_before_names_that_begin_so_and_those_before_summaries(index: InProcess) -> None:
    publish(index, "spam-tools")
    publish(index, "eggs", Summary="More than spam")
    publish(index, "spam")
    assert found(index, "spam") == ["spam", "spam-tools", "eggs"]
    assert found(index, "SPAM tools")[0] == "spam-tools"


def test_of_names_that_fit_alike_the_one_others_need_comes_first(index: InProcess) -> None:
    publish(index, "web-aaa")
    publish(index, "web-zzz")
    for number in range(40):
        publish(index, f"user{number}x", Requires_Dist="web-zzz")
    assert found(index, "web")[0] == "web-zzz"


RIGHT = "requests"
SLIPS = [
    *(RIGHT[:at] + RIGHT[at + 1 :] for at in (1, 4, 5)),  # left out
    *(RIGHT[:at] + RIGHT[at + 1] + RIGHT[at] + RIGHT[at + 2 :] for at in (0, 3, 6)),  # swapped
    *(RIGHT[:at] + "5" + RIGHT[at:] for at in (3, 8)),  # put in
    *(RIGHT[:at] + "x" + RIGHT[at + 1 :] for at in (0, 7)),  # another
]


@pytest.mark.parametrize("slip", SLIPS)
def test_a_name_with_one_slip_of_the_finger_is_found(index: InProcess, slip: str) -> None:
    publish(index, RIGHT)
    publish(index, "flask")
    assert found(index, slip) == [RIGHT]
    assert found(index, "f1ask") == ["flask"]  # looks the same
    assert found(index, "xqzt") == []


def test_a_part_of_a_name_a_keyword_and_the_beginning_of_a_word_are_found(index: InProcess) -> None:
    publish(index, "mysqlclient", Keywords="database,mariadb", Summary="Talks to a relational server")
    for text in ("sqlcli", "maria", "relat", "database server"):
        assert found(index, text) == ["mysqlclient"], text


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "* OR name:",
        'a" OR "b',
        "NEAR(a b)",
        "\x00",
        "'; DROP TABLE search_words",
        "%",
        "🦄",
        "(",
        "^x",
        "-",
    ],
)
def test_what_means_something_to_the_database_means_nothing_to_the_search(
    index: InProcess, text: str
) -> None:
    publish(index, "spam")
    assert found(index, text) == []
    assert index.get("/search?q=" + "".join(f"%{byte:02x}" for byte in text.encode())).status == 200


def test_what_is_asked_has_a_limit_of_bytes(index: InProcess) -> None:
    most = index.parts.settings.limits.search_bytes
    assert index.get(f"/search?q={'a' * most}").status == 200
    refused = index.get(f"/search?q={'a' * (most + 1)}")
    assert refused.status == 400
    assert refused.json()["code"] == "search-too-long"


def test_a_private_project_is_found_by_its_readers_and_by_nobody_else(index: InProcess) -> None:
    publish(index, "secret-sauce", Summary="very private recipe")
    with index.parts.database.write("system") as writing:
        here = indexes.index_named(writing.connection, "main")
        access.set_private(writing, here, "secret-sauce", private=True)
    assert found(index, "sauce") == []
    for text in ("secret-sauce", "recipe", "secret-suace"):
        assert "secret-sauce" not in index.get(f"/search?q={text}").text.replace(f"“{text}”", "").replace(
            f'value="{text}"', ""
        ).replace(f"{text}: search", "")
    reader = Browser(index)
    add_person(index, "root", admin=True)
    reader.sign_in("root")
    assert "project/secret-sauce/" in reader.get("/search?q=recipe").text
    assert "secret-sauce" not in index.get("/").text


def test_a_hidden_project_hides_the_one_of_its_name_below(index: InProcess) -> None:
    with index.parts.database.write("system") as writing:
        base = indexes.add_index(writing, "upstream")
        main = indexes.index_named(writing.connection, "main")
        writing.connection.execute(
            tables.index_base.insert().values(index_id=main.id, position=0, base_id=base.id)
        )
    publish(index, "sauce", index_name="upstream", Summary="the public one")
    assert found(index, "sauce") == ["sauce"]
    publish(index, "sauce", Summary="ours")
    with index.parts.database.write("system") as writing:
        access.set_private(writing, indexes.index_named(writing.connection, "main"), "sauce", private=True)
    assert found(index, "sauce") == []


def test_results_are_true_at_once_after_an_upload_and_after_a_quarantine(index: InProcess) -> None:
    publish(index, "spam", Summary="old words")
    publish(index, "spam", version="2.0", Summary="new words")
    assert found(index, "new") == ["spam"]
    with index.parts.database.write("system") as writing:
        here = indexes.index_named(writing.connection, "main")
        writing.connection.execute(update(tables.project).values(status="quarantined"))
        writing.changed(here.id, "status", project="spam")
    assert found(index, "spam") == []


def test_what_little_is_missing_is_entered_by_whoever_searches(index: InProcess) -> None:
    for number in range(3):
        publish(index, f"spam{number}x")
    assert found(index, "spam", fresh=False) == []
    assert "spam1x" in index.get("/search?q=spam").text


def test_what_is_much_is_entered_by_the_thread_and_no_search_waits_for_it(index: InProcess) -> None:
    for number in range(15):  # each is two changes
        publish(index, f"spam{number}x")
    assert "spam1x" not in index.get("/search?q=spam").text
    keeping = KeepingUp(index.parts.search, index.parts.database.counter.value)
    keeping.start()
    while index.parts.search.behind():
        time.sleep(0.01)
    keeping.stop()
    assert "spam1x" in index.get("/search?q=spam").text


def test_another_process_makes_up_for_what_is_missing(index: InProcess) -> None:
    publish(index, "spam")
    other = Database(index.parts.settings.database_url, cache=index.parts.settings.cache)
    search = open_search(other)
    search.prepare()
    search.fill()
    assert not index.parts.search.behind()
    other.close()


def rows(index: InProcess) -> dict[str, list[tuple[object, ...]]]:
    names = ["search_entry", "search_near", "search_popular", "search_words"]
    columns = "*"
    if index.parts.database.is_sqlite:
        names.append("search_names")
    found = {}
    with index.parts.database.read() as connection:
        for name in names:
            if name == "search_words" and index.parts.database.is_sqlite:
                columns = "rowid, *"
            found[name] = sorted(
                tuple(row) for row in connection.execute(sql(f"SELECT {columns} FROM {name}"))
            )
    return found


def test_rows_made_together_are_those_that_were_made_one_by_one(index: InProcess) -> None:
    for number in range(5):
        publish(index, f"spam-{number}x", Summary=f"number {number}", Keywords="tin", Requires_Dist="eggs")
        index.parts.search.fill()
    publish(index, "spam-1x", version="2.0a1", Summary="an early one", Requires_Dist="bacon")
    index.parts.search.fill()
    publish(index, "spam-2x", version="2.0", Summary="a later one")
    publish(index, "spam-3x", version="2.0", Summary="a yanked one")
    with index.parts.database.write("system") as writing:
        here = indexes.index_named(writing.connection, "main")
        base = indexes.add_index(writing, "team")
        later = select(tables.release.c.id).where(tables.release.c.version == "2.0")
        writing.connection.execute(
            update(tables.file)
            .values(yanked=True)
            .where(tables.file.c.release_id.in_(later), tables.file.c.filename.like("spam_3x%"))
        )
        writing.connection.execute(
            update(tables.project).values(status="quarantined").where(tables.project.c.name == "spam-4x")
        )
        writing.changed(here.id, "yank", project="spam-3x")
        writing.changed(here.id, "status", project="spam-4x")
        assert base.id != here.id
    index.parts.search.fill()
    publish(index, "spam-0x", index_name="team", Summary="another's")
    index.parts.search.fill()
    one_by_one = rows(index)
    with index.parts.database.write("system") as writing:
        for table in one_by_one:
            writing.connection.execute(sql(f"DELETE FROM {table}"))
        writing.connection.execute(delete(tables.state).where(tables.state.c.key == STATE))
    assert not any(rows(index).values())
    index.parts.search.fill()
    assert rows(index) == one_by_one
    versions = [row[1] for row in one_by_one["search_entry"]]
    assert versions == ["1.0", "1.0", "2.0", "1.0", "1.0"]


def test_what_enough_projects_need_is_not_counted_again(index: InProcess) -> None:
    publish(index, "user-a", Requires_Dist="eggs")
    index.parts.search.fill()
    for name, uses, expected in (("user-b", USES, USES), ("user-c", USES - 1, 3)):
        with index.parts.database.write("system") as writing:
            writing.connection.execute(update(popular).values(uses=uses))
        publish(index, name, Requires_Dist="eggs")
        index.parts.search.fill()
        with index.parts.database.read() as connection:
            assert connection.execute(select(popular.c.uses)).scalar() == expected


def test_a_block_that_fails_leaves_the_search_as_it_was(index: InProcess) -> None:
    publish(index, "spam", Summary="old words")
    with pytest.raises(RuntimeError), index.parts.database.write("system") as writing:
        writing.connection.execute(update(tables.release).values(summary="undone"))
        writing.changed(indexes.index_named(writing.connection, "main").id, "x", project="spam")
        raise RuntimeError
    assert found(index, "undone") == []
    assert found(index, "old") == ["spam"]


def test_of_more_projects_than_are_ranked_those_come_first_whose_name_has_the_word(index: InProcess) -> None:
    words = index.parts.search._words
    common = [Spoken(1000 + number, f"tool{number}x", "", "common words") for number in range(RANKED - 1)]
    named = Spoken(1000 + RANKED, "common thing commonthing", "", "another")
    with index.parts.database.write("system") as writing:
        words.put(writing.connection, [*common, named])
        assert words.matching(writing.connection, ["common"], 2)[0] == named.project_id
        words.put(writing.connection, [Spoken(999, "late", "", "common words")])
        found = words.matching(writing.connection, ["common"], 2)
        assert found[0] == named.project_id
        assert len(found) == 2
        assert words.matching(writing.connection, ["common", "another"], 2) == [named.project_id]


# -- a large index that has no rows yet ---------------------------------------------------------------------


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is far behind, and how much is done at a time, small enough for a test."""
    monkeypatch.setattr(search_module, "_FAR", 10)
    monkeypatch.setattr(search_module, "_BATCH", 5)
    monkeypatch.setattr(filling, "_PROJECTS", 4)
    monkeypatch.setattr(filling, "_PAIRS", 7)
    monkeypatch.setattr(filling, "_PASS", 3)


def forgotten(index: InProcess) -> None:
    """As after a move, or a restore: nothing derived is there."""
    with index.parts.database.write("test") as writing:
        for table in rows(index):
            writing.connection.execute(sql(f"DELETE FROM {table}"))
        writing.connection.execute(delete(tables.state).where(tables.state.c.key == STATE))


def many(index: InProcess) -> None:
    for number in range(11):
        publish(
            index,
            f"spam-tools{number}",
            Summary=f"The summary{number} of it",
            Keywords=f"key{number % 2}",
            Requires_Dist=f"needed{number % 3}",
        )
    publish(index, "spam-tools3", version="2.0rc1", Summary="not this one")
    publish(index, "spam-tools4", version="2.0", Summary="this one")
    publish(index, "gone")
    with index.parts.database.write("system") as writing:
        writing.connection.execute(
            update(tables.project).where(tables.project.c.name == "gone").values(status="quarantined")
        )
        writing.changed(1, "status", project="gone")
    while index.parts.search.behind():
        index.parts.search.catch_up()


def test_a_filling_makes_the_same_rows_as_following_does(index: InProcess, far: None) -> None:
    many(index)
    followed = rows(index)
    assert len(followed["search_entry"]) == 11
    forgotten(index)
    assert found(index, "spam", fresh=False) == []
    index.parts.search.fill()
    assert rows(index) == followed
    assert not index.parts.search.behind()


def test_a_filling_replaces_what_is_not_true_any_more(index: InProcess, far: None) -> None:
    many(index)
    followed = rows(index)
    with index.parts.database.write("system") as writing:
        writing.connection.execute(
            update(tables.project).where(tables.project.c.name == "spam-tools5").values(status="quarantined")
        )
        for _ in range(20):
            writing.changed(1, "status", project="spam-tools5")
    index.parts.search.fill()
    assert found(index, "tools5") == []
    assert "spam-tools6" in found(index, "spam-tools6x"), "near spellings of the others stay"
    left = rows(index)
    assert len(left["search_entry"]) == 10
    assert len(left["search_near"]) < len(followed["search_near"])


def test_the_search_says_so_until_it_is_filled_and_does_not_let_whoever_asks_wait(
    index: InProcess, far: None
) -> None:
    many(index)
    forgotten(index)
    add_person(index, "root", admin=True)
    root = Browser(index)
    root.sign_in("root")
    page = index.get("/search?q=spam").text
    assert "it knows 0 of 12 projects so far" in page
    assert "The search is being filled: 0 of 12 projects (0 %)" in root.get("/admin/").text
    metrics = index.request("GET", "/metrics", basic(index.token)).text
    assert "accord_search_filled_ratio 0\n" in metrics
    filling.begin(index.parts.database)
    piece = filling._read(index.parts.database)
    assert piece is not None
    filling._write(index.parts.database, index.parts.search._words, piece)
    assert "it knows 4 of 12 projects so far" in index.get("/search?q=spam").text
    assert len(found(index, "spam", fresh=False)) == 4
    index.parts.search.fill()
    assert "being filled" not in index.get("/search?q=spam").text + root.get("/admin/").text
    assert "accord_search_filled_ratio 1\n" in index.request("GET", "/metrics", basic(index.token)).text


def test_a_filling_that_was_killed_goes_on_where_it_was(
    index: InProcess, far: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(index)
    followed = rows(index)
    forgotten(index)
    reach, left = filling._reach, [0]

    def mortal(connection: Connection, position: Any) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        reach(connection, position)

    for limit in (1, 2, 1, 3, 2, 5, 8):  # writes until it dies, over pieces and near spellings
        left[0] = limit
        with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
            patch.setattr(filling, "_reach", mortal)
            index.parts.search.fill()
    index.parts.search.fill()
    assert rows(index) == followed


def test_two_who_fill_at_once_do_no_harm(index: InProcess, far: None) -> None:
    many(index)
    followed = rows(index)
    forgotten(index)
    threads = [threading.Thread(target=index.parts.search.fill) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows(index) == followed


def test_two_who_enter_the_first_rows_at_once_are_both_through(
    index: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As processes of two machines do that start at the same moment: one that fails would not start."""
    many(index)
    followed = rows(index)
    forgotten(index)
    search = index.parts.search
    follow, entered = search._follow, threading.Event()
    failures: list[Exception] = []

    def slowly(connection: Connection) -> None:
        follow(connection)
        entered.set()
        time.sleep(0.3)  # before it commits

    def catch_up() -> None:
        try:
            search.catch_up()
        except Exception as fault:
            failures.append(fault)

    monkeypatch.setattr(search, "_follow", slowly)
    threads = [threading.Thread(target=catch_up) for _ in range(2)]
    threads[0].start()
    entered.wait(30)
    threads[1].start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert rows(index) == followed


def test_what_is_published_while_it_fills_is_found_at_the_end(index: InProcess, far: None) -> None:
    many(index)
    forgotten(index)
    filling.begin(index.parts.database)
    piece = filling._read(index.parts.database)
    publish(index, "spam-tools0", version="3.0", Summary="newest")
    publish(index, "late-one")
    assert piece is not None
    filling._write(index.parts.database, index.parts.search._words, piece)
    index.parts.search.fill()
    assert found(index, "newest") == ["spam-tools0"]
    assert found(index, "late-on") == ["late-one"]


def test_a_server_that_is_opened_with_nothing_filled_has_it_done_by_a_job(
    index: InProcess, far: None
) -> None:
    many(index)
    followed = rows(index)
    forgotten(index)
    other = Database(index.parts.settings.database_url, cache=index.parts.settings.cache)
    for _ in range(2):
        its = open_search(other)
        its.prepare()
        its.keep_up()
    other.close()
    assert found(index, "spam", fresh=False) == []
    runner = jobs.Runner(index.parts)
    index.clock.at = time.time_ns() // 1000 + 1_000_000  # that server's clock is the real one
    assert runner.one()
    assert not runner.one(), "one job for all processes"
    assert rows(index) == followed
