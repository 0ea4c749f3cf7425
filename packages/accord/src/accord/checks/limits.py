"""How much of a stranger's project or archive the checks look at; beyond, they refuse or look no further."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT_LIMITS", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes.

    ``tree_files`` in a project folder (``check-too-many-files`` beyond); ``tree_depth`` of its folders;
    ``document_bytes`` of ``pyproject.toml``, a readme, PKG-INFO or a bill of materials; ``rendered_characters`` of a
    readme that is rendered; ``source_bytes`` of one Python file that is parsed, and
    ``sources_bytes`` of all of them together; ``binary_bytes`` of one shared object that is read;
    ``binary_sections`` of such an object and ``binary_entries`` (symbols, versions) of one of them;
    ``memory_bytes`` of an sdist that is not unpacked on disk; ``findings`` of one check on one subject, the rest is counted.
    """

    tree_files: int = 100_000
    tree_depth: int = 40
    document_bytes: int = 10_000_000
    rendered_characters: int = 500_000
    source_bytes: int = 4_000_000
    sources_bytes: int = 64_000_000
    binary_bytes: int = 256_000_000
    binary_sections: int = 10_000
    binary_entries: int = 2_000_000
    memory_bytes: int = 128_000_000
    findings: int = 20


DEFAULT_LIMITS = Limits()
