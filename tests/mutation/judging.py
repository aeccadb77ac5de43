"""The lines that guard what is judged: what keeps, what is due, which clock counts, what a request may erase."""

from __future__ import annotations

from .mutant import Mutant

R, T = "pipeline/retention/", "tests/unit/retention/test_"
ENGINE, WEIGHING, BOUNDS, KEEPERS = R + "engine.py", R + "weighing.py", R + "bounds.py", R + "keepers.py"
ERASURE, PATTERNS, PERIOD, WORDS = R + "erasure.py", R + "patterns.py", R + "period.py", R + "words.py"
VALUES = "pipeline/core/retention.py"
ENGINE_T = T + "engine.py " + T + "bounds.py"
REPORT_T = "tests/unit/core/test_report_open.py"
ERASURE_T, PATTERNS_T, PERIOD_T = T + "erasure.py", T + "patterns.py", T + "period.py"
JUDGING = (
    # The verdict
    Mutant("due-comparison", ENGINE, "is_due = due is not None and now >= due", "is_due = due is not None", ENGINE_T),
    Mutant("due-to-the-moment", ENGINE, "due is not None and now >= due", "due is not None and now > due", ENGINE_T),
    Mutant("held-is-not-destroyed", ENGINE, "is_due and weighed.kept_by:", "False:", ENGINE_T),
    Mutant("floor-comparison", ENGINE, "if floor is None or now >= floor.until:", "if True:", ENGINE_T),
    Mutant(
        "floor-to-the-moment",
        ENGINE,
        "if floor is None or now >= floor.until:",
        "if floor is None or now > floor.until:",
        ENGINE_T,
    ),
    Mutant("conflict-keeps", ENGINE, "        return Verdict.CONFLICT, kept\n", "        pass\n", ENGINE_T),
    Mutant(
        "unverified-destroys-nothing",
        ENGINE,
        "if weighed.acting_at is None or now < weighed.acting_at:",
        "if False:",
        ENGINE_T,
    ),
    Mutant("no-clock-no-end", ENGINE, "        return weighed.stopped\n", '        return ""\n', ENGINE_T),
    Mutant("destroyed-is-not-judged", ENGINE, "if case.custody in _GONE:", "if False:", ENGINE_T),
    Mutant("order-waives-the-floor", ENGINE, '"" if weighed.waived else _kept', "_kept", ENGINE_T),
    Mutant("nobody-is-everybody", ENGINE, " if case.subject != UNKNOWN else None", "", ENGINE_T),
    Mutant("class-in-its-place", ENGINE, "not rule.jurisdiction or any", "True or any", ENGINE_T),
    Mutant("class-that-is-there", ENGINE, "if category_class not in rules.classes:", "if False:", ENGINE_T),
    Mutant(
        "unreviewed-is-counted", ENGINE, "is Verdict.DESTROY and weighed.unreviewed", "is Verdict.CONFLICT", ENGINE_T
    ),
    Mutant(
        "alarms-of-a-report",
        ENGINE,
        "    if REPORT in weighed.kept_by:\n        yield",
        "    if False:\n        yield",
        ENGINE_T,
    ),
    Mutant(
        "held-in-secret",
        ENGINE,
        "if any(hold.hold_id in kept_by and not hold.confidential",
        "if any(hold.hold_id in kept_by",
        ENGINE_T,
    ),
    # What keeps
    Mutant("hold-active", KEEPERS, "for hold in case.holds if hold.active(now)]", "for hold in ()]", ENGINE_T),
    Mutant("hold-over", KEEPERS, "for hold in case.holds if hold.active(now)]", "for hold in case.holds]", ENGINE_T),
    Mutant("review-keeps", KEEPERS, "        kept.append(REVIEW)\n", "        pass\n", ENGINE_T),
    Mutant("under-review-keeps", KEEPERS, "(Review.OPEN, Review.UNDER_REVIEW)", "(Review.OPEN,)", ENGINE_T),
    Mutant("report-keeps", KEEPERS, "        kept.append(REPORT)\n", "        pass\n", ENGINE_T),
    Mutant("appeal-keeps", KEEPERS, "        kept.append(APPEAL)\n", "        pass\n", ENGINE_T),
    Mutant("alarm-in-secret", KEEPERS, " or (hold.confidential and not confidential)", "", ENGINE_T),
    Mutant("hold-until", VALUES, "ends is None or now < ends", "ends is None or now <= ends", ENGINE_T),
    Mutant("hold-ends-once", VALUES, "return min(ends) if ends", "return max(ends) if ends", ENGINE_T),
    Mutant("suspicion-opens", VALUES, "frozenset({SUSPECTED_MINOR, ESCALATED})", "frozenset({ESCALATED})", ENGINE_T),
    Mutant(
        "escalation-opens", VALUES, "frozenset({SUSPECTED_MINOR, ESCALATED})", "frozenset({SUSPECTED_MINOR})", ENGINE_T
    ),
    Mutant(
        "severe-opens",
        VALUES,
        "return grave if state is None else state",
        "return bool(state)",
        REPORT_T,
    ),
    Mutant("overtaken-closure", VALUES, "overtaken = grave and", "overtaken = False and", REPORT_T),
    Mutant("referral-ends-no-suspicion", VALUES, "kind == REFERRED and state is None", "kind == REFERRED", REPORT_T),
    Mutant("referral-is-no-receipt", VALUES, " and retention_class not in REPORTED_CLASSES", "", REPORT_T),
    Mutant("receipt-ends", VALUES, "RECEIPTS = frozenset({NCMEC_SUBMITTED, ", "RECEIPTS = frozenset({", REPORT_T),
    # What nobody looked at
    Mutant("unreviewed-stays", WEIGHING, 'rules.unreviewed != "expire" or ', "", ENGINE_T),
    Mutant("looked-at-stays", WEIGHING, "case.review is not Review.OPEN or ", "", ENGINE_T),
    Mutant("severe-stays", WEIGHING, " or case.severity >= Severity.SEVERE:", ":", ENGINE_T),
    Mutant("own-ceiling-only", WEIGHING, "c.rule == case.retention_class and c.until", "c.until", ENGINE_T),
    Mutant("own-ceiling-passed", WEIGHING, "and c.until <= now and (", "and (", ENGINE_T),
    Mutant("own-ceiling-verified", WEIGHING, " and (c.verified or not production) for", " for", ENGINE_T),
    # Floors, ceilings and their clocks
    Mutant("verified-in-production", WEIGHING, "[c for c in limits if c.verified]", "limits", ENGINE_T),
    Mutant(
        "order-from-its-day",
        WEIGHING,
        "order.order is Order.DESTROY and order.at <= now",
        "order.order is Order.DESTROY",
        ENGINE_T,
    ),
    Mutant("erasure-waives-nothing", WEIGHING, "order.order is Order.DESTROY and order.at", "order.at", ENGINE_T),
    Mutant("written-floors", WEIGHING, "        in_force += case.floors\n", "        pass\n", ENGINE_T),
    Mutant("latest-floor", WEIGHING, "floor = max(in_force", "floor = min(in_force", ENGINE_T),
    Mutant("earliest-ceiling", WEIGHING, "ceiling = min(limits", "ceiling = max(limits", ENGINE_T),
    Mutant(
        "latest-start", BOUNDS, "return trigger, max(times[trigger])", "return trigger, min(times[trigger])", ENGINE_T
    ),
    Mutant("floor-from-the-last", BOUNDS, "at = max(times[extra.on])", "at = min(times[extra.on])", ENGINE_T),
    Mutant("ceiling-from-the-first", BOUNDS, "at = min(times[extra.on])", "at = max(times[extra.on])", ENGINE_T),
    Mutant("dismissed-clock", BOUNDS, "if case.review is Review.DISMISSED:", "if True:", ENGINE_T),
    Mutant("holds-have-ended", BOUNDS, "        if None not in ends:\n", "        if set(ends) - {None}:\n", ENGINE_T),
    Mutant("last-hold-ended", BOUNDS, "[max(end for end in ends if", "[min(end for end in ends if", ENGINE_T),
    Mutant("floor-of-record", BOUNDS, "and not extra.of_record and", "and", ENGINE_T),
    Mutant("pattern-of-upheld", BOUNDS, " or case.review is not Review.UPHELD:", ":", ENGINE_T),
    Mutant(
        "pattern-never-shortens",
        BOUNDS,
        "if pattern is not None and pattern.until > own.until else",
        "if pattern is not None else",
        ENGINE_T,
    ),
    Mutant("pattern-of-its-classes", BOUNDS, " and case.retention_class in rule.instead_of else", " else", ENGINE_T),
    Mutant("override-of-what-was", BOUNDS, "(moved.at is not None and began > moved.at)", "False", ENGINE_T),
    Mutant(
        "override-of-what-was-known",
        BOUNDS,
        "began = known.get((floor.trigger, floor.trigger_at), floor.trigger_at)",
        "began = floor.trigger_at",
        ENGINE_T,
    ),
    Mutant("latest-of-a-rule", BOUNDS, "floor.until > seen.until", "floor.until < seen.until", ENGINE_T),
    Mutant("rule-of-its-severity", BOUNDS, "and case.severity >= rule.severity", "and True", ENGINE_T),
    Mutant("rule-of-its-flag", BOUNDS, "and rules.on(rule.flag)", "and True", ENGINE_T),
    Mutant("unknown-place-is-bound", BOUNDS, "jurisdiction == UNKNOWN or any", "any", ENGINE_T),
    Mutant("odd-day-is-no-conflict", BOUNDS, "until = max(until, rule.min", "until = min(until, rule.min", ENGINE_T),
    Mutant(
        "floor-is-later",
        BOUNDS,
        "rule.min.after(start[1], later=True), *start",
        "rule.min.after(start[1], later=False), *start",
        ENGINE_T,
    ),
    Mutant(
        "ceiling-is-earlier",
        BOUNDS,
        "rule.max.after(start[1], later=False)",
        "rule.max.after(start[1], later=True)",
        ENGINE_T,
    ),
    # Calendars and patterns
    Mutant("short-month", PERIOD, "return first if later else first - timedelta(days=1)", "return first", PERIOD_T),
    Mutant("zone-demanded", PERIOD, "if t.tzinfo is None:", "if False:", PERIOD_T),
    Mutant("end-of-the-calendar", PERIOD, "        return _END_OF_TIME\n", "        raise\n", PERIOD_T),
    Mutant("months-are-no-days", PERIOD, "        if self.months:\n", "        if False:\n", PERIOD_T),
    Mutant("pattern-of-somebody", PATTERNS, "if person == UNKNOWN:", "if False:", PATTERNS_T),
    Mutant("pattern-counts", PATTERNS, "if last - first + 1 >= rule.count and", "if", PATTERNS_T),
    Mutant("pattern-sessions", PATTERNS, " and len(sessions) >= rule.min_distinct_sessions", "", PATTERNS_T),
    Mutant(
        "pattern-window",
        PATTERNS,
        "later=False) < newest.decided_at:",
        "later=False) < upheld[0].decided_at:",
        PATTERNS_T,
    ),
    Mutant("pattern-appeals", PATTERNS, "[u for u in known if u.appeal not in rule.exclude]", "known", PATTERNS_T),
    Mutant(
        "pattern-confirmed", PATTERNS, "confirmed=not rule.human_confirm or any", "confirmed=True or any", PATTERNS_T
    ),
    Mutant("pattern-of-the-past", PATTERNS, "if u.decided_at <= now)", "if True)", PATTERNS_T),
    # Requests
    Mutant("request-report", ERASURE, "        yield Outcome.RESTRICTED, _REPORT\n", "        pass\n", ERASURE_T),
    Mutant("request-review", ERASURE, "        yield Outcome.RESTRICTED, _REVIEW\n", "        pass\n", ERASURE_T),
    Mutant("request-appeal", ERASURE, "        yield Outcome.RESTRICTED, _APPEAL\n", "        pass\n", ERASURE_T),
    Mutant(
        "request-floor",
        ERASURE,
        "if (floor := weighed.floor) and now < floor.until:",
        "if (floor := weighed.floor) and False:",
        ERASURE_T,
    ),
    Mutant("request-clock", ERASURE, "    if weighed.stopped:\n", "    if False:\n", ERASURE_T),
    Mutant("request-hold", ERASURE, "    if kept_by:\n", "    if False:\n", ERASURE_T),
    Mutant(
        "request-hold-in-secret",
        ERASURE,
        "if any(hold.active(now) and not hold.confidential for",
        "if any(hold.active(now) for",
        ERASURE_T,
    ),
    Mutant("withdrawal-of-consent", ERASURE, "        yield _other_basis(legal_basis)\n", "        pass\n", ERASURE_T),
    Mutant(
        "child-is-restricted",
        ERASURE,
        "Outcome.RESTRICTED if kind is RequestKind.UNDER_13 else Outcome.DEFERRED, _CLOCK",
        "Outcome.DEFERRED, _CLOCK",
        ERASURE_T,
    ),
    Mutant("severe-is-not-copied", ERASURE, "if case.severity >= Severity.SEVERE:", "if False:", ERASURE_T),
    Mutant(
        "erased-before", ERASURE, "if case.custody in (Custody.KEY_DESTROYED, Custody.PURGED):", "if False:", ERASURE_T
    ),
    # Words
    Mutant("words-in-secret", WORDS, "    case = seen(case, legal=legal)\n", "", T + "words.py"),
    Mutant(
        "preserved-in-secret",
        WORDS,
        "hidden = case.retention_class == PRESERVATION and not case.holds and not legal",
        "hidden = False",
        T + "words.py",
    ),
)
