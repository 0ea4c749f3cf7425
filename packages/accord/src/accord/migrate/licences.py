"""From what projects used to say of their licence to an SPDX expression (PEP 639), where there is no doubt.

A word such as "BSD" means several licences; then the text of the licence file decides, and where that does not, nothing
is guessed: the caller reports it.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LICENCE_GLOBS", "expression_of", "is_expression", "of_text"]

# Which files hold licences where nobody says: setuptools' defaults, and accord's (PEP 639).
LICENCE_GLOBS = ("LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*")

# Classifiers that name one licence (trove-classifiers); those that name a family are decided by the text.
_CLASSIFIERS = {
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Apache Software License": "Apache-2.0?",
    "BSD License": "BSD?",
    "ISC License (ISCL)": "ISC",
    "Python Software Foundation License": "PSF-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.0-only",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "The Unlicense (Unlicense)": "Unlicense",
    "zlib/libpng License": "Zlib",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "Eclipse Public License 2.0 (EPL-2.0)": "EPL-2.0",
    "Academic Free License (AFL)": "?",
    "Zope Public License": "ZPL?",
}
_WORDS = {
    "mit": "MIT", "mit license": "MIT", "the mit license": "MIT", "expat": "MIT", "expat license": "MIT", "mit licence": "MIT",
    "the mit license (mit)": "MIT", "mit license (mit)": "MIT",
    "apache 2.0": "Apache-2.0", "apache-2.0": "Apache-2.0", "apache license 2.0": "Apache-2.0", "apache 2": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0", "apache license version 2.0": "Apache-2.0", "apache2": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0", "apache license v2.0": "Apache-2.0", "apache-2": "Apache-2.0", "asl 2.0": "Apache-2.0",
    "new bsd": "BSD-3-Clause", "new bsd license": "BSD-3-Clause", "modified bsd license": "BSD-3-Clause", "bsd 3-clause": "BSD-3-Clause",
    "3-clause bsd": "BSD-3-Clause", "bsd-3-clause": "BSD-3-Clause", "bsd 3-clause license": "BSD-3-Clause", "bsd3": "BSD-3-Clause", "bsd-3": "BSD-3-Clause",
    "simplified bsd": "BSD-2-Clause", "bsd 2-clause": "BSD-2-Clause", "bsd-2-clause": "BSD-2-Clause", "2-clause bsd": "BSD-2-Clause",
    "bsd 2-clause license": "BSD-2-Clause", "new bsd license (3-clause)": "BSD-3-Clause", "revised bsd license": "BSD-3-Clause",
    "isc": "ISC", "iscl": "ISC", "isc license": "ISC", "isc license (iscl)": "ISC", "mpl-2.0": "MPL-2.0", "mpl 2.0": "MPL-2.0", "mozilla public license 2.0": "MPL-2.0",
    "psf": "PSF-2.0", "python software foundation license": "PSF-2.0", "zlib": "Zlib", "unlicense": "Unlicense",
    "gplv2": "GPL-2.0-only", "gplv2+": "GPL-2.0-or-later", "gplv3": "GPL-3.0-only", "gplv3+": "GPL-3.0-or-later", "gpl-3.0": "GPL-3.0-only",
    "lgplv3": "LGPL-3.0-only", "lgplv3+": "LGPL-3.0-or-later", "lgplv2+": "LGPL-2.0-or-later",
}  # fmt: skip
_IDS = frozenset(
    """0BSD AFL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-2.0 Artistic-2.0 BSD-2-Clause BSD-3-Clause BSL-1.0 CC0-1.0
    EPL-2.0 EUPL-1.2 GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later ISC LGPL-2.0-only LGPL-2.0-or-later
    LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later MIT MIT-0 MPL-1.1 MPL-2.0 PSF-2.0 Python-2.0 Unlicense
    UPL-1.0 WTFPL ZPL-2.1 Zlib HPND MIT-CMU NCSA BSD-3-Clause-Clear BSD-4-Clause CC-BY-4.0 PostgreSQL""".split()  # noqa: SIM905
)


def is_expression(text: str) -> bool:
    """Whether a text is an SPDX expression of identifiers known here."""
    words = re.findall(r"[^\s()]+", text)
    terms = [word for word in words if word.upper() not in ("AND", "OR")]
    return bool(terms) and all(term in _IDS for term in terms) and len(words) == 2 * len(terms) - 1


def expression_of(said: str | None, classifiers: Iterable[str], text: str | None) -> str | None:
    """The expression that ``said``, the licence classifiers and the licence's ``text`` agree on; None in doubt."""
    if said and is_expression(said.strip()):
        return said.strip()
    found: set[str] = set()
    words = (said or "").strip().lower().rstrip(".")
    if words:
        found.add(_WORDS.get(words, _family(words)))
    for classifier in classifiers:
        found.add(_CLASSIFIERS.get(classifier.rpartition(" :: ")[2], "?"))
    if not found:
        return None
    known = {each for each in found if not each.endswith("?")}
    families = {each.rstrip("?") for each in found if each.endswith("?")}
    if len(known) == 1:
        (one,) = known
        return one if all(one.startswith(family) and family for family in families) else None
    if known or "" in families or len(families) != 1:
        return None
    read = of_text(text) if text else None
    (family,) = families
    return read if read is not None and read.startswith(family) else None


def _family(words: str) -> str:
    if re.fullmatch(r"(the )?bsd(-style| like|-like)?( licen[sc]e)?", words):
        return "BSD?"
    if re.fullmatch(r"(the )?apache( software)?( licen[sc]e)?", words):
        return "Apache-2.0?"
    return "?"


def of_text(text: str) -> str | None:
    """The licence a text is, for the few that are known by their words; None for any other."""
    plain = " ".join(re.sub(r"[^a-z0-9.]+", " ", text.lower()).split())
    if "apache license version 2.0" in plain and "terms and conditions" in plain:
        return None if "redistribution and use in source" in plain else "Apache-2.0"
    if "redistribution and use in source and binary forms" in plain:
        if "all advertising materials" in plain:
            return None
        third = re.search(
            r"neither the names? of|the names? of .{0,120}? may not be used to endorse|nor the names of",
            plain,
        )
        return "BSD-3-Clause" if third else "BSD-2-Clause"
    if "permission is hereby granted free of charge to any person obtaining a copy" in plain:
        return (
            "MIT"
            if "the above copyright notice and this permission notice shall be included" in plain
            else None
        )
    return None
