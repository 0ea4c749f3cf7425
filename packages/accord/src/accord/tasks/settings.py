"""What a person may ask of resolving, building and selecting, as plain values.

The command line fills these records from flags and variables; ``tasks.lock`` and ``tasks.install`` read them.
They hold words as written (paths, URLs, requirement strings, project names in normal form), never objects of
another room, and open no file.  The module is hot: a warm ``accord pip compile`` pays for its import, so the
records are slotted classes by hand (``dataclasses`` costs 21 ms).
"""

from __future__ import annotations

__all__ = ["CompileOutput", "Record", "ResolveSettings", "Selection", "normal_names"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn, Self


def normal_names(words: Sequence[str]) -> tuple[str, ...]:
    """Project names as typed, in normal form (PEP 503), each once."""
    if not words:
        return ()
    from accord_core.names import normalise

    return tuple(dict.fromkeys(normalise(word) for word in words))


class Record:
    """A frozen value with fields in ``__slots__``: equality, a readable ``repr`` and :meth:`replace`."""

    __slots__: tuple[str, ...] = ()

    def replace(self, **changes: object) -> Self:
        """The same record with some fields changed; an unknown field is a ``TypeError``."""
        fields: dict[str, object] = self.as_dict()
        fields.update(changes)
        return type(self)(**fields)

    def as_dict(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in type(self).__slots__}

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.as_dict() == other.as_dict()

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.as_dict().items())
        return f"{type(self).__name__}({inside})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is a value; use replace({name}=...)")

    def _fill(self, values: Mapping[str, object]) -> None:
        for name in type(self).__slots__:
            value = values[name]
            object.__setattr__(self, name, tuple(value) if isinstance(value, list) else value)


class ResolveSettings(Record):
    """Everything that may change which versions are chosen, and from where.

    ``index_url`` replaces the default index; ``indexes`` (``URL`` or ``NAME=URL``) and ``extra_index_urls`` are
    asked before it, in the order written.  ``constraints``, ``overrides``, ``excludes`` and
    ``build_constraints`` are paths or URLs of files in requirements format.  ``resolution`` is one of
    ``highest``, ``lowest``, ``lowest-direct``.  ``prerelease`` is one of ``disallow``, ``allow``,
    ``if-necessary``, ``explicit``, ``if-necessary-or-explicit``.  ``exclude_newer`` is an instant in UTC
    (``2026-11-23T00:00:00Z``): files uploaded at or after it are not seen; ``exclude_newer_packages`` gives
    ``(name, instant)`` for single projects.  ``upgrade`` is ``True`` for everything, or the names to upgrade.
    ``no_binary`` and ``only_binary`` hold project names, or ``:all:``.  ``config_settings`` holds
    ``(project name or None, key, value)``.  ``python_version`` is the Python to resolve for where no interpreter was
    asked for.  ``build_sandbox`` is ``require``, ``warn``, ``off``.  ``conflicts`` says what
    becomes of a file that two distributions provide differently: ``refuse``, or ``last`` to let the last by name have it.
    ``None`` in a field with a default in the project table means "not said on the command line".
    """

    __slots__ = (
        "build_constraints",
        "build_sandbox",
        "cache_dir",
        "cert",
        "config_settings",
        "conflicts",
        "constraints",
        "exclude_newer",
        "exclude_newer_packages",
        "excludes",
        "extra_index_urls",
        "find_links",
        "index_url",
        "indexes",
        "keyring_provider",
        "no_binary",
        "no_build_isolation",
        "no_deps",
        "no_index",
        "offline",
        "only_binary",
        "overrides",
        "prefer_binary",
        "prerelease",
        "python_version",
        "refresh",
        "require_hashes",
        "resolution",
        "trusted_hosts",
        "universal",
        "upgrade",
    )

    index_url: str | None
    indexes: tuple[str, ...]
    extra_index_urls: tuple[str, ...]
    find_links: tuple[str, ...]
    no_index: bool
    keyring_provider: str | None
    trusted_hosts: tuple[str, ...]
    cert: str | None
    constraints: tuple[str, ...]
    overrides: tuple[str, ...]
    excludes: tuple[str, ...]
    build_constraints: tuple[str, ...]
    build_sandbox: str | None
    resolution: str | None
    prerelease: str | None
    exclude_newer: str | None
    exclude_newer_packages: tuple[tuple[str, str], ...]
    upgrade: bool | frozenset[str]
    refresh: bool
    no_deps: bool
    no_binary: tuple[str, ...]
    only_binary: tuple[str, ...]
    prefer_binary: bool
    no_build_isolation: bool
    config_settings: tuple[tuple[str | None, str, str], ...]
    conflicts: str
    require_hashes: bool
    universal: bool | None
    python_version: str | None
    offline: bool
    cache_dir: str | None

    def __init__(
        self,
        *,
        index_url: str | None = None,
        indexes: Sequence[str] = (),
        extra_index_urls: Sequence[str] = (),
        find_links: Sequence[str] = (),
        no_index: bool = False,
        keyring_provider: str | None = None,
        trusted_hosts: Sequence[str] = (),
        cert: str | None = None,
        constraints: Sequence[str] = (),
        overrides: Sequence[str] = (),
        excludes: Sequence[str] = (),
        build_constraints: Sequence[str] = (),
        build_sandbox: str | None = None,
        resolution: str | None = None,
        prerelease: str | None = None,
        exclude_newer: str | None = None,
        exclude_newer_packages: Sequence[tuple[str, str]] = (),
        upgrade: bool | frozenset[str] = False,
        refresh: bool = False,
        no_deps: bool = False,
        no_binary: Sequence[str] = (),
        only_binary: Sequence[str] = (),
        prefer_binary: bool = False,
        no_build_isolation: bool = False,
        config_settings: Sequence[tuple[str | None, str, str]] = (),
        conflicts: str = "refuse",
        require_hashes: bool = False,
        universal: bool | None = None,
        python_version: str | None = None,
        offline: bool = False,
        cache_dir: str | None = None,
    ) -> None:
        self._fill(locals())

    @property
    def no_build(self) -> bool:
        """Whether nothing at all may be built from source (``--no-build``, ``--only-binary :all:``)."""
        return ":all:" in self.only_binary

    def may_build(self, project: str) -> bool:
        """Whether ``project`` (a normalised name) may be built from an sdist or a source tree."""
        return not self.no_build and project not in self.only_binary

    def may_use_wheel(self, project: str) -> bool:
        """Whether a published wheel of ``project`` (a normalised name) may be used."""
        return ":all:" not in self.no_binary and project not in self.no_binary


