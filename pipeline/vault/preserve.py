"""Preservation: ordinary content copied into the vault because an order names a person."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.core.evidence import Draft
from pipeline.core.recording import UNKNOWN, Recording
from pipeline.vault.parts import Parts


class Preserver:
    """Seals ordinary content for a hold that was placed before."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def preserve(
        self,
        hold_id: str,
        recording: Recording,
        drafts: Iterable[Draft],
        *,
        account: str,
        by: str,
        counterpart: str = UNKNOWN,
    ) -> str:
        """Seal drafts one by one under an active hold; the incident's id. Twice is once per hold and recording.

        `account` is whose data Party.SUBJECT's drafts are, `counterpart` the account of Party.COUNTERPART's.
        """
        raise NotImplementedError
