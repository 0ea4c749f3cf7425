"""What is written is what the standard allows, reads back as the same, and selects as ``packaging.pylock`` does."""

from __future__ import annotations

import marshal
import tomllib
from typing import cast

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from packaging.markers import Environment
from packaging.pylock import Pylock, PylockSelectError
from packaging.tags import Tag

from accord_core.errors import DocumentError
from accord_core.lock import compact, read, select, write
from accord_core.lock.model import Archive, Directory, File, Lock, Package, Vcs, utc_time

DIGEST = "ab" * 32
_TAGS = (
    "py3-none-any",
    "cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64",
    "cp311-abi3-macosx_11_0_arm64",
)
_MARKERS = (
    None,
    "sys_platform == 'linux'",
    'python_version < "3.12"',
    "'cpu' in extras",
    "'dev' in dependency_groups and 'gpu' not in extras",
)
_TIMES = (None, "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000123Z")

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.one_of(texts, st.booleans(), st.integers(-5, 5), st.sampled_from([1.5, -2e30])),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(texts, inner, max_size=2)),
    max_leaves=4,
)
tables = st.dictionaries(texts, values, max_size=3)
tools = st.one_of(st.none(), st.fixed_dictionaries({"accord": tables}))


def file(name: str, **fields: str | int | None) -> File:
    time, size = fields.get("time"), fields.get("size")
    assert time is None or isinstance(time, str)
    assert size is None or isinstance(size, int)
    return File(
        None,
        time,
        f"https://files.index.example/a%2Bb/{name.replace('+', '%2B')}",
        None,
        size,
        {"sha256": DIGEST},
    )


@st.composite
def sources(draw: st.DrawFn, name: str, version: str) -> Package:
    kind = draw(st.integers(0, 5))
    time, size = draw(st.sampled_from(_TIMES)), draw(st.sampled_from([None, 0, 10**12]))
    sub = draw(st.sampled_from([None, "a/b"]))
    if kind == 0:
        return Package(
            name=name, vcs=Vcs(type="git", url="https://git.example/x", commit_id="0" * 40, subdirectory=sub)
        )
    if kind == 1:
        return Package(
            name=name, directory=Directory(path="../x", editable=draw(st.sampled_from([None, True])))
        )
    if kind == 2:
        archive = Archive(
            path="./x.zip", size=size, upload_time=time, hashes={"sha512": "0" * 128}, subdirectory=sub
        )
        return Package(name=name, archive=archive)
    stem = f"{name.replace('-', '_')}-{version}"
    wheels = tuple(
        file(f"{stem}{build}-{tag}.whl", time=time, size=size)
        for tag, build in draw(
            st.lists(st.tuples(st.sampled_from(_TAGS), st.sampled_from(["", "-1", "-2b"])), unique=True)
        )
    )
    sdist = file(f"{stem}.tar.gz", time=time) if not wheels or draw(st.booleans()) else None
    return Package(
        name=name, version=version, index="https://index.example/simple/", sdist=sdist, wheels=wheels
    )


@st.composite
def packages(draw: st.DrawFn) -> Package:
    name, version = (
        draw(st.sampled_from(["a", "b-c", "d2"])),
        draw(st.sampled_from(["1.0", "1.0+cpu", "2.0rc1"])),
    )
    return draw(sources(name, version)).replace(
        marker=draw(st.sampled_from(_MARKERS)),
        requires_python=draw(st.sampled_from([None, ">=3.8", "<4,>=3.9"])),
        dependencies=draw(st.sampled_from([(), ({"name": "a"}, {"name": "b-c", "version": "1.0"})])),
        attestation_identities=draw(st.sampled_from([(), ({"kind": "K", "environment": 'e"\n'},)])),
        tool=draw(tools),
    )


locks = st.builds(
    Lock,
    packages=st.lists(packages(), max_size=4).map(tuple),
    created_by=st.sampled_from(["accord", 'odd "maker" \\ é']),
    environments=st.sampled_from([(), ("os_name == 'posix'", 'sys_platform == "win32"')]),
    requires_python=st.sampled_from([None, ">=3.9"]),
    extras=st.sampled_from([(), ("cpu", "gpu")]),
    dependency_groups=st.sampled_from([(), ("dev", "docs")]),
    default_groups=st.sampled_from([(), ("dev",)]),
    tool=tools,
)


@given(locks)
def test_packaging_accepts_what_we_write(lock: Lock) -> None:
    Pylock.from_dict(tomllib.loads(write.dumps(lock))).validate()


@given(locks)
def test_reading_gives_back_what_was_written(lock: Lock) -> None:
    text = write.dumps(lock)
    again = read.loads(text)
    assert write.dumps(again) == text
    assert sorted(map(repr, map(order_within, again.packages))) == sorted(
        map(repr, map(order_within, lock.packages))
    )
    assert again.replace(packages=(), environments=()) == lock.replace(packages=(), environments=())


