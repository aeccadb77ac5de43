"""A sealed vault for tests to tamper with, and the hands that do it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.unit.vault.conftest import Place, drafts, incident, recording, seal_one, span


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings in two files, sealed once for all tests here."""
    place = Place(tmp_path_factory.mktemp("template"))
    with place.open() as vault:
        vault.begin_run("run-1", "os:ada(1000)")
        for number, categories in enumerate((("nudity", "weapon"), ("nudity",))):
            of, at = recording(number), span(1 + number, 2 + number)
            pairs = [(incident(of, at, category=category), drafts(at)) for category in categories]
            seal_one(vault, of, pairs, conclusion=f"c{number + 1}")
    return place.root


@pytest.fixture
def place_of_two(template: Path, tmp_path: Path) -> Place:
    """The template's copy, in a vault that is closed."""
    shutil.copytree(template, tmp_path / "copy")
    return Place(tmp_path / "copy")


def problems(place: Place) -> tuple[str, ...]:
    with place.open() as vault:
        return vault.verify().problems


def the_problem(place: Place) -> str:
    (problem,) = problems(place)
    return problem


@contextmanager
def tampering(place: Place) -> Iterator[sqlite3.Connection]:
    """The catalog in the hands of somebody who first takes the triggers away."""
    db = sqlite3.connect(place.home / "catalog/catalog.db")
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    yield db
    db.commit()
    db.close()
