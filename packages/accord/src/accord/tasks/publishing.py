"""Publishing: look at the files, find the index, send them, and leave nothing unclear behind.

With Upload 2.0 a release is one session: everything is sent, then it is published, and nobody sees half of it.  An index
that does not know it gets one form after the other, wheels first, so that nobody builds for want of a wheel.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accord.io.credentials import Credentials, Known
from accord.io.folders import config_dir
from accord.io.http.client import Client
from accord.publish import form, sessions
from accord.publish.desk import Desk
from accord.publish.parcels import Parcel, read_parcel
from accord.publish.target import Target, endpoints, find_target, outright, read_pypirc
from accord.repositories.settings import index_settings
from accord.tasks.publishing_records import Finished, Published, Release, Sent
from accord.tasks.publishing_session import end_session, publish_release
from accord.tasks.settings import ResolveSettings
from accord_core.errors import DocumentError, RepositoryError, UsageError

if TYPE_CHECKING:
    from accord.io.reporting import Reporter

__all__ = ["Options", "cancel", "finish", "publish"]

_MOST_FILES = 5_000
# What stands in their place (core metadata, "Deprecated Fields").
_DEPRECATED = {
    "Home-page": "write Project-URL",
    "Download-URL": "write Project-URL",
    "Requires": "write Requires-Dist",
    "Provides": "write Provides-Dist",
    "Obsoletes": "write Obsoletes-Dist",
}


@dataclass(frozen=True, slots=True)
class Options:
    """``releases``: several at once may be published; ``wait``: until the index has published; ``preview``: send, and leave
    publishing for later; ``skip_existing``: files the index has are left out; ``resume``: go on with an open session."""

    check: bool = True
    dry_run: bool = False
    wait: bool = True
    preview: bool = False
    skip_existing: bool = False
    releases: bool = False
    resume: bool = False


def publish(
    files: Sequence[str],
    *,
    index: str | None,
    token: str | None,
    options: Options,
    settings: ResolveSettings,
    project: str | None,
    cache_dir: str,
    reporter: Reporter,
    environ: Mapping[str, str] = os.environ,
    announce: Callable[[Target], None] = lambda target: None,
) -> Published:
    """Send ``files``, or those in the project's ``dist``; ``announce`` is told the index before anything is sent.

    Raises UsageError ``publish-nothing``, ``publish-mixed``, ``publish-duplicate``, ``publish-not-a-distribution``,
    ``publish-no-preview``, those of ``find_target``; DocumentError ``publish-check-failed``; RepositoryError.
    """
    folder = _project_folder(project)
    parcels = _parcels(files or _built(folder), several=options.releases)
    target = find_target(index, _tables(folder, environ), read_pypirc(environ), environ)
    if options.check:
        _check([parcel.path for parcels_of in parcels.values() for parcel in parcels_of], cache_dir, reporter)
    _warn_of_deprecated(parcels, reporter)
    announce(target)
    if options.dry_run:
        return _outcome(target, [_planned(name, version, of) for (name, version), of in parcels.items()])
    with _client(settings, environ, reporter) as client:
        desk = _desk(client, target, token, settings, environ, reporter)
        done: list[Release] = []
        for (name, version), of in parcels.items():
            try:
                done.append(_release(desk, target, name, version, of, options, reporter))
            except RepositoryError as fault:
                raise _after(fault, done) from fault.__cause__
    return _outcome(target, done)


def _outcome(target: Target, releases: Sequence[Release]) -> Published:
    return Published(target.url, target.origin, tuple(releases))


def _planned(name: str, version: str, parcels: Sequence[Parcel]) -> Release:
    return Release(name, version, "", "planned", tuple(_sent(parcel, "planned") for parcel in parcels))


def _sent(parcel: Parcel, state: str) -> Sent:
    return Sent(parcel.filename, parcel.size, parcel.sha256, state)


def _after(fault: RepositoryError, done: Sequence[Release]) -> RepositoryError:
    """What was published before belongs to the failure."""
    said = tuple(f"{release.name} {release.version} is {release.state}" for release in done)
    return RepositoryError(
        fault.code, fault.message, where=fault.where, context=(*fault.context, *said), hint=fault.hint
    )


def _project_folder(project: str | None) -> str | None:
    from accord.tasks.folders import find_project

    try:
        return find_project(project)
    except UsageError:
        if project is not None:
            raise
        return None


def _built(folder: str | None) -> list[str]:
    dist = os.path.join(folder or os.getcwd(), "dist")
    try:
        names = sorted(os.listdir(dist))
    except OSError:
        names = []
    found = [os.path.join(dist, name) for name in names if name.endswith((".whl", ".tar.gz"))]
    if not found:
        raise UsageError(
            "publish-nothing",
            f"there is nothing to publish in {dist}",
            hint="accord build makes it; or name the files",
        )
    return found


def _warn_of_deprecated(parcels: Mapping[tuple[str, str], Sequence[Parcel]], reporter: Reporter) -> None:
    """Core metadata, "Deprecated Fields": tools SHOULD warn users when such fields are used."""
    for (name, version), of in parcels.items():
        fields = [one for one in _DEPRECATED if any(parcel.fields.first(one) for parcel in of)]
        if fields:
            instead = "; ".join(f"{one}: {_DEPRECATED[one]}" for one in fields)
            reporter.warn(f"{name} {version} has fields that are deprecated ({instead})")


def _parcels(paths: Sequence[str], *, several: bool) -> dict[tuple[str, str], list[Parcel]]:
    """By release, wheels first."""
    if len(paths) > _MOST_FILES:
        raise UsageError(
            "publish-nothing", f"{len(paths)} files are more than the {_MOST_FILES} allowed at once"
        )
    found: dict[tuple[str, str], list[Parcel]] = {}
    names: dict[str, str] = {}
    for path in paths:
        parcel = read_parcel(path)
        other = names.setdefault(parcel.filename, parcel.path)
        if other != parcel.path:
            raise UsageError(
                "publish-duplicate", f"two files are called {parcel.filename}", context=(other, parcel.path)
            )
        of = found.setdefault((parcel.name, parcel.version), [])
        if parcel not in of:
            of.append(parcel)
    if len(found) > 1 and not several:
        raise UsageError(
            "publish-mixed",
            f"the files are of {len(found)} releases, and one is published at a time",
            context=tuple(f"{name} {version}: {len(of)}" for (name, version), of in found.items()),
            hint="name the files of one, or say --all",
        )
    for of in found.values():
        of.sort(key=lambda parcel: (parcel.kind != "wheel", parcel.filename))
    return found


def _check(paths: Sequence[str], cache_dir: str, reporter: Reporter) -> None:
    from accord.tasks.checking import check_paths

    checked = check_paths(paths, cache_dir=cache_dir, reporter=reporter)
    said = [
        f"{os.path.basename(report.path)}: {one.check.code}: {one.finding.message}"
        for report in checked.reports
        for one in report.found
        if one.check.severity == "error"
    ]
    if said:
        raise DocumentError(
            "publish-check-failed",
            f"accord check finds {len(said)} error{'s' * (len(said) > 1)}: nothing was sent",
            context=tuple(said[:20]),
            hint="accord check dist/* says more; --no-check sends them all the same",
        )


def _tables(folder: str | None, environ: Mapping[str, str]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Index tables of the project and of the user, each with the place it is written."""
    found: list[tuple[str, list[Mapping[str, Any]]]] = []
    document = _toml(os.path.join(folder, "pyproject.toml")) if folder is not None else {}
    tool = document.get("tool")
    tools: Mapping[str, Any] = tool if isinstance(tool, dict) else {}
    path = os.path.join(config_dir(environ), "config.toml")
    for origin, holder in (
        ("[[tool.accord.index]]", tools.get("accord")),
        (path, _toml(path)),
        ("[[tool.uv.index]]", tools.get("uv")),
    ):
        tables = holder.get("index") if isinstance(holder, dict) else None
        if isinstance(tables, list):
            found.append((origin, [one for one in tables if isinstance(one, dict) and "url" in one]))
    return found