def order_within(package: Package) -> Package:
    """The order of files is the writer's to choose; all else must survive."""
    return package.replace(wheels=tuple(sorted(package.wheels, key=repr)))


@given(locks)
def test_the_compact_form_is_the_same_lock(lock: Lock) -> None:
    assert compact.from_marshal(compact.to_marshal(lock)) == lock


MARKERS = {
    "implementation_name": "cpython",
    "implementation_version": "3.12.1",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "6.1.0",
    "platform_system": "Linux",
    "platform_version": "#1",
    "python_full_version": "3.12.1",
    "python_version": "3.12",
    "sys_platform": "linux",
}
TAGS = (
    "cp312-cp312-manylinux_2_17_x86_64",
    "cp312-cp312-manylinux2014_x86_64",
    "cp312-abi3-linux_x86_64",
    "py3-none-any",
)


@given(
    locks,
    st.sampled_from([("cpu",), ("gpu",), (), ("cpu", "gpu")]),
    st.sampled_from([None, (), ("dev",)]),
    st.sampled_from([MARKERS, {**MARKERS, "python_full_version": "3.8.1", "python_version": "3.8"}]),
    st.permutations(TAGS),
    st.booleans(),
)
def test_selection_is_packagings(
    lock: Lock,
    extras: tuple[str, ...],
    groups: tuple[str, ...] | None,
    markers: dict[str, str],
    tags: list[str],
    sdist: bool,
) -> None:
    assume(
        set(extras) <= set(lock.extras)
        and set(groups or ()) <= {*lock.dependency_groups, *lock.default_groups}
    )
    prefer = (lambda name: name != "a") if sdist else None
    oracle = Pylock.from_dict(tomllib.loads(write.dumps(lock)))
    order = [Tag(*tag.split("-")) for tag in tags]
    try:
        expected = [
            (
                package.name,
                type(source).__name__.removeprefix("Package").lower(),
                getattr(source, "filename", None),
            )
            for package, source in oracle.select(
                environment=cast(Environment, markers),
                tags=order,
                extras=extras,
                dependency_groups=groups,
                prefer_sdist_predicate=prefer,
            )
        ]
    except PylockSelectError:
        with pytest.raises(DocumentError, match=r"twice|no wheel|is for Python|not made for"):
            select.select(lock, markers, tags, extras, groups, prefer_sdist=prefer)
        return
    chosen = select.select(read.loads(write.dumps(lock)), markers, tags, extras, groups, prefer_sdist=prefer)
    found = [
        (one.name, one.kind, one.source.filename if isinstance(one.source, File) else None) for one in chosen
    ]
    assert found == expected
    loaded = compact.from_marshal(compact.to_marshal(lock))
    assert loaded is not None
    again = select.select(loaded, markers, tags, extras, groups, prefer_sdist=prefer)
    assert {(one.name, one.kind, one.source) for one in again} == {
        (one.name, one.kind, one.source) for one in chosen
    }


def test_tool_tables_change_no_installation() -> None:
    """ "[tool] … MUST NOT affect installation"."""
    plain = Package(name="a", version="1.0", wheels=(file("a-1.0-py3-none-any.whl"),))
    adorned = plain.replace(tool={"accord": {"edges": [{"name": "b"}]}})
    lock = Lock(packages=(adorned,), tool={"accord": {"inputs": "x"}})
    chosen = select.select(lock, MARKERS, TAGS)
    bare = select.select(Lock(packages=(plain,)), MARKERS, TAGS)
    assert [(one.name, one.kind, one.source) for one in chosen] == [
        (one.name, one.kind, one.source) for one in bare
    ]


def test_the_higher_build_of_the_same_tag_wins() -> None:
    wheels = tuple(file(f"a-1.0{build}-py3-none-any.whl") for build in ("", "-2", "-10", "-9z"))
    (chosen,) = select.select(
        Lock(packages=(Package(name="a", version="1.0", wheels=wheels),)), MARKERS, TAGS
    )
    assert isinstance(chosen.source, File)
    assert chosen.source.filename == "a-1.0-10-py3-none-any.whl"


def test_default_groups_are_installed_unless_groups_are_named() -> None:
    wheels = (file("a-1.0-py3-none-any.whl"),)
    package = Package(name="a", version="1.0", marker="'dev' in dependency_groups", wheels=wheels)
    lock = Lock(packages=(package,), dependency_groups=("docs",), default_groups=("dev",))
    assert [
        len(select.select(lock, MARKERS, TAGS, groups=groups)) for groups in (None, (), ("docs",), ("dev",))
    ] == [1, 0, 0, 1]


def test_the_best_of_equal_tags_is_written_first() -> None:
    """pip takes the first wheel of equal tags, so that must be the one we take: the highest build."""
    names = [f"a-1.0{build}-py3-none-any.whl" for build in ("-2", "", "-10")]
    text = write.dumps(Lock(packages=(Package(name="a", version="1.0", wheels=tuple(map(file, names))),)))
    assert [text.index(name) for name in (names[2], names[0], names[1])] == sorted(
        text.index(name) for name in names
    )


