"""The real models, fetched once: into WATCHKEEP_TEST_MODELS, or the checkout's pytest cache."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from pipeline.config.registry import load_registry
from pipeline.config.shipped import shipped
from pipeline.core.errors import ModelError
from pipeline.score.entry import ModelEntry
from pipeline.score.store import ModelStore

_CACHE = Path(__file__).resolve().parents[1] / ".pytest_cache" / "models"


@cache
def entries() -> Mapping[str, ModelEntry]:
    """The shipped registry."""
    return load_registry(shipped("models/registry.yaml"))


@cache
def fetched_models() -> ModelStore:
    """A store with every shipped model in it, or skip where pip cannot download them. Do not write into it."""
    store = ModelStore(Path(os.environ.get("WATCHKEEP_TEST_MODELS", _CACHE)))
    for entry in entries().values():
        try:
            store.fetch(entry, print)
        except ModelError as e:
            if "could not be downloaded" in str(e):
                pytest.skip(f"needs the real models: {e}")
            raise
    return store
