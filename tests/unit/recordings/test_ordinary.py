"""What ordinary deletion promises: all of it goes, and nothing else; no crash loses track of a file."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.core.recording import Participant
from pipeline.recordings.fates import ANEW, CHAT, OURS, SHARED, TOLD_KEPT, YOURS
from pipeline.recordings.held import Read, Wanted
from pipeline.recordings.ledger import Ledger
from pipeline.recordings.originals import GONE
from tests.unit.recordings.conftest import AT
from tests.unit.recordings.shelf import Shelf

ANN = Wanted(account="ann")


@pytest.fixture
def shelf(ledger: Ledger, tmp_path: Path) -> Shelf:
    return Shelf(ledger, tmp_path / "media")


def rows(folder: Path, table: str) -> int:
    with sqlite3.connect(folder / "recordings.db") as raw:
        count: int = raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
    raw.close()
    return count


def test_a_recording_goes_with_its_results_its_reports_and_its_managed_file(shelf: Shelf, folder: Path) -> None:
    ann, ben = shelf.file("ann.mp4"), shelf.file("ben.mp4")
    first, second = shelf.scan(shelf.recording(ann)), shelf.scan(shelf.recording(ben, account="ben"))
    shelf.report(0, first)
    shelf.report(1, second)
    done = shelf.ordinary.delete(ANN, now=AT)
    assert (done.recordings, done.removed, done.told, done.waiting, done.emptied) == (1, 1, (), (), True)
    assert not ann.exists() and ben.exists()
    assert shelf.held() == ["ben.mp4"]
    assert [r["uri"] for r in shelf.ledger.run_recordings("run-1")] == [str(ben)]
    assert shelf.ledger.concluded(first.recording_id, "f", run_id="x") is None
    assert shelf.ledger.concluded(second.recording_id, "f", run_id="x") is not None
    assert [rows(folder, t) for t in ("held", "conclusions", "chunks", "reports", "report_links", "leaving")] == [
        1, 1, 1, 1, 1, 0,
    ]  # fmt: skip


def test_no_trace_of_a_deleted_recording_stays_in_the_folder_not_even_sealed(shelf: Shelf, folder: Path) -> None:
    known = shelf.scan(shelf.recording(shelf.file("ann.mp4")))
    shelf.report(0, known)
    shelf.ledger.roll.enlist("run-1", [known])
    tables = ("held", "conclusions", "chunks", "reports", "enlisted")
    with sqlite3.connect(folder / "recordings.db") as raw:
        traces = [raw.execute(f"SELECT sealed FROM {t}").fetchone()[0][:48] for t in tables]  # noqa: S608
        traces += [raw.execute("SELECT mac FROM found_by").fetchone()[0], known.recording_id.encode()]
    raw.close()
    stored = b"".join(p.read_bytes() for p in folder.iterdir())
    assert all(trace in stored for trace in traces)
    assert shelf.ordinary.delete(ANN, now=AT).emptied
    stored = b"".join(p.read_bytes() for p in folder.iterdir())
    assert not any(trace in stored for trace in traces)


def test_what_the_platform_manages_itself_is_told_and_stays(shelf: Shelf, folder: Path) -> None:
    path = shelf.file("ann.mp4")
    shelf.scan(shelf.recording(path, managed=False))
    done = shelf.ordinary.delete(ANN, now=AT)
    assert [(t.uri, t.why) for t in done.told] == [(str(path), YOURS)] and path.exists()
    assert shelf.ordinary.told() == done.told
    assert str(path).encode() not in b"".join(p.read_bytes() for p in folder.iterdir())
    shelf.ordinary.finish(now=AT + TOLD_KEPT + timedelta(days=1))
    assert shelf.ordinary.told() == ()


def test_a_plan_changes_nothing_and_says_the_fate_of_each_file(shelf: Shelf) -> None:
    chat = shelf.file("chat.jsonl")
    one, two = shelf.file("one.mp4"), shelf.file("two.mp4")
    shelf.scan(shelf.recording(one, two, chat=str(chat)))
    shelf.scan(shelf.recording(two, account="ben"))
    ((held, fates),) = shelf.ordinary.plan(ANN)
    assert held.recording.uri == str(one)
    assert [(f.uri, f.removes, f.why) for f in fates] == [
        (str(one), True, OURS), (str(two), False, SHARED), (str(chat), False, CHAT)
    ]  # fmt: skip
    assert one.exists() and shelf.held(account="ann") == ["one.mp4"]
    both = [f.why for _, fates in shelf.ordinary.plan(Wanted()) for f in fates]
    assert both.count(OURS) == 2 and both.count(SHARED) == 1


def test_a_file_of_two_recordings_goes_with_the_last_of_them(shelf: Shelf, tmp_path: Path) -> None:
    both = shelf.file("both.mp4")
    (tmp_path / "other way").symlink_to(shelf.folder)
    shelf.scan(shelf.recording(both))
    shelf.scan(replace(shelf.recording(tmp_path / "other way" / "both.mp4", account="ben"), session_id="s2"))
    assert shelf.ordinary.delete(ANN, now=AT).removed == 0 and both.exists()
    assert shelf.ordinary.delete(Wanted(account="ben"), now=AT).removed == 1 and not both.exists()


def test_a_file_that_was_changed_replaced_or_led_elsewhere_is_told_and_stays(shelf: Shelf, tmp_path: Path) -> None:
    names = ("longer", "other", "link", "folder", "gone", "unread", "moved")
    files = {name: shelf.file(name) for name in names}
    far = tmp_path / "far"
    far.mkdir()
    moved = shelf.folder / "sub"
    moved.mkdir()
    files["moved"] = moved / "moved"
    files["moved"].write_bytes(b"moved")
    for name, path in files.items():
        shelf.scan(shelf.recording(path), unread=name == "unread")
    files["longer"].write_bytes(b"longer than it was")
    files["other"].write_bytes(b"OTHER")
    kept = far / "kept"
    kept.write_bytes(b"link")
    files["link"].unlink()
    files["link"].symlink_to(kept)
    files["folder"].unlink()
    files["folder"].mkdir()
    files["gone"].unlink()
    os.utime(files["unread"])
    moved.rename(far / "sub")
    moved.symlink_to(far / "sub")
    done = shelf.ordinary.delete(ANN, now=AT)
    assert (done.removed, done.waiting) == (0, ())
    told = {Path(t.uri).name: t.why for t in done.told}
    assert told == {
        "longer": "its content changed since it was scanned",
        "other": "its content changed since it was scanned",
        "unread": "its content changed since it was scanned",
        "link": "it is no regular file any more",
        "folder": "it is no regular file any more",
        "gone": GONE,
        "moved": "its path leads over a link or a file now",
    }
    assert kept.read_bytes() == b"link" and (far / "sub" / "moved").exists() and files["folder"].is_dir()
    assert files["longer"].exists() and files["other"].exists() and files["unread"].exists()


def test_a_managed_file_that_nobody_could_read_goes_if_it_was_not_touched(shelf: Shelf) -> None:
    path = shelf.file("broken.mp4")
    shelf.scan(shelf.recording(path), unread=True)
    assert shelf.ordinary.delete(ANN, now=AT).removed == 1 and not path.exists()


def test_a_file_whose_disk_is_away_waits_and_goes_when_it_is_back(shelf: Shelf) -> None:
    path = shelf.file("ann.mp4")
    shelf.scan(shelf.recording(path))
    away = shelf.folder.rename(shelf.folder.with_name("away"))
    done = shelf.ordinary.delete(ANN, now=AT)
    assert (done.recordings, done.removed, done.told) == (1, 0, ()) and shelf.held() == []
    assert [(w.uri, "mounted" in w.why) for w in done.waiting] == [(str(path), True)]
    away.rename(shelf.folder)
    again = shelf.ordinary.finish(now=AT)
    assert (again.removed, again.waiting) == (1, ()) and not path.exists()


def test_a_file_that_was_registered_anew_before_it_was_removed_is_left_and_told(shelf: Shelf) -> None:
    path = shelf.file("ann.mp4")
    known = shelf.recording(path)
    shelf.scan(known)
    away = shelf.folder.rename(shelf.folder.with_name("away"))
    shelf.ordinary.delete(ANN, now=AT)
    away.rename(shelf.folder)
    shelf.begin("run-2")
    shelf.scan(known)
    done = shelf.ordinary.finish(now=AT)
    assert [(t.uri, t.why) for t in done.told] == [(str(path), ANEW)] and path.exists()


def test_a_deletion_goes_by_account_handle_session_stream_recording_or_age(shelf: Shelf) -> None:
    made = {
        name: shelf.scan(shelf.recording(shelf.file(name), account=name, started_at=AT - timedelta(days=age)))
        for age, name in enumerate(("a", "b", "c", "d", "e", "f"))
    }
    for wanted in (
        Wanted(account="a"),
        Wanted(participant="h-b"),
        Wanted(session="session-c"),
        Wanted(stream="stream-d"),
        Wanted(recording=made["e"].recording_id),
        Wanted(before=AT - timedelta(days=5)),
    ):
        assert shelf.ordinary.delete(wanted, now=AT).recordings == 1
    assert shelf.held() == []
    shelf.begin("run-2")
    shelf.scan(shelf.recording(shelf.file("g"), account="g"))
    assert shelf.ordinary.delete(Wanted(account="g", session="another"), now=AT).recordings == 0
    assert shelf.ordinary.delete(Wanted(account="unknown"), now=AT).recordings == 0


def test_everybody_in_a_recording_finds_it(shelf: Shelf) -> None:
    people = (Participant(handle="x", account="ann"), Participant(handle="y", account="ben"))
    shelf.scan(replace(shelf.recording(shelf.file("mixed.mp4")), participants=people))
    assert shelf.held(account="ann") == shelf.held(account="ben") == shelf.held(participant="y") == ["mixed.mp4"]


def test_time_counts_from_the_start_and_never_from_one_that_lies_ahead(shelf: Shelf) -> None:
    starts = {"past": AT - timedelta(days=9), "ahead": AT + timedelta(days=900), "unsaid": None}
    for name, start in starts.items():
        shelf.scan(shelf.recording(shelf.file(name), account=name, started_at=start))
    counted = {h.recording.participants[0].account: h for h in shelf.ordinary.list(Wanted())}
    assert {n: h.counts_from for n, h in counted.items()} == {"past": starts["past"], "ahead": AT, "unsaid": AT}
    assert counted["past"].deadline(timedelta(days=30)) == AT + timedelta(days=21)
    assert counted["past"].deadline(None) is None
    shelf.begin("run-2")
    shelf.scan(shelf.recording(shelf.folder / "unsaid", account="unsaid", started_at=None), at=AT + timedelta(days=7))
    (seen_again,) = shelf.ordinary.list(Wanted(account="unsaid"))
    assert seen_again.registered_at == seen_again.counts_from == AT


def test_a_later_manifest_corrects_who_is_in_a_recording(shelf: Shelf) -> None:
    path = shelf.file("a.mp4")
    shelf.scan(shelf.recording(path))
    shelf.begin("run-2")
    shelf.scan(shelf.recording(path, account="ben"))
    assert (shelf.held(account="ann"), shelf.held(account="ben")) == ([], ["a.mp4"])


def test_other_content_under_the_same_name_takes_the_place_of_the_old(shelf: Shelf) -> None:
    path = shelf.file("a.mp4")
    old = shelf.scan(shelf.recording(path))
    path.write_bytes(b"new content")
    shelf.begin("run-2")
    new = shelf.scan(shelf.recording(path))
    assert [h.recording.recording_id for h in shelf.ordinary.list(Wanted())] == [new.recording_id]
    assert shelf.ledger.concluded(old.recording_id, "f", run_id="x") is None
    assert shelf.ordinary.delete(ANN, now=AT).removed == 1


def test_a_file_that_is_away_for_a_moment_does_not_push_out_what_was_known_of_it(shelf: Shelf) -> None:
    path = shelf.file("a.mp4")
    known = shelf.scan(shelf.recording(path))
    shelf.begin("run-2")
    shelf.scan(shelf.recording(path), unread=True)
    (held,) = shelf.ordinary.list(Wanted())
    assert (held.read, held.recording.recording_id) == (Read.WHOLE, known.recording_id)
    assert shelf.ledger.concluded(known.recording_id, "f", run_id="x") is not None


def test_what_nobody_may_read_is_held_all_the_same_until_it_is_read(shelf: Shelf) -> None:
    path = shelf.file("a.mp4")
    shelf.ledger.register_unread(
        [shelf.recording(path), replace(shelf.recording(path), session_id="s9")], run_id="run-1", at=AT
    )
    assert [h.read for h in shelf.ordinary.list(ANN)] == [Read.NONE, Read.NONE]
    shelf.begin("run-2")
    shelf.scan(shelf.recording(path))
    assert sorted(h.read for h in shelf.ordinary.list(ANN)) == [Read.NONE, Read.WHOLE]


def test_a_file_that_nobody_described_and_nobody_can_read_is_no_recording(shelf: Shelf) -> None:
    loose = replace(
        shelf.recording(shelf.file("notes.txt"), managed=False),
        participants=(),
        session_id="unknown",
        stream_id="unknown",
    )
    shelf.scan(loose, unread=True)
    assert shelf.held() == []
    shelf.scan(loose)
    assert shelf.held() == ["notes.txt"]
