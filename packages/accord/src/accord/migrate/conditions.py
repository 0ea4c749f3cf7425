"""What a ``setup.py`` asks of the Python and the platform: decided where all we know agree, a marker otherwise."""

from __future__ import annotations

from accord.migrate.values import Condition, Platform, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["contained", "platform_condition", "python_condition"]

_NOT_SIGN = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
OLDEST = (3, 8)  # the oldest Python a new project can be built for here


def python_condition(sign: str | None, wanted: Any, line: int) -> Any:
    """``sys.version_info`` compared with a tuple: decided where every Python we know agrees, a marker otherwise."""
    if sign is None or not isinstance(wanted, tuple) or not all(isinstance(part, int) for part in wanted):
        return Unknown("it depends on the Python", line)
    short = tuple(wanted[:2])
    if (sign in (">=", ">") and short < OLDEST) or (sign == ">=" and short == OLDEST):
        return True
    if (sign in ("<", "<=") and short < OLDEST) or (sign == "<" and short == OLDEST):
        return False
    if sign in ("==", "!=") and short < OLDEST:
        return sign == "!=" if short != (3,) else sign == "=="
    if len(wanted) == 2 and sign in (">=", "<"):
        text = f'"{wanted[0]}.{wanted[1]}"'
        return Condition(f"python_version {sign} {text}", f"python_version {_NOT_SIGN[sign]} {text}")
    return Unknown("it depends on the Python", line)


def contained(here: Platform, other: Any, inside: bool, line: int) -> Any:
    """``"win32" in sys.platform``: a marker for the platforms there are."""
    if other in ("java", "cli"):
        return not inside
    whole = {"win32": "win32", "linux": "linux", "darwin": "darwin"}.get(str(other))
    if whole is None or here.variable != "sys_platform":
        return Unknown("it depends on the platform", line)
    both = (f'sys_platform == "{whole}"', f'sys_platform != "{whole}"')
    return Condition(*(both if inside else both[::-1]))


def platform_condition(here: Platform, sign: str | None, other: Any, line: int) -> Any:
    if sign in ("==", "!=") and isinstance(other, str) and '"' not in other:
        return Condition(f'{here.variable} {sign} "{other}"', f'{here.variable} {_NOT_SIGN[sign]} "{other}"')
    return Unknown("it depends on the platform", line)
