"""Looks into the headers of MP4 and Matroska files: is the index there, which tracks are encrypted.

Reads box headers only, at most a bounded number of them. Refuses to know codecs, times and samples: libav does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

_MOST_BOXES = 20_000
_MP4_FIRST = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"styp", b"pnot", b"sidx", b"uuid"}
_LOCKED_ENTRIES = {b"encv", b"enca", b"drmi", b"drms"}
_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT, _TRACKS, _CLUSTER = 0x18538067, 0x1654AE6B, 0x1F43B675
_TRACK, _TRACK_TYPE, _ENCODINGS, _ENCODING, _ENCRYPTION = 0xAE, 0x83, 0x6D80, 0x6240, 0x5035
_STREAM_TYPES = {0x01, 0x02, 0x11, 0x21}

Box = tuple[bytes, int, int]
Element = tuple[int, int, int]


def is_mp4(head: bytes) -> bool:
    """True if the file begins like one of the ISO base media family (mp4, mov, 3gp, ...)."""
    return head[4:8] in _MP4_FIRST


def has_index(descriptor: int, size: int) -> bool:
    """True if an MP4 has the beginning of a moov box at its top level."""
    return any(kind == b"moov" for kind, _, _ in _boxes(descriptor, 0, size))


def ends_early(descriptor: int, size: int) -> bool:
    """True if the outermost boxes (MP4, Matroska, RIFF) declare more bytes than the file has: it was cut off."""
    head = os.pread(descriptor, 8, 0)
    if head[:4] == b"RIFF":
        # Recorders that stream write 0 or the greatest number where they do not know yet.
        declared = int.from_bytes(head[4:8], "little")
        return declared != 0xFFFFFFFF and declared + 8 > size
    end = 0
    if head[:4] == _EBML:
        end = max((body + length for _, body, length in _elements(descriptor, 0, size)), default=0)
    elif is_mp4(head):
        end = max((body + length for _, body, length in _boxes(descriptor, 0, size)), default=0)
    return end > size


def encrypted_tracks(descriptor: int, size: int) -> frozenset[int]:
    """Streams whose samples are encrypted, by libav's stream id in MP4 and by its stream index in Matroska.

    Empty where the container has no such notion.
    """
    head = os.pread(descriptor, 8, 0)
    if head[:4] == _EBML:
        return frozenset(_locked_matroska(descriptor, size))
    if is_mp4(head):
        return frozenset(_locked_mp4(descriptor, size))
    return frozenset()


def _boxes(descriptor: int, start: int, end: int) -> Iterator[Box]:
    """(type, body start, declared length of the body) of the boxes in [start, end); ends where they make no sense."""
    for _ in range(_MOST_BOXES):
        head = os.pread(descriptor, 16, start)
        if start + 8 > end or len(head) < 8:
            return
        length, kind, body = int.from_bytes(head[:4], "big"), head[4:8], start + 8
        if length == 1:
            length, body = int.from_bytes(head[8:16], "big"), start + 16
        elif length == 0:
            length = end - start
        if length < body - start:
            return
        yield kind, body, start + length - body
        start += length


def _inside(descriptor: int, start: int, end: int, *path: bytes) -> Iterator[tuple[int, int]]:
    """(body start, body end) of every box reached by going down `path`."""
    for kind, first, length in _boxes(descriptor, start, end):
        last = min(first + length, end)
        if kind == path[0]:
            if len(path) == 1:
                yield first, last
            else:
                yield from _inside(descriptor, first, last, *path[1:])


def _locked_mp4(descriptor: int, size: int) -> Iterator[int]:
    for first, last in _inside(descriptor, 0, size, b"moov", b"trak"):
        kinds = {
            kind
            for entries, stop in _inside(descriptor, first, last, b"mdia", b"minf", b"stbl", b"stsd")
            for kind, _, _ in _boxes(descriptor, entries + 8, stop)
        }
        if kinds & _LOCKED_ENTRIES:
            for header, _ in _inside(descriptor, first, last, b"tkhd"):
                # Creation and modification times are 4 bytes each in version 0 and 8 in version 1.
                at = header + (20 if os.pread(descriptor, 1, header) == b"\x01" else 12)
                yield int.from_bytes(os.pread(descriptor, 4, at), "big")


def _elements(descriptor: int, start: int, end: int) -> Iterator[Element]:
    """(id, body start, declared length of the body) of the EBML elements in [start, end); if unknown, all."""
    for _ in range(_MOST_BOXES):
        head = os.pread(descriptor, 12, start)
        if start >= end or len(head) < 2 or not head[0] & 0xF0:
            return
        id_length = 9 - head[0].bit_length()
        if len(head) <= id_length or not head[id_length]:
            return
        size_length = 9 - head[id_length].bit_length()
        body = start + id_length + size_length
        raw = int.from_bytes(head[id_length : id_length + size_length], "big") & ((1 << 7 * size_length) - 1)
        length = end - body if raw == (1 << 7 * size_length) - 1 else raw
        yield int.from_bytes(head[:id_length], "big"), body, length
        start = body + length


def _children(descriptor: int, parent: Element, wanted: int) -> list[Element]:
    return [child for child in _elements(descriptor, parent[1], parent[1] + parent[2]) if child[0] == wanted]


def _locked_matroska(descriptor: int, size: int) -> Iterator[int]:
    kinds = [(track, _small_number(descriptor, track, _TRACK_TYPE)) for track in _matroska_tracks(descriptor, size)]
    for index, track in enumerate(track for track, kind in kinds if kind in _STREAM_TYPES):
        if any(
            _children(descriptor, encoding, _ENCRYPTION)
            for encodings in _children(descriptor, track, _ENCODINGS)
            for encoding in _children(descriptor, encodings, _ENCODING)
        ):
            yield index


def _small_number(descriptor: int, parent: Element, wanted: int) -> int | None:
    """The value, below 256, of the first child of a kind: its last byte."""
    found = _children(descriptor, parent, wanted)
    return next(iter(os.pread(descriptor, 1, found[0][1] + found[0][2] - 1)), None) if found else None


def _matroska_tracks(descriptor: int, size: int) -> Iterator[Element]:
    for segment in (e for e in _elements(descriptor, 0, size) if e[0] == _SEGMENT):
        for element in _elements(descriptor, segment[1], min(segment[1] + segment[2], size)):
            if element[0] == _TRACKS:
                yield from _children(descriptor, element, _TRACK)
            if element[0] == _CLUSTER:
                return
