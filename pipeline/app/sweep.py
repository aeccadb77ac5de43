"""The sweep and what the vault holds, as plain JSON values."""

from __future__ import annotations

from typing import Any

from pipeline.app.acts import ask
from pipeline.app.desk import Sitting, moment_of, sitting
from pipeline.app.home import Home
from pipeline.core.clock import utc_text
from pipeline.core.errors import ConfigError
from pipeline.core.retention import Bound, Disposition, Verdict
from pipeline.custody import sweep as sweeps
from pipeline.custody.explain import sees_all
from pipeline.vault.guards import KEPT
from pipeline.vault.holds import Holds
from pipeline.vault.log import Log
from pipeline.vault.stats import Stats


def sweep(home: Home, *, apply: bool, as_of: str, name: str | None) -> dict[str, Any]:
    """A sweep planned, or carried out. With a `name`, two people are asked about whatever stands in the way."""
    if apply and as_of:
        raise ConfigError("--as-of simulates a day to come: it never goes with --apply")
    with sitting(home, name) as here:
        if apply:
            done = sweeps.sweep(here.desk, actor=here.actor)
            if folder := here.installation.settings.audit.checkpoint_to:
                Log(here.desk.parts).checkpoint(folder, by=here.actor)
        else:
            done = sweeps.preview(here.desk, moment_of(as_of, end=True) if as_of else None)
        return told(here, done, ask_people=apply and name is not None)


def told(here: Sitting, done: sweeps.Sweep, *, ask_people: bool) -> dict[str, Any]:
    """A sweep as JSON values; confidential holds do not show."""
    legal = sees_all(here.person)
    plan, hidden = done.plan, frozenset[str]() if legal else Holds(here.desk.parts).hidden()
    tally = plan.real if legal else plan.told
    requests = [ask(here, p.act, p.params)["request"] if ask_people else "" for p in done.pauses]
    return {
        "as_of": utc_text(plan.now),
        "applied": done.applied,
        "counts": {v.value: tally.counts[v] for v in Verdict},
        "pauses": [
            {"words": p.words, "act": p.act, "request": request}
            for p, request in zip(done.pauses, requests, strict=True)
        ],
        "going": [_disposition(d) for d in tally.going],
        "held": [_disposition(d) for d in tally.held],
        "conflicts": [_disposition(d) for d in tally.conflicts],
        "alarms": [{"incident_id": i, "words": words} for i, words in tally.alarms],
        "destroyed": [i for i in done.destroyed if i not in hidden],
        "unreviewed": done.unreviewed,
        "passed_by": [{"incident_id": i, "words": words} for i, words in _passed_by(done, tally) if i not in hidden],
        "files": done.files,
    }


def _passed_by(done: sweeps.Sweep, tally: sweeps.Tally) -> list[tuple[str, str]]:
    """What was told to go and is still there, whatever kept it."""
    known = {*done.destroyed, *(i for i, _ in done.passed_by)}
    others = [d.incident_id for d in tally.going if d.incident_id not in known] if done.applied else []
    return [*done.passed_by, *((i, KEPT) for i in others)]


def _disposition(d: Disposition) -> dict[str, Any]:
    return {
        "incident_id": d.incident_id,
        "verdict": d.verdict.value,
        "reason": d.reason,
        "due_at": utc_text(d.due_at) if d.due_at else "unknown",
        "unreviewed": d.unreviewed,
        "floors": [_bound(f) for f in d.floors],
        "ceilings": [_bound(c) for c in d.ceilings],
    }


def _bound(bound: Bound) -> dict[str, Any]:
    return {"rule": bound.rule, "until": utc_text(bound.until), "cite": bound.cite, "verified": bound.verified}


def stats(home: Home) -> dict[str, Any]:
    """What the vault holds, in numbers; nothing is unsealed."""
    with sitting(home) as here:
        return {**Stats(here.desk.parts).read(), "rules": here.desk.rules.name}
