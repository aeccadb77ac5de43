"""docs/vault-format.md is true: whoever follows it, without our code, reads what was sealed."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pipeline.core.evidence import Draft, Kind, Party
from pipeline.vault.envelope import CHUNK_BYTES
from pipeline.vault.epoch import master_epoch_beside
from pipeline.vault.kit import kit_of, kit_text
from pipeline.vault.vault import Vault
from tests.unit.vault.conftest import (
    INSTALLATION_KEY,
    MASTER,
    Place,
    draft,
    drafts,
    incident,
    recording,
    seal_one,
    span,
)

AT = span(1, 2)
LONG = draft(AT, kind=Kind.PACKETS, body=bytes(range(256)) * 5000)
SEALED: tuple[Draft, ...] = (*drafts(AT)[:-1], LONG)


def hkdf(key: bytes, info: str, salt: bytes | None = None) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info.encode()).derive(key)


def unlocked(key: bytes, context: str, locked: bytes) -> bytes:
    return AESGCM(key).decrypt(locked[:12], locked[12:], context.encode())


def data_key(place: Place, key_id: str, wrapped: bytes) -> bytes:
    epoch = json.loads((place.root / "keys-master/epoch").read_bytes())
    store = hkdf(MASTER, "watchkeep/key-store/2", bytes.fromhex(epoch["chain"]))
    bucket = hashlib.sha256(key_id.encode()).hexdigest()[:2] + ".keys"
    body = (place.keys / "store" / str(epoch["number"]) / bucket).read_bytes()
    (slot,) = (
        body[at : at + 128] for at in range(0, len(body), 128) if body[at : at + 68].rstrip(b"\0") == key_id.encode()
    )
    key = unlocked(store, f"key {key_id}", slot[68:])
    return unlocked(key, f"data key under {key_id}", wrapped)


def opened(key: bytes, info: str, envelope: bytes) -> bytes:
    header, record = envelope[:50], envelope[6:22]
    salt, size, count = header[38:42], int.from_bytes(header[42:46], "big"), int.from_bytes(header[46:50], "big")
    assert size == CHUNK_BYTES
    aead, plain = AESGCM(hkdf(key, info, salt=record)), b""
    for i in range(count):
        chunk = envelope[50 + i * (size + 16) : 50 + (i + 1) * (size + 16)]
        aad = header + i.to_bytes(4, "big") + bytes([i == count - 1])
        plain += aead.decrypt(salt + i.to_bytes(8, "big"), chunk, aad)
    return plain


def rows(place: Place, prefix: str) -> Iterator[dict[str, Any]]:
    """The rows of the one file, read by the document; `prefix` is what the AAD begins with."""
    with sqlite3.connect(place.home / "catalog/catalog.db") as db:
        ((file_id, name, key_id, wrapped),) = db.execute("SELECT file_id, name, key_id, wrapped_key FROM evidence_file")
    db.close()
    assert Path(name).name == f"{file_id}.parquet"
    properties = pe.create_decryption_properties(
        footer_key=data_key(place, key_id, wrapped), aad_prefix=f"{prefix}|{file_id}|1".encode()
    )
    yield from pq.ParquetFile(place.home / "vault" / name, decryption_properties=properties).read().to_pylist()


@pytest.fixture
def one(vault: Vault) -> Vault:
    seal_one(vault, recording(), [(incident(recording(), AT), SEALED)])
    return vault


def test_what_was_sealed_is_read_by_the_document_alone(one: Vault, place: Place) -> None:
    macs = {r.record_id: r.content_mac for view in one.incidents() for r in view.records}
    for row, sealed in zip(rows(place, "evidence"), SEALED, strict=True):
        key = data_key(place, row["key_id"], row["wrapped_data_key"])
        body = opened(key, "evb1/segment", row["body"])
        facts = json.loads(opened(key, "evb1/facts", row["facts"]))
        digest = hashlib.sha256(body)
        assert body == sealed.body
        assert (facts["sha256"], facts["size"]) == (digest.hexdigest(), len(body))
        assert row["media_sha256_cipher"] == hashlib.sha256(row["body"]).digest()
        mac = hmac.new(INSTALLATION_KEY, b"content\0" + digest.digest(), "sha256").hexdigest()
        assert macs[row["record_id"].hex()] == mac
        names_subject = {"participant", "identity", "parts", "recording_sha256", "started_at"} & set(facts)
        assert bool(names_subject) == (row["party"] == Party.SUBJECT)


def test_after_a_renewal_the_document_still_reads_it(one: Vault, place: Place) -> None:
    chain = bytes.fromhex(json.loads((place.root / "keys-master/epoch").read_bytes())["chain"])
    one.parts.keys.renew()
    held = json.loads((place.root / "keys-master/epoch").read_bytes())
    assert held == {"number": 1, "chain": hkdf(chain, "watchkeep/epoch/1").hex()}
    for row, sealed in zip(rows(place, "evidence"), SEALED, strict=True):
        assert (
            opened(data_key(place, row["key_id"], row["wrapped_data_key"]), "evb1/segment", row["body"]) == sealed.body
        )


def test_the_head_of_the_ledger_is_maced_as_documented(one: Vault, place: Place) -> None:
    one.parts.keys.destroy(one.parts.keys.ids()[0])
    held = json.loads((place.root / "keys-master/ledger-head").read_bytes())
    last = json.loads((place.keys / "ledger/destroyed.jsonl").read_bytes().splitlines()[-1])
    said = json.dumps({"digest": last["digest"], "number": 1}, separators=(",", ":")).encode()
    mac = hmac.new(hkdf(MASTER, "watchkeep/ledger-head/1"), said, "sha256").hexdigest()
    assert held == {"digest": last["digest"], "number": 1, "mac": mac}


def test_a_kit_is_read_by_the_document_alone(one: Vault, place: Place) -> None:
    epoch = master_epoch_beside(place.keys, MASTER)
    values = {}
    for line in kit_text(kit_of(epoch, MASTER)).splitlines():
        body, slash, check = line.partition(" / ")
        if slash:
            label, value = body.split()[0], "".join(body.split()[1:])
            assert check == hashlib.sha256(f"watchkeep kit 1/{label}/{value}".encode()).hexdigest()[:4]
            values[label] = value
    assert values["root-1"] + values["root-2"] == MASTER.hex()
    assert values["chain-1"] + values["chain-2"] == json.loads(epoch.path.read_bytes())["chain"]
    assert (values["epoch"], values["lines"]) == ("0", "0")


def test_a_file_is_bound_to_its_place_by_the_documented_prefix(one: Vault, place: Place) -> None:
    with pytest.raises(OSError):
        list(rows(place, "other"))
