"""A process that writes to an index as fast as it can, for ``test_serials``: ``writers.py URL CACHE COUNT``.

Each block enters one change and stays open for a moment of its own length, so that blocks end in another order than they
began in.
"""

from __future__ import annotations

import random
import sys
import threading
import time

from accord.server.database import Database


def write(database: Database, count: int) -> None:
    for _ in range(count):
        with database.write("writer") as writing:
            writing.changed(1, "test")
            time.sleep(random.random() * 0.01)


def main() -> None:
    url, cache, count = sys.argv[1:]
    database = Database(url, cache=cache)
    threads = [threading.Thread(target=write, args=(database, int(count))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()


if __name__ == "__main__":
    main()
