"""The lines that guard what people do to evidence: holds, events, decisions, floors, orders, requests, preservation."""

from __future__ import annotations

from .mutant import Mutant

V, T = "pipeline/vault/", "tests/unit/vault/"
ACTS = (
    # Holds
    Mutant(
        "hold-on-what-is-gone",
        V + "holds.py",
        "        prove_alive(act.tx, self._parts.keys, incidents)\n        for ids",
        "        for ids",
        T + "test_holds.py",
    ),
    Mutant(
        "hold-proves-keys",
        V + "touch.py",
        " or not _open(keys, [k for k in owned[i] if k not in erased])",
        "",
        T + "test_holds.py",
    ),
    Mutant(
        "hold-calls-back",
        V + "touch.py",
        "(_claimed, Custody.ACTIVE.value)",
        "(_claimed, Custody.DELETING.value)",
        T + "test_holds.py",
    ),
    Mutant(
        "revision-moves",
        V + "touch.py",
        "incident.c.revision + 1, **back",
        "incident.c.revision, **back",
        T + "test_holds.py",
    ),
    Mutant(
        "hold-renewed-later",
        V + "holds.py",
        "(until is not None and utc_text(until) <= row.until)",
        "False",
        T + "test_holds.py",
    ),
    Mutant(
        "hold-by-trusted-time",
        V + "holds.py",
        "return max(utc_parse(at), clock_mark(tx))",
        "return utc_parse(at)",
        T + "test_holds.py",
    ),
    Mutant("hold-confidential", V + "holds.py", "        if not legal:\n", "        if False:\n", T + "test_holds.py"),
    Mutant(
        "hold-confidential-entry",
        V + "holds.py",
        "touch(act, incidents, SEALED_ACT if sealed else verb,",
        "touch(act, incidents, verb,",
        T + "test_holds.py",
    ),
    # Floors, events, decisions, orders
    Mutant(
        "revision-compared",
        V + "touch.py",
        "if revision is not None and row.revision != revision:",
        "if False:",
        T + "test_events.py " + T + "test_decisions.py",
    ),
    Mutant(
        "floor-in-the-database",
        V + "migrations/versions/v0002_keeping.sql",
        " AND o.until <= NEW.floor_at)",
        ")",
        T + "test_floors.py",
    ),
    Mutant(
        "floor-after-override",
        V + "floors.py",
        "until if row.recorded_at <= at else row.until",
        "until if at else row.until",
        T + "test_floors.py",
    ),
    Mutant("report-closed-by-two", V + "events.py", "if kind == REPORT_CLOSED:", "if False:", T + "test_events.py"),
    Mutant(
        "severe-by-two",
        V + "decisions.py",
        "outcome is Review.DISMISSED and _severe(act.tx, row)",
        "False",
        T + "test_decisions.py",
    ),
    Mutant(
        "severe-once",
        V + "decisions.py",
        "max(row.severity, tx.execute(found).scalar() or 0, tx.execute(judged).scalar() or 0)",
        "row.severity",
        T + "test_decisions.py",
    ),
    Mutant(
        "terms-in-the-database",
        V + "migrations/versions/v0002_keeping.sql",
        "NEW.legal_basis IS NOT OLD.legal_basis",
        "0",
        T + "test_decisions.py",
    ),
    Mutant("destroy-by-two", V + "orders.py", "if order is Order.DESTROY:", "if False:", T + "test_orders.py"),
    # Requests and who is involved
    Mutant("consent-withdrawn", V + "seal.py", "if Party.SUBJECT in withdrew:", "if False:", T + "test_involved.py"),
    Mutant("consent-of-others", V + "seal.py", "if draft.party in withdrew:", "if False:", T + "test_involved.py"),
    Mutant("consent-race", V + "commit.py", "if now != was:", "if False:", T + "test_involved.py"),
    Mutant(
        "request-restricts",
        V + "commit.py",
        '{"restricted": True} if asked else {}',
        "{}",
        T + "test_involved.py",
    ),
    Mutant(
        "withdrawal-remembered",
        V + "involved.py",
        'or_(request.c.state != "done", _WITHDRAWN)',
        'request.c.state != "done"',
        T + "test_requests.py",
    ),
    Mutant(
        "request-name-goes",
        V + "requests.py",
        "            self._parts.keys.destroy(row.key_id)\n",
        "",
        T + "test_requests.py",
    ),
    # Preservation
    Mutant(
        "preserved-under-a-hold",
        V + "preserve.py",
        "    sealed = active_hold(act.tx, hold_id, act.at).confidential\n",
        "    sealed = False\n",
        T + "test_preserve.py",
    ),
    Mutant(
        "scan-passes-preserved",
        V + "attach.py",
        ", t.c.origin == DETECTED)",
        ",)",
        T + "test_preserve.py",
    ),
    Mutant(
        "preserved-is-no-newer-file",
        V + "orphans.py",
        "    marks |= {",
        "    _ = {",
        T + "test_preserve.py",
    ),
    Mutant("holds-key-is-no-orphan", V + "orphans.py", " and k != HOLDS_KEY", "", T + "test_holds.py"),
)
