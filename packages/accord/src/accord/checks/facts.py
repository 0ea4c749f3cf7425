"""What a project says about itself, whichever document it says it in: ``[project]``, PKG-INFO or METADATA.

Most rules of the index are about these fields and not about the file that holds them, so they are written once over
:class:`Facts`.  Values of a wrong type count as absent here; that they are wrong, ``pyproject-invalid`` and
``metadata-invalid`` say.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from accord_core.errors import Where

if TYPE_CHECKING:
    from accord_core.project.positions import KeyPath

__all__ = ["Dependency", "Facts", "Readme", "of_metadata", "of_project", "readme_type"]

_README_TYPES = {".md": "text/markdown", ".rst": "text/x-rst", ".txt": "text/plain"}


@dataclass(frozen=True, slots=True)
class Readme:
    """``text`` is None where it could not be read; ``content_type`` is empty where nobody says it."""

    text: str | None
    content_type: str
    where: Where
    file: str | None = None
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Dependency:
    """A requirement as written, where it stands, and the extra it is of."""

    text: str
    where: Where
    extra: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """The fields, as written.  ``place`` leads from a field's name (as in ``[project]``) to where it stands.

    ``license_text`` is what the older form says; ``has_license_table`` that it stands there at all.
    """

    place: Callable[..., Where]
    name: str | None = None
    version: str | None = None
    description: str | None = None
    requires_python: str | None = None
    license: str | None = None
    license_text: str | None = None
    license_files: tuple[str, ...] | None = None
    classifiers: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    urls: Mapping[str, str] = field(default_factory=dict)
    emails: tuple[tuple[str, str], ...] = ()  # (field, address)
    people: bool = False
    dependencies: tuple[Dependency, ...] = ()
    extras: tuple[str, ...] = ()
    dynamic: tuple[str, ...] = ()
    readme: Readme | None = None
    import_names: tuple[str, ...] | None = None
    import_namespaces: tuple[str, ...] | None = None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def of_project(
    table: Mapping[str, Any],
    place: Callable[[KeyPath], Where],
    read: Callable[[str], bytes | None],
) -> Facts:
    """The facts of a ``[project]`` table (PEP 621); ``read`` gives the bytes of a file of the project, or None."""

    def where(*at: str | int) -> Where:
        return place(("project", *at))

    dependencies = [
        Dependency(text, where("dependencies", number))
        for number, text in enumerate(_texts(table.get("dependencies")))
    ]
    extras = _table(table.get("optional-dependencies"))
    for extra, lines in extras.items():
        dependencies += [
            Dependency(text, where("optional-dependencies", extra, number), extra)
            for number, text in enumerate(_texts(lines))
        ]
    licence = table.get("license")
    people = [
        (key, person)
        for key in ("authors", "maintainers")
        for person in _list(table.get(key))
        if isinstance(person, dict)
    ]
    urls = _table(table.get("urls"))
    return Facts(
        place=where,
        name=_text(table.get("name")),
        version=_text(table.get("version")),
        description=_text(table.get("description")),
        requires_python=_text(table.get("requires-python")),
        license=_text(licence),
        license_text=_text(_table(licence).get("text")),
        license_files=_texts(table["license-files"]) if "license-files" in table else None,
        classifiers=_texts(table.get("classifiers")),
        keywords=_texts(table.get("keywords")),
        urls={label: url for label, url in urls.items() if isinstance(url, str)},
        emails=tuple((key, one["email"]) for key, one in people if isinstance(one.get("email"), str)),
        people=bool(people),
        dependencies=tuple(dependencies),
        extras=tuple(extras),
        dynamic=_texts(table.get("dynamic")),
        readme=_readme(table.get("readme"), where, read),
        import_names=_texts(table["import-names"]) if "import-names" in table else None,
        import_namespaces=_texts(table["import-namespaces"]) if "import-namespaces" in table else None,
    )


def _readme(value: object, where: Callable[..., Where], read: Callable[[str], bytes | None]) -> Readme | None:
    inside = value if isinstance(value, dict) else {"file": value}
    kind = _text(inside.get("content-type")) or ""
    text = _text(inside.get("text"))
    if text is not None:
        return Readme(text, kind, where("readme"))
    name = _text(inside.get("file"))
    if name is None:
        return None
    data = read(name)
    kind = kind or _README_TYPES.get(os.path.splitext(name)[1].lower(), "")
    if data is None:
        return Readme(None, kind, where("readme"), name, absent=True)
    try:
        return Readme(data.decode("utf-8-sig"), kind, where("readme"), name)
    except UnicodeDecodeError:
        return Readme(None, kind, where("readme"), name)


def readme_type(content_type: str) -> tuple[str, dict[str, str]]:
    """``text/markdown; variant=GFM`` → ``("text/markdown", {"variant": "GFM"})``."""
    from email.message import Message

    message = Message()
    message["content-type"] = content_type
    parameters = dict(message.get_params() or [])
    kind = message.get_content_type()
    return kind, {key.lower(): value for key, value in list(parameters.items())[1:]}


def of_metadata(raw: Mapping[str, Any], path: str) -> Facts:
    """The facts of core metadata as ``packaging.metadata.parse_email`` reads them; ``path`` is that of the document."""

    def where(*at: str | int) -> Where:
        return Where(path, key=str(at[0]) if at else None)

    extras = {str(extra) for extra in raw.get("provides_extra", ())}
    addresses = [(key, raw[key]) for key in ("author_email", "maintainer_email") if raw.get(key)]
    text = _unfolded(raw.get("description"))
    return Facts(
        place=where,
        name=raw.get("name"),
        version=raw.get("version"),
        description=raw.get("summary"),
        requires_python=raw.get("requires_python"),
        license=raw.get("license_expression"),
        license_text=raw.get("license"),
        license_files=tuple(raw["license_files"]) if "license_files" in raw else None,
        classifiers=tuple(raw.get("classifiers", ())),
        keywords=tuple(raw.get("keywords", ())),
        urls={
            **({"Homepage": raw["home_page"]} if raw.get("home_page") else {}),
            **({"Download": raw["download_url"]} if raw.get("download_url") else {}),
            **raw.get("project_urls", {}),
        },
        emails=tuple((key, address) for key, value in addresses for address in _addresses(value)),
        people=any(raw.get(key) for key in ("author", "maintainer", "author_email", "maintainer_email")),
        dependencies=tuple(
            Dependency(line, where("Requires-Dist"), _extra_of(line, extras))
            for line in raw.get("requires_dist", ())
        ),
        extras=tuple(raw.get("provides_extra", ())),
        dynamic=tuple(field.lower() for field in raw.get("dynamic", ())),
        readme=Readme(text, raw.get("description_content_type") or "", where("Description"))
        if text and text.strip() not in ("", "UNKNOWN")
        else None,
        import_names=tuple(raw["import_names"]) if "import_names" in raw else None,
        import_namespaces=tuple(raw["import_namespaces"]) if "import_namespaces" in raw else None,
    )


def _unfolded(text: str | None) -> str | None:
    """A description that stands in a header, as metadata before 2.1 had it, without what its further lines begin with."""
    first, *rest = (text or "").split("\n")
    if not rest or not all(line[:8] in ("        ", "       |") for line in rest if line.strip()):
        return text
    return "\n".join([first, *(line[8:] for line in rest)])


def _addresses(value: str) -> list[str]:
    from email.utils import getaddresses

    return [address for _, address in getaddresses([value]) if address]


def _extra_of(line: str, extras: set[str]) -> str | None:
    _, _, marker = line.partition(";")
    if "extra" not in marker:
        return None
    return next((extra for extra in extras if f"'{extra}'" in marker or f'"{extra}"' in marker), "")
