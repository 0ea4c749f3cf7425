"""A lock as a requirements file, laid out as pip-tools and ``uv pip compile`` lay it out.

A requirements file knows neither extras nor dependency groups of a lock, so both are chosen here and what remains of
each marker is written.  Hosts appear only in direct references and where index options are asked for.
"""

from __future__ import annotations

from accord_core.lock.model import Archive, Lock, Package, Vcs
from accord_core.names import normalise
from accord_core.project.markers import Atom, Tree, format_marker, parse_marker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Layout", "dumps_requirements"]

_INDENT = "    "


class Layout:
    """How the file is written; the defaults are those of ``uv pip compile``.  A slotted class by hand: this is hot.

    ``command`` is named in the header, which is left out when it is None.  ``origins`` says for a project which
    inputs ask for it (``"-r requirements.in"``), ``extras`` which extras of it were asked for (written only
    without ``strip_extras``).  ``annotation_style`` is ``split`` or ``line``.  ``options`` are lines such as
    ``--index-url …``, written before all else.
    """

    __slots__ = (
        "annotate",
        "annotation_style",
        "command",
        "extras",
        "hashes",
        "leave_out",
        "options",
        "origins",
        "strip_extras",
        "strip_markers",
    )

    def __init__(
        self,
        *,
        hashes: bool = False,
        annotate: bool = True,
        annotation_style: str = "split",
        strip_extras: bool = True,
        strip_markers: bool = False,
        command: str | None = None,
        options: tuple[str, ...] = (),
        leave_out: frozenset[str] = frozenset(),
        origins: Mapping[str, tuple[str, ...]] | None = None,
        extras: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.hashes = hashes
        self.annotate = annotate
        self.annotation_style = annotation_style
        self.strip_extras = strip_extras
        self.strip_markers = strip_markers
        self.command = command
        self.options = options
        self.leave_out = leave_out
        self.origins: Mapping[str, tuple[str, ...]] = origins or {}
        self.extras: Mapping[str, tuple[str, ...]] = extras or {}


def dumps_requirements(
    lock: Lock,
    layout: Layout | None = None,
    *,
    extras: Iterable[str] = (),
    groups: Iterable[str] | None = None,
) -> str:
    """The text of the requirements file that installs what ``lock`` does for these ``extras`` and ``groups``.

    ``groups`` None means the lock's default groups.
    """
    layout = layout or Layout()
    wanted = (
        frozenset([normalise(extra) for extra in extras]),
        frozenset([normalise(group) for group in (lock.default_groups if groups is None else groups)]),
    )
    lines: list[str] = []
    if layout.command is not None:
        lines += ("# This file was written by Accord with the following command:", f"#    {layout.command}")
    lines += layout.options
    if layout.options:
        lines.append("")
    entries = []
    for package in lock.packages:
        remaining = _remaining(package.marker, *wanted)
        if remaining is not None:
            entries.append((package, remaining))
    via = _parents([package for package, _ in entries], layout)
    for package, marker in sorted(
        entries, key=lambda entry: (entry[0].name, entry[0].version or "", entry[1])
    ):
        if package.name not in layout.leave_out:
            lines += _entry(package, marker, via.get(package.name, []), layout)
    if layout.leave_out & {package.name for package, _ in entries}:
        lines += ("", "# The following packages were left out of this file:")
        lines += [f"# {name}" for name in sorted(layout.leave_out & {package.name for package, _ in entries})]
    return "\n".join(lines) + "\n"


def _entry(package: Package, marker: str, via: list[str], layout: Layout) -> list[str]:
    first = _requirement(package, layout)
    if marker and not layout.strip_markers:
        # After a URL the semicolon needs a space before it, or it is a part of the URL (PEP 508).
        first += f" ; {marker}"
    hashes = _hashes(package) if layout.hashes else []
    lines = [first] + [f"{_INDENT}--hash={digest}" for digest in hashes]
    lines = [f"{line} \\" for line in lines[:-1]] + lines[-1:]
    if not layout.annotate or not via:
        return lines
    if layout.annotation_style == "line":
        lines[-1] = f"{lines[-1]}  # via {', '.join(via)}"
        return lines
    if len(via) == 1:
        return [*lines, f"{_INDENT}# via {via[0]}"]
    return [*lines, f"{_INDENT}# via", *[f"{_INDENT}#   {parent}" for parent in via]]


def _requirement(package: Package, layout: Layout) -> str:
    extras = () if layout.strip_extras else layout.extras.get(package.name, ())
    name = package.name + (f"[{','.join(sorted(extras))}]" if extras else "")
    if package.directory is not None:
        path = package.directory.path
        if package.directory.subdirectory:
            path = f"{path.rstrip('/')}/{package.directory.subdirectory}"
        if path[:1] not in ("/", "."):
            path = f"./{path}"
        if extras:
            path += f"[{','.join(sorted(extras))}]"
        return f"-e {path}" if package.directory.editable else path
    if package.vcs is not None:
        return f"{name} @ {_vcs_url(package.vcs)}"
    if package.archive is not None:
        return f"{name} @ {_archive_url(package.archive)}"
    return name if package.version is None else f"{name}=={package.version}"


def _vcs_url(vcs: Vcs) -> str:
    url = vcs.url or vcs.path or ""
    fragment = f"#subdirectory={vcs.subdirectory}" if vcs.subdirectory else ""
    return f"{vcs.type}+{url}@{vcs.commit_id}{fragment}"


def _archive_url(archive: Archive) -> str:
    fragment = f"#subdirectory={archive.subdirectory}" if archive.subdirectory else ""
    return f"{archive.url or archive.path or ''}{fragment}"


def _hashes(package: Package) -> list[str]:
    files = [*package.wheels, package.sdist, package.archive]
    return sorted(
        {
            f"{algorithm}:{digest}"
            for file in files
            if file is not None
            for algorithm, digest in file.hashes.items()
        }
    )


def _parents(packages: list[Package], layout: Layout) -> dict[str, list[str]]:
    """For each project, the inputs that ask for it and the locked projects that depend on it, sorted."""
    parents: dict[str, set[str]] = {name: set(origins) for name, origins in layout.origins.items()}
    for package in packages:
        for table in package.dependencies:
            name = table.get("name")
            if isinstance(name, str):
                parents.setdefault(name, set()).add(package.name)
    return {name: sorted(found) for name, found in parents.items()}


def _remaining(marker: str | None, extras: frozenset[str], groups: frozenset[str]) -> str | None:
    """What is left of a marker when extras and groups are decided: ``""`` always, None never."""
    if marker is None:
        return ""
    found = _decide(parse_marker(marker), extras, groups)
    if isinstance(found, bool):
        return "" if found else None
    return format_marker(found)


def _decide(tree: Tree | Atom, extras: frozenset[str], groups: frozenset[str]) -> Tree | bool:
    if isinstance(tree, tuple):
        _, left, operator, right_variable, right = tree
        if right_variable and right in ("extras", "dependency_groups") and operator in ("in", "not in"):
            return (left in (extras if right == "extras" else groups)) is (operator == "in")
        return [tree]
    runs: list[list[Tree]] = []  # "and" binds tighter: runs of undecided terms between "or"
    run: list[Tree] | None = []
    for term in [*tree, "or"]:
        if term == "or":
            if run == []:
                return True
            if run is not None:
                runs.append(run)
            run = []
        elif run is not None and not isinstance(term, str):
            found = _decide(term, extras, groups)
            if found is False:
                run = None
            elif found is not True:
                run.append(found)
    return _joined([_joined(one, "and") for one in runs], "or") if runs else False


def _joined(terms: list[Tree], word: str) -> Tree:
    joined: Tree = []
    for term in terms:
        joined += [word, term] if joined else [term]
    return joined
