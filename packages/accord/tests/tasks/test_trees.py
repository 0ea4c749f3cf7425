"""Trees over small graphs, and over random ones."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from accord.tasks.trees import Branch, Edge, Node, grow, invert, paths_to, roots


def graph(**needs: str) -> dict[str, Node]:
    return {
        name: Node(name, name, "1", tuple(Edge(target) for target in text)) for name, text in needs.items()
    }


def drawn(branches: tuple[Branch, ...]) -> str:
    return " ".join(
        branch.name
        + ("*" if branch.repeated else "")
        + ("?" if branch.missing else "")
        + (f"({drawn(branch.branches)})" if branch.branches else "")
        for branch in branches
    )


def test_a_tree_shows_what_hangs_on_what() -> None:
    nodes = graph(a="bc", b="d", c="", d="")
    assert drawn(grow(nodes, roots(nodes))) == "a(b(d) c)"


def test_what_was_shown_is_not_shown_again_unless_asked() -> None:
    nodes = graph(a="bc", b="d", c="b", d="")
    assert drawn(grow(nodes, ["a"])) == "a(b(d) c(b*))"
    assert drawn(grow(nodes, ["a"], repeat=True)) == "a(b(d) c(b(d)))"


def test_a_circle_ends_and_has_a_root() -> None:
    nodes = graph(a="b", b="a", c="")
    assert roots(nodes) == ("a", "c")
    assert drawn(grow(nodes, roots(nodes), repeat=True)) == "a(b(a*)) c"


def test_depth_and_prune() -> None:
    nodes = graph(a="bc", b="d", c="", d="")
    assert drawn(grow(nodes, ["a"], depth=0)) == "a"
    assert drawn(grow(nodes, ["a"], depth=1)) == "a(b c)"
    assert drawn(grow(nodes, ["a"], prune=["b"])) == "a(c)"
    assert drawn(grow(nodes, ["a"], prune=["a"])) == ""


def test_what_is_cut_by_depth_is_shown_in_full_where_it_comes_again() -> None:
    nodes = graph(a="bc", b="c", c="d", d="")
    assert drawn(grow(nodes, ["a"], depth=2)) == "a(b(c) c(d))"


def test_what_is_missing_is_marked() -> None:
    assert drawn(grow(graph(a="b"), ["a"])) == "a(b?)"


def test_an_inverted_tree_shows_who_needs_what() -> None:
    nodes = invert(graph(a="c", b="c", c=""))
    assert drawn(grow(nodes, ["c"])) == "c(a b)"


def test_ways_are_the_shortest_first_and_limited() -> None:
    nodes = graph(r="abc", a="t", b="a", c="b", t="")
    ways = paths_to(nodes, ["r"], "t", limit=9)
    assert ["".join(edge.target for edge in way) for way in ways] == ["rat", "rbat", "rcbat"]
    assert len(paths_to(nodes, ["r"], "t", limit=2)) == 2
    assert paths_to(nodes, ["r"], "nowhere", limit=2) == ()


NAMES = "abcdefgh"
GRAPHS = st.dictionaries(
    st.sampled_from(NAMES),
    st.text(NAMES, max_size=5).map(lambda text: "".join(sorted(set(text)))),
    max_size=8,
)


@given(GRAPHS)
def test_every_package_is_below_some_root(needs: dict[str, str]) -> None:
    nodes = graph(**needs)
    seen: set[str] = set()

    def walk(branches: tuple[Branch, ...]) -> None:
        for branch in branches:
            seen.add(branch.name)
            walk(branch.branches)

    walk(grow(nodes, roots(nodes)))
    assert set(nodes) <= seen


@given(GRAPHS, st.sampled_from(NAMES))
def test_a_way_follows_edges_without_going_round(needs: dict[str, str], target: str) -> None:
    nodes = graph(**needs)
    for way in paths_to(nodes, roots(nodes), target, limit=5):
        names = [edge.target for edge in way]
        assert len(set(names)) == len(names)
        assert names[-1] == target
        assert all(later in needs[earlier] for earlier, later in itertools.pairwise(names))
