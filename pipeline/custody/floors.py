"""The two ways in which evidence goes before its time: a floor that two people move, and an authority's demand."""

from __future__ import annotations

from datetime import datetime

from pipeline.core.approval import Params
from pipeline.core.clock import utc_parse, utc_text
from pipeline.core.errors import ConfigError
from pipeline.core.person import Person, Role
from pipeline.core.retention import Order
from pipeline.custody.desk import Agreed, Desk
from pipeline.custody.events import as_asked
from pipeline.vault.floors import Floors
from pipeline.vault.orders import Orders

OVERRIDE = "floor.override"
DESTROY = "order.destroy"


def override_params(desk: Desk, incident_id: str, *, rule: str, until: datetime, ground: str, by: Person) -> Params:
    """What two people have to agree to; ConfigError if no floor of this rule is written down."""
    by.need("ask for an override", Role.LEGAL, Role.PRIVACY_OFFICER)
    known = sorted({f.rule for f in desk.case(incident_id).floors})
    if rule not in known:
        raise ConfigError(f"incident {incident_id} has no floor {rule!r}: it has {', '.join(known) or 'none'}")
    return {"incident": incident_id, "rule": rule, "until": utc_text(until), "ground": ground}


def override(desk: Desk, params: Params, agreed: Agreed) -> None:
    """Move the floors of a rule on one incident, on the ground that was agreed.

    Raises TransitionError if something was recorded of it since people were asked.
    """
    as_asked(desk.case(str(params["incident"])), agreed)
    Floors(desk.parts).override(
        str(params["incident"]),
        str(params["rule"]),
        utc_parse(str(params["until"])),
        str(params["ground"]),
        approval=agreed.approval,
        by=agreed.by.actor,
    )


def order(desk: Desk, params: Params, agreed: Agreed) -> None:
    """Write an authority's demand to destroy down (18 USC 2258B(c)): it waives floors, never holds."""
    incidents = params["incidents"]
    Orders(desk.parts).add(
        [str(i) for i in incidents] if isinstance(incidents, list) else [],
        Order.DESTROY,
        desk.now(),
        str(params["authority"]),
        str(params["reference"]),
        by=agreed.by.actor,
        approval=agreed.approval,
    )
