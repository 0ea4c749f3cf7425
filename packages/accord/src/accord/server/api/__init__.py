"""What machines read: the Simple API, files, feeds, the JSON the public index has."""

from __future__ import annotations
