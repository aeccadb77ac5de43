"""Passphrases: which ones are taken, and what is kept of them (argon2id).

The kept text names its own parameters and salt, so stronger parameters take effect at each person's next log-in.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from pipeline.core.errors import IntegrityError, WatchkeepError

LEAST_CHARACTERS = 15
"""NIST SP 800-63B-4: a password that is the only factor has at least 15 characters."""

MOST_CHARACTERS = 1024
"""More is no passphrase, and hashing it costs us."""

LEAST_DIFFERENT = 5

COMMON = frozenset(
    ("correct horse battery staple", "correcthorsebatterystaple", "passwordpassword", "qwertyuiopasdfghjkl",
     "abcdefghijklmnopqrstuvwxyz", "123456789012345", "1234567890123456")
)  # fmt: skip
"""What anybody tries first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one guess costs; the defaults are RFC 9106, section 4, second recommended option (salt 128, tag 256 bit)."""

    passes: int = 3
    memory_kib: int = 65_536
    lanes: int = 4


RFC_9106 = Cost()


class Passphrases:
    """argon2id at one cost."""

    def __init__(self, cost: Cost) -> None:
        self._hasher = PasswordHasher(
            time_cost=cost.passes,
            memory_cost=cost.memory_kib,
            parallelism=cost.lanes,
            hash_len=32,
            salt_len=16,
            type=Type.ID,
        )

    def keep(self, passphrase: str) -> str:
        """What is kept of it, with a fresh salt."""
        return self._hasher.hash(_normal(passphrase))

    def matches(self, kept: str, passphrase: str) -> bool:
        """True if `kept` was made of `passphrase`; compared in constant time. IntegrityError if `kept` is no hash."""
        if len(passphrase) > MOST_CHARACTERS:
            return False
        try:
            return self._hasher.verify(kept, _normal(passphrase))
        except InvalidHashError as error:
            raise IntegrityError("people: a passphrase is not kept as watchkeep keeps it: run doctor") from error
        except VerificationError:
            return False

    def waste(self, passphrase: str) -> None:
        """Take as long as `matches` does: whether a name exists is not told by the time that the answer takes."""
        self._hasher.hash(_normal(passphrase[:MOST_CHARACTERS]))

    def outdated(self, kept: str) -> bool:
        """True if it was made at another cost than today's."""
        return self._hasher.check_needs_rehash(kept)


def check_passphrase(passphrase: str, name: str) -> None:
    """Raises WatchkeepError, in a sentence that does not repeat it, unless `name` may take this passphrase."""
    plain = _normal(passphrase)
    said = plain.casefold()
    if len(plain) < LEAST_CHARACTERS:
        raise WatchkeepError(f"the passphrase has fewer than {LEAST_CHARACTERS} characters: take a longer one")
    if len(passphrase) > MOST_CHARACTERS:
        raise WatchkeepError(f"the passphrase has more than {MOST_CHARACTERS} characters: take a shorter one")
    if any(unicodedata.category(char) == "Cc" for char in plain):
        raise WatchkeepError("the passphrase has a control character or a line break in it: take another one")
    if said in COMMON or len(set(said)) < LEAST_DIFFERENT or said.replace(_normal(name).casefold(), "").strip() == "":
        raise WatchkeepError("the passphrase is one that anybody would try first: take another one")


def _normal(passphrase: str) -> str:
    # The same characters, however the keyboard composed them (NIST SP 800-63B-4, section 3.1.1.2).
    return unicodedata.normalize("NFKC", passphrase).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
