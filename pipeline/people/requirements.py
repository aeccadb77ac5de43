"""How many people each act takes, and of which roles: none of them is the one who asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pipeline.core.errors import WatchkeepError
from pipeline.core.person import Role
from pipeline.people.appointing import OFFICERS

USER_GRANT = "user.grant"
HOLD_RELEASE = "hold.release"
HOLD_RELEASE_CONFIDENTIAL = "hold.release_confidential"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """`needed` people, each with one of `roles`. `discreet`: its audit entries do not say which act it is about."""

    needed: int = 2
    roles: frozenset[Role] = OFFICERS
    discreet: bool = False


REQUIREMENTS: Mapping[str, Requirement] = MappingProxyType(
    {
        # That a hold is there may be confidential, and a request to release it would tell.
        HOLD_RELEASE: Requirement(discreet=True),
        HOLD_RELEASE_CONFIDENTIAL: Requirement(roles=frozenset({Role.LEGAL}), discreet=True),
        "floor.override": Requirement(),
        "order.destroy": Requirement(),
        "report.close": Requirement(),
        # The second opinion on a dismissal is a reviewer's, not a lawyer's; officers may give it too.
        "decide.dismiss_severe": Requirement(needed=1, roles=OFFICERS | {Role.SEVERE_REVIEWER}),
        "sweep.large": Requirement(),
        "clock.accept": Requirement(),
        "restore.accept": Requirement(),
        "rules.change": Requirement(),
        USER_GRANT: Requirement(),
    }
)
"""The acts that nobody does alone."""


def required(act: str) -> Requirement:
    """What `act` takes; WatchkeepError for an act that nobody can ask for."""
    if act not in REQUIREMENTS:
        raise WatchkeepError(f"there is no act {act!r} to approve: it is one of {', '.join(sorted(REQUIREMENTS))}")
    return REQUIREMENTS[act]
