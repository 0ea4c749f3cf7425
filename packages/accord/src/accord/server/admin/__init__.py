"""The JSON API by which people and their programs administer: ``/api/…``.  A route is one method and one thing it does."""

from __future__ import annotations
