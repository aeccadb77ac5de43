"""Reads the video of one file: frames upright, in RGB, in order of presentation, with their recording times.

Refuses to know why a frame is wanted: a Picker decides that from presentation times alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from av.stream import Discard

from pipeline.core.errors import SourceError
from pipeline.core.media import LINE_NS, NS, Frame, Span
from pipeline.core.ports import Picker, Picking
from pipeline.ingest.image import is_image, read_image
from pipeline.ingest.limits import quiet_libav
from pipeline.ingest.opener import Deadline, open_media, video_stream
from pipeline.ingest.params import Params
from pipeline.ingest.report import ReadReport
from pipeline.ingest.video_frames import Upright
from pipeline.ingest.video_pass import Pass, Picture, plain
from pipeline.ingest.video_plan import UnplannableError
from pipeline.ingest.video_planned import NotLandedError, planned

Way = Callable[[Pass, Picking], Iterator[Picture]]
_SEEKING: Way = partial(planned, seek=True)
_FROM_START: Way = partial(planned, seek=False)


class VideoReader:
    """One pass over the lines [first, last) of the 60 s grid of one file; None: to its end.

    Grid, lines and the frames' spans count in recording time: file time + `offset_ns`. Iterating gives the frames
    that the picker wants; a frame that is a sample of two lines comes once for each. Memory is constant.
    A file without video gives nothing.

    Iterating raises SourceError where the file is refused: what `open_media` says, "oversized pixels: ..." also in
    the middle, "over the time limit: ...". Damage is no refusal: it is told by `report`, and reading goes on.
    """

    def __init__(
        self,
        path: str,
        *,
        stream_id: str,
        picker: Picker,
        params: Params,
        lines: tuple[int, int | None],
        offset_ns: int = 0,
        planned: bool = True,
        deadline: Deadline | None = None,
    ) -> None:
        self._path, self._stream_id, self._params = path, stream_id, params
        self._picker, self._lines, self._offset_ns = picker, lines, offset_ns
        self._planned, self._deadline = planned, deadline
        self._given, self._last = 0, (-1, -1)
        self.report = ReadReport()
        """Valid after the iteration ended or raised."""

    def __iter__(self) -> Iterator[Frame]:
        if is_image(self._path):
            yield from self._still()
            return
        self._given, self._last = 0, (-1, -1)
        way: Way | None = _SEEKING if self._planned else plain
        while way is not None:
            try:
                yield from self._frames(way)
                way = None
            except NotLandedError:
                way = _FROM_START
            except UnplannableError:
                way = plain

    def _frames(self, way: Way) -> Iterator[Frame]:
        with quiet_libav(), open_media(self._path, self._params) as container:
            stream = video_stream(container)
            if stream is None:
                return
            for other in container.streams:
                if other is not stream:
                    other.discard = Discard.all
            run = Pass(container, stream, params=self._params, offset_ns=self._offset_ns, deadline=self._deadline)
            upright, refusal = Upright(), ""
            try:
                for picture in way(run, self._picker.over(self._lines)):
                    # What a plan gave before it was abandoned is what plain decoding gives: it is not given again.
                    if (picture.start_ns, picture.line) > self._last:
                        self._last = (picture.start_ns, picture.line)
                        self._given += 1
                        yield self._frame(picture, upright)
            except SourceError as error:
                refusal = error.reason
                raise
            finally:
                self.report = ReadReport(
                    warnings=run.warnings,
                    broken=refusal or run.broken,
                    end_ns=run.end_ns,
                    decoded=self._given,
                    skipped_packets=run.decoder.refused,
                )

    def _frame(self, picture: Picture, upright: Upright) -> Frame:
        return Frame(
            stream_id=self._stream_id,
            span=Span(start_ns=picture.start_ns, end_ns=picture.end_ns),
            pixels=upright.rgb(picture.frame),
            line=picture.line,
        )

    def _still(self) -> Iterator[Frame]:
        """A still image is a stream of one frame that is shown for a second."""
        span = Span(start_ns=self._offset_ns, end_ns=self._offset_ns + NS)
        picking = self._picker.over(self._lines)
        if picks := [*picking.see(span.start_ns), *picking.end(span.end_ns)]:
            pixels = read_image(self._path, self._params)
            for _, line in picks:
                yield Frame(stream_id=self._stream_id, span=span, pixels=pixels, line=line)
        self.report = ReadReport(end_ns=span.end_ns, decoded=len(picks))


def frames_between(path: str, span: Span, *, stream_id: str, params: Params, offset_ns: int = 0) -> Iterator[Frame]:
    """Every frame whose presentation time lies in `span` of recording time, as VideoReader gives it."""
    pictures = VideoReader(
        path,
        stream_id=stream_id,
        picker=_Between(span),
        params=params,
        lines=(0, None),
        offset_ns=offset_ns,
        deadline=Deadline(params.max_task_s),
    )
    return iter(pictures)


class _Between:
    """The Picker of a span: every frame shown from its start on, before its end."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self.start_ns = span.start_ns
        self.done = False

    def over(self, lines: tuple[int, int | None]) -> Picking:
        return _Between(self._span)

    def see(self, time_ns: int) -> Sequence[tuple[int, int]]:
        self.done = time_ns >= self._span.end_ns
        return () if self.done or time_ns < self.start_ns else ((time_ns, time_ns // LINE_NS),)

    def end(self, end_ns: int) -> Sequence[tuple[int, int]]:
        return ()
