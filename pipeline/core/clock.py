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
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def utc_parse(text: str) -> datetime:
    """The inverse of `utc_text`."""
    return datetime.fromisoformat(text)
