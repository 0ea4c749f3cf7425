"""Standard input, output and error as they may come: closed, full, in an encoding that has no accents (hot).

Output that cannot be written is a failure, said in one line; words that an encoding has not are written with
backslashes, and bytes of file names as they are.  Knows no command.
"""

from __future__ import annotations

import os
import sys

__all__ = ["discard_output", "lost", "output_is_lost", "prepare", "reopen"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

_HANDLER = "accord"


def reopen() -> None:
    """Fill the places of closed streams, so that no file we open is taken for one of them.

    Writing to standard output then fails as it did before; what was to go to standard error is for nobody.
    """
    for number, flags in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # the lowest number that is free; not inherited
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as we live
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115


def prepare(stream: TextIO) -> None:
    """Have a stream write whatever text it is given."""
    import codecs

    codecs.register_error(_HANDLER, _replaced)
    reconfigure = getattr(stream, "reconfigure", None)  # a test's stream has none
    if reconfigure is not None:
        reconfigure(errors=_HANDLER)


def _replaced(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    pieces = []
    for sign in error.object[error.start : error.end]:
        escaped = 0xDC80 <= ord(sign) <= 0xDCFF  # a byte of a file name that is no UTF-8 (PEP 383)
        pieces.append(bytes([ord(sign) - 0xDC00]) if escaped else sign.encode("ascii", "backslashreplace"))
    return b"".join(pieces), error.end


def output_is_lost() -> bool:
    """Whether what was written to standard output cannot get there."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return False  # whoever read it has seen enough
    except OSError:
        return True
    return False


def lost(error: OSError) -> int:
    """Say in one line that the result is lost, and return the status."""
    discard_output()
    try:
        sys.stderr.write(f"error: standard output cannot be written: {error.strerror or error}\n")
        sys.stderr.flush()
    except OSError:
        pass
    return 1


def discard_output() -> None:
    """Point standard output elsewhere: Python would complain once more while it closes it."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        pass  # a stream without a descriptor
