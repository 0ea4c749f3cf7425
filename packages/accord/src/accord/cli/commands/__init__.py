"""One module per command, found by its name in the tables of :mod:`accord.cli.catalogue`."""
