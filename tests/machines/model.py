"""What has to be true of every incident, as plainly as it can be said: the machines compare the vault with this.

Lists and dates; no store, no engine. Calendar arithmetic is `Period`, which has tests of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.core.decision import Review, Severity
from pipeline.core.retention import RECEIPTS, REPORT_CLOSED, REPORT_ENDS, REPORT_OPENS, REPORTED_CLASSES
from pipeline.retention.period import Period
from tests.machines.rulebook import STARTS, Variant

SUBJECT, COUNTERPART = "subject", "counterpart"


def canary(name: str) -> bytes:
    """32 bytes that lie nowhere by chance."""
    return hashlib.sha256(b"canary " + name.encode()).digest()


@dataclass(frozen=True)
class Floor:
    """`rule` demands that it stays until then; started by `trigger`, which happened `at`."""

    rule: str
    trigger: str
    at: datetime
    until: datetime


@dataclass
class Order:
    """A hold as it was placed."""

    name: str
    hold_id: str
    incidents: list[str]
    until: datetime | None
    confidential: bool
    released: datetime | None = None

    def active(self, now: datetime) -> bool:
        ended = (self.until is not None and self.until <= now) or (self.released is not None and self.released <= now)
        return not ended

    def ends(self) -> datetime | None:
        return min((t for t in (self.until, self.released) if t is not None), default=None)


@dataclass
class Asked:
    """A person's request."""

    request_id: str
    kind: str
    account: str
    state: str = "received"
    decision: str = ""
    tried: bool = False
    """True once somebody began to carry it out."""

    @property
    def restricts(self) -> bool:
        """True if what is sealed now is restricted because of it."""
        open_now = self.state in ("received", "verified") or (self.state == "decided" and self.decision == "accepted")
        return open_now and self.kind != "access"

    @property
    def withdraws(self) -> bool:
        return self.kind == "withdrawal" and self.state != "received" and self.decision != "refused"


