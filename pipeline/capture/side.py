"""One side of an incident: everything that is cut from one recording for one party."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.capture.media import AUDIO_RATE_HZ, Sources, Tracks, bytes_of, tracks
from pipeline.capture.moments import Moment, windows
from pipeline.capture.packets import cut
from pipeline.capture.params import Params
from pipeline.capture.picture import blurred, jpeg, nearest
from pipeline.capture.sound import flac
from pipeline.core.errors import SourceError
from pipeline.core.evidence import Draft, Kind, Party
from pipeline.core.media import NS, Frame, Span
from pipeline.core.recording import Part, Recording


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is wanted of a recording: `moments` as frames, `span` as sound and packets; `facts` go with every draft."""

    recording: Recording
    party: Party
    span: Span
    moments: Sequence[Moment]
    facts: Mapping[str, object]


class Side:
    """Cuts what is wanted, part by part. What cannot be cut is said in `notes`, never raised."""

    def __init__(self, wanted: Wanted, sources: Sources, params: Params) -> None:
        self._wanted = wanted
        self._sources = sources
        self._params = params
        self._pictured = False
        self.notes: list[str] = []
        self.parts: list[dict[str, Any]] = []
        """Per part used: uri, offset and the sha256 of its file."""

    def drafts(self) -> Iterator[Draft]:
        """The drafts of all parts: frames, each followed by its derivative, then sound, then packets."""
        seen: set[int] = set()
        for number, part in enumerate(self._wanted.recording.parts):
            if part.offset_ns >= self._wanted.span.end_ns:
                continue
            used = False
            try:
                for draft in self._part(number, part, tracks(part.uri, self._sources), seen):
                    used = True
                    yield draft
                if used:
                    self._name(part)
            except SourceError as why:
                self._note(number, why.reason)
        missed = [m for m in self._wanted.moments if m.role == "flagged" and m.at_ns not in seen]
        if missed and seen:
            self.notes.append(f"{len(missed)} flagged moments have no picture near them")
        if self._pictured and not seen:
            self.notes.append("no pictures: the stream shows none in this span")

    def _part(self, number: int, part: Part, found: Tracks, seen: set[int]) -> Iterator[Draft]:
        shown: list[Span] = []
        if found.video:
            self._pictured = True
            yield from self._frames(number, part, seen, shown)
        if found.audio:
            yield from self._sound(number, part)
        if not found.image:
            yield from self._packets(number, part)
        elif shown:
            yield self._image(number, part, found.image, shown[0].hull(shown[-1]))

    def _frames(self, number: int, part: Part, seen: set[int], shown: list[Span]) -> Iterator[Draft]:
        """The drafts of the pictures near wanted moments; adds these moments to `seen` and the pictures to `shown`."""
        reach = round(self._params.search_s * NS)
        for span, moments in windows(self._wanted.moments, self._params):
            if span.end_ns <= part.offset_ns:
                continue
            readable = self._until_broken(number, self._sources.frames(part.uri, span, part.offset_ns))
            for frame, moment in nearest(moments, readable, reach_ns=reach):
                seen.update(m.at_ns for m in moments if abs(m.at_ns - frame.span.start_ns) <= reach)
                shown.append(frame.span)
                try:
                    yield from self._picture(number, frame, moment)
                except SourceError as why:
                    self._note(number, why.reason)

    def _picture(self, number: int, frame: Frame, moment: Moment) -> Iterator[Draft]:
        height, width = frame.pixels.shape[:2]
        draft = self._draft(
            Kind.FRAME,
            f"{number}.{frame.span.start_ns}",
            frame.span,
            "image/jpeg",
            jpeg(frame.pixels, self._params.jpeg_quality),
            {"part": number, "role": moment.role, "wanted_ns": moment.at_ns, "width": width, "height": height},
        )
        yield draft
        small = jpeg(blurred(frame.pixels, self._params), self._params.derivative_quality)
        yield replace(draft, kind=Kind.DERIVATIVE, body=small)

    def _sound(self, number: int, part: Part) -> Iterator[Draft]:
        wanted = self._wanted.span
        longest = round(self._params.max_audio_s * NS)
        if wanted.end_ns - wanted.start_ns > longest:
            wanted = Span(start_ns=wanted.start_ns, end_ns=wanted.start_ns + longest)
            self._note(number, f"sound kept for the first {self._params.max_audio_s:g} s of the span")
        try:
            samples = self._sources.audio(part.uri, wanted, part.offset_ns)
        except SourceError as why:
            self._note(number, f"no sound: {why.reason}")
            return
        if not samples.size:
            return
        start_ns = max(wanted.start_ns, part.offset_ns)
        body, gain = flac(samples)
        span = Span(start_ns=start_ns, end_ns=start_ns + samples.size * NS // AUDIO_RATE_HZ)
        facts = {"part": number, "rate_hz": AUDIO_RATE_HZ, "samples": int(samples.size), "gain": gain}
        yield self._draft(Kind.AUDIO, f"{number}.{start_ns}-{span.end_ns}", span, "audio/flac", body, facts)

    def _packets(self, number: int, part: Part) -> Iterator[Draft]:
        made = cut(
            lambda: self._sources.open(part.uri), self._wanted.span, offset_ns=part.offset_ns, params=self._params
        )
        if isinstance(made, str):
            if made:
                self._note(number, f"no original packets: {made}")
            return
        if made.note:
            self._note(number, made.note)
        facts = {"part": number, "codecs": list(made.codecs), "packets": made.packets, "retimed": made.retimed}
        position = f"{number}.{made.span.start_ns}-{made.span.end_ns}"
        yield self._draft(Kind.PACKETS, position, made.span, "video/x-matroska", made.body, facts)

    def _image(self, number: int, part: Part, media_type: str, span: Span) -> Draft:
        limit = self._params.packet_max_bytes
        body = bytes_of(part.uri, limit + 1)
        if len(body) > limit:
            raise SourceError(f"the original file is larger than {limit >> 20} MB and not kept")
        return self._draft(Kind.PACKETS, f"{number}.{span.start_ns}", span, media_type, body, {"part": number})

    def _draft(
        self, kind: Kind, position: str, span: Span, media_type: str, body: bytes, facts: Mapping[str, object]
    ) -> Draft:
        return Draft(
            kind=kind,
            party=self._wanted.party,
            stream=self._wanted.recording.stream_id,
            position=position,
            span=span,
            media_type=media_type,
            body=body,
            facts={**self._wanted.facts, **facts},
        )

    def _until_broken(self, number: int, frames: Iterable[Frame]) -> Iterator[Frame]:
        try:
            yield from frames
        except SourceError as why:
            self._note(number, f"pictures end early: {why.reason}")

    def _name(self, part: Part) -> None:
        digest = self._sources.digest(part.uri)
        self.parts.append({"uri": part.uri, "offset_ns": part.offset_ns, "sha256": digest})

    def _note(self, number: int, text: str) -> None:
        note = f"{self._wanted.party.value} part {number}: {text}"
        if note not in self.notes:
            self.notes.append(note)