def test_no_build_refuses_what_would_be_built() -> None:
    sdist = Package(name="a", version="1.0", sdist=file("a-1.0.tar.gz"))
    tree = Package(name="a", directory=Directory(path="."))
    wheel = Package(
        name="a", archive=Archive(url="https://h.example/a-1.0-py3-none-any.whl", hashes={"sha256": DIGEST})
    )
    for package in (sdist, tree):
        with pytest.raises(DocumentError) as caught:
            select.select(Lock(packages=(package,)), MARKERS, TAGS, no_build=True)
        assert caught.value.code == "no-wheel"
        assert select.select(Lock(packages=(package,)), MARKERS, TAGS)
    assert select.select(Lock(packages=(wheel,)), MARKERS, TAGS, no_build=True)[0].kind == "archive"


def test_what_is_asked_for_must_exist() -> None:
    lock = Lock(packages=(), extras=("cpu",), dependency_groups=("Dev_Tools",))
    for code, extras, groups in (("unknown-extra", ("gpu",), None), ("unknown-group", (), ("test",))):
        with pytest.raises(DocumentError) as caught:
            select.select(lock, MARKERS, TAGS, extras, groups)
        assert caught.value.code == code
        assert caught.value.hint
    assert select.select(lock, MARKERS, TAGS, ("CPU",), ("dev-tools",)) == ()


def test_a_build_between_tags_is_a_version() -> None:
    lock = Lock(packages=(), requires_python=">=3.12")
    assert select.select(lock, {**MARKERS, "python_full_version": "3.13.0+"}, TAGS) == ()


LAYOUT = """\
lock-version = "1.0"
environments = [
    "os_name == 'posix'",
]
extras = []
dependency-groups = []
created-by = "accord"

[[packages]]
name = "a"
version = "1.0"
marker = 'sys_platform == "linux"'
dependencies = [
    { name = "b" },
]
index = "https://index.example/simple/"
sdist = { url = "https://files.index.example/a-1.0.tar.gz", size = 9, hashes = { sha256 = "00" } }
wheels = [
    { name = "a-1.0-py2-none-any.whl", hashes = { sha256 = "01" } },
    { name = "a-1.0-py3-none-any.whl", upload-time = 2026-01-02T03:04:05Z, hashes = { md5 = "02", sha256 = "02" } },
]

[[packages]]
name = "b"

[tool.accord]
inputs = "1"

[tool.accord.nested]
edges = [
    { name = "a", "odd key" = [1, 2] },
]
"""


def test_the_layout() -> None:
    """One file a line, keys in the standard's order, everything sorted: this text is a promise to version control."""
    a = Package(
        name="a",
        version="1.0",
        marker='sys_platform == "linux"',
        dependencies=({"name": "b"},),
        index="https://index.example/simple/",
        sdist=File(url="https://files.index.example/a-1.0.tar.gz", size=9, hashes={"sha256": "00"}),
        wheels=(
            File("a-1.0-py3-none-any.whl", "2026-01-02T03:04:05Z", hashes={"sha256": "02", "md5": "02"}),
            File("a-1.0-py2-none-any.whl", hashes={"sha256": "01"}),
        ),
    )
    tool = {"accord": {"nested": {"edges": [{"name": "a", "odd key": [1, 2]}]}, "inputs": "1"}}
    lock = Lock(packages=(Package(name="b"), a), environments=("os_name == 'posix'",), tool=tool)
    assert write.dumps(lock) == LAYOUT


def test_what_toml_cannot_say_is_refused() -> None:
    with pytest.raises(TypeError, match="NoneType"):
        write.dumps(Lock(packages=(), tool={"x": {"y": None}}))


def test_dates_in_tool_tables_survive() -> None:
    text = (
        write.dumps(Lock(packages=()))
        + "[tool.x]\nd = 2026-01-02\nt = 01:02:03\nl = [2026-01-02T03:04:05Z]\n"
    )
    lock = read.loads(text)
    assert compact.from_marshal(compact.to_marshal(lock)) == lock
    assert write.dumps(lock) == text.replace("[tool", "\n[tool").replace("Z]", "+00:00]")


@pytest.mark.parametrize(
    "data", [b"", b"rubbish", b"(", marshal.dumps(("other", False, [])), marshal.dumps(5)]
)
def test_a_foreign_cache_is_no_lock(data: bytes) -> None:
    assert compact.from_marshal(data) is None


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05.123456Z", "2026-01-02T03:04:05.123456Z"),
        ("2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.500000Z"),
        ("2026-01-02T05:04:05+02:00", "2026-01-02T03:04:05Z"),
        ("2026-01-02 03:04:05", "2026-01-02T03:04:05Z"),
    ],
)
def test_times_are_utc(text: str, utc: str) -> None:
    assert utc_time(text) == utc
