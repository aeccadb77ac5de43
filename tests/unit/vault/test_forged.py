"""Files forged by somebody who holds all keys: the catalog's root still tells."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.vault.schema import EvidenceRow
from pipeline.vault.vault import Vault
from tests.unit.vault.conftest import Place
from tests.unit.vault.test_verify import rewrite


def test_a_last_row_forged_with_the_old_root_is_found(
    sealed: Vault, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = sum(len(view.records) for view in sealed.incidents()) - 1
    genuine = EvidenceRow.digest
    with monkeypatch.context() as patch:
        patch.setattr(
            EvidenceRow, "digest", lambda row, previous: genuine(replace(row, origin="auto_detect"), previous)
        )
        name = rewrite(place, lambda i, row: replace(row, origin="user_report") if i == last else row)
    (problem,) = sealed.verify().problems
    assert f"vault file {name} holds {last + 1} rows that are not those that were sealed" in problem
