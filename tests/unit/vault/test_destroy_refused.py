"""What destruction passes by, and catalogs on which it does nothing."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from sqlalchemy import update

from pipeline.core.errors import IntegrityError, SealError
from pipeline.vault.destroy import Destroyer
from pipeline.vault.tables import evidence_record, key_ref
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import BY, hold_on, keys_of, row
from tests.unit.vault.conftest import Place
from tests.unit.vault.sweeps import (
    LATER,
    key_states,
    let_tick,
    plan,
    sealed_in,
    state_of_key,
    sweep,
)


def test_an_incident_of_which_a_key_is_lost_stays_and_its_neighbours_go(vault: Vault) -> None:
    """R12: a lost key is an alarm, never a destruction."""
    broken, gone = sealed_in(vault, 0, "nudity", "drugs")
    counterpart = keys_of(vault, broken)["counterpart"]
    with vault.parts.journal.act(BY) as act:
        act.tx.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        for table in (key_ref, evidence_record):
            act.tx.exec_driver_sql(f"DROP TRIGGER {table.name}_no_update")
            act.tx.execute(update(table).where(table.c.key_id == counterpart).values(key_id="incident-lost"))
    done = sweep(vault, broken, gone)
    assert (done.destroyed, done.skipped) == ((gone,), ((broken, "a key of it is lost: restore the keys folder"),))
    assert row(vault, broken)["custody"] == "active"
    assert state_of_key(vault, keys_of(vault, broken)["subject"]) == "alive"


def test_an_unknown_incident_in_a_plan_is_passed_by(vault: Vault) -> None:
    (due,) = sealed_in(vault, 0, "nudity")
    (stray,) = plan(vault, due)
    let_tick(vault)
    done = sweep(vault, of=[replace(stray, incident_id="00" * 16), stray])
    assert (done.destroyed, done.skipped) == ((due,), (("00" * 16, "there is no such incident"),))


def test_a_catalog_that_lags_behind_its_signed_head_destroys_nothing(vault: Vault, place: Place) -> None:
    """R21: a hold that the primary took is not in an old copy, so the copy may not sweep."""
    (due,) = sealed_in(vault, 0, "nudity")
    let_tick(vault)
    vault.close()
    shutil.copytree(place.home / "catalog", place.root / "replica")
    with place.open() as primary:
        hold_on(primary, [due], until=None)
    shutil.rmtree(place.home / "catalog")
    shutil.copytree(place.root / "replica", place.home / "catalog")
    with place.open() as replica:
        destroyer, going = Destroyer(replica.parts), plan(replica, due)
        with pytest.raises(IntegrityError, match="are missing"):
            destroyer.carry_out(going, now=LATER, actor=BY, allow_unreviewed=False)
        with pytest.raises(IntegrityError, match="are missing"):
            destroyer.resume(actor=BY)
        assert key_states(replica, due) == {"alive"}


def test_a_catalog_that_can_only_be_read_destroys_nothing(vault: Vault) -> None:
    """R21."""
    (due,) = sealed_in(vault, 0, "nudity")
    let_tick(vault)
    going = plan(vault, due)
    with vault.parts.catalog.read() as tx:
        tx.exec_driver_sql("PRAGMA query_only=ON")  # the pool has this one connection
    with pytest.raises(SealError, match="readonly"):
        Destroyer(vault.parts).carry_out(going, now=LATER, actor=BY, allow_unreviewed=False)
    assert key_states(vault, due) == {"alive"}
