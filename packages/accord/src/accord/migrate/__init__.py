"""From other tools' descriptions of a project to ``pyproject.toml`` (and ``pylock.toml``), with a report of the rest.

Each source format is read into one neutral record; one writer makes the document from it.  What could not be carried
over is said, never dropped.
"""
