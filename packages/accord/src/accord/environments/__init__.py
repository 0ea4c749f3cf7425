"""Interpreters and the environments made for them.

    interpreters   find and describe Pythons (hot)
    tags           wheel tags from what an interpreter told
    layout         where things lie in an environment (hot)
    create         an empty environment, as ``python -m venv`` makes it
    launchers      the scripts of entry points
    installed      what is in an environment, whoever put it there
    plan           what would have to change
    transaction    a list of renames, a journal, and the way back (hot)
    apply          a plan carried out
    history        what was done, and undone
    state          nothing to do? (hot)
    closures       sealed trees, shared and immutable
    seal           an environment that is one link to a closure (hot for a known one)
    check          is everything still what was installed

Two kinds (decision record 0002): a *private* environment is an ordinary one, changed by transactions; a *sealed* one
shares an immutable closure and keeps a private layer in front of it.  These rooms are handed entries of the store;
they know nothing of indexes, locks or resolving.
"""
