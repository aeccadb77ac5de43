"""What people get wrong, and what they must not learn: the life of evidence again, by its crooked ways."""

from __future__ import annotations

from tests.e2e import test_keeping as life
from tests.unit.app.place import Place

flagged, place = life.flagged, life.place


def test_the_vault_in_numbers(place: Place) -> None:
    told = place.done("vault", "stats")
    assert told["incidents"] == {"active": 1} and told["review"] == {"open": 1}
    assert "active 1" in place.tell("vault", "stats").out
