"""What a person's request means for one party's evidence in one incident: erased, restricted, refused or deferred.

A pure answer with its legal ground in words; the vault looks at its own rows again before anything goes. Grounds are
read by people who may not know of a confidential hold: no ground says which order keeps something, or that one does.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pipeline.core.decision import Custody, Severity
from pipeline.core.evidence import Party
from pipeline.core.recording import UNKNOWN
from pipeline.core.retention import Case, Outcome, RequestKind
from pipeline.retention.keepers import APPEAL, REPORT, REVIEW, keepers
from pipeline.retention.phrases import moment
from pipeline.retention.rules import Rules
from pipeline.retention.weighing import Weighed, weigh

CONSENT = "CONSENT"
"""The legal basis that a withdrawal ends; every other one stands without it."""

Answer = tuple[Outcome, str]

_ERASING = {
    RequestKind.WITHDRAWAL: "GDPR 7(3), 17(1)(b): consent was all that it rested on, and it is withdrawn",
    RequestKind.ERASURE: "GDPR 17(1): the request was accepted, and nothing binds the evidence",
    RequestKind.UNDER_13: "COPPA, 16 CFR 312.10: data of a child under 13 without a parent's consent",
}
_REPORT = "18 USC 2258A(a), (h) and GDPR 17(3)(b): a report about it is outstanding, so it is kept, restricted"
_REVIEW = "GDPR 17(3)(e), 18(1)(b): nobody has decided on it yet; what is open is kept, restricted, until somebody does"
_APPEAL = "GDPR 17(3)(e) and Reg 2022/2065 art 20: an appeal is open; it is kept, restricted, until it is decided"
_KEPT = "GDPR 17(3)(b), (e): a legal obligation or a legal claim may need it, so it is kept, restricted, for now"
_CLOCK = "GDPR 17(3)(b): how long the law wants it kept is not known yet; ask again when it is"
_GONE = "nothing of it is left: its key was destroyed before"


def outcome(
    case: Case,
    party: Party,
    kind: RequestKind,
    rules: Rules,
    now: datetime,
    *,
    production: bool,
    legal_basis: str = UNKNOWN,
    promoted: datetime | None = None,
) -> Answer:
    """What an accepted request of `kind` does to the data of `party`, and on which ground.

    ERASED is to be carried out now; of the counterpart it means their side alone. RESTRICTED stays, and only legal and
    privacy roles may look. REFUSED and DEFERRED change nothing; a deferred one can be asked again. `legal_basis` is the
    incident's; `promoted` is when the person of a pattern was last upheld, as for `judge`.
    """
    if case.custody in (Custody.KEY_DESTROYED, Custody.PURGED):
        return Outcome.REFUSED, _GONE
    if kind is RequestKind.ACCESS:
        return _access(case)
    if kind is RequestKind.RESTRICTION:
        return Outcome.RESTRICTED, "GDPR 18(1), (2): kept, and used for legal claims or by consent alone"
    binding = _binding(case, kind, weigh(case, rules, now, production, promoted), now, legal_basis)
    erased = _ERASING[kind] + ("; this side alone" if party is Party.COUNTERPART else "")
    return next(binding, (Outcome.ERASED, erased))


def _binding(case: Case, kind: RequestKind, weighed: Weighed, now: datetime, legal_basis: str) -> Iterator[Answer]:
    """What stands in the way, weightiest first; a confidential hold comes last, when nothing else answers."""
    kept_by = keepers(case, now)
    if REPORT in kept_by:
        yield Outcome.RESTRICTED, _REPORT
    if REVIEW in kept_by:
        yield Outcome.RESTRICTED, _REVIEW
    if APPEAL in kept_by:
        yield Outcome.RESTRICTED, _APPEAL
    if kind is RequestKind.WITHDRAWAL and legal_basis.upper() != CONSENT:
        yield _other_basis(legal_basis)
    if any(hold.active(now) and not hold.confidential for hold in case.holds):
        yield Outcome.RESTRICTED, _KEPT
    if (floor := weighed.floor) and now < floor.until:
        # What consent or a child's data rested on is gone: it may be kept, and used for nothing else.
        outcome = Outcome.REFUSED if kind is RequestKind.ERASURE else Outcome.RESTRICTED
        yield outcome, f"GDPR 17(3)(b): the law demands that it stays until {moment(floor.until)} ({floor.cite})"
    if weighed.stopped:
        yield Outcome.RESTRICTED if kind is RequestKind.UNDER_13 else Outcome.DEFERRED, _CLOCK
    if kept_by:
        yield Outcome.RESTRICTED, _KEPT


def _access(case: Case) -> Answer:
    if case.severity >= Severity.SEVERE:
        return Outcome.REFUSED, (
            "GDPR 15(4) and criminal law: nobody gets a copy of such material; the answer says in words what is kept"
        )
    return (
        Outcome.DEFERRED,
        "GDPR 15(3), 15(4): a person makes the copy, without the other party's data; nothing is erased",
    )


def _other_basis(legal_basis: str) -> Answer:
    if legal_basis == UNKNOWN:
        return Outcome.DEFERRED, "GDPR 7(3): on which basis it is kept is unknown; settle that first, then ask again"
    return Outcome.REFUSED, f"GDPR 7(3), 17(1)(b): it is not kept by consent but as {legal_basis}, which stands"
