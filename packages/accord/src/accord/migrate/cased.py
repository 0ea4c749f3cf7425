"""A reader of ini files in which names keep their case: entry points, eggs, versions."""

from __future__ import annotations

import configparser

__all__ = ["CasedParser"]


class CasedParser(configparser.RawConfigParser):
    def optionxform(self, optionstr: str) -> str:
        return optionstr
