"""Wheels and sdists as files people work on: look inside, take apart, put together, retag, compare.

It reads archives through ``accord_core.archive`` and writes them deterministically.  It knows no project, no index and
no environment; what an index would refuse is the business of ``accord.checks``.

    limits         every number here that a stranger's file could make large
    contents       one way to look into wheels and sdists: files as they stand there, digests, bytes
    fields         METADATA, PKG-INFO, WHEEL as fields, none left out
    inspection     what a file is and holds, as one record
    tree           its files as a tree with sums
    page           that record as one HTML page
    verification   everything RECORD and the names promise, every fault found
    compare        two archives, difference by difference
    textdiff       the text of what differs
    unpacking      a wheel into a folder
    packing        a folder into a wheel
    tagging        a wheel under other tags
"""
