"""People who act on evidence: who they are and what they may do. Staff, never the platform's users."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.core.errors import PermissionRefused


class Role(StrEnum):
    """What a person was appointed to."""

    REVIEWER = "reviewer"
    SEVERE_REVIEWER = "severe_reviewer"
    LEAD = "lead"
    LEGAL = "legal"
    PRIVACY_OFFICER = "privacy_officer"
    ADMIN = "admin"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who proved to be who they are. `roles` are those in force now."""

    person_id: str
    name: str
    roles: frozenset[Role]

    @property
    def actor(self) -> str:
        """How the audit chain names them."""
        return f"person:{self.name}({self.person_id})"

    def need(self, act: str, *roles: Role) -> None:
        """Raises PermissionRefused unless the person has one of `roles`."""
        if self.roles.isdisjoint(roles):
            wanted = " or ".join(role.value for role in roles)
            raise PermissionRefused(f"{self.name} may not {act}: that takes the role {wanted}")
