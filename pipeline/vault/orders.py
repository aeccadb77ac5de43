"""Orders that an incident is to go before its ceiling: a person's accepted request, or an authority's.

An order destroys nothing: the sweep does, once no hold is left. Refuses to know who may order.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select

from pipeline.core.approval import Approval
from pipeline.core.clock import utc_text
from pipeline.core.errors import ApprovalError, KeyDestroyedError
from pipeline.core.retention import Order
from pipeline.vault.approved import spend
from pipeline.vault.audit import Act
from pipeline.vault.parts import Parts
from pipeline.vault.tables_keeping import destroy_order
from pipeline.vault.touch import batches, one, still_there, touch

DESTROY = "order.destroy"
"""The act that two people have to approve."""


class Orders:
    """Writing orders down; the sweep carries them out."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def add(
        self,
        incidents: Sequence[str],
        order: Order,
        at: datetime,
        ground: str,
        source: str,
        *,
        by: str,
        approval: Approval | None = None,
    ) -> None:
        """Order incidents to go from `at` on; the same order from the same source is written down once.

        ERASURE: `source` is the request. DESTROY: `ground` is the authority, `source` its reference, and it takes an
        approval (act "order.destroy" {incidents: sorted, authority, reference}). Raises ApprovalError,
        KeyDestroyedError that names what is gone already; nothing is ordered then.
        """
        wanted = sorted(set(incidents))
        with self._parts.journal.act(by) as act:
            there = still_there(act.tx, wanted)
            if gone := sorted(set(wanted) - set(there)):
                one(act.tx, gone[0])  # unknown is something else than gone
                raise KeyDestroyedError(
                    f"the evidence of incident {', '.join(gone)} was destroyed: nothing was ordered"
                )
            if order is Order.DESTROY:
                if approval is None:
                    raise ApprovalError("an order to destroy is carried out by agreement of two people")
                spend(act, approval, DESTROY, {"incidents": wanted, "authority": ground, "reference": source})
            new = [i for ids in batches(wanted) for i in _unordered(act, ids, order, source)]
            for ids in batches(new):
                row = {"order": order.value, "at": utc_text(at), "ground": ground, "source": source}
                act.tx.execute(insert(destroy_order), [{"incident_id": i, **row} for i in ids])
            reason = approval.approval_id if approval else source
            touch(act, new, f"order.{order.value}", reason=reason, recall=False)


def _unordered(act: Act, ids: Sequence[str], order: Order, source: str) -> list[str]:
    o = destroy_order
    same = (o.c.incident_id.in_(ids), o.c.order == order.value, o.c.source == source)
    done = set(act.tx.execute(select(o.c.incident_id).where(*same)).scalars())
    return [i for i in ids if i not in done]
