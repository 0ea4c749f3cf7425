"""Simple API documents: what an index says about a project, read, written and asked for.

``model`` holds the values, ``filenames`` reads the names of wheels and sdists, ``parse`` reads pages (JSON and
HTML), ``serialise`` writes them, ``negotiate`` chooses between the two.  The room knows documents and nothing of
the network, of caches or of the clock.  ``model`` and ``filenames`` are hot.
"""
