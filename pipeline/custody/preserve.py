"""Ordinary content on its way into the vault: files, chat log and connection records of a recording, piece by piece.

Memory holds one piece at a time. Refuses to know why it is preserved.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict

from pipeline.core.errors import SourceError
from pipeline.core.evidence import Draft, Kind, Party
from pipeline.core.media import Span
from pipeline.core.recording import Recording
from pipeline.ingest.regular import regular_file

PIECE_BYTES = 16 << 20
"""How much of a file one record holds."""

_MOMENT = Span(start_ns=0, end_ns=1)


def drafts_of(recording: Recording) -> Iterator[Draft]:
    """Everything that the platform stores of a recording, exactly as it is stored.

    Raises SourceError if a file cannot be read whole; nothing of the recording is sealed then.
    """
    yield _draft(recording, Kind.CONNECTION, "connections", "application/json", _connections(recording), {})
    for number, part in enumerate(recording.parts):
        said = {"uri": part.uri, "offset_ns": part.offset_ns}
        yield from _pieces(recording, part.uri, Kind.ORIGINAL, f"part {number}", said)
    if recording.chat:
        yield from _pieces(recording, recording.chat, Kind.CHAT, "chat", {"uri": recording.chat})


def _pieces(recording: Recording, uri: str, kind: Kind, name: str, said: dict[str, object]) -> Iterator[Draft]:
    try:
        with regular_file(uri) as source:
            size, at = os.fstat(source).st_size, 0
            while at < size:
                body = os.pread(source, PIECE_BYTES, at)
                if not body:
                    raise SourceError("it became shorter while it was copied")
                facts = {**said, "from": at, "size": size}
                yield _draft(recording, kind, f"{name} byte {at}", "application/octet-stream", body, facts)
                at += len(body)
    except SourceError as error:
        raise type(error)(f"{kind.value} {uri}: {error.reason}") from error


def _draft(
    recording: Recording, kind: Kind, position: str, media_type: str, body: bytes, facts: dict[str, object]
) -> Draft:
    return Draft(
        kind=kind,
        party=Party.SUBJECT,
        stream=recording.stream_id,
        position=position,
        span=_MOMENT,
        media_type=media_type,
        body=body,
        facts=facts,
    )


def _connections(recording: Recording) -> bytes:
    people = [
        {"handle": p.handle, "account": p.account, "connection": asdict(p.connection), "jurisdiction": p.jurisdiction}
        for p in recording.participants
    ]
    said = {
        "session": recording.session_id,
        "stream": recording.stream_id,
        "started_at": recording.started_at.isoformat() if recording.started_at else "unknown",
        "participants": people,
    }
    return json.dumps(said, sort_keys=True).encode()