class Selection(Record):
    """Which extras and dependency groups (PEP 735) of a project or of a lock are wanted.

    ``only_groups`` leaves out the project's own dependencies.  Default groups are added unless
    ``default_groups`` is false; ``no_groups`` takes single ones away again.
    """

    __slots__ = ("all_extras", "all_groups", "default_groups", "extras", "groups", "no_groups", "only_groups")

    extras: tuple[str, ...]
    all_extras: bool
    groups: tuple[str, ...]
    all_groups: bool
    default_groups: bool
    no_groups: tuple[str, ...]
    only_groups: tuple[str, ...]

    def __init__(
        self,
        *,
        extras: Sequence[str] = (),
        all_extras: bool = False,
        groups: Sequence[str] = (),
        all_groups: bool = False,
        default_groups: bool = True,
        no_groups: Sequence[str] = (),
        only_groups: Sequence[str] = (),
    ) -> None:
        self._fill(locals())


class CompileOutput(Record):
    """How a compiled file is written: ``format`` is ``requirements.txt`` or ``pylock.toml``; ``command`` is the
    line the header names, kept without passwords, because the file goes where the project goes."""

    __slots__ = (
        "annotate",
        "annotation_style",
        "command",
        "emit_find_links",
        "emit_index_url",
        "format",
        "hashes",
        "header",
        "no_emit",
        "strip_extras",
        "strip_markers",
    )

    format: str
    hashes: bool
    header: bool
    annotate: bool
    annotation_style: str
    strip_extras: bool
    strip_markers: bool
    no_emit: tuple[str, ...]
    emit_index_url: bool
    emit_find_links: bool
    command: str

    def __init__(
        self,
        *,
        format: str = "requirements.txt",  # noqa: A002 - the flag's own name
        hashes: bool = False,
        header: bool = True,
        annotate: bool = True,
        annotation_style: str = "split",
        strip_extras: bool = True,
        strip_markers: bool = True,
        no_emit: Sequence[str] = (),
        emit_index_url: bool = False,
        emit_find_links: bool = False,
        command: str = "accord pip compile",
    ) -> None:
        from accord.io.urls import redact_all

        command = redact_all(command)
        self._fill(locals())
