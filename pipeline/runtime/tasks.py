"""What crosses between the driver and its workers: ids, spans and counts. Never media, names, addresses or keys.

A task names a recording by its position in the run (before its content was read) or by its id (after); the worker
reads everything else from the ledger, which keeps it sealed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.core.media import LINE_NS, NS
from pipeline.runtime.report import Row

SOUND_SHARE = 0.2
"""Of the work on a recording with pictures and sound, what the sound takes, about."""

DECODER = "decoder"
"""In `degraded`: some of the recording could not be read, which may be read at the next scan."""


class Act(StrEnum):
    """The kinds of task, in the order in which a recording meets them."""

    CANARY = "canary"
    INSPECT = "inspect"
    SCORE = "score"
    CONCLUDE = "conclude"


class Track(StrEnum):
    """Which detectors a chunk is for."""

    VIDEO = "video"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Chunk:
    """A stretch of one part on the 60 s grid: lines [first, last), `last` None for "to the end". Sound is never cut."""

    part: int
    track: Track
    first: int = 0
    last: int | None = None

    @property
    def name(self) -> str:
        """The chunk's name in the ledger."""
        end = "end" if self.last is None else str(self.last)
        return f"{self.track}:{self.part}:{self.first}-{end}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFacts:
    """What inspection found of one part; `reason` says why it cannot be scanned, or is empty.

    `cuts` are lines of the 60 s grid in recording time at which a chunk of its pictures may begin; `retry` is true of
    one that is still being written.
    """

    has_video: bool = False
    has_audio: bool = False
    offset_ns: int = 0
    duration_ns: int = 0
    cuts: tuple[int, ...] = ()
    reason: str = ""
    retry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A recording's id and parts. `done` is true where this very content was concluded before under the same terms."""

    position: int
    recording_id: str
    sha256: str
    parts: tuple[PartFacts, ...]
    warnings: tuple[str, ...] = ()
    done: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One call to a worker. `weight` is for longest-first order: media seconds (for progress too), bytes to inspect."""

    act: Act
    position: int = -1
    recording_id: str = ""
    chunk: Chunk | None = None
    inspection: Inspection | None = None
    weight: float = 0.0

    @property
    def name(self) -> str:
        """Unique within a run."""
        chunk = self.chunk.name if self.chunk else ""
        return f"{self.act}:{self.position}:{self.recording_id}:{chunk}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts of what was seen; adds up over chunks."""

    frames_sampled: int = 0
    frames_scored: int = 0
    frames_repeated: int = 0
    audio_windows: int = 0
    audio_ns: int = 0
    end_ns: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def __add__(self, other: Tally) -> Tally:
        seconds = dict(self.seconds)
        for stage, spent in other.seconds.items():
            seconds[stage] = seconds.get(stage, 0.0) + spent
        return Tally(
            frames_sampled=self.frames_sampled + other.frames_sampled,
            frames_scored=self.frames_scored + other.frames_scored,
            frames_repeated=self.frames_repeated + other.frames_repeated,
            audio_windows=self.audio_windows + other.audio_windows,
            audio_ns=self.audio_ns + other.audio_ns,
            end_ns=max(self.end_ns, other.end_ns),
            seconds=seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkDone:
    """A scored chunk. Its signals lie sealed in the ledger."""

    tally: Tally
    warnings: tuple[str, ...] = ()
    broken: str = ""
    degraded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Concluded:
    """A recording decided, sealed and committed. `row` is its line of the scan report, which names nobody."""

    row: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A task that could not be done. `fault`: source, model, seal, fenced, integrity, other, died or program."""

    fault: str
    reason: str


Answer = Inspection | ChunkDone | Concluded | Failed | str


def boundaries(offset_ns: int, duration_ns: int, *, chunk_lines: int) -> tuple[int, ...]:
    """Lines inside a part (in recording time) that lie on every `chunk_lines`-th line of the grid."""
    first, end = offset_ns // LINE_NS + 1, -(-(offset_ns + duration_ns) // LINE_NS)
    return tuple(line for line in range(first, end) if line % chunk_lines == 0)


def cut(part: int, facts: PartFacts) -> tuple[Chunk, ...]:
    """The chunks of one part: pictures at its cuts, sound whole.

    The last chunk is open: a header that lies short loses nothing, one that lies long costs an empty chunk.
    """
    chunks: list[Chunk] = []
    if facts.has_video:
        firsts, lasts = (0, *facts.cuts), (*facts.cuts, None)
        chunks = [
            Chunk(part=part, track=Track.VIDEO, first=first, last=last)
            for first, last in zip(firsts, lasts, strict=True)
        ]
    if facts.has_audio:
        chunks.append(Chunk(part=part, track=Track.AUDIO))
    return tuple(chunks)


def weight(facts: PartFacts, chunk: Chunk) -> float:
    """Media seconds of a chunk. Beside pictures, sound counts for the share of the work that it is."""
    end_ns = facts.offset_ns + facts.duration_ns
    if chunk.last is not None:
        end_ns = min(end_ns, chunk.last * LINE_NS)
    seconds = max(0, end_ns - max(facts.offset_ns, chunk.first * LINE_NS)) / NS
    if not (facts.has_video and facts.has_audio):
        return seconds
    return seconds * (SOUND_SHARE if chunk.track is Track.AUDIO else 1 - SOUND_SHARE)
