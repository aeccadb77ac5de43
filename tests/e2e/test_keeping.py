"""The life of evidence through the real command: flagged, decided, held, kept by law, gone, and proven gone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from pipeline.config.shipped import shipped
from tests.models import fetched_models
from tests.unit.app.place import Place, phrase

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FOUNDERS = {"carla": "admin", "lena": "legal", "piet": "privacy_officer"}


@pytest.fixture(scope="module")
def flagged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose people waited long enough, with the shipped samples scanned."""
    root = tmp_path_factory.mktemp("keeping") / "home"
    samples = root.with_name("samples")
    shutil.copytree(shipped("configs/samples"), samples)
    root.mkdir(mode=0o700)
    (root / "models").symlink_to(fetched_models().folder)
    with time_machine.travel(START - timedelta(days=8)) as time:
        place = Place(root, time)
        for name, role in FOUNDERS.items():
            place.done("users", "add", name, "--role", role, new=phrase(name))
        place.done("users", "add", "rik", "--role", "reviewer", by="carla", new=phrase("rik"))
        rest(place, 4)
        asked = place.done("users", "add", "lotte", "--role", "legal", by="carla", new=phrase("lotte"))["requests"]
        for officer in ("lena", "piet"):
            place.done("approvals", "approve", asked[0]["request"], by=officer)
        rest(place, 4)
        scanned = place.tell("scan", "--manifest", str(samples / "samples.jsonl"), "--ray", "off")
        assert scanned.status == 0, scanned.err
    return root


@pytest.fixture
def place(flagged: Path, tmp_path: Path) -> Iterator[Place]:
    with time_machine.travel(START + timedelta(minutes=10)) as time:
        yield Place(flagged, time).copy(tmp_path / "home")


def rest(place: Place, days: int) -> None:
    """Days go by in which nothing is due."""
    for _ in range(days):
        place.forward(days=1)
        place.done("sweep", "--apply")


def pass_days(place: Place, days: int) -> dict[str, Any]:
    """Days go by with a sweep each, as operators run them; what the last one did."""
    told: dict[str, Any] = {}
    for _ in range(days):
        place.forward(days=1)
        told = place.done("sweep", "--apply")
        if told["destroyed"]:
            break
    return told


def test_a_dismissed_incident_goes_after_its_days_and_can_prove_it(place: Place, tmp_path: Path) -> None:
    incident = place.done("incidents", "list")["incidents"][0]["incident_id"]
    assert "nobody has decided" in " ".join(explained(place, incident)).lower()
    place.done("incidents", "decide", incident, "--outcome", "dismissed", "--note", "a film, zz-canary-note", by="rik")
    before = place.done("sweep", "--as-of", "2026-12-15")
    assert [d["incident_id"] for d in before["going"]] == [incident] and not before["applied"]
    told = pass_days(place, 9)
    assert told["destroyed"] == [incident]
    said = " ".join(explained(place, incident))
    assert "is gone" in said and "DISMISSED" in said
    proof = tmp_path / "certificate.json"
    assert place.tell("certificate", "--incident", incident, "--to", str(proof)).status == 0
    key = place.done("audit", "key")["key"]
    assert place.tell("audit", "verify", "--certificate", str(proof), "--key", key).status == 0
    assert place.tell("evidence", "verify").status == 0
    for file in tmp_path.rglob("*"):
        if file.is_file() and file != proof and file.resolve().stat().st_size < 50_000_000:
            assert b"zz-canary-note" not in file.read_bytes(), file


def test_a_hold_keeps_what_is_due_until_two_others_release_it(place: Place) -> None:
    incident = place.done("incidents", "list")["incidents"][0]["incident_id"]
    place.done("incidents", "decide", incident, "--outcome", "dismissed", "--note", "nothing", by="rik")
    letter = ("--kind", "LITIGATION", "--authority", "our counsel", "--reason", "X v. us", "--reference", "M-1")
    hold = place.done("hold", "place", "--incident", incident, *letter, by="lena")["hold_id"]
    assert pass_days(place, 9)["destroyed"] == []
    asked = place.done("hold", "release", hold, "--reason", "settled", by="lena")["request"]
    assert "asked" in place.refused("approvals", "approve", asked, by="lena")
    place.done("approvals", "approve", asked, by="lotte")
    assert place.done("approvals", "approve", asked, by="piet")["done"]["released"] == hold
    assert pass_days(place, 2)["destroyed"] == [incident]


def test_a_confidential_hold_is_for_legal_eyes(place: Place) -> None:
    incident = place.done("incidents", "list")["incidents"][0]["incident_id"]
    before = explained(place, incident)
    letter = ("--kind", "US_2703F", "--authority", "FBI Seattle", "--reason", "letter", "--reference", "L-88")
    hold = place.done("hold", "place", "--incident", incident, *letter, "--confidential", by="lena")["hold_id"]
    assert explained(place, incident) == before
    assert any("FBI Seattle" in words for words in explained(place, incident, by="lena"))
    assert place.done("hold", "list")["holds"] == []
    assert [h["hold_id"] for h in place.done("hold", "list", by="lena")["holds"]] == [hold]
    assert "FBI" not in "".join(" ".join(entry) for entry in place.entries())


