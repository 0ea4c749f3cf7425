"""Accord, the tool: from source code to running software and back again.

The library to embed is ``accord_core``; this distribution is the command line and the rooms below it.
"""

__version__ = "0.1.0"
