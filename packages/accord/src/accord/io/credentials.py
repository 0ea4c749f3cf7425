"""Who we are to an index: user names and passwords, from where people already keep them.

In this order: the index's own URL, ``ACCORD_INDEX_<NAME>_USERNAME`` and ``_PASSWORD`` (or ``UV_…``), ``.netrc``; and when
the server says 401, the keyring and netrc's ``default`` entry.  A secret is only ever given for the origin (scheme, host, port) it was
written down for, each source is asked once, and nothing here is ever shown: no class prints a password.  Hot: a client
is made on every run, whether it asks anybody or not.
"""

from __future__ import annotations

import os
from _thread import allocate_lock

from accord.io.urls import redact, split, without_credentials

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from accord.io.urls import Url

__all__ = ["KEYRING_PROVIDERS", "Credentials", "Known", "in_urls"]

KEYRING_PROVIDERS = ("auto", "disabled", "import", "subprocess")
_KEYRING_SECONDS = 30

Auth = tuple[str, str]


class Known:
    """Credentials written down for one index: ``url`` without them, the index's ``name`` if it has one."""

    __slots__ = ("auth", "name", "url")

    def __init__(self, url: str, name: str | None, auth: Auth | None) -> None:
        self.url = url
        self.name = name
        self.auth = auth

    def __repr__(self) -> str:
        return f"Known({redact(self.url)!r}, {self.name!r})"


def in_urls(places: Iterable[str]) -> list[Known]:
    """What stands in the URLs among ``places`` (find-links: pages and folders)."""
    urls = [place for place in places if place.lower().startswith(("http://", "https://"))]
    return [Known(without_credentials(url), None, auth) for url in urls if (auth := split(url).auth)]


