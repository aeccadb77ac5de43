"""Preservation: ordinary content in the vault for a hold, once, whole, apart from scans and from orphans."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import timedelta

import pytest

from pipeline.core.decision import Review
from pipeline.core.errors import DisclosureError, KeyDestroyedError, SealError, TransitionError, WatchkeepError
from pipeline.core.evidence import Draft, Kind, Party
from pipeline.core.retention import PRESERVATION, RequestKind
from pipeline.vault.disclose import DevelopmentGrant
from pipeline.vault.holds import SEALED_ACT, Holds
from pipeline.vault.preserve import CATEGORY, Preserver
from pipeline.vault.requests import Requests
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import BY, DAY, NOW, destroy, entries, hold_on, last, release, row
from tests.unit.vault.conftest import Place, draft, drafts, incident, recording, seal_one, span

BODY = b"CANARY-ORIGINAL-" + bytes(range(256)) * 64


def pieces(count: int = 3, body: bytes = BODY) -> Iterator[Draft]:
    for i in range(count):
        yield draft(span(i, i + 1), kind=Kind.ORIGINAL, body=body)
    yield draft(span(0, 1), kind=Kind.CHAT, body=b"canary-chat")
    yield draft(span(0, 1), kind=Kind.CONNECTION, party=Party.COUNTERPART, body=b"canary-connection")


def preserve(vault: Vault, hold_id: str, number: int = 0) -> str:
    return Preserver(vault.parts).preserve(
        hold_id, recording(number), pieces(), account="canary-account", counterpart="canary-other", by=BY
    )


@pytest.fixture
def hold_id(vault: Vault) -> str:
    return hold_on(vault, [])


def test_what_an_order_names_is_sealed_as_an_incident_of_its_own_under_its_hold(
    vault: Vault, hold_id: str, place: Place
) -> None:
    found = preserve(vault, hold_id)
    now = row(vault, found)
    assert (now["category"], now["origin"], now["review"]) == (CATEGORY, "order", Review.NOT_NEEDED.value)
    assert (now["retention_class"], now["custody"], now["restricted"]) == (PRESERVATION, "active", True)
    assert (now["legal_basis"], now["jurisdiction"]) == ("LEGIT_INTEREST", "NL")
    view = vault.incident(found)
    assert (view.span, view.findings) == (span(0, 3), ())
    kinds = [(r.kind, r.party, r.retention_class) for r in view.records]
    assert kinds.count((Kind.ORIGINAL, Party.SUBJECT, PRESERVATION)) == 3
    assert len({r.key_id for r in view.records}) == 2
    assert [v.incidents for v in Holds(vault.parts).all(legal=False)] == [(found,)]
    asked = Requests(vault.parts)
    assert asked.incidents_of("canary-account") == ((found, Party.SUBJECT),)
    assert asked.incidents_of("canary-other") == ((found, Party.COUNTERPART),)
    assert vault.verify().problems == ()
    assert not vault.orphans()
    for path in place.root.rglob("*"):
        assert not path.is_file() or b"CANARY-ORIGINAL" not in path.read_bytes(), path


def test_what_was_preserved_is_restricted(vault: Vault, hold_id: str) -> None:
    found = preserve(vault, hold_id)
    record = vault.incident(found).records[0].record_id
    with pytest.raises(DisclosureError, match="restricted"):
        vault.open_evidence(record, actor=BY, reason="curious", grant=DevelopmentGrant(mode="development"))


def test_i10_preserving_twice_is_preserving_once_for_each_hold(vault: Vault, hold_id: str, place: Place) -> None:
    found, before = preserve(vault, hold_id), last(vault)
    assert preserve(vault, hold_id) == found
    assert (last(vault), len(place.files())) == (before, 1)
    assert preserve(vault, hold_on(vault, [])) != found
    assert preserve(vault, hold_id, number=1) != found


def test_no_scan_fences_a_preservation_off_and_none_disturbs_a_scan(vault: Vault, hold_id: str) -> None:
    of = recording()
    seal_one(vault, of, [(incident(of, span(1, 2)), drafts(span(1, 2)))])

    def between() -> Iterator[tuple[object, object]]:
        preserve(vault, hold_id)
        yield incident(of, span(1, 9), rule="other"), (draft(span(8, 9)),)

    ids = seal_one(vault, of, between(), conclusion="c2")  # type: ignore[arg-type]
    assert len(vault.incidents()) == 2
    vault.begin_run("run-2", "os:ada(1000)")
    preserve(vault, hold_id, number=1)
    assert row(vault, ids[0])["origin"] == "auto_detect"
    assert vault.verify().problems == ()


def test_a_scan_never_joins_what_was_preserved(vault: Vault, hold_id: str) -> None:
    kept, of = preserve(vault, hold_id), recording()
    (found,) = seal_one(vault, of, [(incident(of, span(1, 2), category=CATEGORY), drafts(span(1, 2)))])
    assert found != kept
    assert row(vault, kept)["revision"] == 1


def test_a_hold_that_ended_before_or_meanwhile_preserves_nothing(vault: Vault, hold_id: str) -> None:
    def meanwhile() -> Iterator[Draft]:
        yield from pieces()
        release(vault, hold_id)

    with pytest.raises(TransitionError, match="ended"):
        Preserver(vault.parts).preserve(hold_id, recording(), meanwhile(), account="a", by=BY)
    assert vault.incidents() == ()
    with pytest.raises(TransitionError, match="ended"):
        preserve(vault, hold_id)
    with pytest.raises(WatchkeepError, match="there is no hold feed"):
        preserve(vault, "feed")


def test_what_a_crash_leaves_is_an_orphan_that_is_found_and_removed(vault: Vault, hold_id: str, place: Place) -> None:
    def cut() -> Iterator[Draft]:
        yield from pieces()
        release(vault, hold_id)  # so that the commit is refused, as it is when the power goes

    with pytest.raises(TransitionError):
        Preserver(vault.parts).preserve(hold_id, recording(), cut(), account="a", by=BY)
    (name,) = (path.relative_to(place.home / "vault").as_posix() for path in place.files())
    found = vault.orphans()
    assert (found.files, found.newer) == ((name,), ())
    assert vault.verify().problems == ()
    removed = vault.remove_orphans()
    assert set(removed.keys) == set(found.keys) and "holds" not in removed.keys
    assert (place.files(), bool(vault.orphans())) == ([], False)
    assert Holds(vault.parts).all(legal=False)[0].reference == "canary-reference"


def test_what_was_preserved_and_destroyed_is_not_called_kept(vault: Vault, place: Place) -> None:
    hold_id = hold_on(vault, [], until=NOW + DAY)
    found = preserve(vault, hold_id)
    destroy(vault, found)
    with pytest.raises(KeyDestroyedError, match=found):
        preserve(vault, hold_id)
    place.clock.at += timedelta(days=2)
    with pytest.raises(TransitionError, match="ended"):
        preserve(vault, hold_id)


def test_nothing_is_not_preserved_and_no_piece_is_lost_to_another_in_its_place(vault: Vault, hold_id: str) -> None:
    preserver = Preserver(vault.parts)
    with pytest.raises(SealError, match="nothing"):
        preserver.preserve(hold_id, recording(), [], account="canary-account", by=BY)
    twice = [draft(span(0, 1), kind=Kind.ORIGINAL), draft(span(0, 1), kind=Kind.ORIGINAL, body=b"other")]
    with pytest.raises(ValueError, match="one place"):
        preserver.preserve(hold_id, recording(), twice, account="canary-account", by=BY)


def test_a_confidential_order_leaves_no_word_of_itself_in_entries(vault: Vault) -> None:
    hold_id = hold_on(vault, [], confidential=True)
    before = last(vault)
    preserve(vault, hold_id)
    assert {(verb, reason) for verb, _, reason in entries(vault, before)} == {(SEALED_ACT, "")}
    assert vault.verify().problems == ()


def test_what_a_confidential_order_preserved_is_hidden_until_an_open_one_keeps_it_too(
    vault: Vault, hold_id: str
) -> None:
    secret = hold_on(vault, [], confidential=True)
    one, other = preserve(vault, secret), preserve(vault, hold_id, 1)
    assert Holds(vault.parts).hidden() == {one} != {other}
    Holds(vault.parts).attach(hold_id, [one], by=BY)
    assert Holds(vault.parts).hidden() == set()


def test_an_order_is_obeyed_whatever_its_people_asked_for(vault: Vault, hold_id: str) -> None:
    for kind in (RequestKind.ERASURE, RequestKind.WITHDRAWAL):
        Requests(vault.parts).add(kind, "canary-account", received_at=NOW, due_at=NOW, by=BY)
    assert row(vault, preserve(vault, hold_id))["restricted"] is True


def test_memory_does_not_grow_with_what_is_preserved(vault: Vault, hold_id: str) -> None:
    piece = 4 << 20

    def many(count: int) -> Iterator[Draft]:
        for i in range(count):
            yield draft(span(i, i + 1), kind=Kind.ORIGINAL, body=bytes(piece))

    peaks = []
    for number, count in ((0, 10), (1, 40)):
        tracemalloc.start()
        Preserver(vault.parts).preserve(hold_id, recording(number), many(count), account="a", by=BY)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 2 * piece
