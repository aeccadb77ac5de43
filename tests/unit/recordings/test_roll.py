"""The roll of a run: what the manifest said, sealed, for the workers to read by position."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from pipeline.core.errors import FencedError, IntegrityError
from pipeline.core.recording import (
    AgeClass,
    Connection,
    Identity,
    Layout,
    ParentalConsent,
    Part,
    Participant,
    ProvisionMode,
    Recording,
    Region,
)
from pipeline.recordings.ledger import Ledger
from tests.unit.recordings.conftest import AT

FULL = Recording(
    parts=(Part(uri="/srv/canary \udcff\n.mp4"), Part(uri="b.ogg", offset_ns=61_500_000_000)),
    session_id="canary-session",
    stream_id="s/b",
    layout=Layout.COMPOSITE,
    regions=(Region(handle="ann", x=0, y=0, width=0.5, height=1),),
    participants=(
        Participant(
            handle="ann",
            account="canary-account",
            identity=Identity.VERIFIED,
            connection=Connection(ip="192.0.2.7", port=4711, device="canary-device", client="web/2"),
            language="nl",
            jurisdiction="NL",
            jurisdiction_source="account",
            age_class=AgeClass.TEEN,
            parental_consent=ParentalConsent.GIVEN,
            policy_version="3",
            provision_mode=ProvisionMode.AUTOMATIC,
            purposes=frozenset({"DETECT", "PREVENT_RECURRENCE"}),
        ),
        Participant(handle="guest"),
    ),
    started_at=datetime(2026, 11, 22, 10, 15, tzinfo=timezone(timedelta(hours=1))),
    clock_source="media server",
    clock_uncertainty_ms=50,
    managed=True,
    chat="/srv/canary \udcff chat.jsonl",
    policy_version="3",
    jurisdiction="NL",
    legal_basis="consent",
)
OTHER = Recording(parts=(Part(uri="a.webm"),), session_id="canary-session", stream_id="s/a")
ALONE = Recording(parts=(Part(uri="c.webm"),), started_at=datetime(2026, 1, 1, tzinfo=UTC))


def test_every_recording_comes_back_as_the_manifest_gave_it(ledger: Ledger) -> None:
    ledger.roll.enlist("run-1", [FULL, OTHER, ALONE])
    assert [ledger.roll.at("run-1", position) for position in range(3)] == [FULL, OTHER, ALONE]


def test_the_other_side_of_a_session_is_found_and_unknown_sessions_are_none(ledger: Ledger) -> None:
    ledger.roll.enlist("run-1", [FULL, OTHER, ALONE, ALONE])
    assert ledger.roll.counterparts("run-1", 0) == (OTHER,)
    assert ledger.roll.counterparts("run-1", 1) == (FULL,)
    assert ledger.roll.counterparts("run-1", 2) == ()


def test_the_roll_names_nobody_on_disk_and_goes_with_its_run(ledger: Ledger, folder: Path) -> None:
    ledger.roll.enlist("run-1", [FULL])
    stored = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    assert b"canary" not in stored
    assert b"192.0.2.7" not in stored
    ledger.finish_run("run-1", {}, at=AT, complete=True)
    with pytest.raises(IntegrityError, match="no recording 0"):
        ledger.roll.at("run-1", 0)


def test_an_overtaken_run_cannot_replace_the_roll_or_read_another_runs(ledger: Ledger) -> None:
    ledger.begin_run("run-2", at=AT, actor="a", command="c")
    ledger.roll.enlist("run-2", [OTHER])
    with pytest.raises(FencedError):
        ledger.roll.enlist("run-1", [FULL])
    with pytest.raises(IntegrityError):
        ledger.roll.at("run-1", 0)
    assert ledger.roll.at("run-2", 0) == OTHER
