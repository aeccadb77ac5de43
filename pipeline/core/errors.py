"""Errors, split by who must act.

Every message is one sentence for a person: what is wrong, where, and what to do about it.
"""


class WatchkeepError(Exception):
    """Base of all refusals that a user sees as one sentence instead of a traceback."""


class SourceError(WatchkeepError):
    """This recording (or this part of it) cannot be read; the scan goes on with the others.

    `reason` is the short outcome of the scan report, e.g. "zero bytes" or "not media: ...".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotYetError(SourceError):
    """The recording is not wrong, only not ready (still being written): try again later."""


class UnreachableError(SourceError):
    """The file cannot be had now, whatever is in it: gone, locked, or on a disk that gave up."""


class ModelError(WatchkeepError):
    """A model is missing, altered or does not speak as its registry entry says: the operator acts."""


class ConfigError(WatchkeepError):
    """A configuration file is refused whole; `problems` holds every error, each with file and line."""

    def __init__(self, problems: str | tuple[str, ...]) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class BusyError(WatchkeepError):
    """Another writing command holds this home: wait for it or choose another home."""


class FencedError(WatchkeepError):
    """A newer run owns this home; this one may not write any more."""


class SealError(WatchkeepError):
    """Nothing was sealed: the caller still owns the bytes and may try again."""


class DisclosureError(WatchkeepError):
    """Evidence may not be opened by this actor, for this reason, under this grant."""


class KeyDestroyedError(WatchkeepError):
    """The key was destroyed on purpose; what it sealed is gone for ever. Expected after destruction."""


class KeyMissingError(WatchkeepError):
    """The key store does not know this key and has no record of its destruction: restore the keys folder."""


class IntegrityError(WatchkeepError):
    """Something stored is not what was stored: stop, alarm, look at the named place."""


class PermissionRefused(WatchkeepError):
    """This person may not do this: somebody with the named role has to."""


class ApprovalError(WatchkeepError):
    """The act takes more people than agreed so far, or its approval is spent, expired or for something else."""


class HeldError(WatchkeepError):
    """The evidence is held: it stays until every hold has ended."""


class TransitionError(WatchkeepError):
    """What was planned no longer fits the state: look again and plan anew."""
