"""What is unusual destroys nothing until people agreed: too much at once, a clock that jumped, an open pause."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.core.errors import ApprovalError, WatchkeepError
from pipeline.custody.desk import Desk
from pipeline.custody.sweep import CLOCK, LARGE, RESTORED, Sweep, accept_clock, end_pause, preview, sweep
from pipeline.vault.events import Events
from pipeline.vault.marks import Marks
from tests.unit.custody.conftest import House
from tests.unit.vault.acts import BY, DAY, change, hold_on, row
from tests.unit.vault.conftest import drafts, incident, recording, seal_one, span
from tests.unit.vault.sweeps import sealed_in

CRON = "os:cron(0)"


def due(house: House, count: int, number: int = 0) -> list[str]:
    """So many dismissed incidents, each in a file of its own, eight days later."""
    found = []
    for n in range(count):
        (incident_id,) = sealed_in(house.desk.vault, number + n, "nudity")
        change(house.desk.vault, incident_id, review="dismissed", retention_class="DISMISSED")
        found.append(incident_id)
    house.pass_days(8)
    return sorted(found)


def limited(house: House, **limits: object) -> Desk:
    return house.under(limits=replace(house.desk.rules.limits, **limits))  # type: ignore[arg-type]


def swept(desk: Desk) -> Sweep:
    return sweep(desk, actor=CRON)


def test_more_than_the_rules_let_go_at_once_takes_two_people(house: House) -> None:
    ids = due(house, 3)
    desk = limited(house, at_once=2)
    done = swept(desk)
    (pause,) = done.pauses
    assert (done.destroyed, pause.act, pause.params["count"]) == ((), LARGE, 3)
    assert preview(desk).pauses == done.pauses
    assert sorted(sweep(desk, actor=CRON, agreed=house.agreed(LARGE, pause.params)).destroyed) == ids


def test_up_to_the_limit_nobody_has_to_be_asked(house: House) -> None:
    ids = due(house, 2)
    assert sorted(swept(limited(house, at_once=2, ignore_below=2)).destroyed) == ids


def test_more_than_the_week_before_lets_expect_takes_two_people(house: House) -> None:
    usual = limited(house, at_once=100, ignore_below=1, share_of_week=1.0)
    due(house, 1)
    assert len(swept(usual).destroyed) == 1
    ids = due(house, 2, number=10)
    assert [p.act for p in swept(usual).pauses] == [LARGE]
    assert sorted(swept(limited(house, at_once=100, ignore_below=2, share_of_week=1.0)).destroyed) == ids


def test_what_was_not_due_when_people_were_asked_waits(house: House) -> None:
    first = due(house, 2)
    desk = limited(house, at_once=1)
    (pause,) = swept(desk).pauses
    agreed = house.agreed(LARGE, pause.params)
    (late,) = sealed_in(house.desk.vault, 20, "nudity")
    change(
        house.desk.vault,
        late,
        review="dismissed",
        retention_class="DISMISSED",
        decided_at="2026-11-23T13:00:00.000000Z",
    )
    house.clock.at += timedelta(hours=20)
    assert late in {d.incident_id for d in preview(desk).plan.real.going}
    assert sorted(sweep(desk, actor=CRON, agreed=agreed).destroyed) == first
    assert house.desk.vault.incident(late).custody == "active"


def test_an_agreement_to_other_incidents_lets_nothing_go(house: House) -> None:
    due(house, 2)
    agreed = house.agreed(LARGE, {"plan": "00" * 32, "count": 2})
    with pytest.raises(ApprovalError):
        sweep(limited(house, at_once=1), actor=CRON, agreed=agreed)


@pytest.mark.parametrize("jump", [-3 * DAY, 400 * DAY])
def test_a_clock_that_jumped_destroys_nothing_until_two_people_accept_it(house: House, jump: timedelta) -> None:
    ids = due(house, 1)
    house.clock.at += jump
    done = swept(house.desk)
    assert (done.destroyed, [p.act for p in done.pauses]) == ((), [CLOCK])
    accept_clock(house.desk, house.agreed(CLOCK, done.pauses[0].params))
    if jump > timedelta(0):
        assert list(swept(house.desk).destroyed) == ids


def test_an_open_pause_destroys_nothing_until_two_people_end_it(house: House) -> None:
    ids = due(house, 1)
    Marks(house.desk.parts).pause("restored from a backup", by=BY)
    done = swept(house.desk)
    assert (done.destroyed, [p.act for p in done.pauses]) == ((), [RESTORED])
    assert [p.act for p in preview(house.desk).pauses] == [RESTORED]
    end_pause(house.desk, str(done.pauses[0].params["pause"]), house.agreed(RESTORED, done.pauses[0].params))
    assert list(swept(house.desk).destroyed) == ids


def test_a_simulation_looks_ahead_only(house: House) -> None:
    with pytest.raises(WatchkeepError, match="looks ahead"):
        preview(house.desk, house.clock.at - DAY)


def test_what_nobody_looked_at_goes_only_where_the_rules_let_it(house: House) -> None:
    of, at = recording(), span(1, 2)
    (unseen,) = seal_one(house.desk.vault, of, [(incident(of, at), drafts(at))])
    house.pass_days(40)
    assert swept(house.desk).destroyed == ()
    assert house.desk.vault.incident(unseen).restricted
    done = swept(house.under(unreviewed="expire"))
    assert (done.destroyed, done.unreviewed) == ((unseen,), 1)


@pytest.mark.parametrize("confidential", [True, False])
def test_what_a_confidential_order_keeps_is_told_as_if_there_were_none(house: House, confidential: bool) -> None:
    (held,) = due(house, 1)
    hold_on(house.desk.vault, [held], until=None, confidential=confidential)
    done = swept(house.desk)
    assert (done.destroyed, done.passed_by) == ((), ())
    assert [d.incident_id for d in done.plan.real.held] == [held]
    told = done.plan.told
    assert [d.incident_id for d in told.going + told.held] == [held] and bool(told.going) == confidential
    assert house.desk.vault.incident(held).restricted != confidential


def test_a_floor_that_newer_rules_bring_is_written_down_by_the_sweep(house: House) -> None:
    (one,) = due(house, 1)
    revision = house.desk.case(one).revision
    Events(house.desk.parts).record(one, "ncmec_submitted", house.clock.at, "R-1", revision=revision, floors=(), by=BY)
    assert house.desk.case(one).floors == ()
    assert swept(house.desk).destroyed == ()
    assert {f.rule for f in house.desk.case(one).floors} >= {"US_2258A_H"}
    assert str(row(house.desk.vault, one)["floor_at"]).startswith("2027-11-30")
