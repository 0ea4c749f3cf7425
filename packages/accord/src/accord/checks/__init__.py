"""What a careful maintainer wants to know of a project before it is published: faults as records with codes.

A check reads a project folder, an sdist or a wheel and yields findings; it changes nothing (``--fix`` applies edits
that a finding brings along).  It knows no terminal and no index.
"""
