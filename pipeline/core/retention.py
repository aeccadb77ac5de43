"""Values of keeping: what starts clocks, what binds an incident to stay or go, and what is to be done with it.

Floors are the earliest lawful destruction, ceilings the latest lawful keeping, holds forbid destruction while they are
active. Times are aware UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from pipeline.core.decision import Custody, Review, Severity

UNCONFIRMED = "UNCONFIRMED_FLAG"
"""The retention class of everything until a person decided."""

DISMISSED = "DISMISSED"
"""The class of what a person decided to be no violation."""

PATTERN = "PATTERN"
"""The class of upheld incidents of a person who does it again and again."""

PRESERVATION = "PRESERVATION"
"""The class of ordinary content that was copied into the vault because an order names a person."""

SUSPECTED_MINOR = "suspected_minor"
ESCALATED = "escalated"
REPORT_OPENS = frozenset({SUSPECTED_MINOR, ESCALATED})
"""Events from which an incident waits for a report to be filed."""

NCMEC_SUBMITTED = "ncmec_submitted"
NCA_REPORTED = "nca_reported"
REPORT_CLOSED = "report_closed"
REPORT_ENDS = frozenset({NCMEC_SUBMITTED, NCA_REPORTED, REPORT_CLOSED})
"""Events that end the wait: a receipt, or two people who found that there is nothing to report."""

REFERRED = "referred"
APPEAL_RECEIVED = "appeal_received"
APPEAL_DECIDED = "appeal_decided"


RECEIPTS = frozenset({NCMEC_SUBMITTED, NCA_REPORTED})
"""Events that say that a report arrived."""

REPORTED_CLASSES = frozenset({"CSAM_US", "CSAM_EU_NIICS"})
"""Classes of what has to be reported to a body that gives receipts: a referral elsewhere does not settle it."""

Moment = TypeVar("Moment", str, datetime)


def report_open(
    review: Review,
    severity: Severity,
    retention_class: str,
    decided_at: Moment | None,
    events: Iterable[tuple[str, Moment]],
) -> bool:
    """True while an incident waits for a report: `events` are kinds and when they were written down, in that order.

    Opened by a suspicion or an escalation, or by upholding what is severe. A receipt ends it, and so do two people who
    found that there is nothing to report, unless somebody upheld it as severe after that.
    """
    grave = review is Review.UPHELD and severity >= Severity.SEVERE
    state: bool | None = None
    for kind, recorded_at in events:
        if kind in REPORT_OPENS:
            state = True
        elif kind in RECEIPTS:
            state = False
        elif kind == REPORT_CLOSED:
            overtaken = grave and decided_at is not None and recorded_at < decided_at
            state = None if overtaken and state is not False else False
        elif kind == REFERRED and state is None and retention_class not in REPORTED_CLASSES:
            state = False
    return grave if state is None else state


def appeal_open(kinds: Iterable[str]) -> bool:
    """True from the receipt of an appeal until its decision."""
    state = False
    for kind in kinds:
        if kind in (APPEAL_RECEIVED, APPEAL_DECIDED):
            state = kind == APPEAL_RECEIVED
    return state


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to an incident and may start a clock: `kind` at `at`, written down at `recorded_at`."""

    kind: str
    at: datetime
    recorded_at: datetime
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """An order or expectation that forbids destruction from `starts_at` until `until` (None: until released).

    `attested_at` is when somebody last said that it is still needed, where it has no end. `authority` and `reference`
    are "" where the reader may not see them.
    """

    hold_id: str
    kind: str
    starts_at: datetime
    until: datetime | None
    released_at: datetime | None = None
    attested_at: datetime | None = None
    confidential: bool = False
    authority: str = ""
    reference: str = ""

    def ends_at(self) -> datetime | None:
        """When it ended or will end: the earlier of release and expiry; None if nothing ends it yet."""
        ends = [t for t in (self.until, self.released_at) if t is not None]
        return min(ends) if ends else None

    def active(self, now: datetime) -> bool:
        """True until it was released or has run out; an order that begins later protects from its receipt on."""
        ends = self.ends_at()
        return ends is None or now < ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A floor or a ceiling of one incident: `rule` says until when, started by `trigger` at `trigger_at`."""

    rule: str
    until: datetime
    trigger: str
    trigger_at: datetime
    cite: str
    verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Two people moved the floor of `rule` to `until`, naming their ground.

    They did it `at` that time: it moves what had begun by then. None: whatever there is.
    """

    rule: str
    until: datetime
    ground: str
    at: datetime | None = None


class Order(StrEnum):
    """Why an incident is to go before its ceiling."""

    ERASURE = "erasure"
    """A person's accepted request."""
    DESTROY = "destroy"
    """A law-enforcement request to destroy (18 USC 2258B(c)): waives floors, never holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyOrder:
    """Somebody decided that the incident is to go from `at` on, on the `ground` that is named."""

    order: Order
    at: datetime
    ground: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that retention is told of one incident; no evidence, nobody's name.

    `subject` is the opaque id of the person it is about ("unknown" if nobody is known). `decided_at` is None before
    a decision. `floors` are those written down so far: they hold even if a rule file forgets them. `events` and `holds`
    are in the order in which they were written down.
    """

    incident_id: str
    revision: int
    retention_class: str
    category: str
    severity: Severity
    jurisdiction: str
    subject: str
    session: str
    review: Review
    custody: Custody
    restricted: bool
    sealed_at: datetime
    decided_at: datetime | None
    events: tuple[Event, ...] = ()
    holds: tuple[Hold, ...] = ()
    floors: tuple[Bound, ...] = ()
    overrides: tuple[Override, ...] = ()
    orders: tuple[DestroyOrder, ...] = ()


class Verdict(StrEnum):
    """What is to be done with an incident."""

    KEEP = "keep"
    """It is not due."""
    HELD = "held"
    """It is due, and a hold (an order, an open review, appeal or report) keeps it, restricted."""
    CONFLICT = "conflict"
    """A floor demands what a ceiling forbids: kept, restricted, until people settle it or the floor has passed."""
    DESTROY = "destroy"
    """It is due, and nothing keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition:
    """The verdict on one incident at its `revision`, and what it rests on.

    `due_at` is None while nothing says when it goes. `floors` and `ceilings` are all that apply. `kept_by` are the
    holds that keep it: hold ids, "REVIEW", "REPORT" or "APPEAL". `alarms` are words for people who must act.
    `unreviewed` marks the destruction of what nobody looked at, which the rules have to allow. `basis` is what a
    destruction is on record with: the rule and its law, or the order.
    """

    incident_id: str
    revision: int
    verdict: Verdict
    reason: str
    due_at: datetime | None
    floors: tuple[Bound, ...] = ()
    ceilings: tuple[Bound, ...] = ()
    kept_by: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    unreviewed: bool = False
    basis: str = ""

    @property
    def floor_at(self) -> datetime | None:
        """The latest floor, None without any."""
        return max((f.until for f in self.floors), default=None)


class RequestKind(StrEnum):
    """What a person may ask about their own data."""

    WITHDRAWAL = "withdrawal"
    ERASURE = "erasure"
    UNDER_13 = "under_13"
    ACCESS = "access"
    RESTRICTION = "restriction"


class Outcome(StrEnum):
    """What became of one incident under a request."""

    ERASED = "erased"
    RESTRICTED = "restricted"
    REFUSED = "refused"
    DEFERRED = "deferred"
