"""The one error of the suite: something is wrong with the suite's own data, its surroundings or what was asked of it.

What a *tool* does is never an error here, it is an answer (``protocol``).
"""


class SuiteError(Exception):
    """A fault a person has to mend: where it is, and what is wrong with it."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}" if where else what)
        self.where = where
        self.what = what
