from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.retention.period import Period

TIMES = st.integers(-(10**9), 10**10).map(lambda s: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s))
CALENDAR = st.builds(lambda y, m: Period.parse(f"P{y}Y{m}M"), st.integers(0, 40), st.integers(0, 40))
PERIODS = st.builds(
    lambda y, m, d, h: Period.parse(f"P{y}Y{m}M{d}DT{h}H"),
    st.integers(0, 10),
    st.integers(0, 30),
    st.integers(0, 400),
    st.integers(0, 100),
)


@pytest.mark.parametrize(
    ("start", "period", "later", "earlier"),
    [
        ("2024-02-29", "P1Y", "2025-03-01", "2025-02-28"),
        ("2024-02-29", "P4Y", "2028-02-29", "2028-02-29"),
        ("2023-03-01", "P1Y", "2024-03-01", "2024-03-01"),
        ("2026-08-31", "P6M", "2027-03-01", "2027-02-28"),
        ("2027-08-31", "P6M", "2028-03-01", "2028-02-29"),
        ("2026-03-31", "P1M", "2026-05-01", "2026-04-30"),
        ("2026-12-31", "P2M", "2027-03-01", "2027-02-28"),
        ("2026-11-30", "P1Y6M", "2028-05-30", "2028-05-30"),
        ("2026-01-31", "P1M1D", "2026-03-02", "2026-03-01"),
        ("2026-03-28", "P2D", "2026-03-30", "2026-03-30"),
        ("2026-01-01", "P1W", "2026-01-08", "2026-01-08"),
    ],
)
def test_a_day_that_a_month_lacks_is_later_for_floors_and_earlier_for_ceilings(
    start: str, period: str, later: str, earlier: str
) -> None:
    at = datetime.fromisoformat(f"{start}T10:30:00+00:00")
    assert Period.parse(period).after(at, later=True) == datetime.fromisoformat(f"{later}T10:30:00+00:00")
    assert Period.parse(period).after(at, later=False) == datetime.fromisoformat(f"{earlier}T10:30:00+00:00")


@given(at=TIMES, period=PERIODS)
def test_a_floor_is_never_before_a_ceiling_and_at_most_a_day_after_it(at: datetime, period: Period) -> None:
    floor, ceiling = period.after(at, later=True), period.after(at, later=False)
    assert ceiling <= floor <= ceiling + timedelta(days=1)
    assert ceiling >= at


@given(one=TIMES, other=TIMES, period=CALENDAR, later=st.booleans())
def test_what_began_on_a_later_day_never_ends_on_an_earlier_one(
    one: datetime, other: datetime, period: Period, later: bool
) -> None:
    first, second = sorted((one, other))
    assert period.after(first, later=later).date() <= period.after(second, later=later).date()


@given(at=TIMES, short=st.integers(0, 60), more=st.integers(0, 60), later=st.booleans())
def test_more_months_never_end_sooner(at: datetime, short: int, more: int, later: bool) -> None:
    ends = [Period.parse(f"P{months}M").after(at, later=later) for months in (short, short + more)]
    assert ends[0] <= ends[1]


@given(at=TIMES, years=st.integers(0, 50))
def test_years_are_anniversaries_whatever_leap_years_lie_between(at: datetime, years: int) -> None:
    end = Period.parse(f"P{years}Y").after(at, later=True)
    if (at.month, at.day) == (2, 29) and end.day != 29:
        assert (end.month, end.day) == (3, 1)
    else:
        assert (end.year, end.month, end.day, end.time()) == (at.year + years, at.month, at.day, at.time())


@given(at=TIMES, days=st.integers(0, 5000), hours=st.integers(-12, 14))
def test_zones_and_summer_time_make_no_difference(at: datetime, days: int, hours: int) -> None:
    period = Period.parse(f"P{days}D")
    elsewhere = at.astimezone(timezone(timedelta(hours=hours)))
    assert period.after(elsewhere, later=True) == period.after(at, later=True) == at + timedelta(days=days)
    assert period.after(elsewhere, later=True).tzinfo is UTC


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="says no zone"):
        Period.parse("P1D").after(datetime(2026, 1, 1), later=True)  # noqa: DTZ001


@pytest.mark.parametrize("text", ["P9999Y", "P99999D", "P9000Y99999D"])
def test_what_ends_beyond_the_calendar_ends_with_it(text: str) -> None:
    at = datetime(9990, 6, 1, tzinfo=UTC)
    assert Period.parse(text).after(at, later=False) == datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "1Y", "P1", "P1H", "PT1Y", "P1.5D", "P-1D", "p1d", "P1D ", "P1M1Y", "24h"]
)
def test_what_is_no_period_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is not a period; write P1Y"):
        Period.parse(text)


def test_two_spellings_of_one_stretch_are_equal() -> None:
    assert Period.parse("P1Y") == Period.parse("P12M") != Period.parse("P365D")
    assert Period.parse("PT72H") == Period.parse("P3D")
    assert str(Period.parse("PT72H")) == "PT72H"


def test_months_have_no_exact_length() -> None:
    assert Period.parse("P1DT12H").delta() == timedelta(hours=36)
    with pytest.raises(ValueError, match="no exact length"):
        Period.parse("P1M").delta()
