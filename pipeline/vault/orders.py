"""Orders that an incident is to go before its ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pipeline.core.approval import Approval
from pipeline.core.retention import Order
from pipeline.vault.parts import Parts


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
        """Order incidents to go from `at` on. ERASURE: `source` is the request.

        DESTROY: `ground` is the authority, `source` its reference; act "order.destroy" {incidents: sorted, authority,
        reference}.
        """
        raise NotImplementedError
