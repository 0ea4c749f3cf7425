"""Schema 1: every table of the first release.  Written by ``.ci/revision.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from alembic.operations import Operations

__all__ = ["upgrade"]


def upgrade(op: Operations) -> None:
    op.create_table(
        "audit",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("address", sa.String(length=60), server_default="", nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)
    op.create_table(
        "index",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.String(length=20), server_default="hosted", nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("upstream_url", sa.Text(), nullable=True),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index")),
        sa.UniqueConstraint("name", name=op.f("uq_index_name")),
    )
    op.create_table(
        "job",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("run_after", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("taken_until", sa.BigInteger(), nullable=True),
        sa.Column("every", sa.BigInteger(), nullable=True),
        sa.Column("ran", sa.BigInteger(), nullable=True),
        sa.Column("took", sa.BigInteger(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("done", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index(op.f("ix_job_done_run_after"), "job", ["done", "run_after"], unique=False)
    op.create_table(
        "rate",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("window", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", "window", name=op.f("pk_rate")),
    )
    op.create_table(
        "serial",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_serial")),
    )
    op.create_table(
        "state",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_state")),
    )
    op.create_table(
        "user",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("display", sa.Text(), server_default="", nullable=False),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("admin", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("disabled", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("name", name=op.f("uq_user_name")),
    )
    op.create_table(
        "change",
        sa.Column("serial", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("index_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project", sa.String(length=200), nullable=True),
        sa.Column("version", sa.String(length=200), nullable=True),
        sa.Column("filename", sa.String(length=250), nullable=True),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["index_id"], ["index.id"], name=op.f("fk_change_index_id")),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_change")),
    )
    op.create_index(
        op.f("ix_change_index_id_project_serial"), "change", ["index_id", "project", "serial"], unique=False
    )
    op.create_table(
        "file_name",
        sa.Column("index_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("filename", sa.String(length=250), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("session_id", sa.BigInteger(), nullable=True),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["index_id"], ["index.id"], name=op.f("fk_file_name_index_id")),
        sa.PrimaryKeyConstraint("index_id", "filename", name=op.f("pk_file_name")),
    )
    op.create_table(
        "index_base",
        sa.Column("index_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("base_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["base_id"], ["index.id"], name=op.f("fk_index_base_base_id")),
        sa.ForeignKeyConstraint(["index_id"], ["index.id"], name=op.f("fk_index_base_index_id")),
        sa.PrimaryKeyConstraint("index_id", "position", name=op.f("pk_index_base")),
    )
    op.create_table(
        "namespace",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("index_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prefix", sa.String(length=200), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("open", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["index_id"], ["index.id"], name=op.f("fk_namespace_index_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name=op.f("fk_namespace_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_namespace")),
        sa.UniqueConstraint("index_id", "prefix", name=op.f("uq_namespace_index_id_prefix")),
    )
    op.create_table(
        "project",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("index_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("display", sa.String(length=200), nullable=False),
        sa.Column("look_alike", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=20), server_default="active", nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("private", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["index_id"], ["index.id"], name=op.f("fk_project_index_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        sa.UniqueConstraint("index_id", "name", name=op.f("uq_project_index_id_name")),
    )
    op.create_index(
        op.f("ix_project_index_id_look_alike"), "project", ["index_id", "look_alike"], unique=False
    )
    op.create_table(
        "token",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("restrictions", sa.JSON(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=True),
        sa.Column("last_used", sa.BigInteger(), nullable=True),
        sa.Column("revoked", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_token_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("public_id", name=op.f("uq_token_public_id")),
    )
    op.create_table(
        "upload_session",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("public_id", sa.String(length=64), nullable=False),
        sa.Column("preview", sa.String(length=64), nullable=False),
        sa.Column("index_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project", sa.String(length=200), nullable=False),
        sa.Column("display", sa.String(length=200), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("notices", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["index_id"], ["index.id"], name=op.f("fk_upload_session_index_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload_session")),
        sa.UniqueConstraint("preview", name=op.f("uq_upload_session_preview")),
        sa.UniqueConstraint("public_id", name=op.f("uq_upload_session_public_id")),
    )
    op.create_index(
        op.f("ix_upload_session_index_id_project_version"),
        "upload_session",
        ["index_id", "project", "version"],
        unique=False,
    )
    op.create_table(
        "upstream_file",
        sa.Column("index_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project", sa.String(length=200), nullable=False),
        sa.Column("filename", sa.String(length=250), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("stored", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("metadata_sha256", sa.String(length=64), nullable=True),
        sa.Column("metadata_announced", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("metadata_stored", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("metadata_refused", sa.Text(), nullable=True),
        sa.Column("provenance_url", sa.Text(), nullable=True),
        sa.Column("provenance_sha256", sa.String(length=64), nullable=True),
        sa.Column("provenance_fetched", sa.BigInteger(), nullable=True),
        sa.Column("provenance_refused", sa.Text(), nullable=True),
        sa.Column("blocked", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["index_id"], ["index.id"], name=op.f("fk_upstream_file_index_id")),
        sa.PrimaryKeyConstraint("index_id", "project", "filename", name=op.f("pk_upstream_file")),
    )
    op.create_table(
        "upstream_page",
        sa.Column("index_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("content_type", sa.Text(), server_default="", nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("upstream_serial", sa.BigInteger(), nullable=True),
        sa.Column("fetched", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["index_id"], ["index.id"], name=op.f("fk_upstream_page_index_id")),
        sa.PrimaryKeyConstraint("index_id", "project", name=op.f("pk_upstream_page")),
    )
    op.create_table(
        "web_session",
        sa.Column("key_sha256", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_web_session_user_id")),
        sa.PrimaryKeyConstraint("key_sha256", name=op.f("pk_web_session")),
    )
    op.create_table(
        "release",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("published", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=20), server_default="active", nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("summary", sa.Text(), server_default="", nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("readme_html", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_release_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
        sa.UniqueConstraint("project_id", "version", name=op.f("uq_release_project_id_version")),
    )
    op.create_table(
        "role",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("index_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("granted", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["index_id"], ["index.id"], name=op.f("fk_role_index_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_role_project_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_role_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role")),
        sa.UniqueConstraint(
            "index_id", "project_id", "user_id", name=op.f("uq_role_index_id_project_id_user_id")
        ),
    )
    op.create_index(op.f("ix_role_user_id"), "role", ["user_id"], unique=False)
    op.create_table(
        "dependency",
        sa.Column("release_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("requirement", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("fk_dependency_release_id")),
        sa.PrimaryKeyConstraint("release_id", "position", name=op.f("pk_dependency")),
    )
    op.create_index(op.f("ix_dependency_name"), "dependency", ["name"], unique=False)
    op.create_table(
        "file",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("index_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("release_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("filename", sa.String(length=250), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("blake2b_256", sa.String(length=64), nullable=False),
        sa.Column("md5", sa.String(length=32), nullable=False),
        sa.Column("requires_python", sa.Text(), nullable=True),
        sa.Column("metadata_sha256", sa.String(length=64), nullable=True),
        sa.Column("provenance_sha256", sa.String(length=64), nullable=True),
        sa.Column("metadata_announced", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("provenance_announced", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("tags", sa.Text(), server_default="", nullable=False),
        sa.Column("uploaded", sa.BigInteger(), nullable=False),
        sa.Column("uploader", sa.String(length=100), server_default="", nullable=False),
        sa.Column("yanked", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("yank_reason", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=20), server_default="live", nullable=False),
        sa.Column("state_reason", sa.Text(), nullable=True),
        sa.Column("added_serial", sa.BigInteger(), nullable=True),
        sa.Column("removed_serial", sa.BigInteger(), nullable=True),
        sa.Column("session_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["index_id"], ["index.id"], name=op.f("fk_file_index_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_file_project_id")),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("fk_file_release_id")),
        sa.ForeignKeyConstraint(["session_id"], ["upload_session.id"], name=op.f("fk_file_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file")),
    )
    op.create_index(
        "ix_file_gone",
        "file",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state = 'gone'"),
        postgresql_where=sa.text("state = 'gone'"),
    )
    op.create_index(op.f("ix_file_index_id_filename"), "file", ["index_id", "filename"], unique=False)
    op.create_index(op.f("ix_file_project_id"), "file", ["project_id"], unique=False)
    op.create_index(op.f("ix_file_release_id"), "file", ["release_id"], unique=False)
    op.create_index(op.f("ix_file_sha256"), "file", ["sha256"], unique=False)
    op.create_index(
        "ix_file_withdrawn",
        "file",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state = 'withdrawn'"),
        postgresql_where=sa.text("state = 'withdrawn'"),
    )
    op.create_table(
        "upload_file",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("public_id", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("filename", sa.String(length=250), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("hashes", sa.JSON(), nullable=False),
        sa.Column("mechanism", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("notices", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("metadata_sha256", sa.String(length=64), nullable=True),
        sa.Column("examined", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("provenance_sha256", sa.String(length=64), nullable=True),
        sa.Column("attested", sa.String(length=64), nullable=True),
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["file.id"], name=op.f("fk_upload_file_file_id")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["upload_session.id"], name=op.f("fk_upload_file_session_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload_file")),
        sa.UniqueConstraint("public_id", name=op.f("uq_upload_file_public_id")),
    )
    op.create_index(op.f("ix_upload_file_session_id"), "upload_file", ["session_id"], unique=False)