def test_a_letter_that_names_a_person_copies_what_is_stored_of_them(place: Place) -> None:
    letter = ("--kind", "US_2703F", "--authority", "FBI", "--reason", "letter", "--reference", "L-89")
    told = place.done("hold", "place", "--account", "demo-account-0002", *letter, by="lena")
    assert told["missing"] == [] and len(told["preserved"]) >= 1
    deleted = place.done("recordings", "delete", "--account", "demo-account-0002", "--apply")
    assert deleted["forgotten"] >= 1
    both = place.done("explain", "--account", "demo-account-0002", by="lena")
    assert both["recordings"] == [] and {i["incident_id"] for i in both["incidents"]} >= set(told["preserved"])
    assert place.tell("evidence", "verify").status == 0


def test_a_clock_that_jumped_stops_the_sweep_until_two_people_agree(place: Place) -> None:
    incident = place.done("incidents", "list")["incidents"][0]["incident_id"]
    place.done("incidents", "decide", incident, "--outcome", "dismissed", "--note", "nothing", by="rik")
    place.forward(days=30)
    told = place.tell("sweep", "--apply", "--json", by="lena")
    assert told.status == 1 and told.json()["destroyed"] == [] and "clock" in told.json()["pauses"][0]["words"]
    stats = place.done("vault", "stats")
    assert stats["last_sweep"] != "never" and stats["last_sweep_destroyed"] == 0
    for officer in ("lotte", "piet"):
        place.done("approvals", "approve", told.json()["pauses"][0]["request"], by=officer)
    assert place.done("sweep", "--apply")["destroyed"] == [incident]


def test_a_confidential_letter_shows_nowhere_but_to_legal(place: Place) -> None:
    def seen(by: str = "") -> list[Any]:
        swept = place.done("sweep", by=by)
        return [
            [i["incident_id"] for i in place.done("incidents", "list", by=by)["incidents"]],
            [place.done("explain", "--account", "demo-account-0002", by=by)["incidents"]],
            [{k: v for k, v in swept.items() if k not in ("as_of", "counts")}],
        ]

    before = seen()
    letter = ("--kind", "US_2703F", "--authority", "FBI", "--reason", "letter", "--reference", "L-90")
    told = place.done("hold", "place", "--account", "demo-account-0002", *letter, "--confidential", by="lena")
    assert told["preserved"] and seen() == before and seen(by="rik")[0] == before[0]
    assert set(told["preserved"]) <= set(seen(by="lena")[0])
    assert "no incident begins" in place.refused("explain", "--incident", told["preserved"][0])


def test_an_erasure_restricts_what_is_open_and_erases_what_is_free(place: Place) -> None:
    incident = place.done("incidents", "list")["incidents"][0]["incident_id"]
    account = "demo-account-0001"
    view = place.done("requests", "add", "erasure", "--account", account, by="piet")
    assert "accepted" in place.refused("erase", "--request", view["request_id"], by="piet")
    place.done("requests", "verify", view["request_id"], by="piet")
    place.done("requests", "decide", view["request_id"], "--decision", "accepted", "--ground", "GDPR 17(1)", by="piet")
    planned = place.done("erase", "--request", view["request_id"])
    assert {i["outcome"] for i in planned["items"]} == {"restricted"}
    done = place.done("erase", "--request", view["request_id"], "--apply", by="lena")
    assert done["destroyed"] == [] and done["ordinary"]["recordings"]
    assert place.done("incidents", "show", incident)["custody"] == "active"
    assert place.done("recordings", "list", "--account", account)["recordings"] == []


def test_an_erasure_erases_what_nothing_binds(place: Place) -> None:
    incident = place.done("incidents", "list")["incidents"][0]["incident_id"]
    place.done("incidents", "decide", incident, "--outcome", "dismissed", "--note", "nothing", by="rik")
    view = place.done("requests", "add", "erasure", "--account", "demo-account-0002", by="piet")
    place.done("requests", "verify", view["request_id"], by="piet")
    place.done("requests", "decide", view["request_id"], "--decision", "accepted", "--ground", "GDPR 17(1)", by="piet")
    done = place.done("erase", "--request", view["request_id"], "--apply", by="lena")
    assert done["destroyed"] == [incident], done["items"] + done["passed_by"]
    assert place.done("requests", "show", view["request_id"])["state"] == "done"
    assert place.tell("evidence", "verify").status == 0


def test_a_victim_goes_without_the_offender(place: Place) -> None:
    incident = place.done("incidents", "list")["incidents"][0]["incident_id"]
    place.done("incidents", "decide", incident, "--outcome", "dismissed", "--note", "nothing", by="rik")
    view = place.done("requests", "add", "erasure", "--account", "demo-account-0001", by="piet")
    place.done("requests", "verify", view["request_id"], by="piet")
    place.done("requests", "decide", view["request_id"], "--decision", "accepted", "--ground", "GDPR 17(1)", by="piet")
    done = place.done("erase", "--request", view["request_id"], "--apply", by="lena")
    assert done["parties"] == [{"incident_id": incident, "party": "counterpart"}] and done["destroyed"] == []
    said = " ".join(explained(place, incident))
    assert "The counterpart's side is gone" in said and "The subject's side is kept" in said
    assert place.tell("evidence", "verify").status == 0


def explained(place: Place, incident: str, by: str = "") -> list[str]:
    words: list[str] = place.done("explain", "--incident", incident, by=by)["incidents"][0]["words"]
    return words
