"""What a program in the sandbox tried in vain and kept to itself: the network, and the keys of a home (hot).

*The network.*  The kernel counts, for each network namespace, what had no way out of it (``OutNoRoutes``): connections
and datagrams of either family, questions for names among them, and never what stays on the loopback interface.  The
counters are opened here, outside, before the program begins, and read after its last process is gone: what runs inside
can raise them, and do nothing else to them.

*The home.*  Files lie there under the names where keys and passwords lie, and who reads one moves the time the file
system keeps of that.  This tells of the careless: a program that knows of it can read without leaving a time
(``O_NOATIME``), and a file system that is mounted without such times tells nothing, so that nothing is laid there.

A write to what is read-only leaves no trace that could be read here.
"""

from __future__ import annotations

import os

__all__ = ["DECOYS", "Attempts"]

DECOYS = (".ssh/id_rsa", ".ssh/id_ed25519", ".aws/credentials", ".pypirc")
_TEXT = b"Nothing is kept here. Accord laid this file out to see whether a build reads it.\n"
# 2000-01-01: so long ago that the first reading moves it wherever times of reading are kept (relatime, mount(8)).
_LAID = 946_684_800
_COUNTERS = (("snmp", b"OutNoRoutes"), ("snmp6", b"Ip6OutNoRoutes"))
_MOST = 1 << 16  # bytes of a file of counters


class Attempts:
    """What one program tries; its private ``home`` folder is there and empty.

    Three calls, in this order: :meth:`begin` when the program's namespaces are there and it has not begun,
    :meth:`network` and :meth:`home` when it has ended, then :meth:`close`.
    """

    __slots__ = ("_counters", "_decoys")

    def __init__(self, home: str) -> None:
        self._counters: list[tuple[int, bytes]] = []
        self._decoys: list[tuple[str, int, tuple[int, int]]] = []
        if not os.statvfs(home).f_flag & os.ST_NOATIME:
            for name in DECOYS:
                handle = _lay(os.path.join(home, name))
                self._decoys.append((name, handle, _times(handle)))

    def begin(self, announced: bytes) -> None:
        """Open the counters of the namespace that bubblewrap ``announced`` (``--info-fd``); none where it cannot be
        found, or is not new."""
        number = announced.partition(b'"child-pid":')[2].partition(b",")[0].strip(b" \n}")
        if not number.isdigit():
            return  # it failed, and says so elsewhere
        for name, word in _COUNTERS:
            try:
                handle = os.open(f"/proc/{int(number)}/net/{name}", os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                continue  # a kernel without IPv6
            self._counters.append((handle, word))
        if self.network():  # somebody else's: this /proc is not the one bubblewrap counts in
            self._close_counters()

    def network(self) -> int:
        """How often something was sent for which there was no way."""
        return sum(_count(os.pread(handle, _MOST, 0), word) for handle, word in self._counters)

    def home(self) -> tuple[str, ...]:
        """The decoys that were read or changed, as paths below the home folder."""
        return tuple(name for name, handle, before in self._decoys if _times(handle) != before)

    def close(self) -> None:
        self._close_counters()
        for _, handle, _ in self._decoys:
            os.close(handle)
        self._decoys = []

    def _close_counters(self) -> None:
        for handle, _ in self._counters:
            os.close(handle)
        self._counters = []


def _lay(path: str) -> int:
    """A decoy, open: it is the same file whatever it is called afterwards."""
    try:
        os.mkdir(os.path.dirname(path), 0o700)
    except FileExistsError:
        pass
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    os.write(handle, _TEXT)
    os.utime(handle, (_LAID, _LAID))
    return handle


def _times(handle: int) -> tuple[int, int]:
    """When the file was read, and when anything about it was changed: to put the first back moves the second."""
    facts = os.fstat(handle)
    return facts.st_atime_ns, facts.st_ctime_ns


def _count(text: bytes, word: bytes) -> int:
    """The counter ``word`` of a file of counters: a line of names above a line of numbers, or both in one line."""
    lines = text.split(b"\n")
    names = lines[0].split()
    if word in names:
        values = lines[1].split()
        return int(values[names.index(word)])
    return next((int(line.split()[1]) for line in lines if line.startswith(word)), 0)
