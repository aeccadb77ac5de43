"""Destruction: the machine ACTIVE -> DELETING -> KEY_DESTROYED -> PURGED, in batches.

What is planned is checked again with the catalog's own rows, when it is claimed and when its keys go, under the
catalog's write lock. Refuses to know the rules that made the plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pipeline.core.approval import Approval
from pipeline.core.evidence import Party
from pipeline.core.retention import Disposition
from pipeline.vault.parts import Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep did. `skipped` are (incident, why); `files` are names; `pause` says why nothing was destroyed."""

    sweep_id: str
    destroyed: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    unreviewed: int = 0
    held: int = 0
    conflicts: int = 0
    kept: int = 0
    pause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """What was finished: incidents whose keys were gone, claims given back, parties (incident, party), file names."""

    destroyed: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    parties: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What verdicts changed: incidents now restricted, and those whose conflict was opened or ended."""

    restricted: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Destruction:
    """One key's end; `at` is UTC text."""

    key_id: str
    incident_id: str
    party: str
    method: str
    reason: str
    at: str
    actor: str


class Destroyer:
    """Carries plans out on one vault; one at a time, whatever the number of processes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def carry_out(
        self,
        plan: Iterable[Disposition],
        *,
        now: datetime,
        actor: str,
        allow_unreviewed: bool,
        approval: Approval | None = None,
    ) -> Swept:
        """Destroy what the plan says, where the catalog still agrees at the trusted time `now`; the rest is counted.

        An `approval` (act sweep.large, {plan: `plan_digest` of the incidents to go, count}) is spent first.
        Call `resume` before planning. Raises IntegrityError for a catalog that is behind its signed head, SealError
        for one that cannot be written; nothing is destroyed then.
        """
        raise NotImplementedError

    def resume(self, *, actor: str) -> Resumed:
        """Finish what a crash or an old catalog or vault left: what the key store says is destroyed is destroyed."""
        raise NotImplementedError

    def erase_party(self, incident_id: str, party: Party, *, reason: str, by: str) -> None:
        """Destroy the counterpart's key alone; the incident stays. Doing it twice is doing it once.

        Raises HeldError while the incident is held, TransitionError while anything else keeps it.
        """
        raise NotImplementedError

    def apply_verdicts(self, plan: Iterable[Disposition], *, actor: str) -> Applied:
        """Restrict what is HELD or in CONFLICT, and open or end the rows of conflicts."""
        raise NotImplementedError

    def destructions(self, incident_id: str) -> tuple[Destruction, ...]:
        """The ends of the incident's keys, in order of time."""
        raise NotImplementedError

    def destroyed_since(self, at: datetime) -> int:
        """How many incidents were destroyed from `at` on."""
        raise NotImplementedError


def plan_digest(incidents: Iterable[str]) -> str:
    """sha256 hex over the sorted incident ids: what two people approve of a large sweep."""
    raise NotImplementedError
