"""The command: ``fast-count FILE...`` writes one line per file and a total."""

import argparse
import sys
from pathlib import Path

from fast_count import Count, count

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Exit status 1 where a file cannot be read."""
    parser = argparse.ArgumentParser(
        prog="fast-count", description="Lines, words, characters and bytes of files."
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    counts, status = [], 0
    print(f"{'lines':>9}{'words':>9}{'characters':>12}{'bytes':>9}")
    for path in parser.parse_args(arguments).files:
        try:
            one = count(path.read_bytes())
        except OSError as fault:
            print(f"fast-count: {path}: {fault.strerror}", file=sys.stderr)
            status = 1
            continue
        counts.append(one)
        _line(one, str(path))
    if len(counts) > 1:
        _line(Count(*map(sum, zip(*counts, strict=True))), "total")
    return status


def _line(one: Count, name: str) -> None:
    print(f"{one.lines:>9}{one.words:>9}{one.characters:>12}{one.bytes:>9}  {name}")
