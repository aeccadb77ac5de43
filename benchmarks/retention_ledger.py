"""A catalog of very many incidents with a whole audit chain, written straight into its tables.

What the incidents are is drawn: about a fifth were destroyed before, a quarter wait for somebody's decision, a third
and more were upheld and have events and floors, one in fifty is held, one in a hundred is due today.
"""

from __future__ import annotations

import random
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.retention_vault import ACTOR, SEALED, TODAY, catalog_of, desk_at, place_holds
from pipeline.core.canonical import leaf_hash
from pipeline.core.chain import AuditEntry
from pipeline.core.clock import utc_text
from pipeline.core.decision import Custody, Review, Severity
from pipeline.core.retention import Case, Event
from pipeline.retention import engine
from pipeline.retention.rules import Rules
from pipeline.vault.head import Head
from pipeline.vault.tables import metadata

IN_ONE_HOLD = 100
IN_ONE_WRITE = 20_000
UPHELD_EACH = 3
"""Incidents of one person."""

_QUICK = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000", "temp_store=MEMORY")
_PLACES = ("US", "US-CA", "NL", "DE", "GB", "unknown")
_CLASSES = (  # class, share, category, severity, events and how long before today they came
    ("POLICY_VIOLATION", 0.25, "nudity", Severity.MEDIUM, (("notified", 180),)),
    ("CRIMINAL_REFERRAL", 0.10, "threat", Severity.HIGH, (("referred", 360), ("notified", 180))),
    ("CSAM_US", 0.05, "csam", Severity.SEVERE, (("suspected_minor", 360), ("ncmec_submitted", 350))),
)
_GONE, _OPEN = 0.20, 0.25  # the rest was dismissed
_OVERDUE = 0.02


