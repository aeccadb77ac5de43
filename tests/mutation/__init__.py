"""The mutants: lists of guarding lines by room, each line with the tests that must fail when it is gone."""

from .acts import ACTS
from .desk import DESK
from .destroying import DESTROYING
from .finding import FINDING
from .guards import GUARDS
from .holds import HOLDS
from .judging import JUDGING
from .keeping import KEEPING
from .keys import KEYS
from .log import PROVING
from .mutant import Mutant
from .ordinary import ORDINARY_DATA
from .people import PEOPLE
from .remains import REMAINS
from .requests import REQUESTS
from .restoring import RESTORING
from .verifying import VERIFYING

MUTANTS = (
    *KEEPING,
    *GUARDS,
    *DESTROYING,
    *REMAINS,
    *HOLDS,
    *ACTS,
    *REQUESTS,
    *JUDGING,
    *DESK,
    *PEOPLE,
    *KEYS,
    *PROVING,
    *VERIFYING,
    *RESTORING,
    *ORDINARY_DATA,
    *FINDING,
)

__all__ = ["MUTANTS", "Mutant"]
