"""One module per use case: the only room where rooms are combined.  Imports nothing by itself."""
