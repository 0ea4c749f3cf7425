"""Absolute paths in a RECORD (recording installed projects, "The RECORD file"): inside the environment they count, outside never."""

from __future__ import annotations

import pytest

from accord.environments.installed import inside


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("/srv/env/bin/demo", ["bin/demo"]),
        ("/srv/env/lib/../bin/demo", ["bin/demo"]),
        ("/srv/env/../other/demo", []),
        ("/srv/environment/demo", []),
        ("/opt/srv/env/demo", []),
        ("/srv/env", []),
        ("../../bin/demo", ["bin/demo"]),
        ("../../../outside", []),
    ],
)
def test_only_what_is_inside_is_the_distributions(written: str, found: list[str]) -> None:
    assert inside("/srv/env", "lib/site", [written]) == found
