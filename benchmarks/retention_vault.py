"""Vaults to measure keeping on. What is in them is drawn from a seed, so two of one size are alike.

A *ledger* has rows and a whole, signed audit chain, written straight into the catalog, and no evidence: for judging,
reading and following the chain. A *vault* is sealed through `Vault.conclude`, two parties to each incident, only the
waiting for the disk left out: for everything that touches keys and files.
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from pipeline.config.retention_file import load_rules
from pipeline.config.shipped import shipped
from pipeline.core.clock import utc_text
from pipeline.core.decision import Action, Finding, Incident, PolicyRef, Severity
from pipeline.core.evidence import Draft, Kind, Party
from pipeline.core.ids import keyed_id
from pipeline.core.media import NS, Span
from pipeline.core.recording import Identity, Part, Participant, Recording
from pipeline.core.signal import ModelRef, Score
from pipeline.custody.desk import Desk
from pipeline.vault.holds import Holds
from pipeline.vault.marks import Marks
from pipeline.vault.states import batched, states_of
from pipeline.vault.tables import incident
from pipeline.vault.vault import Vault

MASTER, INSTALLATION_KEY = bytes(range(32)), bytes(range(1, 33))
SEALED = datetime(2026, 6, 1, 12, tzinfo=UTC)
DECIDED = SEALED + timedelta(days=3)
TODAY = SEALED + timedelta(days=60)
"""The day of the sweep: what was dismissed at DECIDED is due, what nobody decided on stays."""

ACTOR = "os:bench(1000)"
IN_ONE_FILE = 10
ACCOUNTS = 50
"""People in a sealed vault."""

_POLICY = PolicyRef(name="video-chat", version="1", sha256="ab" * 32)
_MODEL = ModelRef(name="opennsfw", version="1", sha256="ef" * 32)


class Standing:
    """A clock that stands at a day and goes on from there as the real one does."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._began = time.monotonic()

    def now(self) -> datetime:
        """Aware UTC."""
        return self._at + timedelta(seconds=time.monotonic() - self._began)


@contextmanager
def desk_at(home: Path, at: datetime = TODAY) -> Iterator[Desk]:
    """The desk of a vault in `home`, made if there is none, under the shipped rules on the day `at`."""
    clock = Standing(at)
    rules = load_rules(shipped("configs/retention.yaml"))
    with Vault.open(home, home / "keys", master=MASTER, installation_key=INSTALLATION_KEY, clock=clock) as vault:
        yield Desk(vault=vault, rules=rules, categories={}, production=False, clock=clock)


@contextmanager
def nothing_is_synced() -> Iterator[None]:
    """Leave out the waiting for the disk; SQLite's own stays."""
    sync = os.fsync
    os.fsync = lambda _: None
    try:
        yield
    finally:
        os.fsync = sync


def seal(home: Path, due: int) -> None:
    """A vault with `due` incidents to destroy, and about an eighth more that stay, partly in the same files."""
    with nothing_is_synced(), desk_at(home, SEALED) as desk:
        desk.vault.begin_run("run-1", ACTOR)
        going: list[str] = []
        number = 0
        while len(going) < due:
            ids = _conclude(desk.vault, number)
            stays = {0: len(ids), 5: 1}.get(number % 10, 0)  # files that stay, files that stay for one of theirs
            going += ids[stays:]
            number += 1
        _dismiss(desk.vault, going[:due])
    with desk_at(home) as desk:
        wide = timedelta(days=10_000)
        Marks(desk.parts).tick(desk.now(), max_backward=wide, max_forward=wide)


def _conclude(vault: Vault, number: int) -> tuple[str, ...]:
    of = Recording(
        parts=(Part(uri=f"bench-{number}.mp4"),),
        recording_id=keyed_id(INSTALLATION_KEY, "recording", number),
        sha256="cd" * 32,
        session_id=f"session-{number}",
        stream_id=f"session-{number}-a",
        participants=(
            Participant(handle="a", account=account(number), identity=Identity.VERIFIED, jurisdiction="NL"),
            Participant(handle="b", account=account(number + 1), identity=Identity.VERIFIED, jurisdiction="US"),
        ),
        jurisdiction="NL",
        legal_basis="LEGIT_INTEREST",
    )
    pairs = [_found(of, Span(start_ns=60 * NS * i, end_ns=60 * NS * i + NS)) for i in range(IN_ONE_FILE)]
    return vault.conclude(f"conclusion-{number}", "run-1", of, pairs, policy=_POLICY)


def account(number: int) -> str:
    """The account of one of the vault's people."""
    return f"account-{number % ACCOUNTS}"


def _found(of: Recording, at: Span) -> tuple[Incident, Sequence[Draft]]:
    score = Score(span=at, label="opennsfw.nsfw", value=0.93, model=_MODEL)
    said: dict[str, Any] = {"category": "nudity", "severity": Severity.MEDIUM, "action": Action.REVIEW, "span": at}
    found = Incident(
        incident_id=keyed_id(INSTALLATION_KEY, "incident", of.recording_id, at.start_ns),
        recording_id=of.recording_id,
        session_id=of.session_id,
        stream_id=of.stream_id,
        participant="a",
        identity=Identity.VERIFIED,
        findings=(Finding(rule="nudity", signals=(score,), **said),),
        opened_at=SEALED,
        **said,
    )
    drafts = [
        Draft(
            kind=Kind.FRAME,
            party=party,
            stream=of.stream_id,
            position=str(at.start_ns),
            span=at,
            media_type="image/jpeg",
            body=b"\xff\xd8" + random.randbytes(48),  # noqa: S311
            facts={"score": 0.93},
        )
        for party in (Party.SUBJECT, Party.COUNTERPART)
    ]
    return found, drafts


def _dismiss(vault: Vault, ids: Sequence[str]) -> None:
    """As people would decide, hundreds in one act."""
    values = {"review": "dismissed", "retention_class": "DISMISSED", "decided_at": utc_text(DECIDED)}
    for batch in batched(ids):
        with vault.parts.journal.act(ACTOR) as act:
            change = update(incident).where(incident.c.incident_id.in_(batch))
            act.tx.execute(change.values(**values, revision=incident.c.revision + 1))
            states = states_of(act.tx, "incident", batch)
            for one in batch:
                act.record("incident.decide", f"incident:{one}", reason="bench", after=states[one])


def place_holds(vault: Vault, count: int) -> list[str]:
    """Holds in force on nothing yet; some are confidential."""
    with nothing_is_synced():
        return [
            Holds(vault.parts).place(
                (),
                kind="US_2703F",
                authority="an authority",
                reference=f"reference {number}",
                reason="a letter",
                starts_at=SEALED,
                until=TODAY + timedelta(days=90),
                confidential=number % 10 == 9,
                scope={},
                by=ACTOR,
                placed_by="p-ada",
            )
            for number in range(count)
        ]


def living(vault: Vault, count: int) -> list[str]:
    """Ids of some incidents that are whole."""
    query = select(incident.c.incident_id).where(incident.c.custody == "active").order_by(incident.c.incident_id)
    with vault.parts.catalog.read() as tx:
        return list(tx.execute(query.limit(count)).scalars())


def catalog_of(home: Path) -> sqlite3.Connection:
    """The catalog as the driver sees it."""
    return sqlite3.connect(home / "catalog" / "catalog.db", isolation_level=None)
