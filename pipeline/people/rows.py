"""Accounts in the database: read, and written whole."""

from __future__ import annotations

from typing import Any

from pipeline.core.clock import utc_parse, utc_text
from pipeline.core.errors import IntegrityError
from pipeline.core.person import Role
from pipeline.people.account import Account, name_key
from pipeline.people.database import Transaction, appointment, person


def accounts(tx: Transaction) -> tuple[Account, ...]:
    """All of them, by name."""
    return tuple(_account(tx, row) for row in tx.execute(person.select().order_by(person.c.name_key)).all())


def account(tx: Transaction, person_id: str) -> Account | None:
    """The account of a person, None if there is none."""
    row = tx.execute(person.select().where(person.c.person_id == person_id)).first()
    return None if row is None else _account(tx, row)


def account_named(tx: Transaction, name: str) -> Account | None:
    """The account with this name, however it is spelled; None if there is none."""
    row = tx.execute(person.select().where(person.c.name_key == name_key(name))).first()
    return None if row is None else _account(tx, row)


def put(tx: Transaction, new: Account) -> None:
    """The account is as `new` says."""
    tx.execute(person.delete().where(person.c.person_id == new.person_id))
    tx.execute(appointment.delete().where(appointment.c.person_id == new.person_id))
    row = {
        "person_id": new.person_id,
        "name": new.name,
        "name_key": name_key(new.name),
        "passphrase": new.passphrase,
        "made_at": utc_text(new.made_at),
        "renewed_at": utc_text(new.renewed_at),
        "disabled_at": utc_text(new.disabled_at) if new.disabled_at else "",
    }
    tx.execute(person.insert(), row)
    for role, at in new.grants.items():
        tx.execute(appointment.insert(), {"person_id": new.person_id, "role": role.value, "granted_at": utc_text(at)})


def _account(tx: Transaction, row: Any) -> Account:
    granted = tx.execute(appointment.select().where(appointment.c.person_id == row.person_id)).all()
    try:
        return Account(
            person_id=row.person_id,
            name=row.name,
            passphrase=row.passphrase,
            made_at=utc_parse(row.made_at),
            renewed_at=utc_parse(row.renewed_at),
            disabled_at=utc_parse(row.disabled_at) if row.disabled_at else None,
            grants={Role(g.role): utc_parse(g.granted_at) for g in granted},
        )
    except (ValueError, TypeError) as error:
        raise IntegrityError(
            f"people: account {row.person_id} holds what watchkeep never writes ({error}): restore the people folder"
        ) from error
