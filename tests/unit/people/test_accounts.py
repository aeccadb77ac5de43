"""Accounts: one person, one id, one name for ever; every change in the chain before it is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.core.errors import IntegrityError, WatchkeepError
from pipeline.core.person import Role
from pipeline.people.account import Change
from pipeline.people.accounts import People
from pipeline.people.database import Database, appointment, candidate, pending, person
from pipeline.people.lockout import LogInRefused
from pipeline.people.passphrases import Cost, Passphrases
from tests.unit.people.conftest import CHEAP, A, Adding, Chain, L, P, R, S, SetClock, phrase


def test_whoever_knows_the_passphrase_is_the_person(people: People, somebody: Adding) -> None:
    lena = somebody("Lena", R, A)
    assert people.authenticate("lena", phrase("Lena")) == lena
    assert lena.roles == {R, A}


def test_an_unknown_name_and_a_wrong_passphrase_get_the_same_answer(people: People, somebody: Adding) -> None:
    somebody("lena")
    said = []
    for name in ("lena", "nobody"):
        with pytest.raises(LogInRefused) as refused:
            people.authenticate(name, "something else entirely")
        said.append(str(refused.value))
    assert said[0] == said[1]


def test_a_disabled_person_is_refused_and_only_who_knows_the_passphrase_learns_why(
    people: People, somebody: Adding, chain: Chain
) -> None:
    lena = somebody("lena")
    people.disable(lena.person_id, enter=chain.enter)
    with pytest.raises(LogInRefused, match="disabled"):
        people.authenticate("lena", phrase("lena"))
    with pytest.raises(LogInRefused, match="no such person"):
        people.authenticate("lena", "something else entirely")
    people.enable(lena.person_id, enter=chain.enter)
    assert people.authenticate("lena", phrase("lena")) == lena


@pytest.mark.parametrize("taken", ["lena", "LENA", "ｌｅｎａ", "Lena"])
def test_a_name_is_taken_for_ever_in_every_spelling(people: People, somebody: Adding, chain: Chain, taken: str) -> None:
    lena = somebody("Lena")
    people.disable(lena.person_id, enter=chain.enter)
    with pytest.raises(WatchkeepError, match="already a person called Lena"):
        people.add(taken, phrase("another"), (), enter=chain.enter)


@pytest.mark.parametrize(
    "name", ["", " lena", "lena ", "le\nna", "le\x00na", "le\u202ena", "le\u200bna", "x" * 65, "le\tna", "lena(1)"]
)
def test_a_name_that_is_not_seen_as_it_is_is_refused(people: People, chain: Chain, name: str) -> None:
    with pytest.raises(WatchkeepError, match="a name has"):
        people.add(name, phrase("x"), (), enter=chain.enter)
    assert chain.entered == []


def test_every_change_is_entered_with_the_account_as_it_will_be(
    people: People, somebody: Adding, chain: Chain, clock: SetClock
) -> None:
    lena = somebody("lena", R)
    people.grant(lena.person_id, S, enter=chain.enter)
    people.revoke(lena.person_id, R, enter=chain.enter)
    people.reset(lena.person_id, phrase("anew"), enter=chain.enter)
    people.disable(lena.person_id, enter=chain.enter)
    clock.forward(seconds=1)
    people.enable(lena.person_id, enter=chain.enter)
    verbs = ["user.add", "user.grant", "user.revoke", "user.reset", "user.disable", "user.enable"]
    assert [c.verb for c in chain.entered] == verbs
    assert {c.subject for c in chain.entered} == {f"person:{lena.person_id}"}
    assert len({c.after for c in chain.entered}) == len(verbs)
    assert chain.last(f"person:{lena.person_id}") == people.named("lena").digest()
    assert people.named("lena").person.roles == {S}


def test_a_change_that_cannot_be_entered_is_not_made(people: People, somebody: Adding) -> None:
    lena = somebody("lena", R)
    before = people.named("lena")

    def refuse(_: Change) -> None:
        raise OSError("no room")

    for change in (
        lambda: people.grant(lena.person_id, S, enter=refuse),
        lambda: people.reset(lena.person_id, phrase("anew"), enter=refuse),
        lambda: people.add("dirk", phrase("dirk"), (), enter=refuse),
    ):
        with pytest.raises(OSError, match="no room"):
            change()
    assert people.all() == (before,)
    assert people.authenticate("lena", phrase("lena")) == lena


class Crash(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("entered", [False, True])
def test_after_a_crash_the_change_is_made_if_and_only_if_the_chain_has_it(
    folder: Path, clock: SetClock, chain: Chain, people: People, somebody: Adding, entered: bool
) -> None:
    lena = somebody("lena", R)

    def crash(change: Change) -> None:
        if entered:
            chain.enter(change)
        raise Crash

    with pytest.raises(Crash):
        people.grant(lena.person_id, S, enter=crash)
    with pytest.raises(Crash):
        people.add("dirk", phrase("dirk"), (), enter=crash)
    again = People(folder, clock, audited=chain.last, cost=CHEAP)
    try:
        assert again.named("lena").person.roles == ({R, S} if entered else {R})
        assert [a.name for a in again.all()] == (["dirk", "lena"] if entered else ["lena"])
        assert all(again.problem(a) == "" for a in again.all())
        with again.database.read() as tx:
            assert tx.execute(pending.select()).all() == []
    finally:
        again.close()


def edit(folder: Path, change: str, lena_id: str) -> None:
    database = Database(folder)
    with database.write() as tx:
        if change == "passphrase":
            other = tx.execute(person.select().where(person.c.name == "dirk")).one().passphrase
            tx.execute(person.update().where(person.c.person_id == lena_id).values(passphrase=other))
        elif change == "role":
            row = {"person_id": lena_id, "role": "legal", "granted_at": "2026-01-01T00:00:00.000000Z"}
            tx.execute(appointment.insert(), row)
        elif change == "since":
            tx.execute(appointment.update().values(granted_at="2026-01-01T00:00:00.000000Z"))
        else:
            tx.execute(person.update().where(person.c.person_id == lena_id).values(renewed_at=change))
    database.close()


@pytest.mark.parametrize("change", ["passphrase", "role", "since", "2026-01-01T00:00:00.000000Z"])
def test_an_account_changed_behind_the_chain_logs_nobody_in_and_takes_no_change(
    folder: Path, people: People, somebody: Adding, chain: Chain, change: str
) -> None:
    lena = somebody("lena", R)
    somebody("dirk")
    edit(folder, change, lena.person_id)
    known = phrase("dirk") if change == "passphrase" else phrase("lena")
    with pytest.raises(IntegrityError, match="account of lena was changed without an audit entry"):
        people.authenticate("lena", known)
    with pytest.raises(IntegrityError):
        people.grant(lena.person_id, A, enter=chain.enter)
    assert people.problem(people.named("lena"))
    assert people.problem(people.named("dirk")) == ""


def test_the_cost_of_a_passphrase_rises_at_the_next_log_in(
    folder: Path, clock: SetClock, chain: Chain, people: People, somebody: Adding
) -> None:
    lena = somebody("lena", L)
    was = people.named("lena")
    assert people.strengthen(lena.person_id, phrase("lena"), enter=chain.enter) is None
    clock.forward(days=10)
    today = People(folder, clock, audited=chain.last, cost=Cost(passes=2, memory_kib=16, lanes=1))
    try:
        today.authenticate("lena", phrase("lena"))
        change = today.strengthen(lena.person_id, phrase("lena"), enter=chain.enter)
        assert change is not None and change.verb == "user.rehash"
        assert "m=16,t=2,p=1" in today.named("lena").passphrase
        assert today.authenticate("lena", phrase("lena")) == lena
        assert today.named("lena").since(L) == was.since(L)  # nobody new: approvals go on
    finally:
        today.close()


def test_a_passphrase_that_was_reset_meanwhile_is_not_put_back(
    folder: Path, clock: SetClock, chain: Chain, people: People, somebody: Adding
) -> None:
    lena, dearer = somebody("lena", L), Cost(passes=2, memory_kib=16, lanes=1)

    class Slow(Passphrases):
        def keep(self, passphrase: str) -> str:
            people.reset(lena.person_id, phrase("anew"), enter=chain.enter)
            return super().keep(passphrase)

    today = People(folder, clock, audited=chain.last, cost=dearer)
    try:
        today._passphrases = Slow(dearer)
        with pytest.raises(WatchkeepError, match="was changed meanwhile"):
            today.strengthen(lena.person_id, phrase("lena"), enter=chain.enter)
        assert people.authenticate("lena", phrase("anew")) == lena
    finally:
        today.close()


def test_a_proposed_passphrase_takes_effect_only_when_it_is_carried_out(
    people: People, somebody: Adding, chain: Chain
) -> None:
    lena = somebody("lena")
    digest = people.propose(lena.person_id, phrase("anew"))
    people.authenticate("lena", phrase("lena"))
    with pytest.raises(WatchkeepError, match="there no more"):
        people.reset_as_proposed(lena.person_id, "0" * 64, enter=chain.enter, approval_id="")
    people.reset_as_proposed(lena.person_id, digest, enter=chain.enter, approval_id="")
    assert people.authenticate("lena", phrase("anew")) == lena
    with pytest.raises(LogInRefused):
        people.authenticate("lena", phrase("lena"))
    with people.database.read() as tx:
        assert tx.execute(candidate.select()).all() == []


def test_a_proposed_passphrase_that_was_exchanged_takes_no_effect(
    people: People, somebody: Adding, chain: Chain
) -> None:
    lena = somebody("lena")
    digest = people.propose(lena.person_id, phrase("anew"))
    with people.database.write() as tx:
        tx.execute(candidate.update().values(passphrase=people.named("lena").passphrase))
    with pytest.raises(WatchkeepError, match="there no more"):
        people.reset_as_proposed(lena.person_id, digest, enter=chain.enter, approval_id="")


def test_no_text_of_an_account_shows_what_is_kept_of_the_passphrase(people: People, somebody: Adding) -> None:
    somebody("lena")
    account = people.named("lena")
    assert "argon2" not in repr(account) + str(account)


def test_the_founding_needs_an_administrator_before_its_second_officer(people: People, somebody: Adding) -> None:
    somebody("lena", L)
    with pytest.raises(WatchkeepError, match="administrator"):
        somebody("dirk", P)
    somebody("dirk", P, A)


def test_a_founded_home_keeps_two_officers_and_an_administrator(people: People, somebody: Adding, chain: Chain) -> None:
    lena, dirk, anna = somebody("lena", L), somebody("anna", A), somebody("dirk", P)
    with pytest.raises(WatchkeepError, match="last two officers"):
        people.revoke(lena.person_id, L, enter=chain.enter)
    for last in (
        lambda: people.revoke(dirk.person_id, A, enter=chain.enter),
        lambda: people.disable(dirk.person_id, enter=chain.enter),
    ):
        with pytest.raises(WatchkeepError, match="last administrator"):
            last()
    people.disable(lena.person_id, enter=chain.enter)  # at once, if need be: the founding does not come back by it
    with pytest.raises(WatchkeepError, match="last two officers"):
        people.revoke(anna.person_id, P, enter=chain.enter)


def test_a_role_is_one_of_those_that_exist(people: People, somebody: Adding, chain: Chain) -> None:
    lena = somebody("lena", R)
    with pytest.raises(WatchkeepError, match="already"):
        people.grant(lena.person_id, R, enter=chain.enter)
    with pytest.raises(WatchkeepError, match="does not have"):
        people.revoke(lena.person_id, Role.LEAD, enter=chain.enter)


def test_nobody_else_may_enter_the_folder(people: People, folder: Path, somebody: Adding) -> None:
    somebody("lena")
    assert folder.stat().st_mode & 0o077 == 0
    for file in folder.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file
