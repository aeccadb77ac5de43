"""Progress on standard error: a live bar on a terminal, a plain line every few seconds elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from pipeline.cli.out import note, stderr
from pipeline.runtime.job import Progress as ScanProgress

LINE_EVERY_S = 5.0


class ScanMeter:
    """Shows recordings, hours of video, x real time, flagged, and time left."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._last = time.monotonic()

    def __enter__(self) -> Self:
        if stderr.is_terminal:
            text = TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis"))
            self._bar = Progress(text, BarColumn(bar_width=None), console=stderr, transient=True)
            self._bar.start()
            self._task = self._bar.add_task("starting", total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, text: str) -> None:
        """A line of news."""
        note(text)

    def tell(self, at: ScanProgress) -> None:
        """Show how far the scan is."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=words(at), total=max(1, at.recordings), completed=done(at))
        elif time.monotonic() - self._last >= LINE_EVERY_S:
            self._last = time.monotonic()
            note(words(at))


def done(at: ScanProgress) -> float:
    """Recordings finished, and the share of the next one, so that a single long recording moves the bar too."""
    share = at.media_s / at.known_s if at.known_s and at.finished < at.recordings else 0.0
    return at.finished + min(share, 1.0)


def words(at: ScanProgress) -> str:
    """The progress in one line of a terminal."""
    rate = at.media_s / at.wall_s if at.wall_s else 0.0
    text = f"{at.finished}/{at.recordings} recordings, {at.media_s / 3600:.2f} h, {rate:.0f}x real time"
    text += f", {at.flagged} flagged"
    if rate > 0 and at.known_s > at.media_s:
        text += f", {_shortly((at.known_s - at.media_s) / rate)} left"
    return text


def _shortly(seconds: float) -> str:
    if seconds >= 5400:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
