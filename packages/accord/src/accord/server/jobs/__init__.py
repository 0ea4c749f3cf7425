"""Work to be done later: entered in the block that makes it necessary, done by whichever process is free.

A room says once, when it is imported, how a kind of work is done (:func:`register`); a writing block says that there is
some (:func:`enqueue`), and either both are committed or neither.  Each serving process has two :class:`Runner`: one for
what is done in a moment, one for what may take hours.  A job is taken for a while, which is made longer as long as it is
being done; if its process dies it is free again after that, so **a job may run twice** and its function must bear that.
What fails is tried again, later each time; what failed for good stays in the table with its failure.

The same table serves SQLite and PostgreSQL (decision 40).  This room lies low, so that the catalogue can enter work; what
the work is, rooms far above say.
"""

from __future__ import annotations

from accord.server.jobs.kinds import Kind, known, register
from accord.server.jobs.queue import Job, enqueue, listed, plan
from accord.server.jobs.runner import Runner

__all__ = ["Job", "Kind", "Runner", "enqueue", "known", "listed", "plan", "register"]
