"""A thread beside serving, for as long as a process serves: said once for those who watch and those who work."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

__all__ = ["Beside"]


class Beside(ABC):
    """``start`` it once; ``stop`` waits for what is being done.  ``pause`` is in seconds."""

    def __init__(self, name: str, pause: float) -> None:
        self._pause = pause
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    @abstractmethod
    def _run(self) -> None:
        """Until ``_ended`` is set."""
