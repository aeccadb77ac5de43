"""EVB1: only what was sealed, whole, in its place, comes out."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import pytest

from pipeline.core.errors import IntegrityError
from pipeline.vault import envelope
from pipeline.vault.envelope import CHUNK_BYTES, HEADER, TAG_BYTES, Content, chunks, seal, unseal

KEY = bytes(range(32))
RECORD = "01" * 16
INCIDENT = "02" * 16


def opened(sealed: bytes, *, key: bytes = KEY, record: str = RECORD, incident: str = INCIDENT) -> bytes:
    return unseal(key, record, incident, Content.BODY, sealed)


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 7]
)
def test_bytes_of_every_length_come_back(size: int) -> None:
    body = secrets.token_bytes(size)
    sealed = seal(KEY, RECORD, INCIDENT, Content.BODY, body)
    assert opened(sealed) == body
    assert len(sealed) == HEADER.size + size + TAG_BYTES * max(1, -(-size // CHUNK_BYTES))
    assert all(len(piece) <= CHUNK_BYTES for piece in chunks(KEY, RECORD, INCIDENT, Content.BODY, sealed))


def test_the_layout_is_the_documented_one() -> None:
    sealed = seal(KEY, RECORD, INCIDENT, Content.FACTS, b"{}")
    assert sealed[:4] == b"EVB1"
    assert sealed[4:6] == bytes([1, Content.FACTS])
    assert sealed[6:22].hex() == RECORD
    assert sealed[22:38].hex() == INCIDENT
    assert sealed[42:50] == CHUNK_BYTES.to_bytes(4, "big") + (1).to_bytes(4, "big")


def test_every_flipped_bit_is_refused() -> None:
    sealed = seal(KEY, RECORD, INCIDENT, Content.BODY, b"a frame of somebody")
    for i in range(len(sealed)):
        for bit in range(8):
            flipped = bytearray(sealed)
            flipped[i] ^= 1 << bit
            with pytest.raises(IntegrityError):
                opened(bytes(flipped))


@dataclass(frozen=True)
class Pieces:
    header: bytes
    chunks: tuple[bytes, ...]


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> Pieces:
    monkeypatch.setattr(envelope, "CHUNK_BYTES", 10)
    sealed = seal(KEY, RECORD, INCIDENT, Content.BODY, bytes(range(40)))
    body = sealed[HEADER.size :]
    return Pieces(sealed[: HEADER.size], tuple(body[i : i + 26] for i in range(0, len(body), 26)))


def with_count(header: bytes, count: int) -> bytes:
    return header[:-4] + count.to_bytes(4, "big")


def test_truncated_reordered_repeated_and_extended_envelopes_are_refused(pieces: Pieces) -> None:
    a, b, c, d = pieces.chunks
    h = pieces.header
    assert opened(h + a + b + c + d) == bytes(range(40))
    forged = {
        "last chunk dropped": h + a + b + c,
        "last chunk dropped and counted out": with_count(h, 3) + a + b + c,
        "one chunk only": with_count(h, 1) + a,
        "chunks exchanged": h + b + a + c + d,
        "a chunk twice": h + a + a + c + d,
        "a chunk more": with_count(h, 5) + a + b + c + d + d,
        "bytes behind the end": h + a + b + c + d + b"x",
        "tag cut": h + a + b + c + d[:-1],
        "header only": h,
        "half a header": h[:20],
        "nothing": b"",
        "no chunks claimed": with_count(h, 0),
        "chunk size nought": h[:-8] + bytes(4) + h[-4:] + a + b + c + d,
    }
    for what, sealed in forged.items():
        with pytest.raises(IntegrityError):
            pytest.fail(f"{what}: gave {opened(sealed)!r}")


def test_a_chunk_from_another_envelope_is_refused(pieces: Pieces, monkeypatch: pytest.MonkeyPatch) -> None:
    other = seal(KEY, RECORD, INCIDENT, Content.BODY, bytes(40))
    spliced = pieces.header + b"".join(pieces.chunks[:3]) + other[-26:]
    with pytest.raises(IntegrityError, match="chunk 3"):
        opened(spliced)


def test_an_envelope_opens_for_its_own_record_incident_content_and_key_only() -> None:
    sealed = seal(KEY, RECORD, INCIDENT, Content.BODY, b"bytes")
    with pytest.raises(IntegrityError, match="another record"):
        opened(sealed, record=INCIDENT)
    with pytest.raises(IntegrityError, match="another record"):
        opened(sealed, incident=RECORD)
    with pytest.raises(IntegrityError):
        unseal(KEY, RECORD, INCIDENT, Content.FACTS, sealed)
    with pytest.raises(IntegrityError):
        opened(sealed, key=bytes(32))
    # With the ids in the header rewritten to match, the tag still knows.
    moved = sealed[:22] + bytes.fromhex("03" * 16) + sealed[38:]
    with pytest.raises(IntegrityError, match="chunk 0"):
        opened(moved, incident="03" * 16)


def test_sealing_the_same_bytes_twice_gives_other_bytes() -> None:
    one, two = (seal(KEY, RECORD, INCIDENT, Content.BODY, b"same") for _ in range(2))
    assert one != two
