"""An index with a bit of everything, for the tests that look at an index as a whole."""

from __future__ import annotations

from sqlalchemy import insert

from accord.server.database import tables
from accord.testing.archives import sdist_bytes, wheel_parts, zip_bytes
from accord.testing.serving import InProcess

__all__ = ["FILES", "fill", "wheel"]

FILES = 6


def wheel(version: str, name: str = "spam") -> tuple[str, bytes]:
    parts = wheel_parts({f"{name}/__init__.py": version.encode()}, name=name, version=version)
    return f"{name}-{version}-py3-none-any.whl", zip_bytes(parts)


def fill(index: InProcess) -> None:
    """Wheels and sdists of two projects, a second index, and rows of kinds no upload makes."""
    for version in ("1.0", "1.1", "2.0"):
        assert index.upload(*wheel(version)).status == 200
    assert index.upload("spam-1.0.tar.gz", sdist_bytes()).status == 200
    for version in ("0.1", "0.2"):
        assert index.upload(*wheel(version, "eggs")).status == 200
    with index.parts.database.write("user:ädá") as writing:
        connection = writing.connection
        session = connection.execute(
            insert(tables.upload_session)
            .values(
                public_id="p",
                preview="q",
                index_id=1,
                project="new",
                display="New",
                version="1",
                state="open",
                actor="user:ada",
                created=1,
                expires=2,
                notices=["a", {"b": "ü"}],
            )
            .returning(tables.upload_session.c.id)
        ).scalar_one()
        connection.execute(
            insert(tables.upload_file).values(
                public_id="f",
                session_id=session,
                filename="new-1.tar.gz",
                size=1,
                hashes={"sha256": "x"},
                mechanism="http-post-bytes",
                state="pending",
                notices=[],
                created=3,
            )
        )
        writing.changed(1, "index", note="€")
