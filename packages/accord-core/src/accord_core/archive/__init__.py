"""Reading untrusted wheels and sdists within named limits, and writing zip archives whose bytes depend on nothing else.

An archive from an index is a stranger's input: what two readers understand differently, one of them can be
fooled with.  So the rooms here accept one reading only and refuse the rest with a code, before a byte is
unpacked; they stop at the first fault.  They read files and buffers they are handed, write only where
:func:`accord_core.archive.sdist.extract` is told to, and know neither network nor environments.

    limits       every outside number, in one frozen value
    paths        which names may stand in an archive, and beside each other
    central      a zip's end records and central directory: bytes in, members out
    inflate      deflate with an exact size and checksum, as fast as the machine can
    zipreader    a zip file on disk: local headers checked against the directory, members read
    remote       the METADATA of a wheel from a few byte ranges
    metadata     the core metadata fields a resolver needs (hot)
    entrypoints  entry_points.txt and the names a script may have
    reserved     places of an environment that no wheel may provide
    record       RECORD: reading, writing, holding an archive against it
    wheel        a wheel: its dist-info, its schemes, its members verified
    sdist        tar.gz and legacy zip sdists: PKG-INFO and safe extraction
    zipwriter    a zip archive, written deterministically

This package imports nothing by itself, so that ``metadata`` stays cheap.
"""
