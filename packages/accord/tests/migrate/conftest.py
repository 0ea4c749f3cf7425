"""Projects of other tools, written as files, and what a migration makes of them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from accord.migrate.document import write_document
from accord.migrate.limits import DEFAULT, Limits
from accord.migrate.model import Described
from accord.migrate.project import describe
from accord.migrate.tree import Tree

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Made:
    """A migration: the text and the data of the new document, the record it was made from, the other files."""

    text: str
    data: dict[str, Any]
    described: Described
    backend: str
    reasons: tuple[str, ...]
    locks: dict[str, str]

    @property
    def project(self) -> dict[str, Any]:
        found: dict[str, Any] = self.data["project"]
        return found

    @property
    def accord(self) -> dict[str, Any]:
        found: dict[str, Any] = self.data.get("tool", {}).get("accord", {})
        return found

    @property
    def left(self) -> str:
        """The leftovers as one text, for a look whether something is told."""
        return "\n".join(f"{each.where} {each.what} {each.why}" for each in self.described.leftovers)


Migrate = Callable[..., Made]


@pytest.fixture
def migrated(tmp_path: Path) -> Migrate:
    """``migrated({path: text}, backend="accord")``: write the files, and migrate them without touching anything."""

    def make(
        files: Mapping[str, str],
        *,
        backend: str | None = "accord",
        forced: bool = False,
        kind: str | None = None,
        limits: Limits = DEFAULT,
    ) -> Made:
        for name, text in files.items():
            path = tmp_path / "project" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        tree = Tree(str(tmp_path / "project"), limits)
        found = describe(tree, kind)
        written = write_document(
            found.described,
            tree,
            backend=backend,
            forced=forced,
            replaced=found.replaced,
            has_project=found.has_project,
        )
        return Made(
            written.text,
            tomllib.loads(written.text),
            found.described,
            written.backend,
            written.reasons,
            found.locks,
        )

    return make
