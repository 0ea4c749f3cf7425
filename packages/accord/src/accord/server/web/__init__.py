"""What people look at: pages rendered here, readable without JavaScript, on any screen.

May know every room below; nothing below knows pages.  No GET changes anything, every change is a form with its session's
secret, and what somebody may is asked of ``accounts`` for each page.
"""

from __future__ import annotations
