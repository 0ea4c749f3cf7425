"""Names of projects as they are compared, and digests by the names that hashlib has for them: what more than one room asks for.

Name normalization specification, "Name normalization".
"""

from __future__ import annotations

import hashlib
import re

__all__ = ["hex_digest", "normal"]


def normal(name: str) -> str:
    """The name in its normal form; a text that is no name has one, too."""
    return re.sub(r"[-_.]+", "-", name).lower()


def hex_digest(name: str, data: bytes) -> str:
    """The digest of ``data``; "" where ``name``, in letters of either case, is none of hashlib's, or one that needs a length."""
    try:
        return hashlib.new(name.lower(), data, usedforsecurity=False).hexdigest()
    except (ValueError, TypeError):
        return ""
