"""The real clock and the way times are written."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """Wall time of this machine."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)


def utc_text(at: datetime) -> str:
    """ISO 8601 in UTC with microseconds and a trailing Z: sorts as text, golden in files."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def utc_parse(text: str) -> datetime:
    """The inverse of `utc_text`."""
    return datetime.fromisoformat(text)
