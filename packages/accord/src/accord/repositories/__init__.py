"""Where files come from: components over one small port, ``accord.repositories.port``.

    http, local            an index over HTTP; a folder or a ``file:`` index
    merged                 several as one: whom to ask for a name, in order
    settings               which of them, from every place people write it down
    catalogue              what the solver reads: each answer kept, warm from one row a project
    artifacts              a file, fetched and verified, on its way to the store

A repository knows nothing of solving, stores or environments.
"""
