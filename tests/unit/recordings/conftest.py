"""A ledger in an empty folder, with a run begun."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.recordings.ledger import Ledger

KEY = bytes(range(32))
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "recordings"


@pytest.fixture
def ledger(folder: Path) -> Iterator[Ledger]:
    opened = Ledger.open(folder, KEY)
    opened.begin_run("run-1", at=AT, actor="os:tester(1)", command="scan")
    yield opened
    opened.close()
