"""Who is involved in an incident: opaque persons, and the one row that leads from an account to its person.

Also what a person's requests mean for evidence that is sealed after them. No column holds an account: an index is a
keyed digest, under a key of its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from pipeline.core.decision import Incident
from pipeline.core.evidence import Party
from pipeline.core.ids import keyed_id
from pipeline.core.recording import UNKNOWN, Recording
from pipeline.core.retention import Outcome, RequestKind
from pipeline.vault.audit import Act
from pipeline.vault.master import derive
from pipeline.vault.provenance import subject_of
from pipeline.vault.states import state_of
from pipeline.vault.tables_keeping import account_link, involved, request, request_item

CONSENT = "CONSENT"
"""The legal basis that ends with a withdrawal, as manifests name it."""

_RESTRICTING = (RequestKind.ERASURE, RequestKind.WITHDRAWAL, RequestKind.UNDER_13, RequestKind.RESTRICTION)
_OPEN = or_(
    request.c.state.in_(("received", "verified")),
    and_(request.c.state == "decided", request.c.decision == "accepted"),
)

_WITHDRAWN = and_(
    request.c.kind == RequestKind.WITHDRAWAL.value, request.c.verified_at != "", request.c.decision != "refused"
)
"""A withdrawal counts from the moment at which who asks was verified; until then what comes in is restricted."""


def account_index(installation_key: bytes, account: str) -> str:
    """The keyed digest under which an account is looked up."""
    return keyed_id(derive(installation_key, "watchkeep/accounts/1"), "account", account)


def person_of(tx: Connection, installation_key: bytes, account: str, make: bool = True) -> str:
    """The opaque person of an account, made if there is none yet and `make`; else "unknown"."""
    if account == UNKNOWN:
        return UNKNOWN
    index = account_index(installation_key, account)
    found = tx.execute(select(account_link.c.person).where(account_link.c.account_index == index)).scalar()
    if found is None and make:
        found = secrets.token_hex(16)
        tx.execute(insert(account_link), {"person": found, "account_index": index})
    return found or UNKNOWN


def forget(tx: Connection, person: str) -> bool:
    """Remove what leads from an account to this person if nothing needs it any more; True if it went.

    Evidence needs it, an open request does, and so does a withdrawal in force: else it could not be honoured.
    """
    evidence = select(involved.c.person).where(involved.c.person == person).limit(1)
    asking = select(request.c.person).where(request.c.person == person, or_(request.c.state != "done", _WITHDRAWN))
    if tx.execute(evidence).first() or tx.execute(asking.limit(1)).first():
        return False
    return bool(tx.execute(delete(account_link).where(account_link.c.person == person)).rowcount)


def accounts(incident: Incident, recording: Recording, counterpart: Recording | None) -> dict[Party, frozenset[str]]:
    """The known accounts of each party of an incident: as capture divides what it cuts between them."""
    subject = subject_of(incident, recording).account
    others = [] if counterpart is None else [p.account for p in counterpart.participants]
    if any(p.handle == incident.participant for p in recording.participants):
        others += [p.account for p in recording.participants if p.handle != incident.participant]
    return {
        Party.SUBJECT: frozenset({subject} - {UNKNOWN}),
        Party.COUNTERPART: frozenset(others) - {UNKNOWN, subject},
    }


def involve(act: Act, installation_key: bytes, incident_id: str, people: Mapping[Party, frozenset[str]]) -> None:
    """Write down who an incident involves; several people in one part are "unknown", as nobody is.

    What was unknown may become known; who was known, or was erased, stays.
    """
    have = {
        row.party: row.person for row in act.tx.execute(select(involved).where(involved.c.incident_id == incident_id))
    }
    for party, named in people.items():
        account = next(iter(named)) if len(named) == 1 else UNKNOWN
        place = {"incident_id": incident_id, "party": party.value}
        if party.value not in have:
            person = person_of(act.tx, installation_key, account)
            act.tx.execute(insert(involved), {**place, "person": person})
        elif have[party.value] == UNKNOWN and account != UNKNOWN:
            person = person_of(act.tx, installation_key, account)
            same = (involved.c.incident_id == incident_id, involved.c.party == party.value)
            act.tx.execute(update(involved).where(*same).values(person=person))


def withdrawn(tx: Connection, installation_key: bytes, recordings: Iterable[Recording | None]) -> frozenset[str]:
    """Accounts in these recordings whose consent was withdrawn, where consent is what their data rest on."""
    named = {p.account for r in recordings if r is not None and on_consent(r) for p in r.participants} - {UNKNOWN}
    persons = {person_of(tx, installation_key, account, False): account for account in named}
    persons.pop(UNKNOWN, None)
    query = select(request.c.person).where(request.c.person.in_(persons), _WITHDRAWN)
    return frozenset(persons[p] for p in tx.execute(query).scalars())


def on_consent(recording: Recording) -> bool:
    """True if the people's consent is what the recording is kept on."""
    return recording.legal_basis.upper() == CONSENT


def open_requests(tx: Connection, installation_key: bytes, people: Mapping[Party, frozenset[str]]) -> dict[str, Party]:
    """Requests that restrict what is sealed now, by their ids, with the party that asked."""
    found: dict[str, Party] = {}
    for party, named in people.items():
        persons = {person_of(tx, installation_key, account, False) for account in named} - {UNKNOWN}
        kinds = request.c.kind.in_([kind.value for kind in _RESTRICTING])
        query = select(request.c.request_id).where(request.c.person.in_(persons), kinds, _OPEN)
        found |= dict.fromkeys(tx.execute(query).scalars(), party)
    return found


def answer(act: Act, requests: Mapping[str, Party], incident_id: str) -> None:
    """Tell each request what became of an incident that was sealed while it was open; once."""
    for request_id, party in sorted(requests.items()):
        i = request_item
        same = (i.c.request_id == request_id, i.c.incident_id == incident_id, i.c.party == party.value)
        if act.tx.execute(select(i.c.number).where(*same).limit(1)).first():
            continue
        row = {
            "request_id": request_id,
            "incident_id": incident_id,
            "party": party.value,
            "outcome": Outcome.RESTRICTED.value,
            "ground": "sealed while the request was open",
            "at": act.at,
        }
        act.tx.execute(insert(i), row)
        subject = f"request:{request_id}"
        act.record("request.note", subject, reason=incident_id, after=state_of(act.tx, subject))
