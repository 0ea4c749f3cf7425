"""The network: an HTTP client for indexes and their files.

``client.Client`` is the door; ``options`` what may be set; ``wire``, ``pool``, ``tls``, ``proxies`` and ``decoding``
are its parts and are imported when the first request is made, because most commands make none.
"""

from __future__ import annotations

from accord.io.http.client import Client, Response
from accord.io.http.options import DEFAULT_LIMITS, HttpLimits, HttpOptions

__all__ = ["DEFAULT_LIMITS", "Client", "HttpLimits", "HttpOptions", "Response"]
