"""Which indexes are asked, in which order, and how: gathered from every place people write it down (hot).

In falling order of weight: flags, the project's ``[tool.accord.index]``, ``ACCORD_*`` variables, the user's
``config.toml``, ``UV_*`` variables, pip's variables and configuration files, and at last the default of the pip beside
the interpreter.  Each of them may name

* **indexes before the default** (``--index``, ``--extra-index-url``, the project's tables, ``UV_INDEX``,
  ``UV_EXTRA_INDEX_URL``): asked first, because a private index that comes after a public one can be impersonated on it;
* **the default index**: the weightiest place that names one decides;
* **indexes after it** (``PIP_EXTRA_INDEX_URL``, ``extra-index-url`` in pip's files: pip's own order);
* **find-links** folders and pages, which are all used.

The same index written twice counts once, at its first place.  May read variables, files and, once, ask an
interpreter; opens no connection.
"""

from __future__ import annotations

import os

from accord.io.http.options import HttpOptions
from accord.io.urls import file_url, redact, split, without_credentials
from accord.repositories import pipconf
from accord_core.errors import UsageError
from accord_core.names import normalise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, Protocol

    from accord.io.http.client import Client
    from accord.repositories.merged import Folder, Sources
    from accord.repositories.port import Repository

    class Flags(Protocol):
        """What the command line says; ``accord.tasks.settings.ResolveSettings`` is one."""

        index_url: str | None
        indexes: tuple[str, ...]
        extra_index_urls: tuple[str, ...]
        find_links: tuple[str, ...]
        no_index: bool
        keyring_provider: str | None
        trusted_hosts: tuple[str, ...]
        cert: str | None
        offline: bool


__all__ = ["Index", "IndexSettings", "credentials", "index_settings", "repositories"]

_TRUE = frozenset(("1", "true", "yes", "on", "y", "t"))
_FALSE = frozenset(("0", "false", "no", "off", "n", "f", ""))


class Index:
    """One index as written: ``url`` without credentials, which are in ``auth``; ``name`` if it has one; ``explicit``
    indexes serve only projects assigned to them; ``origin`` says where it was written."""

    __slots__ = ("auth", "explicit", "name", "origin", "url")

    def __init__(
        self,
        url: str,
        name: str | None = None,
        *,
        explicit: bool = False,
        origin: str = "",
        auth: tuple[str, str] | None = None,
    ) -> None:
        self.url = url
        self.name = name
        self.explicit = explicit
        self.origin = origin
        self.auth = auth

    @property
    def local(self) -> bool:
        return self.url.startswith("file:")

    def __repr__(self) -> str:
        named = "" if self.name is None else f"{self.name}="
        return f"Index({named}{self.url}{' explicit' if self.explicit else ''}, from {self.origin})"


class IndexSettings:
    """What :func:`index_settings` found.  ``indexes`` in the order they are asked, explicit ones included;
    ``find_links`` are absolute paths and URLs; ``assignments`` give each assigned project's index name."""

    __slots__ = ("assignments", "find_links", "http", "indexes", "keyring", "no_index")

    def __init__(
        self,
        indexes: tuple[Index, ...],
        find_links: tuple[str, ...],
        assignments: dict[str, str],
        *,
        no_index: bool,
        keyring: str,
        http: HttpOptions,
    ) -> None:
        self.indexes = indexes
        self.find_links = find_links
        self.assignments = assignments
        self.no_index = no_index
        self.keyring = keyring
        self.http = http


class _Layer:
    """What one place says: indexes before the default, the default, indexes after it, and find-links."""

    __slots__ = ("after", "before", "default", "find_links", "no_index")

    def __init__(self) -> None:
        self.before: list[Index] = []
        self.default: Index | None = None
        self.after: list[Index] = []
        self.find_links: list[str] = []
        self.no_index: bool | None = None