@dataclass
class Kept:
    """One incident: what was sealed, what happened since, and what is demanded of it."""

    name: str
    incident_id: str
    recording: str
    accounts: dict[str, str]
    basis: str
    jurisdiction: str
    category: str
    severity: Severity
    retention_class: str
    sealed_at: datetime
    review: Review = Review.OPEN
    decided_at: datetime | None = None
    ever_severe: bool = False
    terms: tuple[str, ...] = ()
    records: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    events: list[tuple[str, datetime]] = field(default_factory=list)
    known: dict[tuple[str, datetime], datetime] = field(default_factory=dict)
    """When events were first recorded, by kind and time."""
    floors: list[Floor] = field(default_factory=list)
    overrides: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    """(rule, until, when two people agreed)."""
    orders: list[tuple[str, datetime]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    """The parties whose keys were destroyed."""
    floor_seen: str = ""
    restricted: bool = False

    @property
    def alive(self) -> bool:
        return SUBJECT not in self.gone

    def when(self, trigger: str) -> list[datetime]:
        """When a trigger happened."""
        own = {"sealed": self.sealed_at, "decided": self.decided_at}
        if trigger in own:
            at = own[trigger]
            return [] if at is None else [at]
        return [at for kind, at in self.events if kind == trigger]

    def report_open(self) -> bool:
        """From a suspicion, or from upholding what is severe, until a receipt or two people; I16."""
        grave = self.review is Review.UPHELD and self.severity >= Severity.SEVERE
        told = [(kind, at) for kind, at in self.events if kind in REPORT_OPENS | REPORT_ENDS]
        if grave and told and told[-1][0] == REPORT_CLOSED and self.decided_at:
            closed_before = self.known.get(told[-1], told[-1][1]) < self.decided_at
            received = [kind for kind, _ in told if kind in RECEIPTS]
            if closed_before:
                return not received or told[-2][0] in REPORT_OPENS
        if told:
            return told[-1][0] in REPORT_OPENS
        return grave and (self.retention_class in REPORTED_CLASSES or not self.when("referred"))

    def appeal_open(self) -> bool:
        told = [kind for kind, _ in self.events if kind.startswith("appeal_")]
        return bool(told) and told[-1] == "appeal_received"


@dataclass
class Model:
    """All that was ever done to one installation."""

    incidents: dict[str, Kept] = field(default_factory=dict)
    holds: dict[str, Order] = field(default_factory=dict)
    requests: list[Asked] = field(default_factory=list)
    uploads: dict[str, str] = field(default_factory=dict)
    """Ordinary files by name, and whose they are."""
    sealings: int = 0
    mark: datetime | None = None
    clock_refused: bool = False
    pauses: list[str] = field(default_factory=list)
    variant: Variant | None = None

    def copy(self) -> Model:
        return deepcopy(self)

    def living(self) -> list[Kept]:
        return [k for k in self.incidents.values() if k.alive]

    def holding(self, kept: Kept, now: datetime) -> list[Order]:
        return [h for h in self.holds.values() if kept.name in h.incidents and h.active(now)]

    def start(self, kept: Kept) -> tuple[str, datetime] | None:
        """What began the clock of its class, and when; None if nothing did."""
        for trigger in STARTS[kept.retention_class]:
            if trigger == "holds_ended":
                ends = [h.ends() for h in self.holds.values() if kept.name in h.incidents]
                if ends and None not in ends:
                    return trigger, max(e for e in ends if e is not None)
            elif times := kept.when(trigger):
                return trigger, max(times)
        return None

    def computed_floors(self, kept: Kept, variant: Variant) -> Iterator[Floor]:
        """What class and events demand under one rule file."""
        low, _ = variant.span(kept.retention_class)
        start = self.start(kept)
        if low is not None and start is not None:
            yield Floor(kept.retention_class, *start, low.after(start[1], later=True))
        beside = {
            "US_2258A_H": ("ncmec_submitted", variant.us_floor, True),
            "UK_OSA_R8": ("nca_reported", "P1Y", True),
            "DSA_20": (
                "notified",
                "P6M",
                kept.jurisdiction == "NL" and kept.retention_class in ("POLICY_VIOLATION", "CRIMINAL_REFERRAL"),
            ),
        }
        for rule, (trigger, period, applies) in beside.items():
            if applies and (times := kept.when(trigger)):
                yield Floor(rule, trigger, max(times), Period.parse(period).after(max(times), later=True))

    def write_floors(self, kept: Kept, variant: Variant) -> None:
        """Floors are written down with what starts them, and never forgotten."""
        kept.floors += [f for f in self.computed_floors(kept, variant) if f not in kept.floors]

    def floor(self, kept: Kept) -> datetime | None:
        """Until when written floors demand it, with what two people moved."""
        found = []
        for floor in kept.floors:
            moved = [(at, until) for rule, until, at in kept.overrides if rule == floor.rule]
            last_at, last_until = max(moved, default=(None, None))
            began = kept.known.get((floor.trigger, floor.at), floor.at)
            found.append(last_until if last_at and last_until and began <= last_at else floor.until)
        return max(found, default=None)

    def ceilings(self, kept: Kept, variant: Variant) -> dict[str, datetime]:
        """By when each rule that applies wants it gone."""
        found = {}
        low, high = variant.span(kept.retention_class)
        start = self.start(kept)
        if high is not None and start is not None:
            until = high.after(start[1], later=False)
            found[kept.retention_class] = max(until, low.after(start[1], later=True)) if low is not None else until
        if times := kept.when("discovered"):
            found["COPPA"] = Period.parse("PT72H").after(min(times), later=False)
        return found

    def waived(self, kept: Kept, now: datetime) -> bool:
        return any(kind == "destroy" and at <= now for kind, at in kept.orders)

    def kept_because(self, kept: Kept, now: datetime, variant: Variant) -> str:
        """What forbids the destruction of one incident at `now`; "" if nothing does."""
        return next(self._keepers(kept, now, variant), "")

    def _keepers(self, kept: Kept, now: datetime, variant: Variant) -> Iterator[str]:
        if held := self.holding(kept, now):
            yield f"hold {held[0].name} is active"
        if kept.review in (Review.OPEN, Review.UNDER_REVIEW):
            own = self.ceilings(kept, variant).get(kept.retention_class)
            if not (variant.unreviewed == "expire" and kept.severity < Severity.SEVERE and own and own <= now):
                yield "nobody decided on it"
        if kept.report_open():
            yield "its report is open"
        if kept.appeal_open():
            yield "an appeal is open"
        waived, floor = self.waived(kept, now), self.floor(kept)
        if floor is not None and floor > now and not waived:
            yield f"a floor demands it until {floor:%Y-%m-%d}"
        if self.start(kept) is None and not waived:
            yield "the clock of its class never started"

    def wanted_gone(self, kept: Kept, now: datetime, variant: Variant) -> str:
        """What asks for its destruction at `now`; "" if nothing does."""
        for rule, until in self.ceilings(kept, variant).items():
            if until <= now:
                return f"ceiling {rule}"
        return next((f"order {kind}" for kind, at in kept.orders if at <= now), "")

    def needed(self, account: str) -> str:
        """Why the row that leads from an account to its person has to be there; "" if it must not be."""
        for kept in self.incidents.values():
            for party, named in kept.accounts.items():
                if named == account and kept.alive and party not in kept.gone:
                    return f"{kept.name} is about it"
        for asked in self.requests:
            if asked.account == account and (asked.state != "done" or asked.withdraws):
                return f"request {asked.kind} is {asked.state}"
        return ""
