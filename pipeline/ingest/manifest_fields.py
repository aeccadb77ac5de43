"""One entry of a manifest, read field by field; every problem is kept with its line and field.

A wrong value is noted and replaced by "unknown" so that reading goes on; nothing that was read may be used before the
whole manifest has been found right.
"""

from __future__ import annotations

import difflib
import ipaddress
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from pipeline.core.recording import UNKNOWN

E = TypeVar("E", bound=StrEnum)

_MOST = 200
_PATHS = ("uri", "chat")


@dataclass(slots=True)
class Complaints:
    """What is wrong with a manifest, in the order in which it was read."""

    file: str
    found: list[str] = field(default_factory=list)
    dropped: int = 0

    def add(self, line: int, path: str, text: str) -> None:
        """Note `text`; beyond the first 200 they are only counted."""
        if len(self.found) < _MOST:
            self.found.append(f"{self.file}:{line} {path}: {text}" if path else f"{self.file}:{line}: {text}")
        else:
            self.dropped += 1

    def all(self) -> tuple[str, ...]:
        """Everything to tell."""
        more = (f"{self.file}: and {self.dropped} more problems",) if self.dropped else ()
        return (*self.found, *more)


class Entry:
    """A mapping of a manifest. A field that is absent, null or "unknown" is unknown; an unknown key is refused."""

    def __init__(self, values: Mapping[str, object], line: int, path: str, complaints: Complaints) -> None:
        self._values = values
        self._line = line
        self._path = path
        self._complaints = complaints
        self._known: set[str] = set()

    @property
    def count(self) -> int:
        """How many problems the manifest has so far."""
        return len(self._complaints.found) + self._complaints.dropped

    def problem(self, key: str, text: str) -> None:
        """Note that a field is wrong."""
        path = ".".join(p for p in (self._path, key) if p)
        self._complaints.add(self._line, path, text)

    def has(self, key: str) -> bool:
        """True if the field says anything."""
        self._known.add(key)
        value = self._values.get(key)
        # A file may be called "unknown".
        return value is not None and (value != UNKNOWN or key in _PATHS)

    def text(
        self, key: str, default: str = UNKNOWN, *, right: Callable[[str], bool] | None = None, hint: str = ""
    ) -> str:
        """Text as given; `right` and `hint` say what is accepted."""
        if not self.has(key):
            return default
        value = self._values[key]
        if not isinstance(value, str) or not value.strip():
            self.problem(key, f"{value!r} is not text; leave the field out where it is not known")
        elif right is not None and not right(value):
            self.problem(key, f"{value!r} is not {hint}")
        elif not _encodable(value, key):
            self.problem(key, f"{value!r} is not valid Unicode")
        else:
            return value
        return default

    def choice(self, key: str, choices: type[E], default: E) -> E:
        """A member of an enumeration, by its value."""
        known = list(choices)
        text = self.text(key, default, right=lambda t: t in known, hint=f"one of {', '.join(known)}")
        return choices(text)

    def flag(self, key: str) -> bool:
        """true or false (as text in CSV); False where it is not given."""
        if not self.has(key):
            return False
        value = self._values[key]
        if isinstance(value, bool):
            return value
        if not isinstance(value, str) or value not in ("true", "false"):
            self.problem(key, f"{value!r} is not true or false")
        return value == "true"

    def number(self, key: str, low: float, high: float, default: float = 0.0) -> float:
        """A finite number in low..high."""
        if not self.has(key):
            return default
        value = _number(self._values[key])
        if value is None or not low <= value <= high:
            upto = "or more" if math.isinf(high) else f"to {high:g}"
            self.problem(key, f"{self._values[key]!r} is not a number, {low:g} {upto}")
            return default
        return value

    def whole(self, key: str, low: int, high: float, default: int | None) -> int | None:
        """A whole number in low..high."""
        if not self.has(key):
            return default
        value = _number(self._values[key])
        if value is None or value != int(value) or not low <= value <= high:
            upto = "or more" if math.isinf(high) else f"to {high:g}"
            self.problem(key, f"{self._values[key]!r} is not a whole number, {low} {upto}")
            return default
        return int(value)

    def instant(self, key: str) -> datetime | None:
        """A time with its zone, in UTC."""
        if not self.has(key):
            return None
        value = self._values[key]
        try:
            at = datetime.fromisoformat(value) if isinstance(value, str) else None
            if at is not None and at.utcoffset() is not None:
                return at.astimezone(UTC)
        except (ValueError, OverflowError):
            at = None
        if at is not None:
            self.problem(key, f"{value!r} has no time zone; write 2026-11-22T10:15:00+01:00 or 2026-11-22T09:15:00Z")
        else:
            self.problem(key, f"{value!r} is not a time such as 2026-11-22T10:15:00+01:00")
        return None

    def address(self, key: str) -> str:
        """An IPv4 or IPv6 address."""
        return self.text(key, right=_is_address, hint="an IP address such as 203.0.113.7 or 2001:db8::7")

    def entries(self, key: str) -> list[Entry]:
        """A list of mappings."""
        if not self.has(key):
            return []
        value, found = self._values[key], []
        if not isinstance(value, list):
            self.problem(key, "is not a list of objects")
            return []
        for i, item in enumerate(value):
            path = ".".join(p for p in (self._path, f"{key}[{i}]") if p)
            if isinstance(item, dict):
                found.append(Entry(item, self._line, path, self._complaints))
            else:
                self._complaints.add(self._line, path, f"{item!r} is not an object")
        return found

    def texts(self, key: str) -> frozenset[str] | None:
        """A list of texts; None where it is unknown, which is not the same as none."""
        if not self.has(key):
            return None
        value = self._values[key]
        if isinstance(value, list) and all(isinstance(t, str) and t.strip() and _encodable(t, key) for t in value):
            return frozenset(value)
        self.problem(key, f"{value!r} is not a list of texts")
        return None

    def close(self) -> None:
        """Refuse every field that nothing asked for."""
        refuse_unknown(self._values, self._known, self.problem)


def refuse_unknown(given: Iterable[str], known: Iterable[str], problem: Callable[[str, str], None]) -> None:
    """Call `problem` for each name that is not known, with the closest known one."""
    names = sorted(known)
    for name in given:
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            # A name is data: shown so that it cannot break the line or turn it around.
            shown = name if name.isprintable() else ascii(name)
            problem(shown, f"unknown field; {f'did you mean {close[0]}?' if close else 'known: ' + ', '.join(names)}")


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _encodable(text: str, key: str) -> bool:
    # A file name may hold any byte: undecodable ones travel as surrogate escapes. Nothing else may.
    try:
        text.encode("utf-8", "surrogateescape" if key in _PATHS else "strict")
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
