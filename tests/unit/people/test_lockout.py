"""Lock-out: whoever guesses waits, longer each time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.people.accounts import People
from pipeline.people.lockout import FREE_FAILURES, LONGEST_DELAY, LogInRefused, delay
from tests.unit.people.conftest import CHEAP, Adding, Chain, SetClock, phrase


def fail(people: People, name: str = "lena") -> LogInRefused:
    with pytest.raises(LogInRefused) as refused:
        people.authenticate(name, "something else entirely")
    return refused.value


def test_after_five_failures_the_right_passphrase_waits_too(people: People, somebody: Adding, clock: SetClock) -> None:
    lena = somebody("lena")
    for _ in range(FREE_FAILURES):
        assert fail(people).locked_until is None
    assert fail(people).locked_until == clock.now() + timedelta(seconds=30)
    with pytest.raises(LogInRefused, match="wait until 2026-11-22 12:00:30 UTC"):
        people.authenticate("lena", phrase("lena"))
    clock.forward(seconds=30)
    assert people.authenticate("lena", phrase("lena")) == lena
    assert fail(people).locked_until is None  # it starts anew


def test_each_further_failure_doubles_the_wait_up_to_an_hour(people: People, somebody: Adding, clock: SetClock) -> None:
    somebody("lena")
    for _ in range(FREE_FAILURES):
        fail(people)
    waits = []
    for _ in range(9):
        until = fail(people).locked_until
        assert until is not None
        waits.append(until - clock.now())
        clock.at = until
    assert waits[:3] == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]
    assert waits[-1] == LONGEST_DELAY
    assert delay(10**6) == LONGEST_DELAY


def test_a_name_that_does_not_exist_waits_in_the_same_words(people: People, somebody: Adding) -> None:
    somebody("lena")
    said = [[str(fail(people, name)) for _ in range(7)] for name in ("lena", "nobody")]
    assert said[0] == said[1]
    assert "wait until" in said[0][-1]


def test_the_wait_survives_the_process(
    folder: Path, clock: SetClock, chain: Chain, people: People, somebody: Adding
) -> None:
    somebody("lena")
    for _ in range(FREE_FAILURES + 1):
        fail(people)
    again = People(folder, clock, audited=chain.last, cost=CHEAP)
    with pytest.raises(LogInRefused, match="wait until"):
        again.authenticate("lena", phrase("lena"))
    again.close()


def test_guesses_made_at_once_count_like_guesses_made_in_turn(
    folder: Path, clock: SetClock, chain: Chain, people: People, somebody: Adding
) -> None:
    somebody("lena")

    def guess(_: int) -> str:
        mine = People(folder, clock, audited=chain.last, cost=CHEAP)
        try:
            return str(fail(mine))
        finally:
            mine.close()

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(guess, range(24)))
    looked_at = [words for words in said if words.startswith("there is no such person")]
    assert len(looked_at) == FREE_FAILURES + 1


def test_failures_are_forgotten_after_a_day(people: People, somebody: Adding, clock: SetClock) -> None:
    somebody("lena")
    for _ in range(FREE_FAILURES):
        fail(people)
    clock.forward(hours=24)
    assert fail(people).locked_until is None


def test_guessing_one_person_locks_nobody_else(people: People, somebody: Adding) -> None:
    somebody("lena")
    dirk = somebody("dirk")
    for _ in range(FREE_FAILURES + 1):
        fail(people)
    assert people.authenticate("dirk", phrase("dirk")) == dirk
