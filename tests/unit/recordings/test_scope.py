"""What an order to preserve finds: all of the person, nothing of others, and doubt is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.recordings.held import Wanted
from pipeline.recordings.ledger import Ledger
from pipeline.recordings.scope import UNKNOWN_LENGTH, UNKNOWN_START
from tests.unit.recordings.conftest import AT
from tests.unit.recordings.shelf import Shelf

MINUTE = timedelta(minutes=1)


@pytest.fixture
def shelf(ledger: Ledger, tmp_path: Path) -> Shelf:
    return Shelf(ledger, tmp_path / "media")


def test_everything_of_the_person_is_in_scope_as_the_manifest_gave_it(shelf: Shelf) -> None:
    chat = str(shelf.folder / "chat.jsonl")
    ann = shelf.scan(shelf.recording(shelf.file("a"), shelf.file("b"), chat=chat, managed=False))
    shelf.scan(shelf.recording(shelf.file("c"), account="ben"))
    for names in ({"account": "ann"}, {"participant": "h-ann"}):
        (found,) = shelf.ordinary.in_scope(begin=None, end=None, **names)
        assert found.recording == ann and found.doubt == ""
        assert found.recording.chat == chat and found.recording.participants[0].connection.ip == "203.0.113.7"
        assert [(o.uri, o.size, len(o.sha256)) for o in found.originals] == [(p.uri, 1, 64) for p in ann.parts]


@pytest.mark.parametrize(
    ("start", "end", "within"),
    [
        (AT, AT + MINUTE, True),
        (AT + 1.5 * MINUTE, AT + 9 * MINUTE, True),
        (AT - MINUTE, AT, False),
        (AT + 2.1 * MINUTE, None, False),
        (None, AT - MINUTE, False),
        (AT - MINUTE, AT + MINUTE / 60, True),
    ],
    ids=["whole", "its end", "before", "after", "open and before", "its beginning"],
)
def test_a_recording_is_in_scope_if_any_moment_of_it_is(shelf: Shelf, start, end, within: bool) -> None:  # type: ignore[no-untyped-def]
    shelf.scan(shelf.recording(shelf.file("a"), shelf.file("b")))  # two parts of a minute
    assert bool(list(shelf.ordinary.in_scope(account="ann", begin=start, end=end))) is within


def test_an_uncertain_clock_widens_the_time(shelf: Shelf) -> None:
    shelf.scan(replace(shelf.recording(shelf.file("a")), clock_uncertainty_ms=120_000))
    assert list(shelf.ordinary.in_scope(account="ann", begin=None, end=AT - MINUTE))
    assert list(shelf.ordinary.in_scope(account="ann", begin=AT + 2.5 * MINUTE, end=None))
    assert not list(shelf.ordinary.in_scope(account="ann", begin=None, end=AT - 3 * MINUTE))


def test_doubt_counts_as_in_scope_and_is_said(shelf: Shelf) -> None:
    shelf.scan(shelf.recording(shelf.file("a"), started_at=None))
    shelf.scan(shelf.recording(shelf.file("b"), started_at=AT), unread=True)
    shelf.scan(shelf.recording(shelf.file("c"), started_at=AT - timedelta(days=3)), unread=True)
    found = {
        f.recording.uri[-1]: f.doubt for f in shelf.ordinary.in_scope(account="ann", begin=AT + 5 * MINUTE, end=None)
    }
    assert found == {"a": UNKNOWN_START, "b": UNKNOWN_LENGTH}


def test_the_scope_is_a_snapshot(shelf: Shelf) -> None:
    shelf.scan(shelf.recording(shelf.file("a")))
    found = shelf.ordinary.in_scope(account="ann", begin=None, end=None)
    shelf.scan(shelf.recording(shelf.file("b")))
    shelf.ordinary.delete(Wanted(stream="stream-a"), now=AT)
    assert [f.recording.stream_id for f in found] == ["stream-a"]


def test_an_order_that_names_nobody_is_a_fault_of_the_program(shelf: Shelf) -> None:
    with pytest.raises(ValueError, match="names an account"):
        shelf.ordinary.in_scope(begin=None, end=None)
