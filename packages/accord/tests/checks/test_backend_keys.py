"""The tables of the build backend, which the checks know by heart and the backend by itself."""

from __future__ import annotations

import pytest

from accord.checks.document import BACKEND_KEYS
from accord_backend import delegate, settings, steps
from accord_backend.native import description


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        ("backend", delegate.KEYS),
        ("build", settings.KEYS),
        ("extension", description.KEYS),
        ("step", steps.KEYS),
    ],
)
def test_the_checks_know_the_keys_that_the_backend_reads(table: str, keys: tuple[str, ...]) -> None:
    assert set(BACKEND_KEYS[table]) == set(keys)
