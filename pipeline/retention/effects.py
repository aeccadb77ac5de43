"""What a difference between two rule files does: to new evidence, and to what is here.

Tables by field, read by `diff`. Knows the meaning of each field, and no value of any file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from pipeline.retention.period import Period

SHORTER_FLOOR = "shorter floor: for new evidence only; a floor that was written down stays until two people override it"
LONGER_FLOOR = "longer floor: what is here stays longer too"
SHORTER_CEILING = "shorter ceiling: what is here goes earlier too"
LONGER_CEILING = "longer ceiling: what is here may stay longer too"
OTHERWISE = "counted otherwise: shorter from some days of the year, longer from others"

Effect = Callable[[object, object], str]
"""From an old and a new value to what the change does."""

_STARTS = (datetime(2023, 3, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC), datetime(2025, 8, 31, tzinfo=UTC))
"""Days from which periods are compared: of a common year, of a leap year, before a short month."""


def _length(shorter: str, longer: str, *, none_is_longest: bool) -> Effect:
    """Of a stretch of time that may be None: no floor is the shortest one, no ceiling the longest."""

    def effect(old: object, new: object) -> str:
        if not isinstance(old, Period) or not isinstance(new, Period):
            return longer if (new is None) == none_is_longest else shorter
        moves = {_sign(old.after(start, later=True), new.after(start, later=True)) for start in _STARTS} - {0}
        if len(moves) != 1:
            return OTHERWISE
        return longer if moves == {1} else shorter

    return effect


def _sign(old: datetime, new: datetime) -> int:
    return (new > old) - (new < old)


def _always(words: str) -> Effect:
    return lambda old, new: words


def plain(old: object, new: object) -> str:
    """Where a table says nothing of a field."""
    return "from now on"


def _verified(destroys: bool) -> Effect:
    """Of a rule that somebody confirmed, or no longer: in production only a ceiling minds."""

    def effect(old: object, new: object) -> str:
        if not destroys:
            return "it keeps as before"
        if new is None:
            return "in production this ceiling destroys nothing any more"
        return "in production this ceiling destroys from now on" if old is None else "it destroys as before"

    return effect


def _switch(old: object, new: object) -> str:
    return (
        "the classes, floors and ceilings that ask for it count from now on, also for what is here"
        if new
        else ("the classes, floors and ceilings that ask for it count no longer; floors that were written down stay")
    )


def _unreviewed(old: object, new: object) -> str:
    if new == "expire":
        return "what nobody has looked at goes at its ceiling, unless it is severe: also what is here"
    return "what nobody has looked at stays beyond its ceiling, restricted, until somebody decides"


_WORDS = _always("words alone: no date moves")
_NEXT = _always("for decisions and patterns from now on; what was decided keeps its class")
_REACH = "it binds other incidents: also of those that are here"
_REQUESTS = "for requests from now on"
EVENT_ITSELF = ("it can be recorded from now on", "it cannot be recorded any more; what was recorded counts as before")
FLAG_ITSELF = ("a new switch", "what asks for it is off")
FLAG: Mapping[str, Effect] = {"enabled": _switch, "cite": _WORDS, "verified": _WORDS}
_START = _always(
    "the clock starts at something else: what is here gets other dates, and stays where that never happened; "
    "floors that were written down stay"
)
CLASS_ITSELF = (
    "categories may lead into it",
    "what is in it stays, and alarms, until somebody decides on it anew",
)
CLASS: Mapping[str, Effect] = {
    "start": _START,
    "otherwise": _START,
    "min": _length(SHORTER_FLOOR, LONGER_FLOOR, none_is_longest=False),
    "max": _length(SHORTER_CEILING, LONGER_CEILING, none_is_longest=True),
    "record_max": _always("how long the record of a decision outlives its evidence, also for what is here"),
    "review_every": _always("people are asked at another interval whether it is still needed"),
    "instead_of": _NEXT,
    "jurisdiction": _NEXT,
    "requires_flag": _NEXT,
    "basis": _WORDS,
    "cite": _WORDS,
    "verified": _verified(destroys=True),
}
_BOUND: Mapping[str, Effect] = {
    "on": _START,
    "classes": _always(_REACH),
    "jurisdiction": _always(_REACH),
    "severity": _always(_REACH),
    "flag": _always(_REACH),
    "of_record": _always("it binds the rows in the catalog instead of the evidence, or the other way round"),
    "cite": _WORDS,
}
FLOOR_ITSELF = (LONGER_FLOOR, SHORTER_FLOOR)
FLOOR: Mapping[str, Effect] = {
    **_BOUND,
    "period": _length(SHORTER_FLOOR, LONGER_FLOOR, none_is_longest=False),
    "verified": _verified(destroys=False),
}
CEILING_ITSELF = (SHORTER_CEILING, LONGER_CEILING)
CEILING: Mapping[str, Effect] = {
    **_BOUND,
    "period": _length(SHORTER_CEILING, LONGER_CEILING, none_is_longest=True),
    "verified": _verified(destroys=True),
}
HOLD_ITSELF = ("it can be placed from now on", "it cannot be placed any more; holds that are there keep as before")
_PLACED = _always("for holds and renewals from now on; those that are there end when they say")
HOLD: Mapping[str, Effect] = {
    "period": _PLACED,
    "renew": _PLACED,
    "open_ended": _PLACED,
    "alert_before": _always("people are told at another time that a hold ends, also of those that are there"),
    "cite": _WORDS,
    "verified": _verified(destroys=False),
}
PATTERN_ITSELF = (
    "upheld incidents that are here may be promoted",
    "what it promoted goes by its own class again; floors that were written down stay",
)
_PROMOTES = _always("more or fewer people have a pattern, also by what is here; floors that were written down stay")
PATTERN: Mapping[str, Effect] = {
    **dict.fromkeys(("count", "window", "min_distinct_sessions", "exclude", "human_confirm"), _PROMOTES),
    "cite": _WORDS,
    "verified": _verified(destroys=False),
}
DEADLINE_ITSELF = (_REQUESTS, _REQUESTS)
DEADLINE: Mapping[str, Effect] = {
    "due": _always(_REQUESTS),
    "extend": _always(_REQUESTS),
    "cite": _WORDS,
    "verified": _WORDS,
}
REST: Mapping[str, Mapping[str, Effect]] = {
    "keep_records": {"": _length("rows of requests go earlier", "rows of requests stay longer", none_is_longest=True)},
    "unreviewed": {"": _unreviewed},
    "alarms": {"": _always("people are told at other times what nobody has looked at")},
    "clock": dict.fromkeys(
        ("max_backward", "max_forward"), _always("how far the clock may step before a sweep pauses")
    ),
    "limits": dict.fromkeys(
        ("at_once", "share_of_week", "ignore_below"), _always("how much a sweep destroys before two people are asked")
    ),
    "dual_control": {
        "valid": _always("for approvals asked for from now on"),
        "new_approver_waits": _always("for people who are granted or reset from now on"),
    },
    "conflict": {},
}
