"""A program shut away: bubblewrap's command line in front of its own (hot).

Inside there is a system (``/usr`` and what of ``/etc`` compilers and libraries read), the folders the caller names, and
nothing else: no home, no network, no sockets, no other processes, no user and host names.  The program has no
capabilities, gets none from set-user-id files, and whatever it starts ends with it.

It builds words and asks the system whether they can be carried out here; which folders a program may see is decided by
the caller.  Linux only: elsewhere there is no sandbox, and :func:`probe` says so.
"""

from __future__ import annotations

import os
import sys

from accord.io.files import boot_id, write_atomic
from accord.io.gates import HANDED, TELLING, WAITING

__all__ = ["TEMPORARY", "View", "command", "etc_files", "probe"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

TEMPORARY = "/tmp"  # noqa: S108 - a private one, inside
# Read-only: files of /proc that belong to root (core_pattern …) are the whole machine's, and the kernel asks for the
# user outside only, whom the one inside is when Accord runs as root.
_KERNEL = ("--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev")
_PLACE = ("/home/builder", "1000", "build")
_NOWHERE = "192.0.2.1"  # an address that nobody has (RFC 5737)

# The system's programs and libraries; links among them (/bin -> usr/bin) are made again.
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store", "/gnu/store")
# What of /etc a compiler, a loader or an honest program reads; no keys, no passwords, no machine's name.
_ETC = (
    "alternatives", "debian_version", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types",
    "os-release", "timezone",
)  # fmt: skip
_NETWORK_ETC = (
    "ca-certificates",
    "gai.conf",
    "host.conf",
    "hosts",
    "nsswitch.conf",
    "pki",
    "protocols",
    "resolv.conf",
    "services",
    "ssl",
)


class View:
    """What a program may see: folders (absolute, ``readonly`` or ``writable`` at their own place), ``moved`` pairs of
    (folder, place inside), its private ``home`` and ``temporary`` folders, and whether the ``network``.

    ``place`` is the home folder inside, the number of the user and the name of the machine; ``files`` are further
    ones, as (path inside, what is in it), and ``closed`` paths below a writable folder that stay read-only.
    """

    __slots__ = ("closed", "files", "home", "moved", "network", "place", "readonly", "temporary", "writable")

    def __init__(
        self,
        *,
        home: str,
        temporary: str,
        readonly: Sequence[str] = (),
        writable: Sequence[str] = (),
        closed: Sequence[str] = (),
        moved: Sequence[tuple[str, str]] = (),
        files: Sequence[tuple[str, bytes]] = (),
        place: tuple[str, str, str] = _PLACE,
        network: bool = False,
    ) -> None:
        self.place = place
        self.home = home
        self.temporary = temporary
        self.readonly = tuple(readonly)
        self.writable = tuple(writable)
        self.closed = tuple(closed)
        self.moved = tuple(moved)
        self.files = tuple(files)
        self.network = network

    def inside(self, path: str) -> str:
        """Where what is at ``path`` outside is seen inside."""
        for folder, place in (*self.moved, (self.home, self.place[0]), (self.temporary, TEMPORARY)):
            if path == folder or path.startswith(folder + os.sep):
                return place + path[len(folder) :]
        return path


def command(
    view: View, program: Sequence[str], *, cwd: str, bwrap: str = "bwrap", waits: bool = False
) -> list[str]:
    """``program`` (words as they are inside) shut away with ``view``; ``cwd`` is a folder as it is inside.

    ``waits``: bubblewrap is run as :func:`accord.io.processes.run` runs what is ``announced``; so is a ``view`` with
    ``files``, which are what it is ``handed``.
    """
    words = _alone(bwrap, view.place)
    if waits:
        words += ("--info-fd", str(TELLING), "--block-fd", str(WAITING))
    if view.network:
        words.append("--share-net")
    for path in _SYSTEM:
        if os.path.islink(path):
            words += ("--symlink", os.readlink(path), path)
        elif os.path.isdir(path):
            words += ("--ro-bind", path, path)
    for name in (*_ETC, *(_NETWORK_ETC if view.network else ())):
        words += _shown(f"/etc/{name}")
    for number, (path, _) in enumerate(view.files, HANDED):
        words += ("--file", str(number), path)
    words += (*_KERNEL, "--bind", view.temporary, TEMPORARY)
    words += ("--symlink", TEMPORARY, "/var/tmp")  # noqa: S108 - as above
    words += ("--bind", view.home, view.place[0])
    # Outer folders first: a mount over a folder would hide what was mounted below it.
    places = [(path, path, "--ro-bind") for path in view.readonly]
    places += [(path, path, "--bind") for path in view.writable]
    places += [(path, place, "--bind") for path, place in view.moved]
    places += [(path, path, "--ro-bind-try") for path in view.closed]
    for path, place, how in sorted(places, key=lambda one: (one[1].count(os.sep), one[1])):
        words += (how, path, place)
    words += ("--remount-ro", "/", "--chdir", cwd, "--", *program)
    return words


def _shown(path: str) -> tuple[str, ...]:
    """Words that show a file or folder of the system; each mount takes bubblewrap 0.2 ms, so a link into what is
    mounted anyway stays a link."""
    try:
        target = os.readlink(path)
    except OSError:  # no link, or not there
        pass
    else:
        named = os.path.normpath(os.path.join(os.path.dirname(path), target))
        if named.startswith("/usr/") and os.path.realpath(named).startswith("/usr/"):
            return ("--symlink", target, path)
    return ("--ro-bind-try", path, path)


def _alone(bwrap: str, place: tuple[str, str, str] = _PLACE) -> list[str]:
    _, number, host = place
    words = [bwrap, "--unshare-all", "--unshare-user", "--uid", number, "--gid", number, "--hostname", host]
    if bwrap not in _old:
        words.append("--disable-userns")
    return [*words, "--cap-drop", "ALL", "--die-with-parent", "--new-session"]


def etc_files(user: str, place: tuple[str, str, str], *, network: bool) -> list[tuple[str, bytes]]:
    """The ``user`` and, without the ``network``, the hosts that there are inside (``place`` as in :class:`View`), for
    ``files``.

    The program's own host has an address on the loopback interface.  Every other name is asked of a server that cannot
    be: none named would be one on this host (resolv.conf(5)), and nobody could tell who asks.  ``nsswitch.conf`` keeps older
    C libraries from asking it for the names of this host.
    """
    home, number, host = place
    texts = {
        "passwd": f"{user}:x:{number}:{number}::{home}:/bin/sh\n",
        "group": f"{user}:x:{number}:\n",
    }
    if not network:
        texts["hosts"] = f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {host}\n"
        texts["nsswitch.conf"] = "passwd: files\ngroup: files\nhosts: files dns\n"
        texts["resolv.conf"] = f"nameserver {_NOWHERE}\n"
    return [(f"/etc/{name}", text.encode()) for name, text in texts.items()]


_known: dict[str, str | None] = {}
_old: set[str] = (
    set()
)  # programs from before bubblewrap 0.8, which cannot keep a program from making further namespaces


def probe(bwrap: str = "bwrap", memo: str | None = None) -> str | None:
    """Why there is no sandbox here, in words; None when there is one.

    Asked once per run, because it starts a program.  The file ``memo`` remembers a yes for later runs of the same boot,
    user and container; whoever finds it wrong removes it.
    """
    if bwrap not in _known:
        here = None if memo is None else _here(bwrap)
        if memo is not None and here is not None and _read(memo) == here:
            _known[bwrap] = None
        else:
            _known[bwrap] = _ask(bwrap)
            if memo is not None and here is not None and _known[bwrap] is None and bwrap not in _old:
                _write(memo, here)
    return _known[bwrap]


def _here(bwrap: str) -> bytes | None:
    """What a yes holds for: this boot, these namespaces, this user, this program by this name."""
    try:
        spaces = [os.readlink(f"/proc/self/ns/{name}") for name in ("mnt", "pid", "user")]
        return repr((boot_id(), spaces, os.geteuid(), bwrap, os.environ.get("PATH"))).encode()
    except OSError:
        return None


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(1 << 16)
    except OSError:
        return None


def _write(path: str, data: bytes) -> None:
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_atomic(path, data, sync=False)
    except OSError:
        pass  # a cache shared read-only: asked again next time


def _ask(bwrap: str) -> str | None:
    if not sys.platform.startswith("linux"):
        return "bubblewrap is there for Linux only"
    try:
        status = _tried(bwrap)
        if status == 0:
            return None
        said = _complaint(bwrap)
        if "disable-userns" in said:
            _old.add(bwrap)
            status = _tried(bwrap)
            said = "" if status == 0 else _complaint(bwrap)
    except OSError:
        return "bubblewrap (bwrap) is not installed"
    return None if status == 0 else f"bubblewrap cannot work here: {said or f'exit status {status}'}"


def _words(bwrap: str) -> list[str]:
    return [*_alone(bwrap), "--ro-bind", "/", "/", *_KERNEL, "--", "/bin/true"]


def _tried(bwrap: str) -> int:
    from accord.io import processes

    return processes.run(_words(bwrap), cwd=None, env={}, log=os.devnull, timeout=20, alone=True).status


def _complaint(bwrap: str) -> str:
    """The last line of what the program says of its failure."""
    import subprocess

    done = subprocess.run(_words(bwrap), capture_output=True, text=True, check=False)
    return (done.stderr.strip().splitlines() or [""])[-1]