def index_settings(
    flags: Flags | None = None,
    *,
    project_indexes: Iterable[Mapping[str, Any]] = (),
    assignments: Mapping[str, str] | None = None,
    project_dir: str | None = None,
    environ: Mapping[str, str],
    config_dir: str | None = None,
    cache_dir: str | None = None,
    python: str | None = None,
    base_python: str | None = None,
) -> IndexSettings:
    """Gather the settings.

    ``project_indexes`` are the tables of ``[tool.accord.index]`` (``name``, ``url``, ``explicit``, ``default``,
    ``projects``), their relative paths taken from ``project_dir``; ``assignments`` maps projects to index names.
    ``config_dir`` is the user's folder with ``config.toml``; ``python`` the interpreter whose pip has the last word
    and whose environment's ``pip.conf`` counts; ``base_python`` the one it was made from, which is asked instead where it is
    known (an environment rarely has a pip, and changes with every command); ``cache_dir`` remembers that pip's answer.

    Raises UsageError ``setting-invalid``, ``url-invalid`` or ``index-unknown``, RepositoryError
    ``no-default-index``, DocumentError ``config-invalid``.
    """
    pip = pipconf.read(
        environ, None if python is None else os.path.dirname(os.path.dirname(os.path.abspath(python)))
    )
    assigned: dict[str, str] = {}
    user = _user_config(config_dir)
    layers = [
        _flag_layer(flags),
        _table_layer(project_indexes, "[tool.accord.index]", project_dir, assigned),
        _variable_layer(environ, "ACCORD"),
        _user_layer(user, config_dir, assigned),
        _variable_layer(environ, "UV"),
        _pip_layer(pip),
    ]
    for project, name in (assignments or {}).items():
        assigned[normalise(project)] = name
    no_index = next((each.no_index for each in layers if each.no_index is not None), False)
    indexes = () if no_index else _ordered(layers, base_python or python, cache_dir)
    _check_names(indexes, assigned, no_index=no_index)
    return IndexSettings(
        indexes,
        tuple(dict.fromkeys(place for layer in layers for place in layer.find_links)),
        {} if no_index else assigned,
        no_index=no_index,
        keyring=_keyring(flags, user, environ, pip),
        http=_http(flags, user, environ, pip),
    )


def credentials(
    settings: IndexSettings, environ: Mapping[str, str], note: Callable[[str], None] | None = None
) -> Any:
    """The ``Credentials`` for a client of these settings."""
    from accord.io.credentials import Credentials, Known, in_urls

    known = [Known(each.url, each.name, each.auth) for each in settings.indexes if not each.local]
    known += in_urls(settings.find_links)
    return Credentials(known, environ=environ, keyring=settings.keyring, note=note)


def repositories(settings: IndexSettings, client: Client) -> Sources:
    """The settings' indexes and folders as repositories."""
    from accord.repositories.http import HttpRepository
    from accord.repositories.merged import Sources

    if settings.find_links or any(index.local for index in settings.indexes):
        from accord.repositories.local import FindLinks, LocalIndex
    made: list[Repository] = []
    named: dict[str, Repository] = {}
    for index in settings.indexes:
        repository: Repository
        if index.local:
            repository = LocalIndex(index.url, client)
        else:
            repository = HttpRepository(index.url, client)
        if not index.explicit:
            made.append(repository)
        if index.name is not None:
            named[index.name] = repository
    folders: list[Folder] = []
    for place in settings.find_links:
        if os.path.isdir(place) or "://" not in place:
            folders.append(FindLinks(place, client))
        else:
            from accord.repositories.linkpage import LinkPage

            folders.append(LinkPage(place, client))
    return Sources(made, named=named, assignments=settings.assignments, folders=folders)


def _ordered(layers: Sequence[_Layer], python: str | None, cache_dir: str | None) -> tuple[Index, ...]:
    default = next((each.default for each in layers if each.default is not None), None)
    if default is None:
        from accord.repositories.defaultindex import default_index

        default = _index(default_index(python, cache_dir), "pip's default")
    found: dict[str, Index] = {}
    for index in (
        *(each for layer in layers for each in layer.before),
        default,
        *(each for layer in layers for each in layer.after),
    ):
        first = found.setdefault(index.url, index)
        # The same index elsewhere may be the one that carries the name or the credentials.
        if first is not index:
            first.name = first.name or index.name
            first.auth = first.auth or index.auth
    return tuple(found.values())


def _index(text: str, origin: str, *, name: str | None = None, folder: str | None = None) -> Index:
    """An index from ``URL``, ``NAME=URL`` or a path.  Raises UsageError ``url-invalid``."""
    text = text.strip()
    if name is None:
        word, equals, rest = text.partition("=")
        if equals and word and word.replace("-", "").replace("_", "").replace(".", "").isalnum():
            name, text = word, rest.strip()
    scheme, separator, _ = text.partition("://")
    if text[:5].lower() == "file:" or not separator:
        from accord.io.urls import path_of

        path = os.path.expanduser(path_of(text))
        return Index(file_url(os.path.abspath(os.path.join(folder or "", path))), name, origin=origin)
    if scheme.lower() not in {"http", "https"}:
        raise UsageError(
            "url-invalid",
            f"{redact(text)} is no index: only http:, https: and file: URLs are",
            hint=f"it was written in {origin}",
        )
    auth = split(text).auth
    return Index(without_credentials(text).rstrip("/"), name, origin=origin, auth=auth)


