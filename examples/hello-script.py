# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "humanize>=4.9",
#     "rich>=13",
# ]
# ///
"""One file, its dependencies written inside (inline script metadata, PEP 723): ``accord run hello-script.py``."""

import sys
import sysconfig
from datetime import timedelta
from importlib.metadata import distributions

import humanize
from rich.console import Console
from rich.table import Table

table = Table(title=f"Hello from Python {sys.version.split()[0]}")
table.add_column("distribution")
table.add_column("version")
for found in sorted(distributions(), key=lambda one: one.name.lower()):
    table.add_row(found.name, found.version)
console = Console()
console.print(table)
console.print(f"They live in {sysconfig.get_path('purelib')}.")
console.print(f"And {humanize.intword(10**6)} seconds are {humanize.precisedelta(timedelta(seconds=10**6))}.")
