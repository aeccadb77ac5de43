"""The sound of files for spans that come in the order of their starts: each file is decoded once, however many spans.

Gives the very samples of `audio_between`. Refuses to look ahead, and to keep what lies before the last span asked for:
whoever asks for it all the same makes the file be decoded from its start again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import cast

import numpy as np

from pipeline.core.media import NS, Span
from pipeline.ingest.audio import AudioReader, Samples
from pipeline.ingest.opener import Deadline
from pipeline.ingest.params import Params

_Blocks = Generator[tuple[int, Samples], None, None]


class _Allowance(Deadline):
    """Wall time for what one span takes; the time between spans is somebody else's."""

    def renew(self) -> None:
        self._end = time.monotonic() + self._limit_s


class AudioTape:
    """One file's sound. Holds the samples of the last span and a block, and the file open: close it after use.

    Each span may take the `max_task_s` of `params`.
    """

    def __init__(self, path: str, *, params: Params) -> None:
        self._path = path
        self._params = params
        self._allowance = _Allowance(params.max_task_s)
        self._blocks: _Blocks | None = None
        self._kept: deque[tuple[int, Samples]] = deque()
        self._heard = 0
        """How many samples were decoded so far, from the file's zero."""

    def between(self, span: Span, *, offset_ns: int = 0) -> Samples:
        """f32[n], what `audio_between` gives for the same span, and SourceError where it raises one."""
        rate = self._params.audio_rate_hz
        first, last = (max(0, round((at - offset_ns) * rate / NS)) for at in (span.start_ns, span.end_ns))
        if first < (self._kept[0][0] if self._kept else self._heard):
            self.close()
        while self._kept and _end(self._kept[0]) <= first:
            self._kept.popleft()
        self._listen(first, last)
        held = [block[max(0, first - index) : last - index] for index, block in self._kept if index < last]
        return np.concatenate(held) if held else np.zeros(0, np.float32)

    def _listen(self, first: int, last: int) -> None:
        """Decode up to `last`, keeping what ends after `first`."""
        self._allowance.renew()
        if self._blocks is None:
            self._blocks = cast("_Blocks", iter(AudioReader(self._path, params=self._params, deadline=self._allowance)))
        # A file without sound is refused even where no sample of it is wanted.
        while self._heard < max(last, 1):
            try:
                piece = next(self._blocks)
            except StopIteration:
                return
            except BaseException:
                self.close()
                raise
            self._heard = _end(piece)
            if self._heard > first:
                self._kept.append(piece)

    def close(self) -> None:
        """Let go of the file; the next span begins it anew."""
        if self._blocks is not None:
            self._blocks.close()
        self._blocks = None
        self._kept.clear()
        self._heard = 0


class AudioTapes:
    """A tape for every file that is asked for; see `opened`."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self._tapes: dict[str, AudioTape] = {}

    @classmethod
    @contextmanager
    def opened(cls, params: Params) -> Iterator[AudioTapes]:
        """Tapes that let go of their files when the block ends."""
        tapes = cls(params)
        try:
            yield tapes
        finally:
            for tape in tapes._tapes.values():
                tape.close()

    def between(self, path: str, span: Span, offset_ns: int = 0) -> Samples:
        """The sound of `span` (recording time) of the file at `path`, which begins at `offset_ns`."""
        tape = self._tapes.setdefault(path, AudioTape(path, params=self._params))
        return tape.between(span, offset_ns=offset_ns)


def _end(piece: tuple[int, Samples]) -> int:
    index, block = piece
    return index + len(block)
