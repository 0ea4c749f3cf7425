"""Wheels of the store brought together in one tree: what both kinds of environment are made of.

Places files under the paths an environment has, below any base folder; writes what an installer writes (RECORD,
INSTALLER, REQUESTED, direct_url.json, launchers), and places what was compiled of a wheel before.  Nothing is walked
and nothing is asked of the file system that the manifests already tell.  The base must be empty of what is placed.
"""

from __future__ import annotations

import os
from binascii import b2a_base64

from accord.environments.launchers import launcher, rewritten
from accord.environments.layout import Layout
from accord.io import files, links
from accord.io.digests import sha256
from accord.io.parallel import default_width, spread
from accord.store.compiled import record_of, source_of
from accord.store.entry import record_path, touch
from accord_core.errors import InstallError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from accord.environments.plan import Wanted
    from accord.environments.state import Known
    from accord.io.reporting import Reporter
    from accord.store.entry import Entry

__all__ = ["Assembly", "digest_of"]

_INSTALLER = b"accord\n"
_SETTINGS = (".cfg", ".conf", ".ini", ".json", ".toml", ".yaml", ".yml")


def digest_of(data: bytes) -> str:
    """``sha256=…`` as RECORD spells it."""
    text = b2a_base64(sha256(data).digest(), newline=False).decode().rstrip("=")
    return f"sha256={text.replace('+', '-').replace('/', '_')}"


