"""Who may do what at the desk: one of the roles that an act takes is enough, and any other refuses it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.core.decision import Review
from pipeline.core.errors import PermissionRefused
from pipeline.core.person import Person, Role
from pipeline.core.retention import RequestKind
from pipeline.custody import decisions, events, floors, holds, requests, rules
from pipeline.custody.holds import Ordered
from pipeline.vault.floors import Floors
from pipeline.vault.requests import ACCEPTED, Requests
from tests.unit.custody.conftest import House, person
from tests.unit.vault.acts import BY, NOW, bound, change, hold_on
from tests.unit.vault.conftest import drafts, incident, recording, seal_one, span

R, S, LEAD, LEGAL, P, ADMIN = (
    Role.REVIEWER,
    Role.SEVERE_REVIEWER,
    Role.LEAD,
    Role.LEGAL,
    Role.PRIVACY_OFFICER,
    Role.ADMIN,
)
LETTER = Ordered(kind="LITIGATION", authority="our counsel", reference="M-1", reason="X v. us", received_at=NOW)
Doing = Callable[[House, str, Person], object]


def decide(category: str) -> Doing:
    return lambda house, i, by: decisions.decide(
        house.desk, i, outcome=Review.UPHELD, category=category, note="seen", by=by
    )


def record(kind: str) -> Doing:
    return lambda house, i, by: events.record(house.desk, i, kind, at=house.clock.at, reference="R-1", by=by)


def asked(house: House) -> str:
    now = house.clock.now()
    return Requests(house.desk.parts).add(RequestKind.ERASURE, "canary-account", received_at=now, due_at=now, by=BY)


def accepted(house: House) -> requests.RequestView:
    request_id = asked(house)
    Requests(house.desk.parts).verify_identity(request_id, at=house.clock.now(), by=BY)
    Requests(house.desk.parts).decide(request_id, ACCEPTED, "GDPR 17", by=BY, person_id="p-1")
    return requests.accepted(house.desk, request_id)


ACTS: dict[str, tuple[frozenset[Role], Doing]] = {
    "place a hold": (frozenset({LEGAL}), lambda h, i, by: holds.place(h.desk, LETTER, [i], by=by)),
    "renew a hold": (
        frozenset({LEGAL}),
        lambda h, i, by: holds.renew(h.desk, hold_on(h.desk.vault, [i]), until=None, reference="R-2", by=by),
    ),
    "release a hold": (
        frozenset({LEGAL}),
        lambda h, i, by: holds.ask_release(h.desk, hold_on(h.desk.vault, [i]), reason="settled", by=by),
    ),
    "decide an incident": (frozenset({R, S, LEAD}), decide("nudity")),
    "decide a severe class": (frozenset({S}), decide("minor_sexual_content")),
    "record a suspected minor": (frozenset({R, S, LEAD, LEGAL}), record("suspected_minor")),
    "record ncmec_submitted": (frozenset({S, LEAD, LEGAL}), record("ncmec_submitted")),
    "ask for an override": (
        frozenset({LEGAL, P}),
        lambda h, i, by: floors.override_params(h.desk, i, rule="US_2258A_H", until=NOW, ground="g", by=by),
    ),
    "take in a request": (
        frozenset({LEGAL, P, LEAD}),
        lambda h, _, by: requests.add(h.desk, RequestKind.ACCESS, "canary-account", received_at=NOW, by=by),
    ),
    "confirm who asks": (
        frozenset({LEGAL, P}),
        lambda h, _, by: requests.verify_identity(h.desk, asked(h), by=by),
    ),
    "decide a request": (
        frozenset({P}),
        lambda h, _, by: requests.decide(h.desk, asked(h), "refused", ground="GDPR 12(5)", by=by),
    ),
    "erase": (frozenset({LEGAL, P}), lambda h, _, by: requests.carry_out(h.desk, accepted(h), by=by)),
    "ask for other rules": (frozenset({LEGAL, P, ADMIN}), lambda _, __, by: rules.change_params("r", "body", by=by)),
}


@pytest.fixture
def one(house: House) -> str:
    """An open incident with a floor."""
    of, at = recording(), span(1, 2)
    (incident_id,) = seal_one(house.desk.vault, of, [(incident(of, at), drafts(at))])
    Floors(house.desk.parts).write_down(incident_id, [bound()], by=BY)
    return incident_id


@pytest.mark.parametrize("act", ACTS)
def test_an_act_takes_one_of_its_roles_and_no_other_will_do(house: House, one: str, act: str) -> None:
    enough, do = ACTS[act]
    with pytest.raises(PermissionRefused, match=f"may not {act}"):
        do(house, one, person(*(set(Role) - enough)))
    do(house, one, person(min(enough)))


def test_what_is_severe_already_is_decided_by_who_may_see_it(house: House, one: str) -> None:
    change(house.desk.vault, one, severity=int(house.desk.categories["minor_sexual_content"].severity))
    for category in ("minor_sexual_content", "nudity"):
        with pytest.raises(PermissionRefused, match="decide a severe class"):
            decide(category)(house, one, person(R, LEAD))
    decide("minor_sexual_content")(house, one, person(S))
