"""What the ledger promises about runs, chunks, conclusions and what the platform holds."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.core.errors import ConfigError, FencedError, IntegrityError
from pipeline.core.recording import AgeClass, Part, Participant, Recording
from pipeline.recordings.database import FILE
from pipeline.recordings.held import Wanted
from pipeline.recordings.ledger import CHUNKS_KEPT, Ledger
from tests.unit.recordings.conftest import AT, KEY

ACCOUNT = "canary-account-7f3a"
URI = "/srv/canary-folder/cän\udcffary \n'; drop table runs.mp4"

READ = ["canary-digest", ""]


def recording(uri: str = URI) -> Recording:
    person = Participant(handle="a", account=ACCOUNT, age_class=AgeClass.UNDER_13)
    return Recording(
        recording_id="rec", parts=(Part(uri=uri), Part(uri="canary-part-2", offset_ns=5)), participants=(person,)
    )


def test_a_finished_chunk_is_found_again_only_under_its_own_fingerprint(ledger: Ledger) -> None:
    ledger.mark("rec", "0-60", "policy-1", b"signals", degraded=False, run_id="run-1")
    ledger.mark("rec", "0-60", "policy-1", b"signals", degraded=False, run_id="run-1")
    assert ledger.done("rec", "0-60", "policy-1", run_id="run-1") == b"signals"
    assert ledger.done("rec", "0-60", "policy-2", run_id="run-1") is None
    assert ledger.done("rec", "60-120", "policy-1", run_id="run-1") is None


def test_the_next_run_goes_on_with_whole_chunks_and_scans_degraded_ones_again(ledger: Ledger) -> None:
    ledger.mark("rec", "whole", "f", b"1", degraded=False, run_id="run-1")
    ledger.mark("rec", "degraded", "f", b"2", degraded=True, run_id="run-1")
    assert ledger.done("rec", "degraded", "f", run_id="run-1") == b"2"
    ledger.begin_run("run-2", at=AT, actor="a", command="c")
    assert ledger.done("rec", "whole", "f", run_id="run-2") == b"1"
    assert ledger.done("rec", "degraded", "f", run_id="run-2") is None


def test_a_concluded_recording_keeps_its_report_and_forgets_its_signals(ledger: Ledger) -> None:
    ledger.mark("rec", "0-60", "f", b"1", degraded=False, run_id="run-1")
    ledger.mark("rec", "0-60", "older settings", b"0", degraded=False, run_id="run-1")
    ledger.mark("other", "0-60", "f", b"2", degraded=False, run_id="run-1")
    ledger.conclude("rec", "f", {"outcome": "scanned"}, degraded=False, run_id="run-1")
    assert ledger.concluded("rec", "f", run_id="run-1") == {"outcome": "scanned"}
    assert ledger.concluded("rec", "older settings", run_id="run-1") is None
    assert ledger.done("rec", "0-60", "f", run_id="run-1") is None
    assert ledger.done("rec", "0-60", "older settings", run_id="run-1") is None
    assert ledger.done("other", "0-60", "f", run_id="run-1") == b"2"


def test_a_degraded_conclusion_does_not_count_for_the_next_run(ledger: Ledger) -> None:
    ledger.conclude("rec", "f", {"outcome": "scanned"}, degraded=True, run_id="run-1")
    assert ledger.concluded("rec", "f", run_id="run-1") == {"outcome": "scanned"}
    ledger.begin_run("run-2", at=AT, actor="a", command="c")
    assert ledger.concluded("rec", "f", run_id="run-2") is None
    ledger.conclude("rec", "f", {"outcome": "scanned", "again": True}, degraded=False, run_id="run-2")
    ledger.begin_run("run-3", at=AT, actor="a", command="c")
    assert ledger.concluded("rec", "f", run_id="run-3") == {"outcome": "scanned", "again": True}


def test_an_overtaken_run_writes_nothing_more(ledger: Ledger, folder: Path) -> None:
    late = Ledger.open(folder, KEY)
    ledger.begin_run("run-2", at=AT, actor="a", command="c")
    for write in (
        lambda: late.mark("rec", "0-60", "f", b"1", degraded=False, run_id="run-1"),
        lambda: late.conclude("rec", "f", {}, degraded=False, run_id="run-1"),
        lambda: late.report(0, {}, run_id="run-1"),
        lambda: late.register(recording(), sha256=READ, facts={}, run_id="run-1", at=AT),
        lambda: late.finish_run("run-1", {}, at=AT, complete=True),
    ):
        with pytest.raises(FencedError, match="run-1 was overtaken"):
            write()
    late.close()
    assert ledger.done("rec", "0-60", "f", run_id="run-2") is None
    assert ledger.concluded("rec", "f", run_id="run-2") is None
    assert ledger.run_recordings("run-1") == ()
    assert list(ledger.ordinary.list(Wanted())) == []
    assert ledger.run("run-1").finished_at is None


def test_runs_are_listed_with_what_they_said_of_each_recording(ledger: Ledger) -> None:
    ledger.report(1, {"uri": "b", "outcome": "unreadable"}, run_id="run-1")
    ledger.report(0, {"uri": URI, "outcome": "scanned"}, run_id="run-1")
    ledger.finish_run("run-1", {"recordings": 2}, at=AT + timedelta(seconds=5), complete=True)
    ledger.begin_run("run-2", at=AT + timedelta(seconds=9), actor="os:tester(1)", command="scan again")
    newest, first = ledger.runs()
    assert (newest.run_id, newest.finished_at, newest.complete) == ("run-2", None, False)
    assert (first.command, first.actor, first.started_at) == ("scan", "os:tester(1)", AT)
    assert (first.finished_at, first.complete, first.totals) == (AT + timedelta(seconds=5), True, {"recordings": 2})
    assert [r["uri"] for r in ledger.run_recordings("run-1")] == [URI, "b"]
    with pytest.raises(ConfigError, match="no run run-9"):
        ledger.run("run-9")


def test_signals_that_no_run_came_back_for_are_forgotten_after_a_week(ledger: Ledger) -> None:
    ledger.mark("rec", "0-60", "f", b"1", degraded=False, run_id="run-1")
    soon, late = AT + timedelta(days=1), AT + CHUNKS_KEPT + timedelta(days=1)
    ledger.begin_run("run-2", at=soon, actor="a", command="c")
    ledger.finish_run("run-2", {}, at=soon, complete=False)
    assert ledger.done("rec", "0-60", "f", run_id="run-2") == b"1"
    ledger.begin_run("run-3", at=late, actor="a", command="c")
    ledger.finish_run("run-3", {}, at=late, complete=True)
    assert ledger.done("rec", "0-60", "f", run_id="run-3") is None


def test_a_run_of_more_than_a_week_that_is_stopped_keeps_what_it_did(ledger: Ledger) -> None:
    ledger.mark("rec", "0-60", "f", b"1", degraded=False, run_id="run-1")
    ledger.finish_run("run-1", {}, at=AT + CHUNKS_KEPT + timedelta(days=1), complete=False)
    assert ledger.done("rec", "0-60", "f", run_id="run-1") == b"1"


def test_nothing_in_the_folder_names_an_account_a_uri_or_a_command(ledger: Ledger, folder: Path) -> None:
    ledger.begin_run("run-2", at=AT, actor="os:canary-actor(0)", command=f"scan {URI} canary-command")
    ledger.register(recording(), sha256=READ, facts={"note": "canary-fact"}, run_id="run-2", at=AT)
    ledger.mark("rec", "0-60", "f", b"canary-signal", degraded=False, run_id="run-2")
    ledger.report(0, {"uri": URI, "reason": "canary-reason"}, run_id="run-2")
    for _ in range(2):  # before and after the write-ahead log is emptied
        stored = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
        assert b"canary" not in stored
        assert ACCOUNT.encode() not in stored
        ledger.finish_run("run-2", {"name": "canary-total"}, at=AT, complete=True)
    assert (folder / f"{FILE}-wal").stat().st_size == 0


def test_a_concluded_recording_leaves_not_even_sealed_signals_behind(ledger: Ledger, folder: Path) -> None:
    ledger.mark("rec", "0-60", "f", b"x" * 50_000, degraded=False, run_id="run-1")
    with sqlite3.connect(folder / FILE) as raw:
        (sealed,) = raw.execute("SELECT sealed FROM chunks").fetchone()
    raw.close()
    ledger.conclude("rec", "f", {}, degraded=False, run_id="run-1")
    ledger.finish_run("run-1", {}, at=AT, complete=True)
    stored = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    assert not any(sealed[i : i + 64] in stored for i in range(0, len(sealed) - 64, 512))


def test_another_key_is_refused_and_so_is_a_short_one(ledger: Ledger, folder: Path) -> None:
    with pytest.raises(ConfigError, match="another recordings key"):
        Ledger.open(folder, bytes(32))
    with pytest.raises(ConfigError, match="31 bytes"):
        Ledger.open(folder, bytes(31))


def test_a_file_of_a_newer_program_is_refused_in_one_sentence(ledger: Ledger, folder: Path) -> None:
    ledger.close()
    with sqlite3.connect(folder / FILE) as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()
    with pytest.raises(ConfigError, match=r"newer watchkeep \(version 99.*update watchkeep"):
        Ledger.open(folder, KEY)


def test_a_file_that_is_no_database_is_named(folder: Path) -> None:
    folder.mkdir()
    (folder / FILE).write_bytes(b"not a database at all " * 100)
    with pytest.raises(IntegrityError, match=r"recordings\.db is damaged"):
        Ledger.open(folder, KEY)


@pytest.mark.parametrize("change", ["UPDATE chunks SET sealed = zeroblob(40)", "UPDATE chunks SET chunk = 'moved'"])
def test_an_altered_or_moved_result_is_never_used(ledger: Ledger, folder: Path, change: str) -> None:
    ledger.mark("rec", "0-60", "f", b"1", degraded=False, run_id="run-1")
    with sqlite3.connect(folder / FILE) as raw:
        raw.execute(change)
    raw.close()
    with pytest.raises(IntegrityError, match="does not open"):
        ledger.done("rec", "moved" if "moved" in change else "0-60", "f", run_id="run-1")
