"""The index: a complete package index of one's own, from a laptop to many machines.

A server is a stack of rooms, each knowing only those below it:

    app          the routes of every room in one application; the quick way in front of it (``front``)
    api web upload mirror admin     what people and machines ask: read, look, publish, follow, administer
    upkeep       an index as a whole: looked through, moved, written out, read in
    jobs         work done later, by whichever process is free
    pages        finished bytes: documents, their ETags and packed variants, made when something changes
    catalogue    what an index holds: indexes, projects, releases, files, and each thing that happens to them
    accounts     who asks, and what they may do
    database storage     rows and blobs, the only rooms that touch the disk, PostgreSQL or an object store
    settings limits errors clock    values

Two rules carry the rest.  *Everything that changes an index happens in one* ``Database.write()`` *block*, which gives it
its place in the order of all changes (the serial) over all processes; what is derived (pages, search, feeds) is made
from rows and may be thrown away.  *A file is what its bytes say*: metadata come from the archive, never from the form it
came with.

The room may use ``io``, ``repositories`` (to ask upstream) and ``wheels`` (to look into archives).  It imports nothing of
``tasks`` or ``cli``.  Its dependencies are those of the extra ``accord[server]``.
"""

from __future__ import annotations
