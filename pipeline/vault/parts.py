"""What an open vault is made of: handed to each of its acts, which live in files of their own."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.ports import BlobStore, Clock, KeyStore
from pipeline.vault.audit import Journal
from pipeline.vault.catalog import Catalog
from pipeline.vault.head import SignedHead


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The services under one vault; `journal` is the only way to write to the catalog."""

    catalog: Catalog
    blobs: BlobStore
    keys: KeyStore
    head: SignedHead
    journal: Journal
    installation_key: bytes
    clock: Clock