def write(home: Path, incidents: int) -> None:
    """Make the catalog in `home`, with as many audit entries as incidents, or a few more."""
    with desk_at(home, SEALED) as desk:
        holds = place_holds(desk.vault, max(1, incidents // 50 // IN_ONE_HOLD))
        rules = desk.rules
    catalog = catalog_of(home)
    for pragma in _QUICK:
        catalog.execute(f"PRAGMA {pragma}")
    tip = Head(**dict(zip(("sequence", "digest"), _last(catalog), strict=True)))
    names = random.Random(0)  # noqa: S311
    people = [f"{names.getrandbits(128):032x}" for _ in range(max(1, incidents // UPHELD_EACH))]
    catalog.execute("BEGIN")
    for at in range(0, incidents, IN_ONE_WRITE):
        rows = Rows(rules=rules, holds=holds, people=people, draw=random.Random(at), tip=tip)  # noqa: S311
        for _ in range(min(IN_ONE_WRITE, incidents - at)):
            rows.add()
        rows.write(catalog)
        tip = rows.tip
    catalog.execute("COMMIT")
    catalog.execute("PRAGMA journal_mode=WAL")
    catalog.close()
    with desk_at(home) as desk:
        desk.parts.head.advance(tip)


def _last(catalog: sqlite3.Connection) -> Any:
    return catalog.execute("SELECT sequence, digest FROM audit_event ORDER BY sequence DESC LIMIT 1").fetchone()


@dataclass(slots=True, kw_only=True)
class Rows:
    """Rows on their way into the catalog, by table; `tip` is where the audit chain ends with them."""

    rules: Rules
    holds: Sequence[str]
    people: Sequence[str]
    draw: random.Random
    tip: Head
    by_table: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: defaultdict(list))

    def add(self) -> None:
        """One incident, and its entry in the chain."""
        case = self._case()
        for event in case.events:
            row = (None, f"{self.draw.getrandbits(128):032x}", case.incident_id, event.kind, utc_text(event.at))
            self.by_table["event"].append((*row, event.reference, utc_text(event.recorded_at), "p-ada"))
        floors = engine.floors(case, self.rules) if case.events else ()
        for f in floors:
            row = (case.incident_id, f.rule, utc_text(f.trigger_at), utc_text(f.until), f.trigger, f.cite)
            self.by_table["floor"].append((*row, utc_text(f.trigger_at)))
        if self.draw.random() < 0.02:
            self.by_table["hold_item"].append((self.draw.choice(self.holds), case.incident_id))
        self.by_table["involved"] += [
            (case.incident_id, "subject", case.subject),
            (case.incident_id, "counterpart", "unknown"),
        ]
        floor_at = max((utc_text(f.until) for f in floors), default="")
        self.by_table["incident"].append(_row(case, floor_at))
        self._enter(case)

    def _case(self) -> Case:
        at, draw = self.draw.random(), self.draw
        said: dict[str, Any] = {"category": "nudity", "severity": Severity.MEDIUM, "custody": Custody.ACTIVE}
        decided: datetime | None = _ago(draw, 7) if draw.random() > _OVERDUE else _ago(draw, 9)
        if at < _GONE:
            said |= {"retention_class": "DISMISSED", "review": Review.DISMISSED, "custody": Custody.PURGED}
        elif at < _GONE + _OPEN:
            said |= {"retention_class": "UNCONFIRMED_FLAG", "review": Review.OPEN}
            decided = None
        else:
            said |= {"retention_class": "DISMISSED", "review": Review.DISMISSED}
            said |= dict(self._upheld(at - _GONE - _OPEN))
        return Case(
            incident_id=f"{draw.getrandbits(128):032x}",
            revision=2,
            jurisdiction=draw.choice(_PLACES),
            subject=draw.choice(self.people) if said["custody"] is Custody.ACTIVE else "erased",
            session=f"{draw.getrandbits(128):032x}",
            restricted=False,
            sealed_at=min(_ago(draw, 30.5), decided or TODAY) if "events" not in said else TODAY - timedelta(days=361),
            decided_at=decided if "events" not in said else TODAY - timedelta(days=360),
            **said,
        )

    def _upheld(self, at: float) -> Iterator[tuple[str, object]]:
        for name, share, category, severity, events in _CLASSES:
            if at < share:
                told = [(kind, _ago(self.draw, days)) for kind, days in events]
                made = (Event(kind=kind, at=when, recorded_at=when, reference="bench") for kind, when in told)
                yield from (("retention_class", name), ("review", Review.UPHELD), ("events", tuple(made)))
                yield from (("category", category), ("severity", severity))
                return
            at -= share

    def _enter(self, case: Case) -> None:
        number = self.tip.sequence + 1
        entry = AuditEntry(
            sequence=number,
            at=utc_text(case.sealed_at),
            actor=ACTOR,
            verb="incident.open",
            subject=f"incident:{case.incident_id}",
            reason="conclusion",
            after=f"{self.draw.getrandbits(256):064x}",
            previous=self.tip.digest,
            digest="",
        )
        self.tip = Head(sequence=number, digest=leaf_hash(entry.body()))
        self.by_table["audit_event"].append((*entry[:-1], self.tip.digest))

    def write(self, catalog: sqlite3.Connection) -> None:
        """Insert all of them."""
        for name, rows in self.by_table.items():
            columns = [column.name for column in metadata.tables[name].columns]
            names, places = ", ".join(f'"{c}"' for c in columns), ", ".join("?" * len(columns))
            catalog.executemany(f"INSERT INTO {name} ({names}) VALUES ({places})", rows)  # noqa: S608


def _ago(draw: random.Random, days: float) -> datetime:
    return TODAY - timedelta(days=draw.random() * days)


def _row(case: Case, floor_at: str) -> tuple[Any, ...]:
    """In the order of the table's columns."""
    said = (case.category, case.category, int(case.severity), "review", 0, 1_000_000_000, case.jurisdiction)
    standing = (case.review.value, case.custody.value, 0, case.revision, utc_text(case.sealed_at), "auto_detect")
    decided = utc_text(case.decided_at) if case.decided_at else ""
    return (
        *(case.incident_id, case.session, case.session, case.session, case.session, "verified"),
        *(*said, "LEGIT_INTEREST", *standing),
        *(case.retention_class, utc_text(case.sealed_at), decided, floor_at),
    )
