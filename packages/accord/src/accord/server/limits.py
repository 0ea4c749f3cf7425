"""Every outside number the server meets, with the largest value it accepts."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds.

    ``file_bytes``            one uploaded file
    ``project_bytes``         all files of a project together
    ``form_fields``           fields of an upload form; ``form_field_bytes`` one of them but for the file,
                              ``form_bytes`` all of them together
    ``receive_idle_seconds``  between two pieces of an upload; ``receive_seconds`` for all of one
    ``json_bytes``            a JSON body somebody sends
    ``provenance_bytes``      the attestations of one file, uploaded or had from upstream; ``provenance_attestations``
                              how many an upstream's may be, ``attestation_entries`` the transparency entries of one
    ``trusted_root_bytes``    the file of ``--attestation-roots``
    ``body_seconds``          for all of a body that is no file
    ``name_bytes``            a project's name as written; ``filename_bytes`` a file's
    ``reason_bytes``          a reason somebody gives for a yank or a withdrawal
    ``restore_seconds``       how long the bytes of a withdrawn file are kept
    ``stack_indexes``         indexes a stack is made of, itself included; ``mixed_names`` names it mixes
    ``password_least``        letters of a new password; ``password_most`` of any
    ``password_rounds``, ``password_memory_kib``, ``password_lanes``  argon2id, RFC 9106 section 4, second choice
    ``password_threads``      passwords hashed at a time in one process; ``password_waiting`` wait for it, each for
                              ``password_wait_seconds``
    ``session_seconds``       from signing in to being asked for the password again
    ``token_name_bytes``      what somebody calls a token; also other words about a user
    ``token_characters``      a token, with all that narrows it
    ``token_names``           indexes or projects a token may be restricted to
    ``failed_per_address``, ``failed_per_credential``  credentials that are not good, in ``failed_seconds``
    ``uploads_per_token``     requests that upload with one token, in ``uploads_seconds``
    ``searches_per_address``  searches, in ``searches_seconds``
    ``projects_per_user``     new projects, in ``projects_seconds``
    ``audit_seconds``         until a use of a token stands in the database; ``audit_waiting`` different uses that may wait
    ``list_entries``          entries of one answer of a list of the admin API
    ``upload_session_seconds``  how long an upload session lives at first; ``upload_session_longest_seconds`` with all its
                              extensions; ``upload_session_kept_seconds`` how long the outcome of one can be asked for
    ``upload_session_files``  files of one upload session; ``upload_sessions_open`` those somebody has open in one index
    ``staged_bytes``          files announced in all live upload sessions somebody opened, in every index
    ``page_form_bytes``       a form of a page; ``page_form_fields`` its fields
    ``page_storage_seconds``  a page's for what it shows of the storage
    ``search_bytes``          what somebody searches for
    ``readme_bytes``          a description that is rendered; a longer one is shown as it is, up to that, as is one that is
                              not rendered within ``readme_seconds``
    ``browse_bytes``          a file whose contents are shown or compared; ``browse_files`` members it may have for that
    ``page_cache_bytes``      finished pages kept in the memory of one process
    ``long_poll_seconds``     the longest a reader of the changes feed is kept waiting
    ``changes_per_answer``    entries of one answer of the changes feed
    ``upstream_seconds``      of silence of an upstream; ``upstream_retries`` of one question
    ``upstream_slowest``      bytes per second below which its answer is given up
    ``upstream_page_bytes``   a page of an upstream, ``upstream_metadata_bytes`` the core metadata of a file
    ``upstream_least_seconds``, ``upstream_most_seconds``  between two questions for a page, whatever upstream says
    ``upstream_absent_seconds``  until a name that was not there is asked for again; ``upstream_absent_names`` of them
    ``upstream_failed_seconds``  until an upstream that did not answer is asked again
    ``upstream_provenance_seconds``  until upstream is asked again for provenance that is here (attestations may be added)
    ``upstream_gone_seconds``  how long a file that upstream has no more stands in the past of an index, with its bytes;
                              ``upstream_gone_files`` of one project, the latest
    ``upstream_sweep_seconds``  until a page nobody asks for is looked at again, where upstream has no changes feed
    ``mirror_projects``       projects a mirror is told to have, or is found to need
    ``upstream_threads``      requests of one process that wait for an upstream at a time
    ``long_polls``            readers of the changes feed one process keeps waiting; others are answered at once
    ``import_line_bytes``     one row of an index that is read in
    ``scanner_seconds``       a scanner's for one file
    ``mirror_least_seconds``  between two refreshings of a mirror
    ``audit_kept_seconds``    how long entries of the audit are kept; 0: for ever
    ``token_kept_seconds``    how long a token that expired or was revoked is listed
    ``orphan_seconds``        how long bytes may lie in the storage before a row points at them
    """

    file_bytes: int = 1 << 30
    project_bytes: int = 10 << 30
    form_fields: int = 2_000
    form_field_bytes: int = 1 << 20
    form_bytes: int = 8 << 20
    receive_idle_seconds: float = 60.0
    receive_seconds: float = 4 * 3600.0
    json_bytes: int = 4 << 20
    body_seconds: float = 60.0
    provenance_bytes: int = 1 << 20
    provenance_attestations: int = 100
    attestation_entries: int = 16
    trusted_root_bytes: int = 1 << 20
    name_bytes: int = 200
    filename_bytes: int = 250
    reason_bytes: int = 2_000
    restore_seconds: int = 7 * 86_400
    stack_indexes: int = 50
    mixed_names: int = 1_000
    password_least: int = 10
    password_most: int = 1_024
    password_rounds: int = 3
    password_memory_kib: int = 65_536
    password_lanes: int = 4
    password_threads: int = 2
    password_waiting: int = 16
    password_wait_seconds: float = 10.0
    session_seconds: float = 12 * 3600.0
    token_name_bytes: int = 500
    token_characters: int = 4_096
    token_names: int = 100
    failed_per_address: int = 30
    failed_per_credential: int = 10
    failed_seconds: int = 300
    uploads_per_token: int = 10_000
    uploads_seconds: int = 3_600
    searches_per_address: int = 600
    searches_seconds: int = 60
    projects_per_user: int = 2_000
    projects_seconds: int = 3_600
    audit_seconds: float = 5.0
    audit_waiting: int = 10_000
    list_entries: int = 1_000
    upload_session_seconds: int = 7 * 86_400
    upload_session_longest_seconds: int = 28 * 86_400
    upload_session_kept_seconds: int = 30 * 86_400
    upload_session_files: int = 1_000
    upload_sessions_open: int = 200
    staged_bytes: int = 20 << 30
    page_form_bytes: int = 64 << 10
    page_form_fields: int = 200
    page_storage_seconds: float = 5.0
    search_bytes: int = 500
    readme_bytes: int = 512 << 10
    readme_seconds: float = 5.0
    browse_bytes: int = 256 << 20
    browse_files: int = 20_000
    page_cache_bytes: int = 128 << 20
    long_poll_seconds: float = 30.0
    changes_per_answer: int = 1_000
    upstream_seconds: float = 10.0
    upstream_retries: int = 1
    upstream_slowest: int = 4_096
    upstream_page_bytes: int = 64 << 20
    upstream_metadata_bytes: int = 16 << 20
    upstream_least_seconds: int = 5
    upstream_most_seconds: int = 600
    upstream_absent_seconds: float = 60.0
    upstream_absent_names: int = 10_000
    upstream_failed_seconds: float = 15.0
    upstream_provenance_seconds: int = 86_400
    upstream_gone_seconds: int = 730 * 86_400
    upstream_gone_files: int = 10_000
    upstream_sweep_seconds: float = 6 * 3600.0
    mirror_projects: int = 1_000_000
    upstream_threads: int = 32
    long_polls: int = 1_000
    import_line_bytes: int = 64 << 20
    scanner_seconds: float = 300.0
    mirror_least_seconds: int = 60
    audit_kept_seconds: int = 0
    token_kept_seconds: int = 90 * 86_400
    orphan_seconds: int = 86_400


DEFAULT = Limits()