def _toml(path: str) -> Mapping[str, Any]:
    import tomllib

    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise DocumentError("config-invalid", f"{path} cannot be read: {fault}") from fault


def _client(settings: ResolveSettings, environ: Mapping[str, str], reporter: Reporter) -> Client:
    # Which indexes are read from is of no interest here: only how the network is used.
    found = index_settings(settings.replace(no_index=True), environ=environ, config_dir=config_dir(environ))
    return Client(found.http, environ=environ, note=reporter.note)


def _desk(
    client: Client,
    target: Target,
    token: str | None,
    settings: ResolveSettings,
    environ: Mapping[str, str],
    reporter: Reporter,
) -> Desk:
    keyring = index_settings(
        settings.replace(no_index=True), environ=environ, config_dir=config_dir(environ)
    ).keyring
    known = Known(target.url, target.name, target.auth)
    credentials = Credentials([known], environ=environ, keyring=keyring, note=reporter.note)
    return Desk(
        client, target.url, auth=outright(token, environ), credentials=credentials, note=reporter.note
    )


def _release(
    desk: Desk,
    target: Target,
    name: str,
    version: str,
    parcels: Sequence[Parcel],
    options: Options,
    reporter: Reporter,
) -> Release:
    at = endpoints(target.url)
    opened = sessions.open_session(desk, at.root, name, version)
    if opened.session is not None or opened.elsewhere:
        return publish_release(desk, opened, name, version, parcels, options, reporter)
    if options.preview or options.resume:
        raise UsageError(
            "publish-no-preview",
            f"{target.url} does not speak Upload 2.0: it has no sessions and no previews",
            hint="leave --preview and --resume away: each file is published as it is sent",
        )
    reporter.note(f"no Upload 2.0 at {at.root} (status {opened.answer.status}): sending forms to {at.form}")
    return _by_form(desk, at.form, name, version, parcels, options, reporter)