def _place(text: str, folder: str | None = None) -> str:
    """A find-links place: a page's URL as it is, a folder's path absolute."""
    text = text.strip()
    if text[:5].lower() == "file:":
        from accord.io.urls import path_of

        return path_of(text)
    if "://" in text:
        return text
    return os.path.abspath(os.path.join(folder or "", os.path.expanduser(text)))


def _flag_layer(flags: Flags | None) -> _Layer:
    layer = _Layer()
    if flags is not None:
        layer.before = [_index(each, "--index") for each in flags.indexes]
        layer.before += [_index(each, "--extra-index-url") for each in flags.extra_index_urls]
        if flags.index_url:
            layer.default = _index(flags.index_url, "--index-url")
        layer.find_links = [_place(each) for each in flags.find_links]
        layer.no_index = True if flags.no_index else None
    return layer


def _table_layer(
    tables: Iterable[Mapping[str, Any]], origin: str, folder: str | None, assigned: dict[str, str]
) -> _Layer:
    """Tables in the order written: those before the default one come before it, the others after."""
    layer = _Layer()
    for table in tables:
        name = table.get("name")
        index = _index(str(table["url"]), origin, name=str(name) if name else None, folder=folder)
        index.explicit = bool(table.get("explicit", False))
        for project in table.get("projects") or ():
            if index.name is None:
                raise UsageError(
                    "setting-invalid",
                    f"an index in {origin} has projects assigned to it and no name",
                    hint="give it a name",
                )
            assigned.setdefault(normalise(str(project)), index.name)
        if table.get("default"):
            layer.default = layer.default or index
        elif layer.default is None or index.explicit:
            layer.before.append(index)
        else:
            layer.after.append(index)
    return layer


def _variable_layer(environ: Mapping[str, str], tool: str) -> _Layer:
    """``ACCORD_…`` and ``UV_…`` are spelled alike; uv separates find-links by commas."""
    layer = _Layer()
    for variable in (f"{tool}_INDEX", f"{tool}_EXTRA_INDEX_URL"):
        layer.before += [_index(each, variable) for each in environ.get(variable, "").split()]
    for variable in (f"{tool}_DEFAULT_INDEX", f"{tool}_INDEX_URL"):
        value = environ.get(variable, "").strip()
        if value and layer.default is None:
            layer.default = _index(value, variable)
    layer.find_links = list(map(_place, environ.get(f"{tool}_FIND_LINKS", "").replace(",", " ").split()))
    if environ.get(f"{tool}_NO_INDEX"):
        layer.no_index = _truth(environ[f"{tool}_NO_INDEX"], f"{tool}_NO_INDEX")
    return layer


def _pip_layer(pip: pipconf.PipSettings) -> _Layer:
    layer = _Layer()
    default = pip.get("index-url")
    if default is not None:
        layer.default = _index(default[0], default[1])
    words, origin = pip.several("extra-index-url")
    layer.after = [_index(each, origin) for each in words]
    layer.find_links = [_place(each) for each in pip.several("find-links")[0]]
    none = pip.get("no-index")
    if none is not None:
        layer.no_index = _truth(*none)
    return layer


