"""The certificate of destruction of an incident, in the fields of NIST SP 800-88 (certificate of sanitization).

The statement's digest is in an audit entry that is committed first; the certificate brings that entry and those of the
destruction, their proofs and a signed checkpoint, so that a public key is all that is needed to check it. Refuses to
certify what a store does not confirm.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pipeline import __version__
from pipeline.export.form import CERTIFICATE, ISSUE, subject_of
from pipeline.vault.canonical import digest_of_rows
from pipeline.vault.destroyed import Destroyed, FileState, destroyed
from pipeline.vault.log import Log, Proven
from pipeline.vault.parts import Parts

METHOD = {
    "category": "purge",
    "method": "cryptographic erase",
    "technique": "every item was encrypted before it was stored (AES-256-GCM, a fresh data key wrapped under the "
    "party's key); that key was overwritten, and the key store refuses it for ever",
    "tool": f"watchkeep {__version__}",
    "limit": "a copy of the key folder from before, together with a copy of the master key of that time, opens what "
    "it holds for as long as both are kept",
}


def certify(parts: Parts, incident_id: str, *, by: str) -> dict[str, Any]:
    """The certificate of one incident as plain JSON values; for one that was erased in part it says for which party.

    Raises TransitionError if nothing of the incident was destroyed, WatchkeepError if there is none, IntegrityError if
    a store or the chain does not agree with the catalog.
    """
    with parts.journal.act(by) as act:
        found = destroyed(act.tx, parts, incident_id)
        statement = _statement(found, at=act.at, by=act.actor)
        act.record(ISSUE, subject_of(incident_id), after=digest_of_rows(statement))
        issued = act.tip.sequence
    with parts.catalog.read() as tx:
        signed, proven = Log(parts).prove(tx, [*found.entries, issued])
    return {
        "format": CERTIFICATE,
        "statement": statement,
        "entries": [_item(p) for p in proven],
        "checkpoint": signed.note,
    }


def _statement(found: Destroyed, *, at: str, by: str) -> dict[str, object]:
    """Strings, whole numbers, lists and objects only: what has canonical bytes."""
    return {
        "incident": found.incident_id,
        "scope": "one party" if found.living else "whole incident",
        "destroyed": sorted(key.party for key in found.keys),
        "kept": list(found.living),
        "sealed_at": found.sealed_at,
        "media": [asdict(record) for record in found.records],
        "sanitization": METHOD,
        "keys": [asdict(key) for key in found.keys],
        "files": [_file(file) for file in found.files],
        "verification": "the key store was asked for each key and answered that it was destroyed; the folder of sealed "
        "files was searched for each file that is said to be gone",
        "ledger": asdict(found.ledger) if found.ledger else {},
        "entries": list(found.entries),
        "issued_at": at,
        "issued_by": by,
    }


def _file(file: FileState) -> dict[str, object]:
    if file.unlinked_at:
        words = "removed with all it held"
    elif file.neighbours:
        words = f"still there for what is kept in it ({file.neighbours}); the destroyed items in it are noise"
    else:
        words = "not removed yet; the destroyed items in it are noise"
    return {
        "file": file.file_id,
        "sha256": file.sha256,
        "size": file.size,
        "unlinked_at": file.unlinked_at,
        "neighbours": file.neighbours,
        "state": words,
    }


def _item(proven: Proven) -> dict[str, object]:
    return {"entry": proven.entry._asdict(), "proof": [step.hex() for step in proven.proof]}
