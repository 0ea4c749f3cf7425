"""What changed between two locks."""

from __future__ import annotations

from accord_core.lock.compare import Change, compare
from accord_core.lock.model import File, Lock, Package


def wheel(name: str, version: str, digest: str = "00") -> File:
    return File(f"{name}-{version}-py3-none-any.whl", url="https://h.example/x", hashes={"sha256": digest})


def entry(name: str, version: str, digest: str = "00", **fields: object) -> Package:
    return Package(name=name, version=version, wheels=(wheel(name, version, digest),)).replace(**fields)


OLD = Lock(
    packages=(entry("a", "1"), entry("b", "1"), entry("c", "1"), entry("d", "1"), entry("d", "2", marker="x"))
)


def test_each_kind_of_change() -> None:
    new = Lock(
        packages=(
            entry("a", "2"),
            entry("c", "1", "01"),
            entry("d", "2"),
            entry("e", "1"),
        )
    )
    assert compare(OLD, new) == (
        Change("a", "changed", ("1",), ("2",)),
        Change("b", "removed", ("1",), ()),
        Change("c", "files", ("1",), ("1",)),
        Change("d", "changed", ("1", "2"), ("2",)),
        Change("e", "added", (), ("1",)),
    )


def test_what_installs_nothing_is_no_change() -> None:
    """Order, ``tool``, ``dependencies`` and who wrote it leave every installation as it was."""
    packages = [
        one.replace(
            tool={"accord": {}}, dependencies=({"name": "z"},), attestation_identities=({"kind": "k"},)
        )
        for one in reversed(OLD.packages)
    ]
    two = entry("w", "1").replace(wheels=(wheel("w", "1"), wheel("w", "1", "02")))
    turned = two.replace(wheels=two.wheels[::-1])
    old, new = (
        OLD.replace(packages=(*OLD.packages, two)),
        Lock(packages=(*packages, turned), created_by="else"),
    )
    assert compare(old, new) == ()


def test_without_a_lock_everything_is_added() -> None:
    assert [change.kind for change in compare(None, OLD)] == ["added"] * 4


def test_a_marker_alone_is_a_change() -> None:
    new = OLD.replace(packages=(entry("a", "1", marker="os_name == 'x'"), *OLD.packages[1:]))
    assert compare(OLD, new) == (Change("a", "files", ("1",), ("1",)),)
