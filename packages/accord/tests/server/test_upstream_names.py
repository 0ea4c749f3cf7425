"""Names never mix: what somebody has in a stack is asked of no upstream."""

from __future__ import annotations

from accord.server.catalogue import indexes
from accord.testing.indexes import wheel
from accord.testing.serving import InProcess
from accord.testing.upstreams import (
    Upstream,
    names,
    page,
    stack,
)


def test_a_name_that_somebody_has_in_the_stack_is_never_asked_of_upstream(
    cache: InProcess, upstream: Upstream
) -> None:
    upstream.add("secret", "99.0")
    upstream.add("spam")
    stack(cache, "company", public_only=False)
    stack(cache, "team", "company", "cache")
    own, content = wheel("secret", "1.0")
    assert cache.upload(own, content, index="company").status == 200
    assert names(page(cache, "secret", "/team")) == [own]
    assert cache.get(f"/team/files/secret/{own}").body == content
    assert cache.get("/team/files/secret/secret-99.0-py3-none-any.whl").status == 404
    assert upstream.targets() == []
    assert names(page(cache, "spam", "/team")) == ["spam-1.0-py3-none-any.whl"]
    assert cache.get("/team/files/spam/spam-1.0-py3-none-any.whl").status == 200
    assert upstream.targets("/simple/") == ["/simple/spam/"]


def test_a_name_that_comes_to_be_in_the_stack_hides_the_one_upstream_at_once(
    cache: InProcess, upstream: Upstream
) -> None:
    upstream.add("spam", "99.0")
    stack(cache, "team", "cache")
    assert names(page(cache, "spam", "/team")) == ["spam-99.0-py3-none-any.whl"]
    own, content = wheel("spam", "1.0")
    assert cache.upload(own, content, index="team").status == 200
    assert names(page(cache, "spam", "/team")) == [own]


def test_a_name_in_a_namespace_of_the_stack_is_never_asked_of_upstream(
    cache: InProcess, upstream: Upstream
) -> None:
    from sqlalchemy import insert

    from accord.server.database import tables

    stack(cache, "team", "cache")
    with cache.parts.database.write("test") as writing:
        team = indexes.index_named(writing.connection, "team")
        writing.connection.execute(
            insert(tables.namespace).values(index_id=team.id, prefix="corp", owner_id=1, created=0)
        )
        writing.changed(team.id, "namespace")
    for name in ("corp", "corp-tools"):
        assert page(cache, name, "/team").status == 404
    assert upstream.targets() == []
    assert page(cache, "corpus", "/team").status == 404
    assert upstream.targets() == ["/simple/corpus/"]


def test_a_stranger_to_a_private_index_makes_nobody_ask(cache: InProcess, upstream: Upstream) -> None:
    with cache.parts.database.write("test") as writing:
        indexes.add_index(writing, "closed", kind="upstream", public=False, upstream_url=upstream.url)
    assert page(cache, at="/closed").status == 401
    assert upstream.targets() == []
