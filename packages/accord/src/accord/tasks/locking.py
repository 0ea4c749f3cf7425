"""A resolution as a lock document (hot).

Knows the standard's model (PEP 751) and what a resolution holds; writes no file.  Everything that installing needs is
in the standard's own keys; ``[tool.accord]`` holds only what saves time or explains (digest of the inputs, what a
group alone would need), and deleting it changes nothing that is installed.
"""

from __future__ import annotations

from accord_core.lock.model import File as LockFile
from accord_core.lock.model import Lock, Package, utc_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.repositories.candidates import Target
    from accord.tasks.resolving import Resolution
    from accord_core.index.model import File

    # (python, abi) pairs of the target's tags, how its platform tags begin, its machine
    _Kinds = tuple[frozenset[tuple[str, str]], tuple[str, ...], str]

__all__ = ["environment_marker", "make_lock", "selection_marker"]

_BY = "accord"
_MARKED = ("implementation_name", "platform_machine", "python_version", "sys_platform")
_PLATFORMS = {"Linux": ("linux", "manylinux", "musllinux"), "Darwin": ("macosx",), "Windows": ("win",)}


def make_lock(
    resolution: Resolution,
    target: Target,
    *,
    with_files: bool = True,
    extras: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
    requires_python: str | None = None,
    inputs_digest: str | None = None,
    base: str = ".",
) -> Lock:
    """The lock of ``resolution``.

    ``with_files`` false leaves files out, for output that names versions only.  ``base`` is the folder of the lock, to
    which local paths are relative.  ``extras`` and ``groups`` are those the lock was made for.
    """
    selections = resolution.selections()
    packages = []
    for name, pin in resolution.solution.pins.items():
        edges = tuple(
            {"name": other} for other in dict.fromkeys(edge[0] for edge in pin.edges()) if other != name
        )
        marker = selection_marker(selections[name]) if extras or groups else None
        direct = resolution.direct.get(name)
        if direct is not None:
            packages.append(direct.package(pin.version, marker, edges, base))
            continue
        wheels: tuple[LockFile, ...] = ()
        sdist = None
        if with_files:
            wheels, sdist = _files(_hashed(resolution, name, target), target, base)
        packages.append(
            Package(
                name=name,
                version=pin.version,
                marker=marker,
                dependencies=tuple(sorted(edges, key=lambda edge: edge["name"])),
                index=resolution.index(name) if with_files else None,
                wheels=wheels,
                sdist=sdist,
            )
        )
    return Lock(
        packages=tuple(packages),
        created_by=_BY,
        environments=(environment_marker(target),),
        requires_python=requires_python,
        extras=extras,
        dependency_groups=groups,
        tool=_tool(inputs_digest, selections, groups),
    )


def environment_marker(target: Target) -> str:
    """What a lock for one target is good for: its implementation, Python, system and machine; not its libc."""
    return " and ".join(f"{name} == '{target.markers[name]}'" for name in _MARKED)


def selection_marker(selections: frozenset[str]) -> str | None:
    """When a package is installed, as ``packages.marker``; None for always."""
    if "" in selections:
        return None
    parts = []
    for selection in sorted(selections):
        kind, _, name = selection.partition(":")
        parts.append(f"'{name}' in {'extras' if kind == 'extra' else 'dependency_groups'}")
    return " or ".join(parts)


def _tool(
    inputs_digest: str | None, selections: dict[str, frozenset[str]], groups: tuple[str, ...]
) -> dict[str, object] | None:
    if inputs_digest is None:
        return None
    accord: dict[str, object] = {"inputs": inputs_digest}
    if groups:
        accord["only-groups"] = {
            group: sorted(name for name, found in selections.items() if f"group:{group}" in found)
            for group in groups
        }
    return {"accord": accord}


def _hashed(resolution: Resolution, name: str, target: Target) -> list[File]:
    """The files of a project, each with a secure hash, which a lock must have (PEP 751 "packages.wheels.hashes").

    An index that publishes none makes no promise that could be broken, so what it sends now is what the lock pins: local
    files are hashed, and of remote ones only the one that will be installed is fetched for it; the others are left out.
    """
    files = resolution.files(name)
    if all(_is_secure(file) for file in files):
        return files
    kept = [file for file in files if _is_secure(file) or file.url.startswith("file:")]
    bare = [file for file in files if not _is_secure(file) and not file.url.startswith("file:")]
    if bare and not kept:
        wheels = [(place, file) for file in bare if (place := _place(file.filename, target)) is not None]
        kept.append(min(wheels, key=lambda pair: pair[0])[1] if wheels else bare[-1])
    for file in kept:
        if not _is_secure(file):
            file.hashes = {**file.hashes, "sha256": resolution.sha256(file)}
    return kept


def _is_secure(file: File) -> bool:
    """Whether an index gave a hash that nobody can make a second file for."""
    return any(name not in ("md5", "sha1") for name in file.hashes)


def _place(filename: str, target: Target) -> int | None:
    if filename[-4:].lower() != ".whl":
        return None
    return target.rank("-".join(filename[:-4].rsplit("-", 3)[1:]))


def _files(files: list[File], target: Target, base: str) -> tuple[tuple[LockFile, ...], LockFile | None]:
    """The wheels that some machine of the lock's environment could use, by name, and the sdist."""
    kinds = _kinds(target)
    wheels: list[LockFile] = []
    sdist: LockFile | None = None
    for file in files:
        name = file.filename
        if name[-4:].lower() == ".whl":
            # What the target accepts is kept whatever it is called: a 32-bit Python on a 64-bit kernel, fat binaries.
            suits = _suits(name, kinds) or _place(name, target) is not None
            if suits and target.python_fits(file.requires_python):
                wheels.append(_file(file, base))
        elif sdist is None or name.endswith(".tar.gz"):
            sdist = _file(file, base)
    wheels.sort(key=lambda file: file.name or "")
    return tuple(wheels), sdist


def _kinds(target: Target) -> _Kinds:
    pairs = set()
    for tag in target.tags:
        python, abi, _ = tag.split("-", 2)
        pairs.add((python, abi))
    return (
        frozenset(pairs),
        _PLATFORMS.get(target.markers["platform_system"], ()),
        target.markers["platform_machine"].lower(),
    )


def _suits(filename: str, kinds: _Kinds) -> bool:
    """Whether a wheel is for the lock's Python, system and machine, whatever libc it asks for."""
    pairs, prefixes, machine = kinds
    pythons, abis, platforms = filename[:-4].lower().rsplit("-", 3)[1:]
    if not any((python, abi) in pairs for python in pythons.split(".") for abi in abis.split(".")):
        return False
    return any(
        platform == "any"
        or (platform.startswith(prefixes) and platform.endswith((machine, "universal2", "win32")))
        for platform in platforms.split(".")
    )


def _file(file: File, base: str) -> LockFile:
    upload_time = None
    if file.upload_time is not None:
        try:
            upload_time = utc_time(file.upload_time)
        except ValueError:
            upload_time = None  # the standard wants a time or nothing
    if file.url.startswith("file:"):
        path = _path(file.url, base)
        return LockFile(file.filename, upload_time, None, path, file.size, file.hashes)
    return LockFile(file.filename, upload_time, file.url, None, file.size, file.hashes)


def _path(url: str, base: str) -> str:
    """A local file as a lock in the folder ``base`` names it: what lies in there goes where the lock goes."""
    import os

    from accord.io.urls import path_of

    path, folder = path_of(url), os.path.join(os.path.abspath(base), "")
    if path.startswith(folder):
        return "./" + path[len(folder) :].replace(os.sep, "/")
    return path
