"""Which appointments take more than one person: pure rules over accounts.

A home is being founded while fewer than two people are officers (legal, privacy). Once two are, officers and reviewers
of severe classes are appointed, reset and let in again by approval only, and there always stay two officers and an
administrator; so nobody gets back to the founding by dismissing people.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.core.errors import WatchkeepError
from pipeline.core.person import Role
from pipeline.people.account import Account

OFFICERS = frozenset({Role.LEGAL, Role.PRIVACY_OFFICER})
PROTECTED = OFFICERS | {Role.SEVERE_REVIEWER}
"""Roles that two people have to agree to."""


def founding(accounts: Iterable[Account]) -> bool:
    """True while fewer than two people are officers; those who are disabled count."""
    return sum(not OFFICERS.isdisjoint(a.grants) for a in accounts) < 2


def protected(account: Account) -> bool:
    """True if resetting or re-enabling this account gives somebody a role that takes approval."""
    return not PROTECTED.isdisjoint(account.grants)


def check_change(accounts: Iterable[Account], after: Account) -> None:
    """Raises WatchkeepError if nobody could run the home once an account is (or is added) as `after` says.

    An administrator who is disabled is none; a disabled officer still counts as one.
    """
    known = tuple(accounts)
    will_be = (*(a for a in known if a.person_id != after.person_id), after)
    if founding(known):
        if not founding(will_be) and not _administrators(will_be):
            raise WatchkeepError(
                "with a second officer the home is founded, and nobody is its administrator yet: "
                "grant somebody the role admin first"
            )
    elif founding(will_be):
        raise WatchkeepError(f"{after.name} is one of the last two officers: appoint another one first")
    elif _administrators(known) and not _administrators(will_be):
        raise WatchkeepError(f"{after.name} is the last administrator: appoint another one first")


def _administrators(accounts: Iterable[Account]) -> int:
    return sum(Role.ADMIN in a.grants and a.disabled_at is None for a in accounts)
