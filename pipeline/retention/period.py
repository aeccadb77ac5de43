"""Stretches of time as laws write them: ISO 8601 durations that count by the calendar, always in UTC.

Months and years are counted first, then days, hours and minutes. A day that a month does not have (29 February a year
on, 31 August half a year on) becomes the first of the next month for a floor, the month's last day for a ceiling: a
floor is never shorter and a ceiling never longer than the law says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import MAXYEAR, UTC, datetime, timedelta

_ISO = re.compile(
    r"P(?=[\dT])(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?"
    r"(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?\Z"
)
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """`months` calendar months and `exact` time on top; two spellings of one stretch (P1Y, P12M) are equal."""

    months: int
    exact: timedelta
    text: str = field(compare=False)

    @staticmethod
    def parse(text: str) -> Period:
        """Of "P1Y6M", "P90D", "PT72H", "P0D". Raises ValueError for anything else, saying what would be right."""
        found = _ISO.match(text)
        if not found:
            raise ValueError(f"{text!r} is not a period; write P1Y, P6M, P90D or PT72H")
        years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        exact = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        return Period(12 * years + months, exact, text)

    def __str__(self) -> str:
        return self.text

    def after(self, t: datetime, *, later: bool) -> datetime:
        """`t` (aware) plus this, in UTC; `later` for floors, not for ceilings. Stops at the last day of year 9999.

        Raises ValueError for a time without a zone.
        """
        if t.tzinfo is not UTC:
            if t.tzinfo is None:
                raise ValueError(f"{t} says no zone; times are UTC")
            t = t.astimezone(UTC)
        try:
            return (_months_on(t, self.months, later) if self.months else t) + self.exact
        except OverflowError:
            return _END_OF_TIME

    def delta(self) -> timedelta:
        """The exact length. Raises ValueError where it depends on the calendar (months, years)."""
        if self.months:
            raise ValueError(f"{self.text} has no exact length; write days, hours or minutes, such as P7D or PT72H")
        return self.exact


def _months_on(t: datetime, months: int, later: bool) -> datetime:
    years, month = divmod(t.month - 1 + months, 12)
    year, month = t.year + years, month + 1
    if year > MAXYEAR:
        raise OverflowError
    try:
        return t.replace(year=year, month=month)
    except ValueError:  # the month is too short for that day; months without a 29th, 30th or 31st are never December
        first = t.replace(year=year, month=month + 1, day=1)
        return first if later else first - timedelta(days=1)
