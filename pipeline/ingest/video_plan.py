"""The plan of a planned decode: from packet times alone, which packets need decoding at all.

Pure: packets are opaque, nothing is decoded here. Packets come in order of decoding; the picking wants their times
in order of presentation, so a few of them are held back (no codec reorders by more than 16). Once a whole group of
pictures and the fate of all its frames are known, everything after its last wanted frame is dropped; of the rest,
frames that are not wanted are skimmed (skipped by the decoder if nothing refers to them). A group longer than the
look-ahead is passed on as it comes, skimmed and with no tail dropped. Memory is bounded by the look-ahead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from heapq import heappop, heappush
from itertools import islice, takewhile
from typing import Generic, TypeVar

from pipeline.core.ports import Picking

P = TypeVar("P")


class UnplannableError(Exception):
    """This file does not do what a plan relies on: it is for plain decoding to read."""


class Act(Enum):
    """What to do with a packet."""

    DECODE = "decode"
    SKIM = "skim"
    RESTART = "restart"
    """Take out the frames still inside and begin anew: the next packet is a key packet."""


@dataclass(frozen=True, slots=True)
class Entry(Generic[P]):
    """A packet and what the plan needs of it: the time of its frame (-1 if it shows none), whether it is a key
    packet (a decoder may begin at it), its bytes."""

    packet: P
    time_ns: int
    key: bool
    size: int


Step = tuple[Act, Entry[P] | None]


class Planner(Generic[P]):
    """Turns packets into steps; `due` holds the picks whose frames are yet to come out, in order of presentation."""

    def __init__(
        self, picking: Picking, *, reorder: int, reorders: bool, most_bytes: int, most_ns: int, landed: bool
    ) -> None:
        """`reorder`: most packets that can come between a frame and the next one in order of presentation;
        `reorders`: the decoder will reorder frames, so their times must do so too, or they are times of decoding;
        `most_bytes`, `most_ns`: the look-ahead; `landed`: the first packet is a key packet in the middle of the file,
        what came before was not decoded.
        """
        self.due: deque[tuple[int, int]] = deque()
        self._picking, self._reorder = picking, reorder
        self._most_bytes, self._most_ns = most_bytes, most_ns
        self._unproven = reorders
        self._latest = -1
        self._held: list[int] = []
        self._settled = -1
        self._wanted: set[int] = set()
        self._queue: deque[Entry[P]] = deque()
        self._bytes = 0
        self._taken = 0
        self._keys: deque[tuple[int, int]] = deque()
        self._cold = landed
        self._sent = False
        self._led_by = -1

    def add(self, entry: Entry[P]) -> Iterator[Step[P]]:
        """The steps that became certain by the next packet. Raises UnplannableError if its time makes no sense."""
        if entry.time_ns >= 0:
            heappush(self._held, entry.time_ns)
            self._unproven &= entry.time_ns > self._latest
            self._latest = max(self._latest, entry.time_ns)
            if len(self._held) > self._reorder:
                self._settle()
            if entry.key:
                self._keys.append((self._taken + len(self._queue), entry.time_ns))
        self._queue.append(entry)
        self._bytes += entry.size
        while (found := self._next_key()) is not None and found[1] < self._settled:
            yield from self._group(*found)
        while self._queue and self._is_full() and self._queue[0].time_ns < self._settled:
            self._check_times()
            yield from self._pass_on(self._take())

    def finish(self, end_ns: int) -> Iterator[Step[P]]:
        """The remaining steps, because the stream ends at `end_ns` or the picking is done."""
        if not self._picking.done:
            while self._held:
                self._settle()
            self._want(self._picking.end(end_ns))
        while self._queue:
            yield from self._group(*(self._next_key() or (len(self._queue), -1)))
        if self._sent:
            yield Act.RESTART, None

    def _check_times(self) -> None:
        if self._unproven:
            raise UnplannableError("times of decoding, not of presentation")

    def _settle(self) -> None:
        """Shows the earliest time held back to the picking: all frames before it are now decided."""
        time_ns = heappop(self._held)
        if time_ns <= self._settled:
            raise UnplannableError("times that do not advance")
        self._want(self._picking.see(time_ns))
        self._settled = time_ns

    def _want(self, picks: Sequence[tuple[int, int]]) -> None:
        self.due.extend(picks)
        self._wanted.update(time_ns for time_ns, _ in picks)

    def _is_full(self) -> bool:
        return self._bytes > self._most_bytes or self._queue[-1].time_ns - self._queue[0].time_ns > self._most_ns

    def _next_key(self) -> tuple[int, int] | None:
        """How many packets the group at the head has, and the time of the key packet after it, if that is known."""
        at_key = bool(self._keys) and self._keys[0][0] == self._taken
        if len(self._keys) <= at_key:
            return None
        position, time_ns = self._keys[at_key]
        return position - self._taken, time_ns

    def _take(self) -> Entry[P]:
        entry = self._queue.popleft()
        if self._keys and self._keys[0][0] == self._taken:
            self._keys.popleft()
        self._taken += 1
        self._bytes -= entry.size
        return entry

    def _group(self, count: int, next_key_ns: int) -> Iterator[Step[P]]:
        """A group of pictures up to its last wanted frame; whole if the next group needs it."""
        self._check_times()
        entries = [self._take() for _ in range(count)]
        if next_key_ns >= 0 and any(entry.time_ns > next_key_ns for entry in entries):
            raise UnplannableError("a frame that is shown after the next key packet's")
        needed = count
        if not self._leads_to_next(next_key_ns):
            while needed and entries[needed - 1].time_ns not in self._wanted:
                needed -= 1
        for entry in entries[:needed]:
            yield from self._pass_on(entry)
        if needed < count:
            if self._sent:
                yield Act.RESTART, None
            self._sent, self._cold = False, True

    def _leads_to_next(self, next_key_ns: int) -> bool:
        """Open groups: frames shown before the next key packet but coded after it refer back into this group."""
        leading = takewhile(lambda entry: entry.time_ns < next_key_ns, islice(self._queue, 1, None))
        return any(entry.time_ns in self._wanted for entry in leading)

    def _pass_on(self, entry: Entry[P]) -> Iterator[Step[P]]:
        wanted = entry.time_ns in self._wanted
        if entry.key and entry.time_ns >= 0:
            self._led_by = entry.time_ns if self._cold else -1
            self._cold = False
        elif self._cold:
            raise UnplannableError("no key packet to begin at")
        elif 0 <= entry.time_ns < self._led_by:
            # What leads a key packet refers to the group before it, which this decoder has not seen.
            if wanted:
                raise UnplannableError("a wanted frame leads the first key packet")
            return
        self._wanted.discard(entry.time_ns)
        self._sent = True
        yield (Act.DECODE if wanted else Act.SKIM), entry
