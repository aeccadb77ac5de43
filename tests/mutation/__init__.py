"""The mutants: lists of guarding lines by room, each line with the tests that must fail when it is gone."""

from .acts import ACTS
from .destroying import DESTROYING
from .finding import FINDING
from .guards import GUARDS
from .keeping import KEEPING
from .keys import KEYS
from .log import PROVING
from .mutant import Mutant

MUTANTS = (*KEEPING, *GUARDS, *DESTROYING, *ACTS, *KEYS, *PROVING, *FINDING)

__all__ = ["MUTANTS", "Mutant"]
