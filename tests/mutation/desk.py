"""The lines that guard the desk: roles, what is asked before an act, limits of a sweep, and who may know of what."""

from __future__ import annotations

from .mutant import Mutant

C, T = "pipeline/custody/", "tests/unit/custody/test_"
SWEEP, HOLDS, EVENTS, REQUESTS = C + "sweep.py", C + "holds.py", C + "events.py", C + "requests.py"
DECISIONS, EXPLAIN, WORDS = C + "decisions.py", C + "explain.py", "pipeline/retention/words.py"
ROLES, ASKED = T + "roles.py::test_an_act_takes_one_of_its_roles_and_no_other_will_do", T + "asked.py"
PAUSES = T + "pauses.py"
DESK = (
    # Roles
    Mutant("role", "pipeline/core/person.py", "if self.roles.isdisjoint(roles):", "if False:", ROLES),
    Mutant("role-to-hold", HOLDS, '    by.need("place a hold", Role.LEGAL)\n', "", ROLES),
    Mutant("role-to-renew", HOLDS, '    by.need("renew a hold", Role.LEGAL)\n', "", ROLES),
    Mutant("role-to-release", HOLDS, '    by.need("release a hold", Role.LEGAL)\n', "", ROLES),
    Mutant(
        "role-to-decide",
        DECISIONS,
        '        by.need("decide an incident", Role.REVIEWER, Role.SEVERE_REVIEWER, Role.LEAD)\n',
        "        pass\n",
        ROLES,
    ),
    Mutant(
        "role-to-decide-severe",
        DECISIONS,
        '        by.need("decide a severe class", Role.SEVERE_REVIEWER)\n',
        "        pass\n",
        ROLES,
    ),
    Mutant(
        "severe-by-category-or-finding",
        DECISIONS,
        "if max(case.severity, desk.categories[category].severity) >= Severity.SEVERE:",
        "if desk.categories[category].severity >= Severity.SEVERE:",
        T + "roles.py::test_what_is_severe_already_is_decided_by_who_may_see_it",
    ),
    Mutant(
        "role-to-suspect",
        EVENTS,
        '        by.need("record a suspected minor", Role.REVIEWER, *RECORDERS)\n',
        "        pass\n",
        ROLES,
    ),
    Mutant("role-to-record", EVENTS, '        by.need(f"record {kind}", *RECORDERS)\n', "        pass\n", ROLES),
    Mutant(
        "role-to-override",
        C + "floors.py",
        '    by.need("ask for an override", Role.LEGAL, Role.PRIVACY_OFFICER)\n',
        "",
        ROLES,
    ),
    Mutant("role-to-take-in", REQUESTS, '    by.need("take in a request", *DESK, Role.LEAD)\n', "", ROLES),
    Mutant("role-to-verify", REQUESTS, '    by.need("confirm who asks", *DESK)\n', "", ROLES),
    Mutant("role-to-decide-a-request", REQUESTS, '    by.need("decide a request", Role.PRIVACY_OFFICER)\n', "", ROLES),
    Mutant("role-to-erase", REQUESTS, '    by.need("erase", *DESK)\n', "", ROLES),
    Mutant(
        "role-to-change-rules",
        C + "rules.py",
        '    by.need("ask for other rules", Role.LEGAL, Role.PRIVACY_OFFICER, Role.ADMIN)\n',
        "",
        ROLES,
    ),
    # What is asked before an act
    Mutant(
        "order-from-somebody",
        HOLDS,
        "if not ordered.reason.strip() or not ordered.authority.strip():",
        "if False:",
        ASKED,
    ),
    Mutant("order-has-come", HOLDS, '    in_time(ordered.received_at, now, "an order received")\n', "", ASKED),
    Mutant("order-has-not-ended", HOLDS, "    if until is not None and until <= now:\n", "    if False:\n", ASKED),
    Mutant("order-is-on-something", HOLDS, "    if not incidents:\n", "    if False:\n", ASKED),
    Mutant("letter-names-one", HOLDS, "if bool(account) == bool(participant):", "if False:", ASKED),
    Mutant(
        "gone-is-named",
        HOLDS,
        "(there if custody in (Custody.ACTIVE, Custody.DELETING) else gone).append(incident_id)",
        "there.append(incident_id)",
        ASKED,
    ),
    Mutant(
        "not-copied-is-named",
        HOLDS,
        '            missing.append(f"{recording.uri}: {error}")\n',
        "            pass\n",
        ASKED,
    ),
    Mutant(
        "renewed-since",
        HOLDS,
        "if any(change.at > agreed.approval.requested_at for change in changes):",
        "if False:",
        ASKED,
    ),
    Mutant(
        "release-in-sight",
        HOLDS,
        "return Holds(desk.parts).all(legal=sees_all(by))",
        "return Holds(desk.parts).all(legal=True)",
        ASKED,
    ),
    Mutant("event-is-known", EVENTS, "if kind not in desk.rules.events:", "if False:", ASKED),
    Mutant("receipt-has-its-reference", EVENTS, "if kind in REFERENCED and not reference.strip():", "if False:", ASKED),
    Mutant("not-in-the-future", C + "desk.py", "    if at > now:\n", "    if False:\n", ASKED),
    Mutant(
        "not-before-sealing",
        EVENTS,
        "if at < sealed_at.replace(hour=0, minute=0, second=0, microsecond=0):",
        "if False:",
        ASKED,
    ),
    Mutant(
        "agreed-to-what-was-known",
        EVENTS,
        "if any(event.recorded_at > agreed.approval.requested_at for event in case.events):",
        "if False:",
        ASKED,
    ),
    Mutant(
        "report-not-judged-away",
        DECISIONS,
        "if outcome is Review.UPHELD and unreported(case) and not",
        "if False and not",
        ASKED,
    ),
    Mutant(
        "second-for-severe",
        DECISIONS,
        "if not less or not decisions.severe(incident_id):",
        "if True:",
        ASKED,
    ),
    Mutant(
        "second-reads-no-note",
        DECISIONS,
        "sealed = decisions.seal_note(incident_id, note, by=by.actor)",
        "sealed = note",
        ASKED,
    ),
    Mutant("category-is-known", DECISIONS, "if category not in desk.categories:", "if False:", ASKED),
    Mutant(
        "accepted-before-anything-goes",
        REQUESTS,
        'if view.state not in ("decided", "done") or view.decision != ACCEPTED:',
        "if False:",
        ASKED,
    ),
    Mutant("erasure-by-two", REQUESTS, "    if by.person_id != view.decided_by:\n", "    if True:\n", ASKED),
    Mutant("decision-has-its-ground", REQUESTS, "    if not ground.strip():\n", "    if False:\n", ASKED),
    Mutant("child-starts-clocks", REQUESTS, "        _discovered(desk, view, by)\n", "        pass\n", ASKED),
    Mutant(
        "request-restricts-what-stays",
        REQUESTS,
        '        requests.restrict(restricted, f"request {view.request_id}", by=by.actor)\n',
        "        pass\n",
        ASKED,
    ),
    # A sweep
    Mutant("stopped-by-a-pause", SWEEP, 'stopped=pauses[0].words if pauses else "",', 'stopped="",', PAUSES),
    Mutant("large-sweep-limit", SWEEP, "    if count > limits.at_once:\n", "    if False:\n", PAUSES),
    Mutant("large-sweep-to-the-number", SWEEP, "if count > limits.at_once:", "if count >= limits.at_once:", PAUSES),
    Mutant(
        "large-sweep-share",
        SWEEP,
        "elif count > limits.ignore_below and count > limits.share_of_week * week:",
        "elif False:",
        PAUSES,
    ),
    Mutant(
        "large-sweep-ignores-few", SWEEP, "count > limits.ignore_below and count > limits", "count > limits", PAUSES
    ),
    Mutant("sweep-as-agreed", SWEEP, "until = agreed.approval.requested_at if agreed else now", "until = now", PAUSES),
    Mutant("sweep-spends", SWEEP, "approval=agreed.approval if agreed else None", "approval=None", PAUSES),
    Mutant("sweep-of-this-clock", SWEEP, "if jumped else []", "if False else []", PAUSES),
    Mutant("sweep-while-paused", SWEEP, "    pauses += _open(marks)\n", "", PAUSES),
    Mutant(
        "sweep-unreviewed-by-the-rules",
        SWEEP,
        'allow_unreviewed=desk.rules.unreviewed == "expire"',
        "allow_unreviewed=False",
        PAUSES,
    ),
    Mutant("sweep-ahead-only", SWEEP, "if as_of is not None and as_of < now:", "if False:", PAUSES),
    Mutant(
        "sweep-floors-first",
        SWEEP,
        "        Floors(desk.parts).write_all(found.unwritten, by=actor)\n",
        "        pass\n",
        PAUSES,
    ),
    Mutant(
        "sweep-restricts",
        SWEEP,
        "destroyer.apply_verdicts(_restricting(found), actor=actor)",
        "destroyer.apply_verdicts([], actor=actor)",
        PAUSES,
    ),
    Mutant(
        "restricted-without-a-secret",
        SWEEP,
        "[d for d in found.real.held if d.incident_id not in found.secret]",
        "found.real.held",
        PAUSES,
    ),
    Mutant("told-without-a-secret", SWEEP, "words.seen(case, legal=False)", "case", PAUSES),
    # Who may know
    Mutant(
        "legal-sees-all", EXPLAIN, "return by is not None and Role.LEGAL in by.roles", "return by is not None", ASKED
    ),
    Mutant(
        "explained-without-a-secret",
        WORDS,
        "    if legal or not any(hold.confidential for hold in case.holds):\n",
        "    if True:\n",
        ASKED,
    ),
)
