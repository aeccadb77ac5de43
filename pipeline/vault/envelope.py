"""EVB1: one item of evidence under the data key of its incident and party.

    magic "EVB1" | u8 alg=1 | u8 content | 16 B record id | 16 B incident id | 4 B salt | u32 chunk size | u32 chunks
    chunk i: ciphertext and 16 B tag; nonce = salt, u64be(i); AAD = header, u32be(i), u8 last

The construction is STREAM over AES-256-GCM: a chunk that was changed, dropped, moved or taken from another envelope is
refused. Each record has a key of its own for its bytes and one for its facts, both derived from the data key, so a
nonce never repeats. Refuses to know what the bytes are.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterator
from enum import IntEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipeline.core.errors import IntegrityError
from pipeline.vault.master import derive

MAGIC = b"EVB1"
ALGORITHM = 1
CHUNK_BYTES = 1 << 20
TAG_BYTES = 16
HEADER = struct.Struct(">4sBB16s16s4sII")


class Content(IntEnum):
    """What an envelope holds: the record's bytes, or the facts about them."""

    BODY = 0
    FACTS = 1


Sealed = bytes | bytearray | memoryview
"""An envelope as bytes that need not be copied to be handed on."""

_PURPOSE = {Content.BODY: "evb1/segment", Content.FACTS: "evb1/facts"}


def seal(data_key: bytes, record_id: str, incident_id: str, content: Content, body: bytes) -> bytearray:
    """The envelope of `body`; ids are 32 hex digits. One record is sealed once under one data key."""
    count = max(1, -(-len(body) // CHUNK_BYTES))
    salt = secrets.token_bytes(4)
    record = bytes.fromhex(record_id)
    incident = bytes.fromhex(incident_id)
    header = HEADER.pack(MAGIC, ALGORITHM, content, record, incident, salt, CHUNK_BYTES, count)
    cipher = AESGCM(derive(data_key, _PURPOSE[content], salt=record))
    view = memoryview(body)
    sealed = bytearray(len(header) + len(body) + count * TAG_BYTES)
    sealed[: len(header)] = header
    at = len(header)
    for i in range(count):
        chunk = cipher.encrypt(
            _nonce(salt, i), view[i * CHUNK_BYTES : (i + 1) * CHUNK_BYTES], _context(header, i, count)
        )
        sealed[at : at + len(chunk)] = chunk
        at += len(chunk)
    return sealed


def unseal(data_key: bytes, record_id: str, incident_id: str, content: Content, sealed: Sealed) -> bytes:
    """All the plaintext at once; IntegrityError as `chunks`, and then none of it."""
    return b"".join(chunks(data_key, record_id, incident_id, content, sealed))


def chunks(data_key: bytes, record_id: str, incident_id: str, content: Content, sealed: Sealed) -> Iterator[bytes]:
    """Plaintext in pieces of at most 1 MiB, each authenticated before it is given.

    Raises IntegrityError at the first piece that is not what was sealed for this record, incident and content.
    """
    header = bytes(sealed[: HEADER.size])
    salt, size, count = _parse(header, record_id, incident_id, content)
    length = len(sealed) - HEADER.size
    if not (count - 1) * (size + TAG_BYTES) + TAG_BYTES <= length <= count * (size + TAG_BYTES):
        raise IntegrityError(f"envelope of record {record_id} has {length} bytes, which is not {count} chunks")
    cipher = AESGCM(derive(data_key, _PURPOSE[content], salt=bytes.fromhex(record_id)))
    view = memoryview(sealed)[HEADER.size :]
    for i in range(count):
        chunk = view[i * (size + TAG_BYTES) : (i + 1) * (size + TAG_BYTES)]
        try:
            yield cipher.decrypt(_nonce(salt, i), chunk, _context(header, i, count))
        except InvalidTag as error:
            raise IntegrityError(f"envelope of record {record_id} was changed in chunk {i}") from error


def _parse(header: bytes, record_id: str, incident_id: str, content: Content) -> tuple[bytes, int, int]:
    if len(header) < HEADER.size:
        raise IntegrityError(f"envelope of record {record_id} is cut short")
    magic, algorithm, flags, record, incident, salt, size, count = HEADER.unpack(header)
    if (magic, algorithm) != (MAGIC, ALGORITHM):
        raise IntegrityError(f"envelope of record {record_id} does not begin as an EVB1 envelope")
    if (record.hex(), incident.hex(), flags) != (record_id, incident_id, content):
        raise IntegrityError(f"envelope in the place of record {record_id} is of another record, incident or content")
    if size < 1 or count < 1:
        raise IntegrityError(f"envelope of record {record_id} has an impossible header")
    return salt, size, count


def _nonce(salt: bytes, i: int) -> bytes:
    return salt + i.to_bytes(8, "big")


def _context(header: bytes, i: int, count: int) -> bytes:
    return header + i.to_bytes(4, "big") + bytes([i == count - 1])
