"""The lines that guard requests of people about their own data, and who is involved in what."""

from __future__ import annotations

from .mutant import Mutant

V, T = "pipeline/vault/", "tests/unit/vault/"
REQUESTS = (
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
    Mutant(
        "request-step-by-step",
        V + "requests.py",
        "    if row.state not in states:\n",
        "    if False:\n",
        T + "test_requests.py::test_no_step_is_skipped_or_done_twice_and_there_is_one_decision",
    ),
    Mutant(
        "accepted-once-verified",
        V + "requests.py",
        'states = ("verified",) if decision == ACCEPTED else ("received", "verified")',
        'states = ("received", "verified")',
        T + "test_requests.py::test_no_step_is_skipped_or_done_twice_and_there_is_one_decision",
    ),
    Mutant(
        "request-of-somebody",
        V + "requests.py",
        "if not account.strip() or account == UNKNOWN:",
        "if False:",
        T + "test_requests.py::test_nobody_s_request_and_no_request_are_refused",
    ),
    Mutant(
        "request-account-sealed",
        V + "requests.py",
        'self._parts.keys.wrap(key_id, account.encode("utf-8", "surrogatepass"))',
        'account.encode("utf-8", "surrogatepass")',
        T + "test_requests.py::test_the_account_lies_nowhere_in_the_clear_and_is_destroyed_when_the_request_is_closed",
    ),
    Mutant(
        "restricted-where-it-is-there",
        V + "requests.py",
        "there = still_there(act.tx, incidents)",
        "there = incidents",
        T + "test_requests.py::test_restricting_reaches_what_is_there_once_and_is_no_error_for_what_is_gone",
    ),
    Mutant(
        "request-forgets-the-person",
        V + "requests.py",
        "            forget(act.tx, row.person)\n",
        "",
        T + "test_requests.py::test_what_leads_to_a_person_stays_as_long_as_evidence_or_a_request_needs_it",
    ),
    Mutant(
        "evidence-needs-the-person",
        V + "involved.py",
        "if tx.execute(evidence).first() or tx.execute(asking.limit(1)).first():",
        "if tx.execute(asking.limit(1)).first():",
        T + "test_requests.py::test_what_leads_to_a_person_stays_as_long_as_evidence_or_a_request_needs_it",
    ),
    Mutant(
        "closed-request-takes-no-notes",
        V + "requests.py",
        '            if row.state == "done":\n',
        "            if False:\n",
        T
        + "test_requests.py::test_no_step_is_skipped_or_done_twice_and_there_is_one_decision "
        + T
        + "test_requests.py::test_what_became_of_each_incident_is_noted_in_order",
    ),
    Mutant(
        "account-index-keyed",
        V + "involved.py",
        'return keyed_id(derive(installation_key, "watchkeep/accounts/1"), "account", account)',
        "return account",
        T + "test_involved.py",
    ),
    Mutant(
        "several-are-nobody",
        V + "involved.py",
        "account = next(iter(named)) if len(named) == 1 else UNKNOWN",
        "account = next(iter(named), UNKNOWN)",
        T + "test_involved.py::test_several_people_on_one_side_are_nobody_in_particular",
    ),
    Mutant(
        "who-is-known-stays",
        V + "involved.py",
        "elif have[party.value] == UNKNOWN and account != UNKNOWN:",
        "elif account != UNKNOWN:",
        T + "test_involved.py",
    ),
    Mutant(
        "withdrawal-verified",
        V + "involved.py",
        'request.c.verified_at != "", ',
        "",
        T + "test_involved.py::test_i8_a_withdrawal_ends_consent_alone_and_is_not_believed_before_it_is_verified",
    ),
    Mutant(
        "withdrawal-refused",
        V + "involved.py",
        ', request.c.decision != "refused"\n',
        "\n",
        T + "test_involved.py::test_i8_a_refused_withdrawal_ends_nothing",
    ),
    Mutant(
        "consent-alone",
        V + "involved.py",
        "if r is not None and on_consent(r) for p",
        "if r is not None for p",
        T + "test_involved.py::test_i8_a_withdrawal_ends_consent_alone_and_is_not_believed_before_it_is_verified",
    ),
    Mutant(
        "restricting-kinds-only",
        V + "involved.py",
        "query = select(request.c.request_id).where(request.c.person.in_(persons), kinds, _OPEN)",
        "query = select(request.c.request_id).where(request.c.person.in_(persons), _OPEN)",
        T + "test_involved.py::test_what_was_refused_done_or_only_asked_to_be_told_restricts_nothing",
    ),
    Mutant(
        "open-requests-only",
        V + "involved.py",
        "request.c.person.in_(persons), kinds, _OPEN)",
        "request.c.person.in_(persons), kinds)",
        T + "test_involved.py::test_what_was_refused_done_or_only_asked_to_be_told_restricts_nothing",
    ),
    Mutant(
        "tombstone-is-not-added-to",
        V + "commit.py",
        "    if standing and standing.gone:\n        return\n",
        "",
        T
        + "test_destroyed.py::test_an_incident_whose_key_was_destroyed_stays_closed_on_a_rescan "
        + T
        + "test_purge.py::test_what_was_destroyed_is_not_sealed_again_when_its_recording_is_scanned_again",
    ),
    Mutant(
        "tombstone-is-closed",
        V + "attach.py",
        "return self.erased or self.custody is not Custody.ACTIVE",
        "return False",
        T + "test_vault.py::test_nothing_is_added_to_a_destroyed_incident",
    ),
)
