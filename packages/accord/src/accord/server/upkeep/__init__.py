"""What operators do with an index as a whole: look whether it is sound, move it, write it out and read it in again.

Each works on an open server (:class:`~accord.server.parts.Parts`), beside the processes that serve it, and speaks to a
silent reporter.
"""

from __future__ import annotations
