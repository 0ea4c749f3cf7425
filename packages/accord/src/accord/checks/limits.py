"""How much of a stranger's project or archive the checks look at; beyond, they refuse or look no further."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT_LIMITS", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes.

    ``tree_files`` in a project folder (``check-too-many-files`` beyond); ``tree_depth`` of its folders;
    ``document_bytes`` of ``pyproject.toml`` and of a readme; ``source_bytes`` of one Python file that is parsed, and
    ``sources_bytes`` of all of them together; ``binary_bytes`` of one shared object that is read;
    ``findings`` of one check on one subject, the rest is counted.
    """

    tree_files: int = 100_000
    tree_depth: int = 40
    document_bytes: int = 10_000_000
    source_bytes: int = 4_000_000
    sources_bytes: int = 64_000_000
    binary_bytes: int = 1 << 30
    findings: int = 20


DEFAULT_LIMITS = Limits()
