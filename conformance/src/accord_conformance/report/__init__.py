"""The report of a run: a matrix (counting), a static site and a page of Markdown made from it."""
