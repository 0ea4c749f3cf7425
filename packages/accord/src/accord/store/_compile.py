"""Run inside a strange interpreter: compiles sources of unpacked wheels, many wheels in one process.

Run as ``python -I -S -B -X utf8 -W ignore _compile.py BYTES``: no site, no variables, nothing of the user's, so that
what comes out depends on the sources and the interpreter alone.  Compiling runs nothing of what is compiled.  Reads
jobs, one JSON line each: ``[source folder, target folder, [paths]]``; answers each with one JSON line:
``[[compiled path, size, sha256], …]``, or the number of the system's error where it cannot write; a first line without
a job says that it is ready.  Sources of more than BYTES are passed over, and so is whatever does not compile: wheels
carry templates, and tests for other Pythons.  Ends with its input.  Understood by every Python from 3.8 on, CPython or PyPy; imports the standard library only and nothing of
ours.
"""

from __future__ import annotations

import hashlib
import json
import marshal
import os
import sys
from importlib.util import MAGIC_NUMBER, cache_from_source


def compiled(source: str, name: str, most: int) -> bytes:
    """The compiled file of a source: PEP 552, "timestamp-based".  Any exception: there is none."""
    with open(source, "rb") as file:
        status = os.fstat(file.fileno())
        if status.st_size > most:
            raise ValueError(name)
        text = file.read()
    # The name is the one in site-packages; importlib puts the whole path of the file it read there.
    code = compile(text, name, "exec", dont_inherit=True, optimize=0)
    words = (0, int(status.st_mtime), status.st_size)
    head = b"".join((word & 0xFFFFFFFF).to_bytes(4, "little") for word in words)
    return MAGIC_NUMBER + head + marshal.dumps(code)


def write(path: str, data: bytes) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    with open(handle, "wb") as file:
        file.write(data)


def work(folder: str, into: str, names: list[str], most: int) -> list[tuple[str, int, str]]:
    rows = []
    for name in names:
        try:
            data = compiled(folder + "/" + name, name, most)
        except Exception:  # SyntaxError, RecursionError, MemoryError, no such encoding, …
            continue
        target = cache_from_source(name, optimization="").replace(os.sep, "/")
        write(into + "/" + target, data)
        rows.append((target, len(data), hashlib.sha256(data).hexdigest()))
    return rows


def main() -> None:
    answers = os.dup(1)
    os.dup2(2, 1)  # nothing may stand between two answers
    answer: object = []
    while True:
        data = (json.dumps(answer) + "\n").encode()
        while data:
            data = data[os.write(answers, data) :]
        line = sys.stdin.readline()
        if not line:
            return
        folder, into, names = json.loads(line)
        try:
            answer = work(folder, into, names, int(sys.argv[1]))
        except OSError as error:
            answer = error.errno


if __name__ == "__main__":
    main()
