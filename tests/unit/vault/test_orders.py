"""Orders: why something is to go early; they destroy nothing by themselves."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pipeline.core.errors import ApprovalError, KeyDestroyedError, WatchkeepError
from pipeline.core.retention import Order
from pipeline.vault.orders import Orders
from pipeline.vault.tables_keeping import destroy_order
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import BY, NOW, agreed, destroy, entries, hold_on, last, row


def written(vault: Vault) -> list[tuple[str, str, str]]:
    with vault.parts.catalog.read() as tx:
        o = destroy_order
        return [(r.incident_id, r.order, r.source) for r in tx.execute(select(o).order_by(o.c.number))]


@pytest.fixture
def two(sealed: Vault) -> tuple[str, ...]:
    return tuple(sorted(view.incident_id for view in sealed.incidents()))


def test_an_accepted_erasure_is_ordered_once_for_each_incident(sealed: Vault, two: tuple[str, ...]) -> None:
    for _ in range(2):
        Orders(sealed.parts).add(two, Order.ERASURE, NOW, "GDPR 17(1)(b)", "request-1", by=BY)
    assert written(sealed) == [(i, "erasure", "request-1") for i in two]
    assert [row(sealed, i)["revision"] for i in two] == [2, 2]
    assert sealed.verify().problems == ()


def test_an_authority_s_order_to_destroy_takes_two_people_for_these_very_incidents(
    sealed: Vault, two: tuple[str, ...]
) -> None:
    orders = Orders(sealed.parts)
    said = {"incidents": list(two), "authority": "FBI", "reference": "letter 9"}
    with pytest.raises(ApprovalError, match="two people"):
        orders.add(two, Order.DESTROY, NOW, "FBI", "letter 9", by=BY)
    with pytest.raises(ApprovalError):
        orders.add(two[:1], Order.DESTROY, NOW, "FBI", "letter 9", by=BY, approval=agreed("order.destroy", said))
    before = last(sealed)
    orders.add(two[::-1], Order.DESTROY, NOW, "FBI", "letter 9", by=BY, approval=agreed("order.destroy", said))
    assert written(sealed) == [(i, "destroy", "letter 9") for i in two]
    assert entries(sealed, before) == [("order.destroy", f"incident:{i}", "a-1") for i in two]
    assert [row(sealed, i)["custody"] for i in two] == ["active", "active"]


def test_an_order_on_what_is_gone_or_unknown_orders_nothing(sealed: Vault, two: tuple[str, ...]) -> None:
    destroy(sealed, two[0])
    with pytest.raises(KeyDestroyedError, match=two[0]):
        Orders(sealed.parts).add(two, Order.ERASURE, NOW, "", "request-1", by=BY)
    with pytest.raises(WatchkeepError, match="there is no incident feed"):
        Orders(sealed.parts).add(["feed"], Order.ERASURE, NOW, "", "request-1", by=BY)
    assert written(sealed) == []


def test_an_order_on_what_is_held_is_written_down_and_the_hold_stays(sealed: Vault, two: tuple[str, ...]) -> None:
    hold_on(sealed, two)
    Orders(sealed.parts).add(two, Order.ERASURE, NOW, "GDPR 17", "request-1", by=BY)
    assert [row(sealed, i)["revision"] for i in two] == [3, 3]