class Credentials:
    """Thread-safe.  ``keyring`` is one of :data:`KEYRING_PROVIDERS`; ``auto`` uses the library if it can be imported,
    else the ``keyring`` command if there is one, and only after a 401."""

    def __init__(
        self,
        indexes: Iterable[Known] = (),
        *,
        environ: Mapping[str, str] | None = None,
        keyring: str = "auto",
        note: Callable[[str], None] | None = None,
    ) -> None:
        self._environ = os.environ if environ is None else environ
        self._keyring = keyring
        self._note = note
        self._lock = allocate_lock()
        self._written = [(each, split(each.url)) for each in indexes]
        self._netrc: tuple[dict[str, Auth], Auth | None] | None = None
        self._learnt: dict[tuple[str, str, int], Auth | None] = {}

    def __repr__(self) -> str:
        return f"Credentials({len(self._written)} indexes)"

    def known(self, url: str) -> Auth | None:
        """What to send with the first request for ``url``, or None.  Asks no program."""
        parts = split(url)
        written = parts.auth or self._from_index(parts)
        if written is None or not written[1]:
            # A user name alone is what the keyring was asked with: the answer serves every further request.
            learnt = self._learnt.get(parts.origin)
            if learnt is not None and (written is None or learnt[0] == written[0]):
                return learnt
        return written or self._from_netrc(parts, False)

    def challenged(self, url: str, sent: Auth | None) -> Auth | None:
        """What to send after a 401 for ``url`` (without credentials), where ``sent`` was refused; None: give up.

        The keyring is asked once per origin, however many threads are refused at the same time.
        """
        parts = split(url)
        user = sent[0] if sent is not None else self._user(parts)
        with self._lock:
            if parts.origin not in self._learnt:
                found = self._from_keyring(url, parts, user) or self._from_netrc(parts, True)
                self._learnt[parts.origin] = found
            found = self._learnt[parts.origin]
        return None if found == sent else found

    def _user(self, parts: Url) -> str | None:
        for each, _ in self._same_origin(parts):
            user = self._variable(each.name, "USERNAME")
            if user:
                return user
        return None

    def _from_index(self, parts: Url) -> Auth | None:
        """Of several indexes on one origin, the one whose path the URL's begins with; else any that has credentials
        (files lie beside the index, not below it)."""
        fallback = None
        best: tuple[int, Auth] | None = None
        for each, where in self._same_origin(parts):
            auth = each.auth or self._from_environment(each.name)
            if auth is None:
                continue
            fallback = fallback or auth
            folder = where.target.rstrip("/") + "/"
            if (parts.target + "/").startswith(folder) and (best is None or len(folder) > best[0]):
                best = (len(folder), auth)
        return best[1] if best else fallback

    def _same_origin(self, parts: Url) -> list[tuple[Known, Url]]:
        return [(each, where) for each, where in self._written if where.origin == parts.origin]

    def _from_environment(self, name: str | None) -> Auth | None:
        user = self._variable(name, "USERNAME")
        password = self._variable(name, "PASSWORD")
        if password is None:
            return None
        return (user or "", password)

    def _variable(self, name: str | None, what: str) -> str | None:
        if not name:
            return None
        word = "".join(letter if letter.isalnum() else "_" for letter in name.upper())
        for tool in ("ACCORD", "UV"):
            value = self._environ.get(f"{tool}_INDEX_{word}_{what}")
            if value is not None:
                return value
        return None

    def _from_netrc(self, parts: Url, default: bool) -> Auth | None:
        if self._netrc is None:
            self._netrc = self._read_netrc()
        hosts, fallback = self._netrc
        return hosts.get(parts.host) or (fallback if default else None)

    def _read_netrc(self) -> tuple[dict[str, Auth], Auth | None]:
        named = self._environ.get("NETRC")
        home = self._environ.get("HOME") or os.path.expanduser("~")
        for path in [named] if named else [os.path.join(home, ".netrc"), os.path.join(home, "_netrc")]:
            if not os.path.isfile(path):
                continue
            import netrc

            try:
                found = netrc.netrc(path).hosts
            except (netrc.NetrcParseError, OSError, UnicodeError) as error:
                line = getattr(error, "lineno", None)
                # The words of a parse error quote what was found, which may be a password.
                why = f"line {line} cannot be read" if line else type(error).__name__
                self._say(f"{path} is left out: {why}")
                continue
            hosts = {host.lower(): (entry[0], entry[2] or "") for host, entry in found.items()}
            fallback = hosts.pop("default", None)
            return hosts, fallback
        return {}, None

    def _from_keyring(self, url: str, parts: Url, user: str | None) -> Auth | None:
        if self._keyring in {"auto", "import"}:
            found = self._keyring_library(url, parts, user)
            if found is not None:
                return found
        if self._keyring in {"auto", "subprocess"}:
            return self._keyring_command(url, parts, user)
        return None

    def _services(self, url: str, parts: Url) -> list[str]:
        """What the secret may be filed under: the index's URL, then the host (as pip does)."""
        indexes = [without_credentials(each.url) for each, _ in self._same_origin(parts)]
        return list(dict.fromkeys([*indexes, parts.netloc]))

    def _keyring_library(self, url: str, parts: Url, user: str | None) -> Auth | None:
        try:
            import keyring
        except ImportError:
            return None
        for service in self._services(url, parts):
            try:
                found = keyring.get_credential(service, user)
            except Exception as error:
                self._say(f"keyring: {type(error).__name__}: {error}")
                return None
            if found is not None and found.password:
                return (found.username or user or "", found.password)
        return None

    def _keyring_command(self, url: str, parts: Url, user: str | None) -> Auth | None:
        import shutil
        import subprocess

        program = shutil.which("keyring", path=self._environ.get("PATH"))
        if program is None:
            return None
        if not user:
            self._say(
                f"the keyring command is not asked: it needs the user name for {parts.netloc} (user@ in the URL)"
            )
            return None
        for service in self._services(url, parts):
            try:
                done = subprocess.run(
                    [program, "get", service, user],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env={**self._environ, "PYTHONIOENCODING": "utf-8"},
                    timeout=_KEYRING_SECONDS,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                self._say(f"keyring: {type(error).__name__}")
                return None
            if done.returncode == 0 and done.stdout:
                return (user, done.stdout.decode("utf-8", "replace").rstrip("\r\n"))
        return None

    def _say(self, text: str) -> None:
        if self._note is not None:
            self._note(text)
