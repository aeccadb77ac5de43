"""Preservation: ordinary content copied into the vault because an order names a person.

The hold was placed before, and is the intent: what a crash leaves in between is known by it. No run fences a
preservation off; the removal of orphans waits for it. Refuses to know which content an order means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import Any

from sqlalchemy import insert

from pipeline.core.clock import utc_text
from pipeline.core.decision import Action, Incident, PolicyRef, Review, Severity
from pipeline.core.errors import SealError
from pipeline.core.evidence import Draft, Party
from pipeline.core.ids import keyed_id
from pipeline.core.media import Span
from pipeline.core.recording import UNKNOWN, Participant, Recording
from pipeline.core.retention import PRESERVATION
from pipeline.vault import tables
from pipeline.vault.audit import Act
from pipeline.vault.catalog_rows import ORDERED, Conclusion, conclusion_row, incident_row
from pipeline.vault.commit import add_file, concluded, many
from pipeline.vault.disk import locked
from pipeline.vault.holds import SEALED_ACT, active_hold, hold_entry
from pipeline.vault.involved import involve
from pipeline.vault.orphans import PRESERVING, fresh_file_id, hold_run
from pipeline.vault.parts import Parts
from pipeline.vault.seal import Before, Sealing
from pipeline.vault.states import state_of
from pipeline.vault.store import store_file
from pipeline.vault.tables_keeping import hold_item
from pipeline.vault.touch import prove_alive

CATEGORY = "preservation"
"""The category of what is kept by order; no policy finds it."""

_NO_POLICY = PolicyRef(name=UNKNOWN, version=UNKNOWN, sha256=UNKNOWN)


class Preserver:
    """Seals ordinary content for a hold that was placed before."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def preserve(
        self,
        hold_id: str,
        recording: Recording,
        drafts: Iterable[Draft],
        *,
        account: str,
        by: str,
        counterpart: str = UNKNOWN,
    ) -> str:
        """Seal `drafts`, taken one by one, as an incident under a hold; its id. Twice for one recording is once.

        `account` is whose data those of Party.SUBJECT are, `counterpart` the account of Party.COUNTERPART's. The
        incident is restricted: it is nobody's to review. Raises TransitionError if the hold has ended,
        KeyDestroyedError if it was preserved and destroyed since, SealError if nothing was sealed.
        """
        parts = self._parts
        said = Conclusion(
            conclusion_id=keyed_id(parts.installation_key, "preservation", hold_id, recording.recording_id),
            run_id=hold_run(hold_id),
            recording=recording,
            counterpart=None,
            policy=_NO_POLICY,
            degraded=(),
            installation_key=parts.installation_key,
            origin=ORDERED,
            retention_class=PRESERVATION,
        )
        people = {Party.SUBJECT: _known(account), Party.COUNTERPART: _known(counterpart)}
        with locked(parts.catalog.path.parent / PRESERVING):
            now = parts.clock.now()
            at = utc_text(now)
            kept = _kept(said, account, now)
            with parts.catalog.read() as tx:
                active_hold(tx, hold_id, at)
                if concluded(tx, said.conclusion_id) is not None:
                    prove_alive(tx, parts.keys, [kept.incident_id])
                    return kept.incident_id
            file_id = fresh_file_id(parts.installation_key, said.run_id)
            was = Before(standings=(), records=frozenset(), keys={})
            sealing = Sealing(said, keys=parts.keys, before=was, merge_gap_ns=0, file_id=file_id, at=at)
            rows = sealing.rows([(kept, _once_each(drafts))])
            file = store_file(parts.blobs, parts.keys, rows, said, file_id=file_id, at=at)
            if file is None:
                raise SealError(f"recording {recording.recording_id} holds nothing that could be preserved")
            with parts.journal.act(by) as act:
                _commit(act, hold_id, said, kept, sealing, file, people)
        return kept.incident_id


def _commit(
    act: Act,
    hold_id: str,
    said: Conclusion,
    kept: Incident,
    sealing: Sealing,
    file: Mapping[str, Any],
    people: Mapping[Party, frozenset[str]],
) -> None:
    """All rows of a preservation and its place under the hold; TransitionError if that ended meanwhile."""
    sealed = active_hold(act.tx, hold_id, act.at).confidential

    def verb(plain: str) -> str:
        return SEALED_ACT if sealed else plain

    act.tx.execute(insert(tables.conclusion), conclusion_row(said, (kept.incident_id,), act.at))
    many(act.tx, tables.key_ref, sealing.new_keys)
    add_file(act, file, said.conclusion_id, verb("file.seal"))
    spans = [Span(start_ns=r["start_ns"], end_ns=r["end_ns"]) for r in sealing.records]  # type: ignore[arg-type]
    whole = replace(kept, span=reduce(Span.hull, spans))
    act.tx.execute(insert(tables.incident), incident_row(said, whole, act.at))
    many(act.tx, tables.evidence_record, sealing.records)
    involve(act, said.installation_key, kept.incident_id, people)
    act.tx.execute(insert(hold_item), {"hold_id": hold_id, "incident_id": kept.incident_id})
    reason = "" if sealed else hold_id
    for what, subject in (("incident", kept.incident_id), ("conclusion", said.conclusion_id)):
        named = f"{what}:{subject}"
        act.record(verb(f"{what}.preserve"), named, reason=reason, after=state_of(act.tx, named))
    hold_entry(act, hold_id, "hold.attach", sealed=sealed)


def _kept(said: Conclusion, account: str, now: datetime) -> Incident:
    """The incident of a preservation; its span is known once everything was sealed."""
    recording = said.recording
    shown = [p for p in recording.participants if p.account == account and account != UNKNOWN]
    person = shown[0] if len(shown) == 1 else Participant(handle=UNKNOWN)
    return Incident(
        incident_id=keyed_id(said.installation_key, "incident", said.conclusion_id),
        recording_id=recording.recording_id,
        session_id=recording.session_id,
        stream_id=recording.stream_id,
        participant=person.handle,
        identity=person.identity,
        category=CATEGORY,
        severity=Severity.LOW,
        action=Action.RECORD,
        span=Span(start_ns=0, end_ns=1),
        findings=(),
        opened_at=now,
        review=Review.NOT_NEEDED,
        restricted=True,
    )


def _known(account: str) -> frozenset[str]:
    return frozenset({account} - {UNKNOWN})


def _once_each(drafts: Iterable[Draft]) -> Iterator[Draft]:
    """`drafts`, of which no two may be in the same place: sealing takes the second one for the first one again."""
    seen: set[tuple[str, str, str, str]] = set()
    for draft in drafts:
        place = (draft.kind.value, draft.party.value, draft.stream, draft.position)
        if place in seen:
            raise ValueError(f"two drafts of a preservation are in one place: {place}")
        seen.add(place)
        yield draft
