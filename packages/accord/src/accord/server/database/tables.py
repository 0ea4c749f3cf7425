"""The schema, for SQLite and PostgreSQL alike.

Instants are microseconds since 1970 (UTC).  Names are normalised (PEP 503) unless the column says ``display``; versions
are in PEP 440 normal form.  Digests are lower-case hex.  Rows of ``file`` are never deleted and never change what they
say of the bytes: a file that leaves gets ``removed_serial``, so that every state an index ever had can be shown again.
``file_name`` remembers each name for ever: a name once used is burnt.

Serials: the one row of ``serial`` counts every change of any index in the order of the commits.  ``change`` is that
journal; it holds no secrets, because mirrors read it.  ``audit`` holds what only operators may see.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

__all__ = [
    "audit",
    "change",
    "dependency",
    "file",
    "file_name",
    "index",
    "index_base",
    "job",
    "metadata",
    "namespace",
    "project",
    "rate",
    "release",
    "role",
    "serial",
    "state",
    "token",
    "upload_file",
    "upload_session",
    "upstream_file",
    "upstream_page",
    "user",
    "web_session",
]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts up by itself only for INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")
_Time = BigInteger
_Serial = BigInteger


def _id() -> Column[int]:
    return Column("id", _Id, primary_key=True, autoincrement=True)


state = Table(
    "state",
    metadata,
    Column("key", String(40), primary_key=True),  # schema, server_secret
    Column("value", Text, nullable=False),
)

serial = Table(
    "serial",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1
    Column("value", _Serial, nullable=False),
)

index = Table(
    "index",
    metadata,
    _id(),
    Column("name", String(100), nullable=False, unique=True),
    Column("title", Text, nullable=False, server_default=""),
    # hosted: files are uploaded here.  upstream: a pull-through cache or filtered mirror of another index.
    Column("kind", String(20), nullable=False, server_default="hosted"),
    Column("public", Boolean, nullable=False),  # whether anybody may read it
    Column("upstream_url", Text),
    # Options of mirrors, cooldown, mixing: {"mix": ["name", ...], "filter": {...}, ...}
    Column("settings", JSON, nullable=False),
    Column("created", _Time, nullable=False),
    Column("serial", _Serial, nullable=False),  # of its last change
)

# Where an index looks for what it does not have itself, in order (``team`` -> ``company`` -> ``upstream``).
index_base = Table(
    "index_base",
    metadata,
    Column("index_id", ForeignKey("index.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("base_id", ForeignKey("index.id"), nullable=False),
)

project = Table(
    "project",
    metadata,
    _id(),
    Column("index_id", ForeignKey("index.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("display", String(200), nullable=False),
    Column("look_alike", String(200), nullable=False),  # what names that look the same have in common
    Column("status", String(20), nullable=False, server_default="active"),  # PEP 792
    Column("status_reason", Text),
    Column("private", Boolean, nullable=False, server_default="0"),  # readers of its own only
    Column("created", _Time, nullable=False),
    Column("serial", _Serial, nullable=False),  # of its last change
    UniqueConstraint("index_id", "name"),
    Index(None, "index_id", "look_alike"),
)

release = Table(
    "release",
    metadata,
    _id(),
    Column("project_id", ForeignKey("project.id"), nullable=False),
    Column("version", String(200), nullable=False),
    Column("created", _Time, nullable=False),
    Column("published", _Time),  # NULL: all of its files wait in quarantine
    Column("status", String(20), nullable=False, server_default="active"),  # active, quarantined
    Column("status_reason", Text),
    Column("summary", Text, nullable=False, server_default=""),
    # What pages show, from the first file of the release: licence, author, urls, classifiers, readme type ...
    Column("about", JSON, nullable=False),
    Column("readme_html", Text),  # rendered and cleaned
    UniqueConstraint("project_id", "version"),
)

file = Table(
    "file",
    metadata,
    _id(),
    Column("index_id", ForeignKey("index.id"), nullable=False),
    Column("project_id", ForeignKey("project.id"), nullable=False),
    Column("release_id", ForeignKey("release.id"), nullable=False),
    Column("filename", String(250), nullable=False),
    Column("kind", String(10), nullable=False),  # sdist, wheel
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("blake2b_256", String(64), nullable=False),
    Column("md5", String(32), nullable=False),
    Column("requires_python", Text),
    Column("metadata_sha256", String(64)),  # of the core metadata file, itself a blob (PEP 714)
    Column("provenance_sha256", String(64)),  # of the provenance object, itself a blob (PEP 740)
    # Of an upstream that has them, as long as they are not here and it names no hash of them.
    Column("metadata_announced", Boolean, nullable=False, server_default="0"),
    Column("provenance_announced", Boolean, nullable=False, server_default="0"),
    Column("tags", Text, nullable=False, server_default=""),  # py3-none-any; what a wheel's name says
    Column("uploaded", _Time, nullable=False),
    Column("uploader", String(100), nullable=False, server_default=""),
    Column("yanked", Boolean, nullable=False, server_default="0"),
    Column("yank_reason", Text),
    # live; staged (session not published); quarantined (scanner); withdrawn (tombstone, reason legal or safety);
    # gone (upstream has it no more, or rules leave it out: the past still shows it); erased (withdrawn or gone, and its
    # bytes are given up)
    Column("state", String(20), nullable=False, server_default="live"),
    Column("state_reason", Text),
    Column("added_serial", _Serial),  # NULL while staged or waiting
    Column("removed_serial", _Serial),
    Column("session_id", ForeignKey("upload_session.id")),
    Index(None, "project_id"),
    Index(None, "release_id"),
    Index(None, "index_id", "filename"),
    Index(None, "sha256"),
    # Few files are: whoever looks for those whose bytes may go does not read the others.
    Index(
        "ix_file_withdrawn",
        "id",
        sqlite_where=text("state = 'withdrawn'"),
        postgresql_where=text("state = 'withdrawn'"),
    ),
    Index(
        "ix_file_gone",
        "id",
        sqlite_where=text("state = 'gone'"),
        postgresql_where=text("state = 'gone'"),
    ),
)

file_name = Table(
    "file_name",
    metadata,
    Column("index_id", ForeignKey("index.id"), primary_key=True),
    Column("filename", String(250), primary_key=True),
    Column("sha256", String(64)),  # NULL while it is only reserved by a session
    Column("session_id", BigInteger),  # who reserves it
    Column("used", _Time, nullable=False),
)

dependency = Table(
    "dependency",
    metadata,
    Column("release_id", ForeignKey("release.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("requirement", Text, nullable=False),
    Index(None, "name"),
)

change = Table(
    "change",
    metadata,
    Column("serial", _Serial, primary_key=True, autoincrement=False),
    Column("index_id", ForeignKey("index.id"), nullable=False),
    Column("project", String(200)),  # NULL: of the index itself
    Column("version", String(200)),
    Column("filename", String(250)),
    # create-project, add-file, yank, unyank, status, withdraw, restore, remove-file, promote, index ...
    Column("action", String(40), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("at", _Time, nullable=False),
    Column("detail", JSON, nullable=False),
    Index(None, "index_id", "project", "serial"),
)

user = Table(
    "user",
    metadata,
    _id(),
    Column("name", String(100), nullable=False, unique=True),
    Column("display", Text, nullable=False, server_default=""),
    Column("email", Text, nullable=False, server_default=""),
    Column("password", Text),  # argon2id; NULL: tokens only
    Column("admin", Boolean, nullable=False, server_default="0"),
    Column("disabled", Boolean, nullable=False, server_default="0"),
    Column("created", _Time, nullable=False),
)

token = Table(
    "token",
    metadata,
    _id(),
    Column("public_id", String(32), nullable=False, unique=True),
    Column("user_id", ForeignKey("user.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),  # of the HMAC chain
    Column("restrictions", JSON, nullable=False),  # as made; holders may add more (accounts.tokens)
    Column("created", _Time, nullable=False),
    Column("expires", _Time),
    Column("last_used", _Time),
    Column("revoked", _Time),
)

# project_id NULL: a role in the whole index.
role = Table(
    "role",
    metadata,
    _id(),
    Column("index_id", ForeignKey("index.id"), nullable=False),
    Column("project_id", ForeignKey("project.id")),
    Column("user_id", ForeignKey("user.id"), nullable=False),
    Column(
        "role", String(20), nullable=False
    ),  # owner, maintainer, reader; for an index: admin, uploader, reader
    Column("granted", _Time, nullable=False),
    UniqueConstraint("index_id", "project_id", "user_id"),
    Index(None, "user_id"),
)

web_session = Table(
    "web_session",
    metadata,
    Column("key_sha256", String(64), primary_key=True),
    Column("user_id", ForeignKey("user.id"), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("created", _Time, nullable=False),
    Column("expires", _Time, nullable=False),
)

namespace = Table(
    "namespace",
    metadata,
    _id(),
    Column("index_id", ForeignKey("index.id"), nullable=False),
    Column("prefix", String(200), nullable=False),  # PEP 752: covers prefix and prefix-*
    Column("owner_id", ForeignKey("user.id"), nullable=False),
    Column("open", Boolean, nullable=False, server_default="0"),
    Column("created", _Time, nullable=False),
    UniqueConstraint("index_id", "prefix"),
)

upload_session = Table(
    "upload_session",
    metadata,
    _id(),
    Column("public_id", String(64), nullable=False, unique=True),
    Column("preview", String(64), nullable=False, unique=True),  # the unguessable part of the stage's URL
    Column("index_id", ForeignKey("index.id"), nullable=False),
    Column("project", String(200), nullable=False),
    Column("display", String(200), nullable=False),
    Column("version", String(200), nullable=False),
    Column("state", String(20), nullable=False),  # open, processing, published, error, canceled
    Column("actor", String(100), nullable=False),
    Column("created", _Time, nullable=False),
    Column("expires", _Time, nullable=False),
    Column("notices", JSON, nullable=False),
    Index(None, "index_id", "project", "version"),
)

upload_file = Table(
    "upload_file",
    metadata,
    _id(),
    Column("public_id", String(64), nullable=False, unique=True),
    Column("session_id", ForeignKey("upload_session.id"), nullable=False),
    Column("filename", String(250), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("hashes", JSON, nullable=False),
    Column("mechanism", String(60), nullable=False),
    Column("state", String(20), nullable=False),  # pending, processing, completed, error, canceled
    Column("notices", JSON, nullable=False),
    Column("sha256", String(64)),  # of the blob, once it was received
    Column("metadata_sha256", String(64)),  # of its core metadata, a blob as well
    # What the bytes were found to be, {"found": {...}}, or why they were refused, {"refused": {...}}.
    Column("examined", JSON(none_as_null=True)),
    Column(
        "provenance_sha256", String(64)
    ),  # of the provenance object made of its attestations, a blob as well
    Column("attested", String(64)),  # the SHA-256 they are about
    Column("file_id", ForeignKey("file.id")),
    Column("created", _Time, nullable=False),
    Index(None, "session_id"),
)

# A pull-through cache: the page as upstream sent it, and which of its files lie here.
upstream_page = Table(
    "upstream_page",
    metadata,
    Column("index_id", ForeignKey("index.id"), primary_key=True),
    Column("project", String(200), primary_key=True),
    Column("sha256", String(64)),  # of the body, a blob; NULL: upstream has no such project
    Column("content_type", Text, nullable=False, server_default=""),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("upstream_serial", BigInteger),
    Column("fetched", _Time, nullable=False),
    Column("expires", _Time, nullable=False),
)

upstream_file = Table(
    "upstream_file",
    metadata,
    Column("index_id", ForeignKey("index.id"), primary_key=True),
    Column("project", String(200), primary_key=True),
    Column("filename", String(250), primary_key=True),
    Column("url", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", BigInteger),
    Column("stored", Boolean, nullable=False, server_default="0"),
    Column("metadata_sha256", String(64)),
    Column("metadata_announced", Boolean, nullable=False, server_default="0"),  # and no SHA-256 of it said
    Column("metadata_stored", Boolean, nullable=False, server_default="0"),
    Column("metadata_refused", Text),  # why what upstream has as its core metadata is not passed on
    Column("provenance_url", Text),
    Column("provenance_sha256", String(64)),  # once it is here
    Column("provenance_fetched", _Time),
    Column("provenance_refused", Text),  # why what upstream has as its provenance is not passed on
    Column("blocked", Text),  # why it is not served although upstream has it
)

# Work to be done later (server.jobs).
job = Table(
    "job",
    metadata,
    _id(),
    Column("kind", String(60), nullable=False),
    Column("arguments", JSON, nullable=False),
    Column("run_after", _Time, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("taken_until", _Time),
    Column("every", BigInteger),  # done again so many microseconds after it was done
    Column("ran", _Time),  # when the last attempt ended
    Column("took", BigInteger),  # how long it took
    Column("failure", Text),  # of the last attempt; NULL: it succeeded
    Column("done", _Time),  # given up; NULL: it waits
    Index(None, "done", "run_after"),
)

rate = Table(
    "rate",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("window", _Time, primary_key=True),
    Column("count", Integer, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    Column("at", _Time, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("address", String(60), nullable=False, server_default=""),
    Column("action", String(60), nullable=False),
    Column("subject", Text, nullable=False, server_default=""),
    Column("outcome", String(20), nullable=False),
    Column("detail", JSON, nullable=False),
    Index(None, "at"),
)
