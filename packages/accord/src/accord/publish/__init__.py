"""Sending files to an index: which index, who we are to it, and the two ways of uploading.

Knows Upload 2.0 (PEP 694, draft of 2026-07-29) and the form every index takes.  May know HTTP, credentials and files that
are built; must not know how they were built, what the index does with them, or how anybody is told: ``tasks.publishing``
decides what is sent, in which order, and what becomes of a failure.
"""

from __future__ import annotations
