"""Writes the build backend's copy of the SPDX lists from `packaging`'s: python .ci/spdx.py

The backend has no requirements, so it carries the identifiers itself; a test compares them with the `packaging` of the locks.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "packages/accord-backend/src/accord_backend/spdx.py"
HEAD = '''"""The identifiers of the SPDX licence list {version}, in their reference case; ``*`` marks a deprecated one.

Written by ``.ci/spdx.py``.  Loaded only for an expression that :mod:`accord_backend.rules` does not know by heart.
"""

from __future__ import annotations

__all__ = ["EXCEPTIONS", "LICENCES"]
'''


def module() -> str:
    """The text of the module."""
    from packaging.licenses import _spdx

    return (
        HEAD.format(version=_spdx.VERSION)
        + f'\nLICENCES = """\n{_words(_spdx.LICENSES)}\n"""\n'
        + f'\nEXCEPTIONS = """\n{_words(_spdx.EXCEPTIONS)}\n"""\n'
    )


def _words(table: Mapping[str, Any]) -> str:
    words = [entry["id"] + ("*" if entry["deprecated"] else "") for entry in table.values()]
    return textwrap.fill(" ".join(words), 108, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    TARGET.write_text(module(), encoding="utf-8")
