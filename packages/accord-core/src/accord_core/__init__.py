"""The embeddable core of Accord: documents of the packaging standards, and the version solver.

Bytes and values in, bytes and values out: no network, no clock, no environment variables, no printing.  The one
exception reads and writes files it is handed the path of: ``archive``.
"""
