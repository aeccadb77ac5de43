"""Floors: the earliest lawful destruction, written down so that no later rule file can forget it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pipeline.core.approval import Approval
from pipeline.core.retention import Bound
from pipeline.vault.parts import Parts


class Floors:
    """Writing floors down, and moving one by agreement of two people."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def write_down(self, incident_id: str, floors: Sequence[Bound], *, by: str) -> None:
        """Add floors; those that are written down already change nothing."""
        raise NotImplementedError

    def override(
        self, incident_id: str, rule: str, until: datetime, ground: str, *, approval: Approval, by: str
    ) -> None:
        """Move the floors of `rule` that were written down so far to `until`.

        Act "floor.override" {incident, rule, until (utc_text), ground}.
        """
        raise NotImplementedError
