"""Why an incident is still here, until when, what is to be done; or when and why it went. In sentences.

A reader without the legal role reads about the case as it would be without its confidential holds: what was never
looked at cannot show. Where such a hold keeps what is due, the words are those of all evidence that is due. Refuses to
know who reads, and the names of platform users.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.core.decision import Custody
from pipeline.core.retention import PRESERVATION, Case, Order, Outcome, RequestKind
from pipeline.retention import told
from pipeline.retention.engine import judge
from pipeline.retention.keepers import hold_alarms
from pipeline.retention.phrases import moment, sentence
from pipeline.retention.rules import Rules
from pipeline.retention.weighing import weigh


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """The key of `party` ("subject" or "counterpart") was destroyed: when, why, and who did it as the chain names them.

    From the vault's destruction rows.
    """

    party: str
    at: datetime
    reason: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a person's request meant for the data of `party` in this incident, as it was written down."""

    kind: RequestKind
    party: str
    at: datetime
    outcome: Outcome
    ground: str


def seen(case: Case, *, legal: bool) -> Case:
    """The case as its reader may see it: without confidential holds unless the reader has the legal role."""
    if legal or not any(hold.confidential for hold in case.holds):
        return case
    return replace(case, holds=tuple(hold for hold in case.holds if not hold.confidential))


def explain(  # noqa: PLR0913
    case: Case,
    rules: Rules,
    now: datetime,
    *,
    production: bool,
    legal: bool,
    promoted: datetime | None = None,
    parties: Iterable[str] = (),
    gone: Sequence[Gone] = (),
    answers: Sequence[Answered] = (),
) -> tuple[str, ...]:
    """Sentences about `case` at `now`, the most important first; what people have to do comes last.

    `legal` says that the reader has the legal role; `promoted` is as for `judge`. `parties` are those whose data were
    sealed, `gone` those whose keys were destroyed, `answers` what was answered to requests, all in order of time.
    """
    case = seen(case, legal=legal)
    weighed = weigh(case, rules, now, production, promoted)
    history = (
        *told.belonging(case, rules, weighed, promoted, legal=legal),
        *told.floors(case, rules, weighed, now, promoted),
        *told.ceilings(weighed, now, production),
        *told.holds(case, rules, now, legal=legal),
    )
    asked = (*_orders(case), *map(_answered, answers))
    if case.custody in (Custody.KEY_DESTROYED, Custody.PURGED):
        return (*_went(gone), *_remains(case), *history, *asked)
    hidden = case.retention_class == PRESERVATION and not case.holds and not legal
    alarms = () if hidden else judge(case, rules, now, production=production, promoted=promoted).alarms
    if legal:
        alarms = tuple(dict.fromkeys((*alarms, *hold_alarms(case, rules, now, confidential=True))))
    return (
        "It goes with a coming sweep unless something keeps it."
        if hidden
        else told.next_step(case, rules, weighed, now, production=production, promoted=promoted),
        *history,
        *told.automatic(case, rules),
        *asked,
        *_sides(parties, gone),
        *(["Access is restricted: only legal and privacy roles may open it."] if case.restricted else []),
        *(sentence(f"to do: {words}") for words in alarms),
    )


def _orders(case: Case) -> Iterator[str]:
    for order in case.orders:
        if order.order is Order.DESTROY:
            yield sentence(
                f"a law-enforcement request to destroy it (18 USC 2258B(c)) counts from {moment(order.at)}: it waives "
                f"floors, never holds; {order.ground}"
            )
        else:
            yield sentence(f"an accepted request lets it go from {moment(order.at)} on: {order.ground}")


def _answered(answer: Answered) -> str:
    kind = answer.kind.value.replace("_", "-")
    return sentence(
        f"a request ({kind}) was answered on {moment(answer.at)} for the {answer.party}'s side: "
        f"{answer.outcome.value}; {answer.ground}"
    )


def _went(gone: Sequence[Gone]) -> Iterator[str]:
    if not gone:
        yield "It is gone: its keys were destroyed."
    for one in gone:
        yield sentence(
            f"the {one.party}'s side is gone: {one.actor} destroyed its key on {moment(one.at)}: {one.reason}"
        )


def _remains(case: Case) -> Iterator[str]:
    if case.custody is Custody.PURGED:
        yield "No file holds a byte of it any more."
    else:
        yield (
            "Its sealed bytes lie in a file that other incidents share; nothing opens them any more, "
            "and the file goes with the last of those."
        )
    yield "What remains is its entry in the catalog, its events, and the audit chain; no evidence, and nobody's name."


def _sides(parties: Iterable[str], gone: Sequence[Gone]) -> Iterator[str]:
    if gone:
        yield from _went(gone)
        left = [party for party in parties if party not in {one.party for one in gone}]
        for party in left:
            yield f"The {party}'s side is kept."
