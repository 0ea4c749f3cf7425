"""Looking into what was uploaded: a stranger's bytes in, an examined file or a refusal out.  Knows no index."""

from __future__ import annotations
