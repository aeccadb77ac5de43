"""What a change of rules changes: every difference in words, with its effect on new evidence and on what is here.

A floor that was written down stays whatever a new file says; the words say where that matters. Changes nothing itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from pipeline.core.decision import Severity
from pipeline.core.retention import RequestKind
from pipeline.retention import effects
from pipeline.retention.effects import Effect
from pipeline.retention.period import Period
from pipeline.retention.phrases import length, stretch
from pipeline.retention.rules import BoundRule, PatternRule, Rules, Verified


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference: what ("class DISMISSED max"), its old and new value ("" where there is none), what it does."""

    what: str
    old: str
    new: str
    effect: str


def diff(old: Rules, new: Rules) -> tuple[Change, ...]:
    """Every difference, in the order of the rule file; empty if both say the same."""
    return (
        *_entries("event", _names(old.events), _names(new.events), {}, effects.EVENT_ITSELF),
        *_entries("flag", old.flags, new.flags, effects.FLAG, effects.FLAG_ITSELF),
        *_entries("class", old.classes, new.classes, effects.CLASS, effects.CLASS_ITSELF),
        *_entries("floor", _by_id(old.floors), _by_id(new.floors), effects.FLOOR, effects.FLOOR_ITSELF),
        *_entries("ceiling", _by_id(old.ceilings), _by_id(new.ceilings), effects.CEILING, effects.CEILING_ITSELF),
        *_entries("hold", old.holds, new.holds, effects.HOLD, effects.HOLD_ITSELF),
        *_entries("pattern", _by_id(old.patterns), _by_id(new.patterns), effects.PATTERN, effects.PATTERN_ITSELF),
        *_entries("deadline", old.deadlines, new.deadlines, effects.DEADLINE, effects.DEADLINE_ITSELF),
        *_entries("request", _by_value(old.requests), _by_value(new.requests), {}, effects.DEADLINE_ITSELF),
        *(
            change
            for name, told in effects.REST.items()
            for change in _differences(name.replace("_", " "), getattr(old, name), getattr(new, name), told)
        ),
    )


def _entries(
    noun: str,
    old: Mapping[str, object],
    new: Mapping[str, object],
    told: Mapping[str, Effect],
    itself: tuple[str, str],
) -> Iterator[Change]:
    """Entries that came or went (`itself` says what that does), and what changed in those that stayed."""
    for name in {**old, **new}:
        what = f"{noun} {name}"
        if name not in old:
            yield Change(what=what, old="", new=_told(new[name]) or "there", effect=f"it is new: {itself[0]}")
        elif name not in new:
            yield Change(what=what, old=_told(old[name]) or "there", new="", effect=f"it is gone: {itself[1]}")
        else:
            yield from _differences(what, old[name], new[name], told)


def _differences(what: str, old: object, new: object, told: Mapping[str, Effect]) -> Iterator[Change]:
    """Of two values, field by field where they have fields; `told` by field, "" for a value without any."""
    if not dataclasses.is_dataclass(old) or isinstance(old, Period | Verified):
        if old != new:
            yield Change(what=what, old=_shown(old), new=_shown(new), effect=told.get("", effects.plain)(old, new))
        return
    for entry in dataclasses.fields(old):
        before, after = getattr(old, entry.name), getattr(new, entry.name)
        if before != after:
            effect = told.get(entry.name, effects.plain)(before, after)
            name = f"{what} {entry.name.replace('_', ' ')}"
            yield Change(what=name, old=_shown(before), new=_shown(after), effect=effect)


def _names(names: Iterable[str]) -> dict[str, object]:
    return dict.fromkeys(sorted(names))


def _by_id(rules: Iterable[BoundRule | PatternRule]) -> dict[str, object]:
    return {rule.id: rule for rule in rules}


def _by_value(deadlines: Mapping[RequestKind, Period]) -> dict[str, object]:
    return {kind.value: period for kind, period in deadlines.items()}


def _told(rule: object) -> str:
    """A whole rule in one line: its fields that say something."""
    if isinstance(rule, Period):
        return stretch(rule)
    if not dataclasses.is_dataclass(rule):
        return ""
    named = ((f.name, getattr(rule, f.name)) for f in dataclasses.fields(rule))
    return ", ".join(f"{name} {_shown(value)}" for name, value in named if name not in ("name", "id", "kind") and value)


def _shown(value: object) -> str:
    """A value as a person writes it; "" for none."""
    if isinstance(value, tuple | frozenset):
        return ", ".join(_shown(v) for v in (value if isinstance(value, tuple) else sorted(value)))
    if isinstance(value, Period | timedelta):
        return stretch(value) if isinstance(value, Period) else length(value)
    if isinstance(value, Verified):
        return f"{value.by} on {value.at}"
    if isinstance(value, Severity):
        return value.name.lower()
    return {True: "yes", False: "no", None: ""}[value] if value is None or isinstance(value, bool) else str(value)
