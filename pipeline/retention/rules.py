"""The rules of keeping as values: how long each class stays, what floors, ceilings and holds there are, and whose law.

Every rule carries its source (`cite`) and who confirmed it (`verified`, None until somebody did). Knows no file: config
reads and checks one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pipeline.core.decision import Severity
from pipeline.core.retention import RequestKind
from pipeline.retention.period import Period

SEALED = "sealed"
DECIDED = "decided"
DISMISSED_AT = "dismissed"
LAST_UPHELD = "last_upheld"
HOLDS_ENDED = "holds_ended"
CASE_TRIGGERS = frozenset({SEALED, DECIDED, DISMISSED_AT, LAST_UPHELD, HOLDS_ENDED})
"""What the catalog knows of every incident without an event: when it was sealed; decided at all, decided as no
violation; when the person of a pattern was last upheld; when the last of its holds ended."""

OTHER_TRIGGERS = frozenset({"captured", "request_closed", "recorded"})
"""Starts of what is no incident: scores that were not flagged, rows of requests, entries of the audit chain."""

PATTERN_CONFIRMED = "pattern_confirmed"
APPEAL_RECEIVED = "appeal_received"
APPEAL_DECIDED = "appeal_decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """Who confirmed a rule against its source, and on which day."""

    by: str
    at: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRule:
    """How long a class of evidence stays, counted from `start`: at least `min` (a floor), at most `max` (a ceiling).

    `start` is a kind of event or one of the triggers above; `otherwise` are kinds of event that start the clock where
    that one never came. The record of the decision outlives the evidence up to `record_max`. A class takes the place
    of those it is `instead_of`: PATTERN for people who do it again, another one in its `jurisdiction` while its
    `requires_flag` is on. `review_every` is how often somebody has to ask whether it is still needed.
    """

    name: str
    start: str
    otherwise: tuple[str, ...] = ()
    min: Period | None = None
    max: Period | None = None
    record_max: Period | None = None
    review_every: Period | None = None
    instead_of: frozenset[str] = frozenset()
    jurisdiction: frozenset[str] = frozenset()
    requires_flag: str = ""
    basis: str = ""
    cite: str
    verified: Verified | None = None

    @property
    def of_incidents(self) -> bool:
        """True if incidents can be of this class."""
        return self.start not in OTHER_TRIGGERS


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundRule:
    """A floor or a ceiling beside the classes: `period` from `on` (a kind of event, or SEALED, DECIDED, DISMISSED_AT).

    It applies to incidents of `classes` (empty: all), in `jurisdiction` (empty: everywhere; an unknown one is in all),
    of `severity` and above, while `flag` ("" for none) is on. A floor `of_record` binds the rows that stay in the
    catalog after the evidence has gone, not the evidence.
    """

    id: str
    on: str
    period: Period
    classes: frozenset[str] = frozenset()
    jurisdiction: frozenset[str] = frozenset()
    severity: Severity = Severity.LOW
    flag: str = ""
    of_record: bool = False
    cite: str
    verified: Verified | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRule:
    """A kind of hold: it runs for `period` from its receipt, or is `open_ended` until released.

    `renew` is how far one renewal reaches; of an open-ended one, how often somebody has to attest that it is still
    needed. People are told `alert_before` either.
    """

    kind: str
    period: Period | None
    renew: Period | None
    alert_before: timedelta
    open_ended: bool
    cite: str
    verified: Verified | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternRule:
    """A pattern of abuse: `count` upheld incidents of one person within `window`, in so many different sessions.

    `exclude` are the states of appeal that do not count: "pending", "overturned". With `human_confirm` it takes effect
    once a person confirmed it.
    """

    id: str
    count: int
    window: Period
    min_distinct_sessions: int
    exclude: frozenset[str]
    human_confirm: bool
    cite: str
    verified: Verified | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A legal switch; off unless legal set it, with the law that permits it."""

    name: str
    enabled: bool
    cite: str
    verified: Verified | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """By when a request has to be answered: `due` after its receipt, `extend` more where the law allows that."""

    name: str
    due: Period
    extend: Period | None
    cite: str
    verified: Verified | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockLimits:
    """How far the clock may step before destruction pauses."""

    max_backward: timedelta
    max_forward: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a sweep may destroy without asking two people: at most `at_once` incidents, and at most `share_of_week` of
    what the seven days before destroyed. A sweep of up to `ignore_below` incidents never asks.
    """

    at_once: int
    share_of_week: float
    ignore_below: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DualControl:
    """How long approvals are valid, and how long a newly granted or reset approver waits."""

    valid: timedelta
    new_approver_waits: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictRule:
    """A floor above a ceiling: the evidence is kept, restricted; these roles settle it within this time."""

    escalate_to: tuple[str, ...]
    within: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A whole rule file. `sha256` is of its text; `events` are the kinds that may be recorded.

    `unreviewed` is "keep" or "expire": whether what nobody looked at may go at its ceiling (never what is severe).
    `alarms` are how long before its ceiling an unreviewed incident alarms, longest first. `requests` are the deadlines
    of the kinds of request, `deadlines` all that the file names. `keep_records` is how long a request's own row stays.
    """

    name: str
    sha256: str
    classes: Mapping[str, ClassRule]
    floors: tuple[BoundRule, ...]
    ceilings: tuple[BoundRule, ...]
    holds: Mapping[str, HoldRule]
    events: frozenset[str]
    patterns: tuple[PatternRule, ...]
    flags: Mapping[str, Flag]
    deadlines: Mapping[str, Deadline]
    requests: Mapping[RequestKind, Period]
    keep_records: Period
    clock: ClockLimits
    limits: Limits
    dual_control: DualControl
    conflict: ConflictRule
    unreviewed: str
    alarms: tuple[timedelta, ...]

    def on(self, flag: str) -> bool:
        """True if there is no such condition ("") or the flag is enabled."""
        return not flag or (flag in self.flags and self.flags[flag].enabled)
