"""The rows of what the platform ordinarily holds: written by a scan, found by name, dropped with all that hangs on.

Works within its caller's transaction, and refuses to know why a recording is looked for or why it goes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, select
from sqlalchemy.dialects.sqlite import insert

from pipeline.core.clock import utc_parse, utc_text
from pipeline.core.recording import Recording
from pipeline.recordings.cipher import Cipher
from pipeline.recordings.codec import from_json, recalled, to_json
from pipeline.recordings.held import Held, Key, Read, Wanted, described, names_of
from pipeline.recordings.originals import Original, absolute, noted, place_of
from pipeline.recordings.tables import chunks, conclusions, found_by, held, report_links, reports

FORM = 2
"""1 is what older programs sealed: uris, session, stream, and people without their connections."""

_REPLACES = {Read.WHOLE: tuple(Read), Read.PART: (Read.NONE,), Read.NONE: ()}


class Holdings:
    """The tables `held` and `found_by`, under the recordings key."""

    def __init__(self, cipher: Cipher) -> None:
        self._cipher = cipher

    def name(self, recording: Recording) -> bytes:
        """What the recording is called, whatever it holds: session, stream and first uri, blinded."""
        said = [recording.session_id, recording.stream_id, absolute(recording.uri)]
        return self._cipher.blind("name", json.dumps(said))

    def unread_id(self, recording: Recording) -> str:
        """A recording_id for what nobody may read: of its name, since its content is not known."""
        return self._cipher.blind("unread", self.name(recording).hex()).hex()[:32]

    def note(
        self,
        connection: Connection,
        recording: Recording,
        sha256: Sequence[str],
        facts: Mapping[str, Any],
        *,
        run_id: str,
        at: datetime,
    ) -> None:
        """Write down or refresh `recording`; `sha256` has the digest of each part, "" where it was not read.

        What an earlier run held under the same name goes, unless less could be read now. What could not be read at all
        is written down only where a manifest described it and nothing of that name is held.
        """
        read = Read.WHOLE if all(sha256) else Read.PART if any(sha256) else Read.NONE
        key = (recording.recording_id, self._cipher.blind("uri", absolute(recording.uri)))
        name = self.name(recording)
        namesakes = connection.execute(
            select(held.c.recording_id, held.c.uri_mac, held.c.run_id, held.c.read).where(held.c.name_mac == name)
        ).all()
        others = [row for row in namesakes if (row.recording_id, row.uri_mac) != key]
        if read is Read.NONE and (others or not described(recording)):
            return
        for row in others:
            if row.run_id != run_id and Read(row.read) in _REPLACES[read]:
                self.drop(connection, (row.recording_id, row.uri_mac))
        originals = [noted(part.uri, digest) for part, digest in zip(recording.parts, sha256, strict=True)]
        self._put(connection, key, recording, originals, facts, name_mac=name, run_id=run_id, read=read.value, at=at)

    def _put(
        self,
        connection: Connection,
        key: Key,
        recording: Recording,
        originals: Sequence[Original],
        facts: Mapping[str, Any],
        *,
        at: datetime,
        **columns: object,
    ) -> None:
        known = connection.scalar(select(held.c.registered_at).where(_is(key)))
        first = at if known is None else utc_parse(known)
        began = first if recording.started_at is None else min(recording.started_at, first)
        body = {
            "recording": to_json(recording),
            "originals": [asdict(original) for original in originals],
            "facts": dict(facts),
        }
        fresh = {
            **columns,
            "registered_at": utc_text(first),
            "counts_from": utc_text(began),
            "form": FORM,
            "sealed": self._cipher.seal_json(body, "held", key[0], key[1].hex()),
        }
        row = insert(held).values(recording_id=key[0], uri_mac=key[1], **fresh)
        connection.execute(row.on_conflict_do_update(set_=fresh))
        connection.execute(delete(found_by).where(_is(key, found_by)))
        macs = {self._cipher.blind(kind, text) for kind, text in names_of(recording)}
        macs |= {self._at(file) for file in (*originals, *([noted(recording.chat)] if recording.chat else ()))}
        rows = [{"mac": mac, "recording_id": key[0], "uri_mac": key[1]} for mac in sorted(macs)]
        connection.execute(insert(found_by), rows)

    def _at(self, file: Original) -> bytes:
        return self._cipher.blind("place", file.place)

    def keys(self, connection: Connection, wanted: Wanted) -> tuple[Key, ...]:
        """The rows that meet `wanted`, those whose time began first in front."""
        rows = select(held.c.recording_id, held.c.uri_mac).where(*self._meets(wanted))
        ordered = rows.order_by(held.c.counts_from, held.c.recording_id, held.c.uri_mac)
        return tuple((row.recording_id, row.uri_mac) for row in connection.execute(ordered))

    def _meets(self, wanted: Wanted) -> Iterable[ColumnElement[bool]]:
        for kind, text in wanted.names():
            same = and_(found_by.c.recording_id == held.c.recording_id, found_by.c.uri_mac == held.c.uri_mac)
            yield exists().where(same, found_by.c.mac == self._cipher.blind(kind, text))
        if wanted.recording:
            yield held.c.recording_id.startswith(wanted.recording, autoescape=True)
        if wanted.before is not None:
            yield held.c.counts_from <= utc_text(wanted.before)

    def open(self, connection: Connection, key: Key) -> Held | None:
        """One row, or None if it is gone."""
        row = connection.execute(select(held).where(_is(key))).one_or_none()
        if row is None:
            return None
        if row.form == 1:
            body = self._cipher.open_json(row.sealed, "registered", key[0])
            began = row.counts_from if row.counts_from < row.registered_at else None
            files = [asdict(Original(uri=absolute(p["uri"]), place=place_of(p["uri"]))) for p in body["parts"]]
            body = {"recording": recalled(key[0], body, began), "originals": files, "facts": body["facts"]}
        else:
            body = self._cipher.open_json(row.sealed, "held", key[0], key[1].hex())
        return Held(
            key=key,
            recording=from_json(body["recording"]),
            read=Read(row.read),
            registered_at=utc_parse(row.registered_at),
            counts_from=utc_parse(row.counts_from),
            originals=tuple(Original(**o) for o in body["originals"]),
            facts=body["facts"],
        )

    def sharing(self, connection: Connection, file: Original) -> set[Key]:
        """The rows that name `file`; those that an older program wrote only if it is their first."""
        named = select(found_by.c.recording_id, found_by.c.uri_mac).where(found_by.c.mac == self._at(file))
        old = select(held.c.recording_id, held.c.uri_mac).where(
            held.c.uri_mac == self._cipher.blind("uri", file.uri), held.c.form == 1
        )
        return {(row.recording_id, row.uri_mac) for rows in (named, old) for row in connection.execute(rows)}

    def drop(self, connection: Connection, key: Key) -> None:
        """Forget one row and its look-ups; with the last row of its content also what scans made of that."""
        connection.execute(delete(held).where(_is(key)))
        connection.execute(delete(found_by).where(_is(key, found_by)))
        if not connection.scalar(select(exists().where(held.c.recording_id == key[0]))):
            for table in (chunks, conclusions):
                connection.execute(delete(table).where(table.c.recording_id == key[0]))

    def drop_reports(self, connection: Connection, recording: Recording) -> None:
        """Forget every report, of any run, that speaks of `recording`."""
        spoken = select(report_links.c.run_id, report_links.c.position)
        rows = connection.execute(spoken.where(report_links.c.name_mac == self.name(recording))).all()
        for table in (reports, report_links):
            for row in rows:
                one = (table.c.run_id == row.run_id, table.c.position == row.position)
                connection.execute(delete(table).where(*one))


def _is(key: Key, table: Any = held) -> ColumnElement[bool]:
    return and_(table.c.recording_id == key[0], table.c.uri_mac == key[1])
