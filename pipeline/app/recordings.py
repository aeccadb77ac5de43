"""Ordinary content and its ordinary deletion, as plain JSON values.

Needs the recordings folder and its key, and nothing of evidence: no vault, no catalog, no master key. Whatever became
of those, ordinary deletion goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.app.folders import KEY_BYTES, Home
from pipeline.config.settings import load_settings
from pipeline.core.clock import SystemClock, utc_text
from pipeline.core.errors import ConfigError
from pipeline.core.recording import UNKNOWN
from pipeline.recordings.fates import Deleted, Fate, Told
from pipeline.recordings.held import Held, Wanted
from pipeline.recordings.lock import HomeLock
from pipeline.recordings.ordinary import Ordinary

NAMES = ("account", "participant", "stream", "session", "recording")
Names = Mapping[str, str]
"""What to look for, by NAMES, as the command line gives it; "" is not asked."""

NEVER = datetime(1900, 1, 1, tzinfo=UTC)
"""Before any recording began."""

Counting = Callable[[int, int], None]
"""Hears how many of how many recordings are forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """The ordinary half of an installation."""

    home: Home
    keep: timedelta | None
    now: datetime


def listed(home: Home, names: Names) -> dict[str, Any]:
    """What is held, the oldest first, each with its deadline; looking makes nothing where nothing was scanned."""
    place = _place(home)
    with _ordinary(place) as ordinary:
        found = [] if ordinary is None else [_held(h, place.keep) for h in ordinary.list(_wanted(ordinary, names))]
        waiting = () if ordinary is None else ordinary.waiting()
    return {"keep_days": place.keep.days if place.keep else None, "recordings": found, "waiting": _told(waiting)}


def told(home: Home) -> dict[str, Any]:
    """Files that are the platform's to delete, of the last 30 days, and ours that could not be removed yet."""
    with _ordinary(_place(home)) as ordinary:
        if ordinary is None:
            return {"told": [], "waiting": []}
        return {"told": _told(ordinary.told()), "waiting": _told(ordinary.waiting())}


def delete(
    home: Home, names: Names, *, older_than: int | None, apply: bool, counting: Counting | None = None
) -> dict[str, Any]:
    """Forget recordings by name, or those that began `older_than` days ago; a plan only, unless `apply`."""
    if not any(names.values()) and older_than is None:
        raise ConfigError(
            "say which recordings: --account, --participant, --stream, --session, --recording or --older-than"
        )
    place = _place(home)
    before = None if older_than is None else place.now - timedelta(days=older_than)
    return _delete(place, names, before, apply=apply, counting=counting)


def sweep(home: Home, *, apply: bool, counting: Counting | None = None) -> dict[str, Any]:
    """Forget what is past its deadline; a plan only, unless `apply`. Without a deadline nothing is due."""
    place = _place(home)
    if place.keep is None:
        return {"keep_days": None, **_delete(place, {}, NEVER, apply=apply, counting=counting)}
    return {
        "keep_days": place.keep.days,
        **_delete(place, {}, place.now - place.keep, apply=apply, counting=counting),
    }


def _delete(
    place: _Place, names: Names, before: datetime | None, *, apply: bool, counting: Counting | None
) -> dict[str, Any]:
    with _ordinary(place) as ordinary:
        if ordinary is None:
            return {"applied": False, "recordings": [], **done(None)}
        if not apply:
            wanted = replace(_wanted(ordinary, names), before=before)
            plan = planned(ordinary, wanted)
            return {"applied": False, "recordings": plan, **done(None), "waiting": _told(ordinary.waiting())}
        with HomeLock(place.home.lock, at=place.now):
            wanted = replace(_wanted(ordinary, names), before=before)
            plan = planned(ordinary, wanted)
            deleted = ordinary.delete(wanted, now=place.now, progress=counting)
            return {"applied": True, "recordings": plan, **done(deleted)}


def planned(ordinary: Ordinary, wanted: Wanted) -> list[dict[str, Any]]:
    """What a deletion would forget, with the fate of each file."""
    return [{**_held(held, None), "files": [_fate(f) for f in fates]} for held, fates in ordinary.plan(wanted)]


def done(deleted: Deleted | None) -> dict[str, Any]:
    """What a deletion did; None: nothing."""
    if deleted is None:
        return {"forgotten": 0, "removed": 0, "told": [], "waiting": [], "emptied": True}
    return {
        "forgotten": deleted.recordings,
        "removed": deleted.removed,
        "told": _told(deleted.told),
        "waiting": _told(deleted.waiting),
        "emptied": deleted.emptied,
    }


def _place(home: Home) -> _Place:
    settings = load_settings(home.root)
    days = settings.recordings.keep_days
    keep = None if days is None else timedelta(days=days)
    return _Place(home=replace(home, keys=settings.keys), keep=keep, now=SystemClock().now())


@contextmanager
def _ordinary(place: _Place) -> Iterator[Ordinary | None]:
    """Ordinary content opened under its own key, or None where nothing was scanned."""
    if not place.home.recordings.exists():
        yield None
        return
    ordinary = Ordinary.open(place.home.recordings, _key(place.home))
    try:
        yield ordinary
    finally:
        ordinary.close()


def _key(home: Home) -> bytes:
    """The recordings key, which no other key locks; never made here, where it would open nothing."""
    path: Path = home.keys / "recordings" / "recordings.key"
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(
            f"{path} is missing but {home.recordings} is sealed under it: restore it, or point WATCHKEEP_KEYS at its "
            "folder"
        ) from None
    if len(key) != KEY_BYTES:
        raise ConfigError(f"{path} has {len(key)} bytes instead of {KEY_BYTES}: restore it from its backup")
    return key


def _wanted(ordinary: Ordinary, names: Names) -> Wanted:
    account, participant, stream, session, recording = (names.get(name, "") for name in NAMES)
    wanted = Wanted(account=account, participant=participant, stream=stream, session=session, recording=recording)
    if recording:
        known = {h.recording.recording_id for h in ordinary.list(Wanted(recording=wanted.recording))}
        if wanted.recording not in known and len(known) != 1:
            begin = "several recordings begin" if known else "no recording begins"
            raise ConfigError(f"{begin} with {wanted.recording!r}: `watchkeep recordings list` names them")
        whole = wanted.recording if wanted.recording in known else known.pop()
        wanted = replace(wanted, recording=whole)
    return wanted


def _held(held: Held, keep: timedelta | None) -> dict[str, Any]:
    recording = held.recording
    deadline = held.deadline(keep)
    return {
        "recording_id": recording.recording_id,
        "uri": recording.uri,
        "session": recording.session_id,
        "stream": recording.stream_id,
        "people": [{"handle": p.handle, "account": p.account} for p in recording.participants],
        "started_at": utc_text(recording.started_at) if recording.started_at else UNKNOWN,
        "registered_at": utc_text(held.registered_at),
        "counts_from": utc_text(held.counts_from),
        "deadline": utc_text(deadline) if deadline else "none",
        "managed": recording.managed,
        "read": held.read.value,
        "chat": recording.chat,
        "uris": [part.uri for part in recording.parts],
    }


def _fate(fate: Fate) -> dict[str, Any]:
    return {"uri": fate.uri, "removes": fate.removes, "why": fate.why}


def _told(files: tuple[Told, ...]) -> list[dict[str, str]]:
    return [{"uri": t.uri, "why": t.why, "at": utc_text(t.at)} for t in files]
