"""What people get wrong, and what they must not learn: the life of evidence again, by its crooked ways."""

from __future__ import annotations

import pytest

from pipeline.app.compose import Installation
from pipeline.app.home import Home
from tests.e2e import test_keeping as life
from tests.unit.app.place import Place, phrase

flagged, place = life.flagged, life.place


def test_the_vault_in_numbers(place: Place) -> None:
    told = place.done("vault", "stats")
    assert told["incidents"] == {"active": 1} and told["review"] == {"open": 1}
    assert "active 1" in place.tell("vault", "stats").out


LETTER = ("--authority", "our counsel", "--reason", "X v. us", "--reference", "M-1", "--kind", "LITIGATION")


@pytest.mark.parametrize("at", ["0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31", "9999-12-31T23:00:00-02:00"])
def test_a_time_that_nobody_means_is_refused_before_it_is_written_down(place: Place, at: str) -> None:
    incident = only(place)
    commands = [
        ("event", "record", "notified", "--incident", incident, "--at", at),
        ("hold", "place", "--incident", incident, *LETTER, "--until", at),
        ("requests", "add", "erasure", "--account", "somebody", "--received", at),
        ("sweep", "--as-of", at),
    ]
    for command in commands:
        assert at in place.refused(*command, by="lena")
    assert place.done("sweep")["counts"]["keep"] == 1 and place.done("requests", "list")["requests"] == []


@pytest.mark.parametrize(
    "command",
    [
        ("hold", "place", *LETTER, "--incident", ""),
        ("retention", "destroy", "--authority", "FBI", "--reference", "R", "--incident", ""),
        ("event", "record", "notified", "--at", "2026-11-22", "--incident", ""),
        ("incidents", "decide", "--outcome", "dismissed", "--note", "nothing", ""),
    ],
)
def test_an_id_that_is_empty_names_no_incident_even_if_there_is_but_one(place: Place, command: tuple[str, ...]) -> None:
    """A shell variable that was never set."""
    assert "no incident begins with ''" in place.refused(*command, by="lena")
    assert place.done("hold", "list", by="lena")["holds"] == []


def test_an_incident_that_is_named_twice_counts_once(place: Place) -> None:
    incident = only(place)
    told = place.done("hold", "place", *LETTER, "--incident", incident, "--incident", incident[:9], by="lena")
    assert told["incidents"] == [incident]


def test_a_letter_on_somebody_of_whom_nothing_is_kept_is_no_hold(place: Place) -> None:
    """A misspelt name must not look like a fulfilled order."""
    for person in (("--account", "demo-acount-0002"), ("--account", " "), ("--participant", "nobody")):
        assert "nothing" in place.refused("hold", "place", *LETTER, *person, by="lena")
    span = ("--from", "2026-11-22", "--to", "2026-11-20")
    assert "--to" in place.refused("hold", "place", *LETTER, "--account", "demo-account-0002", *span, by="lena")
    assert place.done("hold", "list", by="lena")["holds"] == []
    assert "legal" in place.refused("hold", "place", *LETTER, "--account", "nobody", by="rik")


def test_who_may_not_erase_erases_nothing(place: Place) -> None:
    """Not even what is stored ordinarily."""
    request = accepted(place, "erasure", "demo-account-0001")
    assert "--as" in place.refused("erase", "--request", request, "--apply")
    assert "privacy_officer" in place.refused("erase", "--request", request, "--apply", by="rik")
    assert len(place.done("recordings", "list")["recordings"]) == 2


def only(place: Place) -> str:
    """The one incident of the samples."""
    found = place.done("incidents", "list")["incidents"]
    assert len(found) == 1
    return str(found[0]["incident_id"])


def accepted(place: Place, kind: str, account: str) -> str:
    """A request that may be acted on."""
    request = place.done("requests", "add", kind, "--account", account, by="piet")["request_id"]
    place.done("requests", "verify", request, by="piet")
    place.done("requests", "decide", request, "--decision", "accepted", "--ground", "the law", by="piet")
    return str(request)


def test_nobody_alone_ends_the_wait_for_a_report_by_judging_it_less_grave(place: Place) -> None:
    incident = only(place)
    appoint(place, "sev", "severe_reviewer")
    place.done("incidents", "decide", incident, *UPHELD, "--category", "minor_sexual_content", by="sev")
    less = ("incidents", "decide", incident, *UPHELD, "--category", "harassment")
    assert "report" in place.refused(*less, by="sev")
    assert any("REPORT" in words for words in life.explained(place, incident))
    asked = place.done("event", "close-report", "--incident", incident, "--ground", "an adult", by="sev")["request"]
    for officer in ("lena", "piet"):
        place.done("approvals", "approve", asked, by=officer)
    asked = place.done(*less, by="sev")["request"]
    assert place.done("approvals", "show", asked, by="lena")["params"]["note"] == UPHELD[-1]
    place.done("approvals", "approve", asked, by="lena")
    assert place.done("incidents", "show", incident)["category"] == "harassment"


