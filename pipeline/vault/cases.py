"""What retention is told of incidents: times, classes and states; nobody's name and no evidence.

Streams: memory does not grow with the vault.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from pipeline.core.retention import Case
from pipeline.vault.parts import Parts

CONFIDENTIAL = "confidential"
"""The kind of a hold whose kind may not be told."""


class Upheld(NamedTuple):
    """An incident that was upheld. `appeal` is "none", "pending" or "overturned"."""

    person: str
    incident_id: str
    session: str
    decided_at: datetime
    appeal: str


class Cases:
    """The incidents of one vault as cases."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def all(self) -> Iterator[Case]:
        """Every incident in order of its id, destroyed ones included, in one snapshot."""
        raise NotImplementedError

    def one(self, incident_id: str) -> Case:
        """One incident; WatchkeepError if there is none with this id."""
        raise NotImplementedError

    def upheld(self) -> Iterator[Upheld]:
        """Incidents of known persons that were upheld at some time, grouped by person."""
        raise NotImplementedError
