"""``pylock.toml`` (PEP 751): the native lock, one standard document that pip and uv install as we do.

Text in, values out, and back again; no files, no network, no clock.  Nothing in a ``[tool]`` table is ever needed
to install ("MUST be disposable").  This package imports nothing itself, because half of it is hot.

    model         the values a lock is made of                                (hot)
    compact       a parsed lock as bytes, loaded again in milliseconds         (hot)
    select        what to install in one environment                          (hot)
    write         text, deterministic, one file a line
    read          text to values, every fault at once
    compare       what changed between two locks
    requirements  a lock as a requirements file
"""