def test_nobody_alone_makes_evidence_overdue_by_an_event_of_long_ago(place: Place) -> None:
    incident = only(place)
    receipt = ("event", "record", "ncmec_submitted", "--incident", incident, "--reference", "CT-1", "--at")
    assert "before it was sealed" in place.refused(*receipt, "2020-01-01", by="lena")
    assert place.done(*receipt, "2026-11-22", by="lena")["floor_at"].startswith("2027-11-22"), "the day of sealing"


def test_what_two_people_agreed_to_is_not_done_to_what_came_after(place: Place) -> None:
    incident = only(place)
    suspected = ("event", "record", "suspected_minor", "--incident", incident, "--at", "2026-11-22T12:05:00Z")
    place.done(*suspected, by="rik")
    asked = place.done("event", "close-report", "--incident", incident, "--ground", "an adult", by="lena")["request"]
    place.done("approvals", "approve", asked, by="lotte")
    place.forward(minutes=1)
    place.done(*suspected, "--reference", "somebody else, too", by="rik")
    assert "ask anew" in place.refused("approvals", "approve", asked, by="piet")
    assert any("REPORT" in words for words in life.explained(place, incident))

    receipt = ("event", "record", "ncmec_submitted", "--incident", incident, "--at", "2026-11-22T12:10:00Z")
    place.done(*receipt, "--reference", "CT-1", by="lena")
    floor = ("retention", "override", "--incident", incident, "--rule", "US_2258A_H", "--until", "2026-11-25")
    asked = place.done(*floor, "--ground", "filed by mistake", by="lena")["request"]
    place.done("approvals", "approve", asked, by="lotte")
    place.forward(minutes=1)
    place.done(*receipt, "--reference", "CT-2, supplemental", by="lena")
    assert "ask anew" in place.refused("approvals", "approve", asked, by="piet")

    letter = ("--kind", "US_2703F", "--authority", "FBI", "--reason", "letter")
    hold = place.done("hold", "place", "--incident", incident, *letter, by="lena")["hold_id"]
    asked = place.done("hold", "release", hold, "--reason", "it is over", by="lena")["request"]
    place.done("approvals", "approve", asked, by="lotte")
    place.forward(minutes=1)
    place.done("hold", "renew", hold, "--reference", "a second letter", by="lena")
    assert "ask anew" in place.refused("approvals", "approve", asked, by="piet")


UPHELD = ("--outcome", "upheld", "--note", "seen")


def appoint(place: Place, name: str, role: str) -> None:
    """Somebody new, whom the officers agreed to."""
    asked = place.done("users", "add", name, "--role", role, by="carla", new=phrase(name))["requests"]
    for officer in ("lena", "piet"):
        place.done("approvals", "approve", asked[0]["request"], by=officer)


def test_a_request_cut_off_while_its_person_was_forgotten_is_ended_by_the_same_command(place: Place) -> None:
    request = accepted(place, "erasure", "demo-account-0001")
    place.done("erase", "--request", request, "--apply", by="piet")
    again = accepted(place, "erasure", "demo-account-0002")
    installation = Installation.open(Home.at(place.root))
    with installation.vault() as vault:
        vault.parts.keys.destroy(f"request-{again}")  # and the power went before the catalog knew
    assert place.done("requests", "show", again)["planned"] == []
    assert place.done("erase", "--request", again)["items"] == []
    assert place.done("erase", "--request", again, "--apply", by="piet")["passed_by"] == []
    assert place.done("requests", "show", again)["state"] == "done"
    assert place.tell("evidence", "verify").status == 0


def test_what_is_kept_by_a_confidential_letter_is_in_nobody_elses_answer_count_or_refusal(place: Place) -> None:
    request = accepted(place, "restriction", "demo-account-0002")

    def told(by: str = "") -> list[object]:
        numbers = place.done("vault", "stats")
        numbers = {name: numbers[name] for name in ("incidents", "review", "classes", "restricted")}
        shown = place.done("requests", "show", request, by=by)
        looks = [c for c in place.tell("doctor").out.splitlines() if " incidents" in c]
        return [numbers, shown, place.done("erase", "--request", request, by=by), looks]

    before = told()
    letter = ("--kind", "US_2703F", "--authority", "FBI", "--reason", "letter", "--confidential")
    kept = place.done("hold", "place", "--account", "demo-account-0002", *letter, by="lena")["preserved"][0]
    record = place.done("incidents", "show", kept, by="lena")["evidence"][0]["record_id"]
    assert told() == before and told(by="rik") == before and told(by="lena") != before
    for command in (
        ("explain", "--incident", kept),
        ("explain", "--record", record),
        ("certificate", "--incident", kept),
        ("incidents", "show", kept),
        ("event", "list", "--incident", kept),
        ("evidence", "open", record, "--reason", "a look"),
    ):
        nowhere = [{kept: "nil", record: "nil"}.get(word, word) for word in command]
        assert place.refused(*command).replace(kept, "nil").replace(record, "nil") == place.refused(*nowhere)
    place.done("erase", "--request", request, "--apply", by="piet")
    assert kept not in str(place.done("requests", "show", request))
    assert kept in str(place.done("requests", "show", request, by="lena"))
    assert kept in place.tell("explain", "--record", record, by="lena").out
