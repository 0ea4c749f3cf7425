"""A lock as a requirements file: pip-tools' layout, and a file that reads back as what was locked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord_core.lock.model import Archive, Directory, File, Lock, Package, Vcs
from accord_core.lock.requirements import Layout, dumps_requirements
from accord_core.project.markers import evaluate_marker
from accord_core.project.requirements_file import read_requirements

A, B = "a" * 64, "b" * 64
LOCK = Lock(
    extras=("cpu",),
    dependency_groups=("dev",),
    default_groups=("dev",),
    packages=(
        Package(
            name="zeta",
            version="1.0",
            marker="sys_platform == 'linux' and 'dev' in dependency_groups",
            dependencies=({"name": "alpha"},),
            wheels=(File("zeta-1.0-py3-none-any.whl", hashes={"sha256": B}),),
            sdist=File("zeta-1.0.tar.gz", hashes={"sha256": A}),
        ),
        Package(
            name="alpha",
            version="2.0",
            dependencies=({"name": "gpu"},),
            wheels=(File("alpha-2.0-py3-none-any.whl", hashes={"sha256": A}),),
        ),
        Package(
            name="gpu",
            version="3",
            marker="'cpu' not in extras",
            wheels=(File("gpu-3-py3-none-any.whl", hashes={"sha256": B}),),
        ),
        Package(
            name="gone",
            version="1",
            marker="'cpu' in extras and os_name == 'x'",
            wheels=(File("gone-1-py3-none-any.whl"),),
        ),
    ),
)
ORIGINS = {"alpha": ("-r requirements.in",), "zeta": ("-r requirements.in",)}


def test_the_layout() -> None:
    layout = Layout(hashes=True, command="accord pip compile requirements.in", origins=ORIGINS)
    assert (
        dumps_requirements(LOCK, layout)
        == f"""\
# This file was written by Accord with the following command:
#    accord pip compile requirements.in
alpha==2.0 \\
    --hash=sha256:{A}
    # via
    #   -r requirements.in
    #   zeta
gpu==3 \\
    --hash=sha256:{B}
    # via alpha
zeta==1.0 ; sys_platform == "linux" \\
    --hash=sha256:{A} \\
    --hash=sha256:{B}
    # via -r requirements.in
"""
    )


def test_annotations_on_the_line_or_not_at_all() -> None:
    line = dumps_requirements(LOCK, Layout(annotation_style="line", origins=ORIGINS), groups=())
    assert line == "alpha==2.0  # via -r requirements.in\ngpu==3  # via alpha\n"
    assert dumps_requirements(LOCK, Layout(annotate=False), groups=()) == "alpha==2.0\ngpu==3\n"


def test_options_extras_and_what_is_left_out() -> None:
    layout = Layout(
        annotate=False,
        options=("--index-url https://index.example/simple",),
        strip_extras=False,
        extras={"alpha": ("x", "b")},
        strip_markers=True,
        leave_out=frozenset({"gpu", "unknown"}),
    )
    assert dumps_requirements(LOCK, layout) == (
        "--index-url https://index.example/simple\n\nalpha[b,x]==2.0\nzeta==1.0\n\n"
        "# The following packages were left out of this file:\n# gpu\n"
    )


def test_extras_and_groups_are_decided_here() -> None:
    text = dumps_requirements(LOCK, Layout(annotate=False), extras=("CPU",), groups=())
    assert text == 'alpha==2.0\ngone==1 ; os_name == "x"\n'


def test_direct_references() -> None:
    lock = Lock(
        packages=(
            Package(
                name="a",
                archive=Archive(url="https://h.example/a.zip", hashes={"sha256": A}, subdirectory="s"),
            ),
            Package(
                name="b",
                vcs=Vcs(type="git", url="https://h.example/b", commit_id="c0"),
                marker="os_name == 'x'",
            ),
            Package(name="c", directory=Directory(path="../c", editable=True)),
            Package(name="d", directory=Directory(path="d", subdirectory="e")),
            Package(name="f", directory=Directory(path="f")),
        )
    )
    text = dumps_requirements(lock, Layout(hashes=True, strip_extras=False, extras={"f": ("x",)}))
    assert text == (
        f"a @ https://h.example/a.zip#subdirectory=s \\\n    --hash=sha256:{A}\n"
        'b @ git+https://h.example/b@c0 ; os_name == "x"\n-e ../c\n./d/e\n./f[x]\n'
    )
    found = read_requirements("r.txt", lambda path: text).entries
    assert [(one.location, one.editable) for one in found] == [
        ("https://h.example/a.zip#subdirectory=s", False),
        ("git+https://h.example/b@c0", False),
        ("../c", True),
        ("./d/e", False),
        ("./f", False),
    ]


atoms = st.sampled_from(
    [
        "os_name == 'posix'",
        "os_name == 'nt'",
        "'a' in extras",
        "'b' not in extras",
        "'dev' in dependency_groups",
    ]
)
markers = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds("{} and {}".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        st.builds("({})".format, inner),
    ),
    max_leaves=6,
)


@given(markers, st.sets(st.sampled_from(["a", "b"])), st.sets(st.just("dev")))
def test_what_remains_of_a_marker_means_the_same(marker: str, extras: set[str], groups: set[str]) -> None:
    lock = Lock(
        packages=(Package(name="x", version="1", marker=marker, wheels=(File("x-1-py3-none-any.whl"),)),)
    )
    text = dumps_requirements(lock, Layout(annotate=False), extras=extras, groups=groups)
    for os_name in ("posix", "nt"):
        expected = evaluate_marker(marker, {"os_name": os_name}, frozenset(extras), frozenset(groups))
        entries = read_requirements("r.txt", lambda path: text).entries
        holds = [
            one
            for one in entries
            if one.requirement is not None
            and (
                one.requirement.marker is None
                or evaluate_marker(one.requirement.marker, {"os_name": os_name})
            )
        ]
        assert bool(holds) == expected
        assert "extras" not in text
        assert "groups" not in text


@pytest.mark.parametrize("hashes", [True, False])
def test_what_is_written_reads_back(hashes: bool) -> None:
    text = dumps_requirements(LOCK, Layout(hashes=hashes, command="x", origins=ORIGINS))
    found = read_requirements("r.txt", lambda path: text).entries
    assert [one.text.replace('"', "'") for one in found] == [
        "alpha==2.0",
        "gpu==3",
        "zeta==1.0 ; sys_platform == 'linux'",
    ]
    assert [len(one.hashes) for one in found] == ([1, 1, 2] if hashes else [0, 0, 0])
