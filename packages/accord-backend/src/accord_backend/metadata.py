"""Writing core metadata (``METADATA``, ``PKG-INFO``), ``entry_points.txt`` and ``WHEEL`` from a project.

Values in, text out; nothing here touches a file.  Metadata version 2.5 (PEP 794; docs/decisions/0014).
"""

from __future__ import annotations

from . import __version__, rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .project import Project

__all__ = ["entry_points", "metadata", "wheel_file"]


def metadata(project: Project) -> str:
    """The core metadata document, ending with the readme as its body."""
    lines = [
        "Metadata-Version: 2.5",
        f"Name: {project.name}",
        f"Version: {project.version}",
    ]

    def add(key: str, value: str | None) -> None:
        if value:
            lines.append(f"{key}: {_folded(value)}")

    add("Summary", project.description and project.description.strip())
    add("Keywords", ",".join(project.keywords))
    for role, people in (("Author", project.authors), ("Maintainer", project.maintainers)):
        add(
            role, ", ".join(person["name"] for person in people if "email" not in person and "name" in person)
        )
        add(f"{role}-email", ", ".join(_address(person) for person in people if "email" in person))
    add("License", project.licence_text)
    add("License-Expression", project.licence_expression)
    for path in project.licence_files:
        add("License-File", path)
    for classifier in project.classifiers:
        add("Classifier", classifier)
    for label, url in project.urls.items():
        add("Project-URL", f"{label}, {url}")
    add("Requires-Python", project.requires_python)
    for requirement in project.dependencies:
        add("Requires-Dist", requirement)
    for extra, requirements in project.optional_dependencies.items():
        add("Provides-Extra", extra)
        for requirement in requirements:
            add("Requires-Dist", rules.with_extra(requirement, extra))
    if project.import_names == [] and not project.import_namespaces:
        lines.append("Import-Name:")  # "no import names at all", which is not the same as saying nothing
    for name in project.import_names or ():
        add("Import-Name", name)
    for name in project.import_namespaces or ():
        add("Import-Namespace", name)
    if project.readme is None:
        return "\n".join(lines) + "\n"
    text, kind = project.readme
    add("Description-Content-Type", kind)
    return "\n".join(lines) + "\n\n" + text


def _folded(value: str) -> str:
    # A line break inside a field continues with blanks, as in RFC 822; otherwise text could add fields.
    return "\n        ".join(value.strip().splitlines())


def _address(person: dict[str, str]) -> str:
    name = person.get("name")
    if name is None:
        return person["email"]
    if any(sign in name for sign in '()<>[]:;@\\".'):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{person['email']}>"


def entry_points(project: Project) -> str:
    """``entry_points.txt``, groups and names sorted; empty where there are none."""
    parts = []
    for group, points in sorted(project.entry_points.items()):
        rows = "".join(f"{name} = {reference.strip()}\n" for name, reference in sorted(points.items()))
        parts.append(f"[{group}]\n{rows}")
    return "\n".join(parts)


def wheel_file(tag: str | None = None) -> str:
    """``WHEEL`` (binary distribution format, "File contents"); ``tag`` is that of a wheel with extension modules."""
    return (
        "Wheel-Version: 1.0\n"
        f"Generator: accord-backend {__version__}\n"
        f"Root-Is-Purelib: {'true' if tag is None else 'false'}\n"
        f"Tag: {tag or 'py3-none-any'}\n"
    )
