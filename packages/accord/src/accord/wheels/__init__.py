"""Wheels and sdists as files people work on: look inside, take apart, put together, retag, compare.

It reads archives through ``accord_core.archive`` and writes them deterministically.  It knows no project, no index and
no environment; what an index would refuse is the business of ``accord.checks``.
"""
