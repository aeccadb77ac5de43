"""Fills any frozen dataclass of plain values from a YAML mapping: how a stage's Params come out of the settings file.

The dataclass says what exists, of which type, and what is right; nothing is listed twice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from pipeline.config.section import Section

T = TypeVar("T")


def fill(section: Section, kind: type[T]) -> T:
    """A `kind` with the section's values, its own defaults elsewhere; every problem goes to the section's Problems.

    `kind` is a frozen dataclass whose fields all have defaults and are int, float, str, bool, a StrEnum, a tuple of
    str, or one of these or None. What its constructor refuses (ValueError) is told at the key that made it refuse.
    """
    hints = get_type_hints(kind)
    default = kind()
    given: dict[str, Any] = {}
    for name in (f.name for f in dataclasses.fields(kind)):  # type: ignore[arg-type]
        if name in section:
            before = len(section.problems)
            value = _value(section, name, hints[name])
            if len(section.problems) == before:
                given[name] = value
    section.close()
    refused = False
    for name, value in given.items():
        try:
            kind(**{name: value})
        except ValueError as e:
            section.problem(name, str(e).removeprefix(f"{name}: "))
            refused = True
    try:
        return kind(**given)
    except ValueError as e:
        if not refused:
            section.problem("", str(e))
        return default


def _value(section: Section, name: str, hint: Any) -> Any:
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if section.is_null(name) and NoneType in options:
        return None
    plain = next(o for o in options if o is not NoneType)
    if get_origin(plain) is tuple:
        return section.texts(name)
    if issubclass(plain, StrEnum):
        return section.choice(name, plain)
    readers: dict[Any, Callable[[str], Any]] = {
        bool: section.flag,
        int: section.whole,
        float: section.number,
        str: section.text,
    }
    return readers[plain](name)
