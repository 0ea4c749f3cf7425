"""Who asks and what they may do: users, tokens, roles.  No HTTP but for the header a credential comes in."""

from __future__ import annotations
