"""The doctor's look at keeping: rules and who confirmed them, people, the clock, sweeps, and what waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from pipeline.app import recordings
from pipeline.app.compose import Installation
from pipeline.app.desk import desk_of
from pipeline.app.home import Home
from pipeline.app.kit import kit_checks
from pipeline.app.look import untouched
from pipeline.app.people import person_notes, person_problems
from pipeline.config.retention_file import check_taxonomy
from pipeline.core.clock import utc_parse
from pipeline.core.retention import Verdict
from pipeline.custody.desk import Desk
from pipeline.custody.sweep import plan
from pipeline.retention.listing import unverified
from pipeline.vault.marks import Marks
from pipeline.vault.rule_sets import RuleSets
from pipeline.vault.stats import Stats

Look = tuple[str, str, str]
"""State ("ok", "note", "wrong"), what, and words."""

STALE = timedelta(hours=48)
"""A sweep older than this is told of: the clock's forward limit is near, and things are overdue."""

NAMED = 8
"""Rules that one line names."""


def keeping(found: Installation) -> Iterator[Look]:
    """Everything that keeping needs and somebody has to see to; nothing is changed."""
    for state, words in kit_checks(found.home):
        yield state, "recovery kit", words
    if untouched(found):
        return
    with found.vault() as vault:
        if RuleSets(vault.parts).current() is None:
            yield (
                "note",
                "retention",
                "the configured rules come into force with the first sweep or decision",
            )
            return
        desk = desk_of(found, vault)
        yield from _rules(found, desk)
        for problem in person_problems(found, vault, desk.rules):
            yield "wrong", "people", problem
        for words in person_notes(found, vault):
            yield "note", "people", words
        yield from _clock(desk)
        yield from _waiting(desk)


def ordinary(home: Home) -> Iterator[Look]:
    """The ordinary world's deadline, and originals that could not be removed."""
    held = recordings.listed(home, {})
    if held["keep_days"] is None and held["recordings"]:
        yield "note", "recordings", f"{len(held['recordings'])} without a deadline: set recordings.keep_days"
    for waiting in held["waiting"]:
        yield "note", "recordings", f"{waiting['uri']} is forgotten and still there: {waiting['why']}"


def _rules(found: Installation, desk: Desk) -> Iterator[Look]:
    check_taxonomy(desk.rules, found.taxonomy)
    path: Path = found.settings.files.retention
    current = RuleSets(desk.parts).current()
    yield "ok", "retention", f"rules {desk.rules.name} in force since {current.taken_at[:10] if current else '?'}"
    if current and path.read_text(encoding="utf-8") != current.body:
        words = f"{path} is not in force: two people put it there, watchkeep retention change {path}"
        yield "note", "retention", words
    kinds = {"floor": "still keep", "ceiling": "destroy nothing in production", "class": "end nothing in production"}
    open_ = unverified(desk.rules)
    for kind, effect in kinds.items():
        if names := [line.name for line in open_ if line.kind == kind]:
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            listed = f"{', '.join(names[:NAMED])}{more}"
            yield "note", f"unverified {kind}", f"{listed}: nobody confirmed them against the law; they {effect}"


def _clock(desk: Desk) -> Iterator[Look]:
    for pause in Marks(desk.parts).open_pauses():
        yield "wrong", "sweep", f"paused since {pause.at}: {pause.reason}"
    if refused := Marks(desk.parts).refused():
        yield "wrong", "clock", refused
    last = Stats(desk.parts).read()["last_sweep"]
    if last == "never":
        yield "note", "sweep", "never: let watchkeep sweep --apply run every day"
    elif desk.now() - utc_parse(last) > STALE:
        yield "note", "sweep", f"the last one was at {last}: let watchkeep sweep --apply run every day"


def _waiting(desk: Desk) -> Iterator[Look]:
    swept = plan(desk, desk.now()).told
    alarms = Counter(words for _, words in swept.alarms)
    for words, count in alarms.most_common(NAMED):
        yield "note", "incidents", f"{count}: {words}"
    if count := swept.counts[Verdict.CONFLICT]:
        yield "wrong", "conflicts", f"{count} incidents have a floor above a ceiling: watchkeep sweep names them"
    if overdue := swept.counts[Verdict.DESTROY]:
        yield "note", "sweep", f"{overdue} incidents are due: watchkeep sweep --apply"