def _user_config(config_dir: str | None) -> Mapping[str, Any]:
    if config_dir is None:
        return {}
    path = os.path.join(config_dir, "config.toml")
    try:
        with open(path, "rb") as stream:
            body = stream.read()
    except OSError:
        return {}
    import tomllib

    from accord_core.errors import DocumentError, Where

    try:
        return tomllib.loads(body.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DocumentError(
            "config-invalid", f"your configuration cannot be read: {error}", where=Where(path)
        ) from error


def _user_layer(user: Mapping[str, Any], config_dir: str | None, assigned: dict[str, str]) -> _Layer:
    if not user:
        return _Layer()
    path = os.path.join(config_dir or "", "config.toml")
    tables = user.get("index", ())
    if not isinstance(tables, list) or not all(isinstance(each, dict) and "url" in each for each in tables):
        raise UsageError(
            "setting-invalid", f"index in {path} is not a list of tables with a url", hint="write [[index]]"
        )
    layer = _table_layer(tables, path, config_dir, assigned)
    layer.find_links = [_place(str(each), config_dir) for each in user.get("find-links", ())]
    if "no-index" in user:
        layer.no_index = bool(user["no-index"])
    return layer


def _check_names(indexes: Sequence[Index], assigned: Mapping[str, str], *, no_index: bool) -> None:
    names: dict[str, Index] = {}
    for index in indexes:
        if index.name is not None and names.setdefault(index.name, index) is not index:
            other = names[index.name]
            raise UsageError(
                "setting-invalid",
                f"two indexes are named {index.name!r}",
                context=(f"{other.url} in {other.origin}", f"{index.url} in {index.origin}"),
                hint="give one of them another name",
            )
    for project, name in assigned.items():
        if name not in names and not no_index:
            raise UsageError(
                "index-unknown",
                f"{project} is assigned to the index {name!r}, which is not defined",
                hint=f"known indexes: {', '.join(sorted(names)) or 'none has a name'}",
            )


def _first(
    environ: Mapping[str, str], variables: Iterable[str], pip: pipconf.PipSettings, options: Iterable[str]
) -> tuple[str, str] | None:
    """The first variable that is set, else the first of pip's options; with its origin."""
    for variable in variables:
        value = environ.get(variable, "").strip()
        if value:
            return value, variable
    for option in options:
        found = pip.get(option)
        if found is not None:
            return found
    return None


def _keyring(
    flags: Flags | None, user: Mapping[str, Any], environ: Mapping[str, str], pip: pipconf.PipSettings
) -> str:
    said = (
        None
        if flags is None or not flags.keyring_provider
        else (flags.keyring_provider, "--keyring-provider")
    )
    if said is None and "keyring-provider" in user:
        said = (str(user["keyring-provider"]), "config.toml")
    variables = ("ACCORD_KEYRING_PROVIDER", "UV_KEYRING_PROVIDER")
    said = said or _first(environ, variables, pip, ("keyring-provider",))
    if said is None:
        return "auto"
    providers = ("auto", "disabled", "import", "subprocess")
    if said[0] not in providers:
        raise UsageError(
            "setting-invalid", f"{said[1]} is {said[0]!r}", hint=f"it may be {', '.join(providers)}"
        )
    return said[0]


def _http(
    flags: Flags | None, user: Mapping[str, Any], environ: Mapping[str, str], pip: pipconf.PipSettings
) -> HttpOptions:
    timeout = _first(environ, ("ACCORD_HTTP_TIMEOUT", "UV_HTTP_TIMEOUT"), pip, ("default-timeout", "timeout"))
    retries = _first(environ, ("ACCORD_HTTP_RETRIES", "UV_HTTP_RETRIES"), pip, ("retries",))
    connections = _first(environ, ("ACCORD_CONCURRENT_DOWNLOADS", "UV_CONCURRENT_DOWNLOADS"), pip, ())
    proxy = _first(environ, ("ACCORD_PROXY",), pip, ("proxy",))
    ca_file, ca_folder = _authorities(flags, user, environ, pip)
    client = _first(environ, ("SSL_CLIENT_CERT",), pip, ("client-cert",))
    hosts = [] if flags is None else list(flags.trusted_hosts)
    hosts += [str(each) for each in user.get("trusted-hosts", ())]
    hosts += environ.get("UV_INSECURE_HOST", "").split() + pip.several("trusted-host")[0]
    return HttpOptions(
        timeout=30.0 if timeout is None else _number(*timeout, least=0.001),
        retries=3 if retries is None else int(_number(*retries, least=0)),
        connections=50 if connections is None else int(_number(*connections, least=1)),
        offline=_offline(flags, environ),
        proxy=None if proxy is None else proxy[0],
        ca_file=ca_file,
        ca_folder=ca_folder,
        client_certificate=None if client is None else client[0],
        trusted_hosts=tuple(dict.fromkeys(hosts)),
    )


def _offline(flags: Flags | None, environ: Mapping[str, str]) -> bool:
    if flags is not None and flags.offline:
        return True
    for variable in ("ACCORD_OFFLINE", "UV_OFFLINE"):
        if variable in environ:
            return _truth(environ[variable], variable)
    return False


def _authorities(
    flags: Flags | None, user: Mapping[str, Any], environ: Mapping[str, str], pip: pipconf.PipSettings
) -> tuple[str | None, str | None]:
    """A bundle and a folder of certificates; (None, None) is the system's own trust."""
    if flags is not None and flags.cert:
        return flags.cert, None
    if "cert" in user:
        return os.path.expanduser(str(user["cert"])), None
    file, folder = environ.get("SSL_CERT_FILE") or None, environ.get("SSL_CERT_DIR") or None
    if file or folder:
        return file, folder
    found = _first(environ, ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), pip, ("cert",))
    if found is None:
        return None, None
    return (None, found[0]) if os.path.isdir(found[0]) else (found[0], None)


def _truth(value: str, origin: str) -> bool:
    word = value.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise UsageError("setting-invalid", f"{origin} is {value!r}", hint="write 1 or 0")


def _number(value: str, origin: str, *, least: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not least <= number < 1e9:
        raise UsageError(
            "setting-invalid", f"{origin} is {value!r}", hint=f"write a number, {least:g} or more"
        )
    return number
