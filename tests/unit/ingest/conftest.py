"""Clips are encoded once a session."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `tests.clips.clip` encodes into."""
    return tmp_path_factory.mktemp("clips")