def _by_form(
    desk: Desk,
    url: str,
    name: str,
    version: str,
    parcels: Sequence[Parcel],
    options: Options,
    reporter: Reporter,
) -> Release:
    sent: list[Sent] = []
    task = reporter.start(f"publishing {name} {version}", sum(parcel.size for parcel in parcels), "B")
    try:
        for parcel in parcels:
            try:
                answer = form.upload_form(desk, url, parcel, lambda size: reporter.advance(task, size))
                if options.skip_existing and form.is_there_already(answer):
                    sent.append(_sent(parcel, "there"))
                    continue
                form.accepted(answer, parcel, url)
            except (RepositoryError, KeyboardInterrupt) as fault:
                raise _halfway(fault, parcels, sent, reporter) from fault.__cause__
            sent.append(_sent(parcel, "published"))
    finally:
        reporter.finish(task)
    return Release(name, version, "legacy", "published", tuple(sent))


def _halfway(
    fault: BaseException, parcels: Sequence[Parcel], sent: Sequence[Sent], reporter: Reporter
) -> BaseException:
    """What is published now and what is not: an index without sessions cannot take anything back."""
    there = [one.filename for one in sent]
    missing = [parcel.filename for parcel in parcels if parcel.filename not in there]
    said = (f"published: {', '.join(there) or 'nothing'}", f"not published: {', '.join(missing)}")
    if not isinstance(fault, RepositoryError):
        for line in said:
            reporter.warn(line)
        return fault
    hint = fault.hint
    if there:
        hint = f"{hint}; then the same command with --skip-existing sends the rest" if hint else None
    return RepositoryError(
        fault.code, fault.message, where=fault.where, context=(*fault.context, *said), hint=hint
    )


def finish(asked: str, **more: Any) -> Finished:
    """Publish a session that was left open: its URL, or ``NAME==VERSION`` of its release.  Takes and raises as
    :func:`cancel`."""
    return _end(asked, "finish", **more)


def cancel(asked: str, **more: Any) -> Finished:
    """Throw such a session away.  ``more``: ``index``, ``token``, ``wait``, ``settings``, ``project``, ``reporter``,
    ``environ``, as :func:`publish` takes them.  Raises UsageError ``publish-no-session``, RepositoryError."""
    return _end(asked, "cancel", **more)


def _end(
    asked: str,
    how: str,
    *,
    index: str | None,
    token: str | None,
    wait: bool,
    settings: ResolveSettings,
    project: str | None,
    reporter: Reporter,
    environ: Mapping[str, str] = os.environ,
) -> Finished:
    is_url = "://" in asked
    if is_url and index is None:
        # What is known of the place the session lies at counts for it.
        target = _target_of_session(asked, project, environ)
    else:
        target = find_target(index, _tables(_project_folder(project), environ), read_pypirc(environ), environ)
    with _client(settings, environ, reporter) as client:
        desk = _desk(client, target, token, settings, environ, reporter)
        return end_session(desk, asked if is_url else None, asked, endpoints(target.url).root, how, wait=wait)


def _target_of_session(url: str, project: str | None, environ: Mapping[str, str]) -> Target:
    from accord.io.urls import split

    try:
        found = find_target(None, _tables(_project_folder(project), environ), read_pypirc(environ), environ)
    except UsageError:
        found = None
    if found is not None and split(found.url).origin == split(url).origin:
        return found
    return Target(url, None, "the session's URL", split(url).auth)
