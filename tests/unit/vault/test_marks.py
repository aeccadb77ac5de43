"""The clock's mark: trusted time never falls behind, and a clock that jumped pauses destruction."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from pipeline.core.errors import ApprovalError, TransitionError
from pipeline.vault.destroy import Destroyer
from pipeline.vault.marks import Marks
from pipeline.vault.tables_keeping import tick
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import BY, DAY, NOW, agreed
from tests.unit.vault.conftest import Place
from tests.unit.vault.sweeps import key_states, plan, sealed_in

HOUR = timedelta(hours=1)


def say(vault: Vault, now: datetime) -> str:
    return Marks(vault.parts).tick(now, max_backward=timedelta(minutes=5), max_forward=48 * HOUR)


def ticks(vault: Vault) -> list[bool]:
    with vault.parts.catalog.read() as tx:
        return [row.accepted for row in tx.execute(tick.select().order_by(tick.c.number))]


def test_the_vaults_creation_is_the_first_mark(vault: Vault) -> None:
    assert Marks(vault.parts).now(NOW - DAY) > NOW
    assert "too far ahead" in say(vault, NOW + 3 * DAY)
    assert say(vault, NOW + DAY) == "" and say(vault, NOW + 3 * DAY - HOUR) == ""


@pytest.mark.parametrize("jump", [-HOUR, timedelta(hours=49), timedelta(days=3653)])
def test_a_clock_that_jumps_pauses_destruction_and_never_sealing(vault: Vault, jump: timedelta) -> None:
    """R9, I11: an hour back, ten years on."""
    (due,) = sealed_in(vault, 0, "nudity")
    assert say(vault, NOW + HOUR) == ""
    assert "the clock" in say(vault, NOW + HOUR + jump)
    for now in (NOW + HOUR, NOW + HOUR + jump):
        done = Destroyer(vault.parts).carry_out(plan(vault, due), now=now, actor=BY, allow_unreviewed=False)
        assert done.destroyed == () and "the clock" in done.pause
    assert key_states(vault, due) == {"alive"}
    assert len(sealed_in(vault, 1, "nudity")) == 1
    assert say(vault, NOW + 2 * HOUR) == ""  # the clock was set right again
    done = Destroyer(vault.parts).carry_out(plan(vault, due), now=NOW + 2 * HOUR, actor=BY, allow_unreviewed=False)
    assert done.destroyed == (due,) and vault.verify().problems == ()


def test_another_zone_and_a_change_of_summer_time_are_no_jump(vault: Vault) -> None:
    """R9: only UTC counts."""
    assert say(vault, NOW + HOUR) == ""
    assert say(vault, (NOW + HOUR).astimezone(timezone(timedelta(hours=-8)))) == ""
    assert say(vault, (NOW + 2 * HOUR).astimezone(timezone(timedelta(hours=5, minutes=45)))) == ""
    assert Marks(vault.parts).now(NOW) == NOW + 2 * HOUR


def test_steps_back_within_what_is_allowed_never_move_the_mark_back(vault: Vault) -> None:
    assert say(vault, NOW + HOUR) == ""
    for minutes in (4, 4, 4):
        assert say(vault, NOW + HOUR - timedelta(minutes=minutes)) == ""
    assert Marks(vault.parts).now(NOW) == NOW + HOUR
    assert "went back" in say(vault, NOW + HOUR - timedelta(minutes=6))
    assert say(vault, NOW + HOUR - timedelta(minutes=4)) == ""
    assert Marks(vault.parts).now(NOW) == NOW + HOUR


def test_a_clock_that_says_the_same_again_is_written_down_once(vault: Vault) -> None:
    for _ in range(3):
        say(vault, NOW + HOUR)
    for _ in range(3):
        say(vault, NOW - HOUR)
    say(vault, NOW + HOUR)
    assert ticks(vault) == [True, False, True] and vault.verify().problems == ()


def test_two_people_accept_the_clock_as_it_is_now(vault: Vault, place: Place) -> None:
    """R9: also where the mark itself was wrong, years ahead."""
    marks, far = Marks(vault.parts), timedelta(days=100_000)
    marks.tick(NOW + 3653 * DAY, max_backward=far, max_forward=far)
    assert "went back" in say(vault, NOW + HOUR)
    day = {"at_day": "2026-11-22"}
    with pytest.raises(ApprovalError):
        marks.accept(agreed("clock.accept", {"at_day": "2026-11-21"}), by=BY)
    marks.accept(agreed("clock.accept", day), by=BY)
    with pytest.raises(ApprovalError, match="used before"):
        marks.accept(agreed("clock.accept", day), by=BY)
    assert say(vault, NOW + HOUR) == "" and marks.now(NOW) == NOW + HOUR


def test_a_pause_ends_once_and_by_two_people(vault: Vault) -> None:
    marks = Marks(vault.parts)
    first, second = marks.pause("restored", by=BY), marks.pause("audit", by=BY)
    assert [(p.pause_id, p.reason) for p in marks.open_pauses()] == [(first, "restored"), (second, "audit")]
    with pytest.raises(ApprovalError, match="lacks approvers"):
        one = agreed("restore.accept", {"pause": first}, approvers=["p-eve"])
        marks.end_pause(first, approval=one, by=BY)
    marks.end_pause(first, approval=agreed("restore.accept", {"pause": first}), by=BY)
    assert [p.pause_id for p in marks.open_pauses()] == [second]
    with pytest.raises(TransitionError, match="no open pause"):
        marks.end_pause(first, approval=agreed("restore.accept", {"pause": first}, name="a-2"), by=BY)
    assert vault.verify().problems == ()
