"""A change of the rules in force: asked for by one person, agreed to by two others, previewed before."""

from __future__ import annotations

import hashlib

from pipeline.core.approval import Params
from pipeline.core.person import Person, Role
from pipeline.custody.desk import Agreed, Desk
from pipeline.vault.rule_sets import RuleSets

CHANGE = "rules.change"


def change_params(name: str, body: str, *, by: Person) -> Params:
    """What two people have to agree to: exactly this text."""
    by.need("ask for other rules", Role.LEGAL, Role.PRIVACY_OFFICER, Role.ADMIN)
    return {"sha256": hashlib.sha256(body.encode()).hexdigest(), "name": name, "body": body}


def change(desk: Desk, params: Params, agreed: Agreed) -> None:
    """Put the agreed rules in force."""
    RuleSets(desk.parts).change(str(params["name"]), str(params["body"]), approval=agreed.approval, by=agreed.by.actor)
