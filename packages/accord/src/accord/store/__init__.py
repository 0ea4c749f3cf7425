"""The store: every wheel once, unpacked, verified, read-only, by the sha256 of the wheel.

    entry      what is known of one unpacked wheel, read from its manifest in one go (hot)
    store      find and add entries (hot to find)
    unpack     one wheel into one folder, every byte checked
    worker     the same in a process of its own, because inflating holds the interpreter lock
    crew       a few workers and a queue
    compiled   what an interpreter compiled of a wheel (hot to find)
    compiling  having it compiled, once for every environment to come
    soundness  whether files are those that were put there
    upkeep     sizes, garbage, verification

The store knows nothing of environments or indexes: it is handed files and hands out entries.
"""
