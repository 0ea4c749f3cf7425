"""What cases are given: files, wheels, sdists and index pages, made from a case's words, the same bytes each time.

Right by default, wrong exactly where the case says so.
"""
