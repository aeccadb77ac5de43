"""A shelf of a platform's files with a ledger that scanned them, for tests of ordinary deletion."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from pipeline.core.media import NS
from pipeline.core.recording import Connection, Part, Participant, Recording
from pipeline.recordings.held import Wanted
from pipeline.recordings.ledger import Ledger
from pipeline.recordings.ordinary import Ordinary
from tests.unit.recordings.conftest import AT


class Shelf:
    """Files in `folder`; `scan` registers a recording as inspection does."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.ledger = ledger
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.run_id = "run-1"

    @property
    def ordinary(self) -> Ordinary:
        return self.ledger.ordinary

    def file(self, name: str, body: bytes = b"") -> Path:
        path = self.folder / name
        path.write_bytes(body or name.encode())
        return path

    def recording(
        self, *files: Path, account: str = "ann", managed: bool = True, started_at: datetime | None = AT, chat: str = ""
    ) -> Recording:
        person = Participant(handle=f"h-{account}", account=account, connection=Connection(ip="203.0.113.7"))
        name = files[0].name
        return Recording(
            parts=tuple(Part(uri=str(f), offset_ns=i * 60 * NS) for i, f in enumerate(files)),
            session_id=f"session-{name}",
            stream_id=f"stream-{name}",
            participants=(person,),
            started_at=started_at,
            managed=managed,
            chat=chat,
        )

    def scan(self, recording: Recording, *, at: datetime = AT, unread: bool = False) -> Recording:
        """Register `recording` under an id of its content, with a chunk, a conclusion and a report of this run."""
        digests = ["" if unread else hashlib.sha256(Path(p.uri).read_bytes()).hexdigest() for p in recording.parts]
        name = "|".join(
            [
                recording.session_id,
                recording.stream_id,
                *(d or p.uri for d, p in zip(digests, recording.parts, strict=True)),
            ]
        )
        known = replace(recording, recording_id=hashlib.sha256(name.encode()).hexdigest()[:32])
        facts = {"duration_ns": [0 if unread else 60 * NS] * len(digests)}
        self.ledger.register(known, sha256=digests, facts=facts, run_id=self.run_id, at=at)
        if not unread:
            self.ledger.mark(known.recording_id, "0", "f", b"signals", degraded=False, run_id=self.run_id)
            self.ledger.conclude(known.recording_id, "f", {"uri": known.uri}, degraded=False, run_id=self.run_id)
            self.ledger.mark(known.recording_id, "0", "g", b"more", degraded=False, run_id=self.run_id)
        return known

    def report(self, position: int, *recordings: Recording) -> None:
        said = {"uri": recordings[0].uri, "warnings": [r.uri for r in recordings[1:]]}
        self.ledger.report(position, said, run_id=self.run_id, recordings=recordings)

    def begin(self, run_id: str) -> None:
        self.ledger.begin_run(run_id, at=AT, actor="os:tester(1)", command="scan")
        self.run_id = run_id

    def held(self, **names: str) -> list[str]:
        """The first files of what is held and wanted."""
        return [Path(h.recording.uri).name for h in self.ordinary.list(Wanted(**names))]  # type: ignore[arg-type]
