"""Second looks: a failure of somebody's tool is believed when two people who did not write the case have looked at it.

``reviews.toml`` holds, for a case that some tool fails, what each of two readers found: is the case right, is the adapter right, does the
sentence say so.  Where one of them is not convinced the case is ``contested``, and counts against nobody until a ``third`` has settled it:
"Fair: ..." says by the text why the doubt fails, and then two of the three must find the case fair; "Mended: ..." says how the case was
changed (or made a disputed one, or a survey) as the doubt asked.  Knows nothing of runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from accord_conformance.errors import SuiteError
from accord_conformance.reading import DATA, Table, read_toml

__all__ = ["Review", "read_reviews"]


@dataclass(frozen=True, slots=True)
class Review:
    """Two readers' words about one case and the tools that fail it, and the word of a third who settled their doubt."""

    case: str
    tools: tuple[str, ...]
    first: str
    second: str
    contested: bool  # one of the two at least was not convinced, and nobody has settled it
    third: str = ""  # only where one of the two was not convinced

    def settled(self) -> bool:
        """Whether two readers found the case fair, or a third changed it as the doubt asked."""
        fair = sum(word.startswith("Fair: ") for word in (self.first, self.second, self.third))
        return fair >= 2 or self.third.startswith("Mended: ")


def read_reviews(known: Mapping[str, object], path: Path = DATA / "reviews.toml") -> dict[str, Review]:
    """The reviews by case; SuiteError for one out of form or of a case that is not ``known``."""
    document = Table(path.name, read_toml(path))
    found: dict[str, Review] = {}
    for values in document.take("review", list, []):
        table = Table(f"{path.name} [[review]]", values)
        review = Review(
            table.take("case", str),
            table.texts("tools"),
            table.take("first", str),
            table.take("second", str),
            table.take("contested", bool),
            table.take("third", str, ""),
        )
        table.done()
        if review.case not in known:
            raise SuiteError(path.name, f"there is no case {review.case}")
        if review.case in found:
            raise SuiteError(path.name, f"{review.case} is reviewed in two places")
        if review.contested == review.settled():
            raise SuiteError(
                path.name, f"{review.case}: contested is {review.contested}, its readers say otherwise"
            )
        found[review.case] = review
    document.done()
    return found
