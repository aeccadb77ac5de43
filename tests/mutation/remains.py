"""The lines that guard what a destruction leaves: tombstones that name nobody, no file, and nothing that comes back."""

from __future__ import annotations

from .mutant import Mutant

V, T = "pipeline/vault/", "tests/unit/vault/test_"
REMAINS = (
    Mutant(
        "ledger-before-catalog",
        V + "reconcile.py",
        "if row.key_id not in living and _destroyed(keys, row.key_id):",
        "if False:",
        T + "purge.py::test_an_old_catalog_brings_no_destroyed_incident_back",
    ),
    Mutant(
        "claim-given-back",
        V + "reconcile.py",
        '            touch(act, ids, "incident.release", reason=UNFINISHED)\n',
        "            pass\n",
        T + "destroy_races.py::test_a_claim_that_a_crash_left_is_given_back_and_judged_anew",
    ),
    Mutant(
        "returned-file",
        V + "purge.py",
        "if f.name in there or f.key_id in living]",
        "if f.key_id in living]",
        T + "purge.py::test_an_old_vault_brings_no_file_back",
    ),
    Mutant(
        "file-key-goes",
        V + "purge.py",
        "        destroy_known(self._parts.keys, [file.key_id for file in files])\n",
        "",
        T + "destroyed.py::test_a_file_that_went_with_all_its_incidents_is_no_problem_and_is_counted",
    ),
    Mutant(
        "neighbour-keeps-the-file",
        V + "purge.py",
        "~living, ",
        "",
        T + "purge.py::test_a_file_stays_as_long_as_one_of_its_incidents_and_names_what_is_gone",
    ),
    Mutant(
        "unlinked-written-first",
        V + "purge.py",
        "        self._remove(dead)\n        return [file",
        "        return [file",
        T + "destroy.py::test_what_is_due_goes_with_its_keys_its_files_and_its_names",
    ),
    Mutant(
        "tombstone-names-nobody",
        V + "scrub.py",
        "session=ERASED, participant=ERASED",
        "session=i.c.session, participant=i.c.participant",
        T + "destroy.py::test_nothing_of_it_is_left_in_the_clear_or_to_be_matched",
    ),
    Mutant(
        "tombstone-matches-nothing",
        V + "scrub.py",
        "tx.execute(update(r).where(r.c.incident_id.in_(ids)).values(content_mac=ERASED))",
        "pass",
        T + "destroy.py::test_nothing_of_it_is_left_in_the_clear_or_to_be_matched",
    ),
    Mutant(
        "findings-go",
        V + "scrub.py",
        "tx.execute(delete(t.finding).where(t.finding.c.incident_id.in_(ids)))",
        "pass",
        T + "destroy.py::test_what_is_due_goes_with_its_keys_its_files_and_its_names",
    ),
    Mutant(
        "confidential-kind",
        V + "cases.py",
        "if not row.confidential:",
        "if True:",
        T + "cases.py::test_of_a_confidential_hold_only_its_times_are_told",
    ),
    Mutant(
        "key-is-back",
        V + "verify_keys.py",
        '    if given_up:\n        return f"is back',
        '    if False:\n        return f"is back',
        T + "destroyed.py::test_a_destruction_that_the_key_store_knows_nothing_of_is_a_problem",
    ),
    Mutant(
        "key-lives-in-a-tombstone",
        V + "verify_keys.py",
        "if row.party in _PARTIES and row.custody not in _KEPT:",
        "if False:",
        T + "destroyed.py::test_an_incident_that_is_said_to_be_destroyed_while_its_keys_live_is_a_problem",
    ),
    Mutant(
        "file-is-back",
        V + "verify_file.py",
        "if file.name in lying:",
        "if False:",
        T + "purge.py::test_an_old_vault_brings_no_file_back",
    ),
    Mutant(
        "account-unlinked",
        V + "scrub.py",
        "    _unlink(tx, persons)\n    states",
        "    states",
        T + "destroy.py::test_what_is_due_goes_with_its_keys_its_files_and_its_names",
    ),
    Mutant(
        "account-stays-for-other-evidence",
        V + "scrub.py",
        "    gone -= set(tx.execute(select(v).where(v.in_(gone))).scalars())\n",
        "",
        T + "purge.py::test_a_person_is_found_as_long_as_evidence_of_them_is_left",
    ),
    Mutant(
        "involved-forgotten",
        V + "scrub.py",
        "    tx.execute(update(k.involved).where(k.involved.c.incident_id.in_(ids)).values(person=ERASED))\n",
        "",
        T + "destroy.py::test_what_is_due_goes_with_its_keys_its_files_and_its_names",
    ),
    Mutant(
        "party-forgotten",
        V + "scrub.py",
        "    act.tx.execute(update(k.involved).where(mine).values(person=ERASED))\n",
        "",
        T + "verdicts.py::test_the_counterpart_is_erased_and_the_subject_stays_open",
    ),
    Mutant(
        "party-matches-nothing",
        V + "scrub.py",
        "        act.tx.execute(update(t.evidence_record).where(t.evidence_record.c.key_id == key_id)",
        "        act.tx.execute(update(t.evidence_record).where(t.evidence_record.c.key_id == '')",
        T + "verdicts.py::test_the_counterpart_is_erased_and_the_subject_stays_open",
    ),
    Mutant(
        "erased-side-is-one-side",
        V + "reconcile.py",
        "if Party.SUBJECT.value not in gone[incident_id] and _has_living(act.tx, incident_id, living):",
        "if False:",
        T
        + "destroy_races.py::test_when_only_one_of_two_keys_went_the_rest_is_kept_and_judged_anew "
        + T
        + "purge.py "
        + T
        + "verdicts.py",
    ),
    Mutant(
        "half-destroyed-is-not-buried",
        V + "reconcile.py",
        "whole = [i for i in ids if not _has_living(act.tx, i, living)]",
        "whole = list(ids)",
        T + "destroy_races.py::test_when_only_one_of_two_keys_went_the_rest_is_kept_and_judged_anew",
    ),
    Mutant(
        "purged-when-no-file-holds-it",
        V + "purge.py",
        "                    i.c.incident_id.not_in(kept),\n",
        "",
        T + "purge.py::test_a_file_stays_as_long_as_one_of_its_incidents_and_names_what_is_gone",
    ),
)
