"""The command line: parses, calls a task, renders.  Imports nothing by itself: start-up is a feature."""
