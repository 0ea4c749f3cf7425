"""SHA-256 of small things without OpenSSL (hot).

``import hashlib`` loads libcrypto, which costs as much as half of Python's own start; a fast command hashes a few
hundred bytes.  CPython's own implementation lies in an extension module that every build has; another Python falls
back to ``hashlib``.  Files of any size are hashed with ``hashlib`` by those who read them: OpenSSL is faster there.
"""

from __future__ import annotations

import sys

__all__ = ["sha256"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        if sys.version_info >= (3, 12):
            from _sha2 import sha256
        else:
            from _sha256 import sha256
    except ImportError:
        from hashlib import sha256