class Assembly:
    """``Assembly(layout, base, …).run(wanted)`` places everything below ``base``.

    ``write_scripts`` False is how a closure is made: launchers and rewritten scripts are left out (their RECORD lines
    then have no digest), because the environments that share it differ in their first line, and copies are read-only.
    ``known`` is what a state remembers; ``compiled`` whether any compiled file was placed.
    """

    def __init__(
        self,
        layout: Layout,
        base: str,
        *,
        link_mode: str = "auto",
        write_scripts: bool = True,
        conflicts: str = "refuse",
        reporter: Reporter | None = None,
    ) -> None:
        self.layout = layout
        self.base = base
        self.link_mode = link_mode
        self.known: Known = {}
        self.compiled = False
        self._write_scripts = write_scripts
        self._conflicts = conflicts
        self._reporter = reporter
        self._up = "../" * (layout.site.count("/") + 1)
        self._skip: dict[str, set[str]] = {}
        self._task = 0

    def run(self, wanted: Sequence[Wanted]) -> None:
        """Place every wheel.  ``InstallError`` ``file-conflict`` where two disagree; ``ArchiveError``
        ``wheel-target-reserved`` and others of its kind; ``OSError`` from the system."""
        entries = [entry_of(want) for want in wanted]
        self._check_targets(entries)
        self._skip = self._find_conflicts(entries)
        for folder in (*self.layout.libraries, self.layout.scripts):
            os.makedirs(f"{self.base}/{folder}", exist_ok=True)
        mode = self._choose(entries)
        # Large ones first, so that the threads end together.
        order = sorted(wanted, key=lambda want: -len(entry_of(want).files))
        place: Callable[[Wanted], None] = lambda want: self._place(want, mode)  # noqa: E731
        reporter = self._reporter
        if reporter is not None:
            self._task = reporter.start("installing", len(order), "packages")
        try:
            spread(place, order, default_width())
        finally:
            if reporter is not None:
                reporter.finish(self._task)

    def _choose(self, entries: list[Entry]) -> str:
        for entry in entries:
            if entry.files:
                sample = f"{entry.path}/site/{entry.files[0]}"
                return links.choose(self.link_mode, sample, f"{self.base}/{self.layout.site}")
        return "copy"

    def _check_targets(self, entries: list[Entry]) -> None:
        """The archive rooms refuse such wheels; but whatever the store holds, nothing is placed over the environment's
        own parts, nor where the names of two levels together lead elsewhere."""
        for entry in entries:
            if entry.data:
                from accord_core.archive.reserved import check_target

                for row in entry.data:
                    check_target(self.target(entry, row[0], row[1]))

    # -- one wheel -------------------------------------------------------------------------------------------

    def _place(self, want: Wanted, mode: str) -> None:
        entry = entry_of(want)
        skip = self._skip.get(entry.name)
        source = os.open(entry.path + "/site", os.O_RDONLY | os.O_DIRECTORY)
        try:
            for library, folders, files_of_it in self._shares(entry):
                names = files_of_it if skip is None else [name for name in files_of_it if name not in skip]
                self._place_library(library, folders, names, source, mode)
        finally:
            os.close(source)
        touch(entry.path)
        lines = [self._record(entry)]
        if want.compiled is not None and len(self.layout.libraries) == 1:
            self._place_compiled(want, entry, mode, lines)
        if entry.data:
            self._place_data(entry, mode, lines)
        if entry.scripts:
            self._place_launchers(entry, lines)
        self._finish(want, entry, lines)
        if self._reporter is not None:
            self._reporter.advance(self._task, 1)

    def _place_library(
        self, library: str, folders: Sequence[str], names: Sequence[str], source: int, mode: str
    ) -> None:
        target = os.open(f"{self.base}/{library}", os.O_RDONLY | os.O_DIRECTORY)
        try:
            mkdir = os.mkdir
            for folder in folders:
                try:
                    mkdir(folder, 0o777, dir_fd=target)
                except FileExistsError:
                    pass
            links.place(names, source, target, mode, read_only=not self._write_scripts)
        finally:
            os.close(target)

    def _shares(self, entry: Entry) -> tuple[tuple[str, Sequence[str], Sequence[str]], ...]:
        """The library, folders (parents first) and files of each library that the wheel has files for."""
        own = self.layout.library_for(entry.pure)
        if not entry.apart or len(self.layout.libraries) == 1:
            return ((own, entry.dirs, entry.files),)
        apart = frozenset(entry.apart)
        rest = [name for name in entry.files if name not in apart]
        other = self.layout.library_for(not entry.pure)
        return ((own, _folders(rest), rest), (other, _folders(entry.apart), entry.apart))

    def _record(self, entry: Entry) -> str:
        """RECORD's lines for the files of both libraries."""
        if not entry.apart or len(self.layout.libraries) == 1:
            return entry.record.decode()
        return "".join(self._line(entry, place, hashed, size) for place, _, hashed, size in self._rows(entry))

    def _rows(self, entry: Entry) -> list[tuple[str, str, str, int]]:
        """``(path in the environment, path in the library, "sha256=…", size)`` of each file of both libraries."""
        apart = frozenset(entry.apart)
        library = self.layout.library_for
        return [
            (f"{library(entry.pure is not (path in apart))}/{path}", path, hashed, size)
            for path, hashed, size in entry.rows()
        ]

    def _place_compiled(self, want: Wanted, entry: Entry, mode: str, lines: list[str]) -> None:
        """They stand in RECORD, as pip has it: so every tool that uninstalls finds them."""
        found = want.compiled.find(entry) if want.compiled is not None else None
        if found is None or not found.files:
            return
        names, record = found.files, found.record.decode()
        skip = self._skip.get(entry.name)
        if skip is not None:
            names = tuple(name for name in names if source_of(name) not in skip)
            record = record_of(names)
        site = os.open(f"{self.base}/{self.layout.site}", os.O_RDONLY | os.O_DIRECTORY)
        try:
            source = os.open(found.site, os.O_RDONLY | os.O_DIRECTORY)
            try:
                for folder in found.dirs:
                    try:
                        os.mkdir(folder, 0o777, dir_fd=site)
                    except FileExistsError:
                        pass
                links.place(names, source, site, mode, read_only=not self._write_scripts)
            finally:
                os.close(source)
        except (FileNotFoundError, FileExistsError):
            return  # pruned this moment, or a wheel that brings compiled files: Python compiles what is missing
        finally:
            os.close(site)
        self.compiled = True
        touch(found.path)
        lines.append(record)

    def _place_data(self, entry: Entry, mode: str, lines: list[str]) -> None:
        source_root = os.open(entry.path, os.O_RDONLY | os.O_DIRECTORY)
        base = os.open(self.base, os.O_RDONLY | os.O_DIRECTORY)
        skip = self._skip.get(entry.name, ())
        made = set()
        try:
            for scheme, path, source, hashed, size, rewrite in entry.data:
                target = self.target(entry, scheme, path)
                folder = target.rpartition("/")[0]
                if folder and folder not in made:
                    os.makedirs(f"{self.base}/{folder}", exist_ok=True)
                    made.add(folder)
                if rewrite:
                    lines.append(
                        self._line(entry, target, *self._rewrite(entry, source, target, target in skip))
                    )
                    continue
                if target not in skip:
                    # Settings are copied: programs write into them in place, and a link is the store's own file.
                    links.place_as(source, target, source_root, base, "copy" if is_setting(target) else mode)
                lines.append(self._line(entry, target, hashed, size))
        finally:
            os.close(base)
            os.close(source_root)

    def _rewrite(self, entry: Entry, source: str, target: str, skip: bool) -> tuple[str, int | str]:
        with open(f"{entry.path}/{source}", "rb") as file:
            data = rewritten(file.read(), self.layout.python)
        return self._script(target, data, skip)

    def _script(self, target: str, data: bytes, skip: bool) -> tuple[str, int | str]:
        if not self._write_scripts:
            return "", ""
        if not skip:
            files.write_new(f"{self.base}/{target}", data, 0o755)
        return digest_of(data), len(data)

    def _place_launchers(self, entry: Entry, lines: list[str]) -> None:
        skip = self._skip.get(entry.name, ())
        for name, module, attribute, _ in entry.scripts:
            target = f"{self.layout.scripts}/{name}"
            data = launcher(self.layout.python, module, attribute)
            hashed, size = self._script(target, data, target in skip)
            lines.append(self._line(entry, target, hashed, size))

    def target(self, entry: Entry, scheme: str, path: str) -> str:
        """Where a file of ``.data`` goes, relative to the environment."""
        folder = self.layout.scheme(scheme, entry.raw_name)
        return f"{folder}/{path}" if folder else path

    def _line(self, entry: Entry, target: str, hashed: str, size: int | str) -> str:
        path = self._up + target
        library = self.layout.library_for(entry.pure)
        if target.startswith(library + "/"):
            path = target[len(library) + 1 :]
        return f"{record_path(path)},{hashed},{size}\n"

    def _finish(self, want: Wanted, entry: Entry, lines: list[str]) -> None:
        folder = f"{self.base}/{self.layout.library_for(entry.pure)}/{entry.dist_info}"
        extra = {"INSTALLER": _INSTALLER}
        if want.requested:
            extra["REQUESTED"] = b""
        if want.direct_url is not None:
            import json

            extra["direct_url.json"] = json.dumps(want.direct_url).encode()
        for name, data in extra.items():
            files.write_new(f"{folder}/{name}", data)
            lines.append(f"{entry.dist_info}/{name},{digest_of(data)},{len(data)}\n")
        lines.append(f"{entry.dist_info}/RECORD,,\n")
        text = "".join(lines).encode()
        handle = os.open(f"{folder}/RECORD", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            written = os.write(handle, text)
            while written < len(text):
                written += os.write(handle, text[written:])
            status = os.fstat(handle)
        finally:
            os.close(handle)
        self.known[entry.name] = (
            entry.version,
            entry.sha256,
            entry.dist_info,
            status.st_mtime_ns,
            status.st_size,
        )

    # -- two wheels, one file --------------------------------------------------------------------------------

    def _find_conflicts(self, entries: list[Entry]) -> dict[str, set[str]]:
        """Per name the paths it must not place because another wheel places them.  See ``conflicts``."""
        scripts = self.layout.scripts
        if not self._suspicious(entries):
            return {}
        owners: dict[str, tuple[Entry, str, str]] = {}
        skip: dict[str, set[str]] = {}
        for entry in entries:
            # Where it would lie: what it is, and the name by which this wheel would leave it out.
            offered = {place: (hashed, path) for place, path, hashed, _ in self._rows(entry)}
            for scheme, path, _, hashed, _, _ in entry.data:
                target = self.target(entry, scheme, path)
                offered[target] = (hashed, target)
            for name, module, attribute, _ in entry.scripts:
                offered[f"{scripts}/{name}"] = (f"{module}:{attribute}", f"{scripts}/{name}")
            for place, (hashed, path) in offered.items():
                first = owners.get(place)
                if first is None:
                    owners[place] = (entry, hashed, path)
                elif first[1] == hashed:
                    skip.setdefault(entry.name, set()).add(path)
                elif self._conflicts == "last":
                    skip.setdefault(first[0].name, set()).add(first[2])
                    owners[place] = (entry, hashed, path)
                else:
                    raise _conflict(path, first[0], entry)
        return skip

    def _suspicious(self, entries: list[Entry]) -> bool:
        """Whether any path occurs twice; 3 ms for 26,000, where finding out whose takes 40."""
        seen: set[str] = set()
        count = 0
        for entry in entries:
            names = [f"{self.layout.scripts}/{script[0]}" for script in entry.scripts]
            names += [self.target(entry, row[0], row[1]) for row in entry.data]
            seen.update(entry.files)
            seen.update(names)
            count += len(entry.files) + len(names)
        return len(seen) != count


def _folders(names: Sequence[str]) -> list[str]:
    """The folders that files of these names lie in, parents first."""
    found: set[str] = set()
    for name in names:
        folder = name.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return sorted(found)


def is_setting(target: str) -> bool:
    """Whether a file outside site-packages is one that programs and people edit."""
    return target.startswith("etc/") or target.endswith(_SETTINGS)


def entry_of(want: Wanted) -> Entry:
    """The entry of what is wanted.  ``InstallError`` ``wheel-not-in-store`` for a caller that did not fetch it."""
    if want.entry is None:
        raise InstallError(
            "wheel-not-in-store",
            f"{want.name} {want.version} was planned and not fetched",
            hint="this is a fault in Accord: please report it",
        )
    return want.entry


def _conflict(path: str, first: Entry, second: Entry) -> InstallError:
    return InstallError(
        "file-conflict",
        f"{first.raw_name} {first.version} and {second.raw_name} {second.version} both provide {path}, and differ",
        context=(f"from {first.filename}", f"from {second.filename}"),
        hint="leave one of them out; --conflicts last lets the later one (by name) win",
    )
