"""The people of a home through the real command: founding it, proving who one is, asking and agreeing."""

from __future__ import annotations

import os
import pty
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine

from pipeline.app.acts import ACTS
from pipeline.app.compose import Installation
from pipeline.app.home import Home
from pipeline.app.people import authenticate
from pipeline.core.errors import ConfigError
from pipeline.people.requirements import REQUIREMENTS, USER_GRANT
from tests.unit.app.place import START, Place, phrase


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An administrator, two officers and a reviewer."""
    root = tmp_path_factory.mktemp("people") / "home"
    with time_machine.travel(START, tick=False) as time:
        place = Place(root, time)
        for name, role in {"carla": "admin", "lena": "legal", "piet": "privacy_officer"}.items():
            place.done("users", "add", name, "--role", role, new=phrase(name))
        place.done("users", "add", "rik", "--role", "reviewer", by="carla", new=phrase("rik"))
    return root


@pytest.fixture
def place(model: Path, tmp_path: Path) -> Iterator[Place]:
    with time_machine.travel(START, tick=False) as time:
        yield Place(model, time).copy(tmp_path / "home")


def test_whoever_owns_the_home_founds_it_and_nobody_after_that(place: Place) -> None:
    founded = [
        (verb, reason)
        for verb, actor, _, reason in place.entries()
        if actor == f"os:root({os.getuid()})" or actor.startswith("os:")
    ]
    assert [reason for verb, reason in founded if verb == "user.bootstrap"] == [
        "user.add: add carla as admin",
        "user.add: add lena as legal",
        "user.add: add piet as privacy_officer",
    ]
    assert "say who you are with --as NAME" in place.refused("users", "add", "eva", new=phrase("eva"))
    assert "say who you are" in place.refused("users", "reset", "lena", new=phrase("eva"))
    assert "say who you are" in place.refused("users", "role", "rik", "--grant", "legal")
    assert "eva" not in place.users()
    assert "only 2 officers can approve" in place.notes()[0]


def test_only_an_administrator_adds_people(place: Place) -> None:
    assert "takes the role admin" in place.refused("users", "add", "eva", by="lena", new=phrase("eva"))
    place.done("users", "add", "eva", "--role", "lead", by="carla", new=phrase("eva"))
    assert place.users()["eva"]["roles"] == ["lead"]
    verb, actor, subject, reason = place.entries()[-1]
    assert (verb, reason) == ("user.add", "add eva as lead")
    assert actor.startswith("person:carla(") and subject == f"person:{place.users()['eva']['person_id']}"


def test_a_role_that_reaches_what_is_grave_takes_two_officers(place: Place) -> None:
    asked = place.done("users", "role", "rik", "--grant", "severe_reviewer", by="carla")
    assert asked["done"] == ""
    request = asked["requests"][0]["request"]
    place.forward(hours=72)
    request = place.done("users", "role", "rik", "--grant", "severe_reviewer", by="carla")["requests"][0]["request"]
    assert "they asked for it" in place.refused("approvals", "approve", request, by="carla")
    assert "begins with" in place.refused("approvals", "approve", request, by="rik")
    assert place.done("approvals", "approve", request, by="lena")["state"] == "waiting"
    assert "already" in place.refused("approvals", "approve", request, by="lena")
    assert place.users()["rik"]["roles"] == ["reviewer"]
    last = place.done("approvals", "approve", request[:6], by="piet")
    assert (last["state"], last["done"]["done"]) == ("carried out", "grant severe_reviewer")
    assert place.users()["rik"]["roles"] == ["reviewer", "severe_reviewer"]
    assert place.entries()[-1][0] == "user.grant" and request in place.entries()[-1][3]
    assert "was carried out" in place.refused("approvals", "approve", request, by="piet")
    assert place.problems() == []


def test_a_new_person_with_a_grave_role_has_it_only_once_it_is_agreed(place: Place) -> None:
    told = place.done("users", "add", "eva", "--role", "lead", "--role", "legal", by="carla", new=phrase("eva"))
    assert place.users()["eva"]["roles"] == ["lead"]
    assert told["requests"][0]["params"] == {"person": told["person_id"], "role": "legal"}


def test_an_approval_is_used_once_even_if_the_people_are_put_back(place: Place, tmp_path: Path) -> None:
    place.forward(hours=72)
    request = place.done("users", "role", "rik", "--grant", "legal", by="carla")["requests"][0]["request"]
    place.done("approvals", "approve", request, by="lena")
    shutil.copytree(place.root / "people", tmp_path / "before")
    place.done("approvals", "approve", request, by="piet")
    shutil.rmtree(place.root / "people")
    shutil.copytree(tmp_path / "before", place.root / "people")
    again = place.tell("approvals", "approve", request, by="piet")
    assert again.status in (1, 3) and place.users()["rik"]["roles"] == ["reviewer"]
    assert any("account of rik" in p for p in place.problems())


def test_an_approval_is_used_once_even_if_the_people_forget_that_it_was(place: Place) -> None:
    place.forward(hours=72)
    request = place.done("users", "role", "rik", "--grant", "legal", by="carla")["requests"][0]["request"]
    for officer in ("lena", "piet"):
        place.done("approvals", "approve", request, by=officer)
    place.done("users", "role", "rik", "--revoke", "legal", by="carla")
    place.edit("UPDATE approval_request SET spent_at = ''")
    assert "used before" in place.refused("approvals", "approve", request, by="piet")
    assert place.users()["rik"]["roles"] == ["reviewer"]


def test_newly_appointed_officers_wait_three_days_and_a_request_a_day(place: Place) -> None:
    request = place.done("users", "role", "rik", "--grant", "legal", by="carla")["requests"][0]["request"]
    assert "from 2026-11-25 12:00 UTC on" in place.refused("approvals", "approve", request, by="lena")
    place.forward(hours=72)
    assert "expired at 2026-11-23T12:00" in place.refused("approvals", "approve", request, by="lena")
    assert place.done("approvals", "list", by="carla")["requests"][0]["state"] == "expired"


def test_a_severe_reviewer_is_reset_by_two_officers_who_never_learn_the_passphrase(place: Place) -> None:
    place.forward(hours=72)
    made = place.done("users", "role", "rik", "--grant", "severe_reviewer", by="carla")["requests"][0]["request"]
    for name in ("lena", "piet"):
        place.done("approvals", "approve", made, by=name)
    asked = place.done("users", "reset", "rik", by="carla", new=phrase("rik again"))["requests"][0]
    assert "argon2" not in str(asked) and "again" not in str(asked["params"])
    place.done("approvals", "approve", asked["request"], by="piet")
    assert place.tell("approvals", "list", by="rik").status == 0
    assert place.done("approvals", "approve", asked["request"], by="lena")["done"]["done"] == "reset the passphrase"
    assert "no such person" in place.refused("approvals", "list", by="rik")
    assert place.tell("approvals", "list", by="rik", says=phrase("rik again")).status == 0


def test_a_disabled_officer_is_let_in_again_by_two_others_only(place: Place) -> None:
    place.done("users", "disable", "lena", by="carla")
    assert "is disabled" in place.refused("approvals", "list", by="lena")
    assert "say who you are" in place.refused("users", "enable", "lena")
    told = place.done("users", "enable", "lena", by="carla")
    assert told["done"] == "" and told["requests"][0]["params"]["change"] == "enable"
    assert place.users()["lena"]["state"] == "disabled"
    place.done("users", "disable", "rik", by="carla")
    assert place.done("users", "enable", "rik", by="carla")["done"] == "enable"


def test_everybody_changes_their_own_passphrase_and_then_waits_to_approve(place: Place) -> None:
    place.forward(hours=72)
    request = place.done("users", "role", "rik", "--grant", "legal", by="carla")["requests"][0]["request"]
    assert place.done("users", "reset", "LENA", by="lena", new=phrase("lena again"))["done"]
    again = place.refused("approvals", "approve", request, by="lena", says=phrase("lena again"))
    assert "newly appointed, reset" in again


def test_nobody_learns_of_a_request_that_is_not_theirs_and_a_refusal_is_for_good(place: Place) -> None:
    request = place.done("users", "role", "rik", "--grant", "legal", by="carla")["requests"][0]["request"]
    assert place.done("approvals", "list", by="rik") == {"requests": []}
    assert "begins with" in place.refused("approvals", "show", request, by="rik")
    assert place.done("approvals", "show", request, by="lena")["about"] == "rik"
    assert place.done("approvals", "refuse", request, "--why", "not yet", by="lena")["state"] == "refused"
    assert "was refused: not yet" in place.refused("approvals", "approve", request, by="piet")


def test_whoever_guesses_is_locked_out_and_the_chain_says_so(place: Place) -> None:
    for _ in range(4):
        assert "wait" not in place.refused("approvals", "list", by="lena", says="something else entirely")
    told = place.refused("approvals", "list", by="lena", says="something else entirely")
    assert "wait until 2026-11-22 12:00:30 UTC" in told
    assert "wait until" in place.refused("approvals", "list", by="lena")
    verb, actor, subject, reason = place.entries()[-1]
    assert verb == "user.lock_out" and actor.startswith("os:") and "locked until 2026-11-22T12:00:30" in reason
    assert subject == f"person:{place.users()['lena']['person_id']}"
    place.forward(seconds=30)
    assert place.tell("approvals", "list", by="lena").status == 0
    assert place.problems() == []


EDITS = {
    "UPDATE person SET passphrase = (SELECT passphrase FROM person WHERE name = 'rik')": "account of lena",
    "INSERT INTO appointment SELECT person_id, 'legal', made_at FROM person WHERE name = 'rik'": "account of rik",
    "UPDATE appointment SET granted_at = '2026-01-01T00:00:00.000000Z'": "account of lena",
    "UPDATE person SET disabled_at = '2026-11-22T12:00:00.000000Z' WHERE name = 'lena'": "account of lena",
    "DELETE FROM person WHERE name = 'lena'": "is gone",
    "UPDATE approval_request SET params = '{}'": "request",
    "INSERT INTO vote SELECT request_id, requested_by, requested_at FROM approval_request": "request",
}


def test_what_was_changed_behind_our_back_is_found(place: Place, tmp_path: Path) -> None:
    place.done("users", "role", "rik", "--grant", "legal", by="carla")
    assert place.problems() == []
    whole = shutil.copytree(place.root / "people", tmp_path / "whole")
    for edit, words in EDITS.items():
        place.edit(edit)
        assert any(words in problem for problem in place.problems()), edit
        shutil.rmtree(place.root / "people")
        shutil.copytree(whole, place.root / "people")
    assert place.problems() == []


def test_a_passphrase_put_in_behind_our_back_opens_nothing(place: Place) -> None:
    place.edit("UPDATE person SET passphrase = (SELECT passphrase FROM person WHERE name = 'rik') WHERE name = 'lena'")
    told = place.tell("approvals", "list", by="lena", says=phrase("rik"))
    assert told.status == 3 and "changed without an audit entry" in told.err


@pytest.mark.parametrize("change", ["DELETE FROM appointment", "DELETE FROM person WHERE name = 'lena'", ""])
def test_nobody_founds_a_home_again_by_removing_its_people(place: Place, change: str) -> None:
    if change:
        place.edit(change)
    else:
        shutil.rmtree(place.root / "people")
        assert "is gone: restore it" in place.problems()[0]
    for args in (("users", "role", "rik", "--grant", "legal"), ("users", "add", "eva", "--role", "legal")):
        told = place.tell(*args, new=phrase("eva"))
        assert told.status == (1 if not change and args[1] == "role" else 3), told.err
    assert "eva" not in place.users()


def test_no_command_shows_what_is_kept_of_a_passphrase(place: Place) -> None:
    for args in (("users", "list"), ("users", "list", "--json")):
        told = place.tell(*args)
        assert told.status == 0 and "argon2" not in told.out
        assert "walks along" not in told.out


def test_without_accounts_and_without_a_terminal_the_refusal_says_what_to_do(place: Place, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`watchkeep users add` makes the first"):
        authenticate(Installation.open(Home.at(tmp_path / "empty")), "lena")
    assert not (tmp_path / "empty").exists()
    with pytest.raises(ConfigError, match="no terminal to ask for a passphrase on: give it as WATCHKEEP_PASSPHRASE"):
        authenticate(Installation.open(Home.at(place.root)), "lena")


def test_on_a_terminal_a_new_passphrase_is_asked_twice_and_not_shown() -> None:
    program = "from pipeline.app.terminal import new_passphrase_of as n; print(len(n('lena')))"
    child, terminal = pty.fork()
    if child == 0:
        os.environ.pop("WATCHKEEP_NEW_PASSPHRASE", None)
        os.execv(sys.executable, [sys.executable, "-c", program])  # noqa: S606
    said = b""
    for prompt in (b"typed by 'lena': ", b"Once more: "):
        while not said.endswith(prompt):
            said += os.read(terminal, 1000)
        os.write(terminal, b"a long passphrase\n")
    while b"17" not in said:
        said += os.read(terminal, 1000)
    assert os.waitpid(child, 0)[1] == 0
    os.close(terminal)
    assert b"a long passphrase" not in said


def test_every_act_that_can_be_asked_for_can_be_carried_out() -> None:
    assert {*ACTS, USER_GRANT} == set(REQUIREMENTS)
