"""The process in which descriptions are rendered (``apart`` starts it): what it may not do in time it dies of."""

from __future__ import annotations

import json
import resource
import select
import signal

from accord.server.web.apart import receive, send
from accord.server.web.readme import render_description

_IDLE = 60.0  # seconds
_MEMORY = 1 << 30


def _work() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asked, answer = open(0, "rb", buffering=0), open(1, "wb", buffering=0)  # noqa: SIM115 - to the end
    while select.select([asked], [], [], _IDLE)[0]:
        try:
            text, content_type, most, seconds = json.loads(receive(asked))
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_REAL, seconds)
        made = render_description(text, content_type, most).encode()
        signal.setitimer(signal.ITIMER_REAL, 0)
        send(answer, made)


if __name__ == "__main__":
    _work()
