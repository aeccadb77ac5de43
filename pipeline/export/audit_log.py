"""The audit log for somebody outside: every entry, and a signed checkpoint of their tree, in one file of JSON Lines.

What is confidential has neutral words in the chain itself, so nothing is left out here. Refuses to choose entries.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from pipeline.core.chain import AuditEntry, Walk
from pipeline.core.errors import ConfigError
from pipeline.export.form import checkpoint_line, header_line
from pipeline.vault.audit import chain_tip, creation, entries
from pipeline.vault.disk import write_once
from pipeline.vault.log import LOG, Log, Signed
from pipeline.vault.parts import Parts


def export_log(parts: Parts, to: Path, *, by: str) -> Signed:
    """Write the whole log into the new file `to`; the entry of this act is committed first, and is in it.

    Raises ConfigError if `to` exists, IntegrityError (and writes no file) if the chain is broken.
    """
    if to.exists():
        raise ConfigError(f"{to} exists: name a new file")
    with parts.journal.act(by) as act:
        act.record("audit.export", LOG)
    signed: list[Signed] = []
    with parts.catalog.read() as tx:
        size = chain_tip(tx).sequence

        def write(out: BinaryIO) -> None:
            signed.append(write_log(parts, out, entries(tx), size))

        try:
            write_once(to, write)
        except FileExistsError:
            raise ConfigError(f"{to} exists: name a new file") from None
    return signed[0]


def write_log(parts: Parts, out: BinaryIO, chain: Iterable[AuditEntry], size: int) -> Signed:
    """Header, the `size` entries of `chain`, checkpoint. Raises IntegrityError at the first entry that does not fit."""
    walk = Walk(creation(parts.head))
    out.write(header_line(parts.head.public_key, size))
    for entry in chain:
        walk.take(entry)
        out.write(entry.line() + b"\n")
    signed = Log(parts).signed(walk)
    out.write(checkpoint_line(signed.note))
    return signed
