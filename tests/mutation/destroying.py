"""The lines that guard destruction: its order, that it happens once and whole, one party alone, verdicts, leases."""

from __future__ import annotations

from .mutant import Mutant

V, T = "pipeline/vault/", "tests/unit/vault/test_"
DESTROYING = (
    Mutant(
        "claim-announced",
        V + "claims.py",
        '                act.record_all("incident.claim", told)\n',
        "",
        T + "destroy.py::test_every_destruction_was_announced_in_the_chain_before_a_key_went",
    ),
    Mutant(
        "subjects-key-last",
        V + "claims.py",
        "Party.SUBJECT.value, 1), else_=0)",
        "Party.SUBJECT.value, 0), else_=1)",
        T + "destroy_races.py::test_when_only_one_of_two_keys_went_the_rest_is_kept_and_judged_anew",
    ),
    Mutant(
        "lost-key-destroys-nothing",
        V + "claims.py",
        "lost = {i: LOST for i, ids in keys.items() if not all(knows(self._parts.keys, k) for k in ids)}",
        "lost = {i: LOST for i in ()}",
        T + "destroy_refused.py::test_an_incident_of_which_a_key_is_lost_stays_and_its_neighbours_go",
    ),
    Mutant(
        "log-emptied",
        V + "destroy.py",
        "        self._parts.catalog.empty_log()\n",
        "",
        T + "destroy.py::test_nothing_of_it_is_left_in_the_clear_or_to_be_matched",
    ),
    Mutant(
        "keys-renewed",
        V + "destroy.py",
        "        renew_if_owed(self._parts, actor)\n",
        "",
        T + "purge.py::test_living_keys_are_renewed_once_a_sweep_destroyed_something",
    ),
    Mutant(
        "renewal-owed-first",
        V + "claims.py",
        "                owe(act)\n",
        "",
        T + "purge.py::test_a_renewal_that_a_crash_prevented_is_made_up_for",
    ),
    Mutant(
        "no-sweep-on-a-replica",
        V + "destroy.py",
        "            with self._parts.journal.act(actor):\n                pass  # raises",
        "            if True:\n                pass  # raises",
        T + "destroy_refused.py::test_a_catalog_that_lags_behind_its_signed_head_destroys_nothing",
    ),
    Mutant(
        "one-sweep-at-a-time",
        V + "destroy.py",
        'with locked(self._parts.catalog.path.with_name("sweep.lock")):',
        "if True:",
        T + "destroy_races.py::test_a_sweep_waits_for_the_one_before_it",
    ),
    Mutant(
        "conflict-restricts",
        V + "verdicts.py",
        'touch(act, list(new), "conflict.open", values={"restricted": True}, recall=False)',
        'touch(act, list(new), "conflict.open", recall=False)',
        T + "verdicts.py::test_a_floor_above_a_ceiling_is_an_open_conflict_with_restricted_access",
    ),
    Mutant(
        "rules-by-two",
        V + "rule_sets.py",
        '            spend(act, approval, "rules.change", {"sha256": sha256, "name": name, "body": body})\n',
        "",
        T + "rule_sets.py",
    ),
    Mutant(
        "claim-committed-before-keys-go",
        V + "claims.py",
        '                act.record_all("incident.claim", told)\n',
        "                self._destroy_keys(keys_of(act.tx, list(claimed)))\n"
        '                act.record_all("incident.claim", told)\n',
        T + "write_ahead.py",
    ),
    Mutant(
        "renewal-owed-before-keys-go",
        V + "claims.py",
        "                owe(act)\n",
        "",
        T + "purge.py::test_a_renewal_that_a_crash_prevented_is_made_up_for",
    ),
    Mutant(
        "destroyed-at-a-pause",
        V + "claims.py",
        "refused = dict.fromkeys(claimed, self.pause) if self.pause else {}",
        "refused = {}",
        T + "write_ahead.py",
    ),
    Mutant(
        "party-claimed-first",
        V + "party.py",
        '        act.record("party.claim", f"incident:{incident_id}", reason=reason)\n',
        "",
        T + "write_ahead.py",
    ),
    Mutant(
        "party-erased-once",
        V + "party.py",
        "        if _erased(act, incident_id, party):\n            return\n",
        "",
        T + "verdicts.py::test_the_counterpart_is_erased_and_the_subject_stays_open",
    ),
    Mutant(
        "verdict-of-its-revision",
        V + "verdicts.py",
        " if row.revision == revisions[row.incident_id]}",
        "}",
        T + "verdicts.py::test_a_verdict_on_what_changed_since_restricts_nothing_and_ends_no_conflict",
    ),
    Mutant(
        "held-is-restricted",
        V + "verdicts.py",
        'touch(act, due, "incident.restrict", values={"restricted": True}, recall=False)',
        'touch(act, due, "incident.restrict", recall=False)',
        T + "verdicts.py::test_what_is_due_and_held_is_restricted_once",
    ),
    Mutant(
        "kept-is-not-restricted",
        V + "verdicts.py",
        "d for d in plan if d.verdict in (Verdict.HELD, Verdict.CONFLICT)",
        "d for d in plan if d.verdict is not Verdict.CONFLICT",
        T + "verdicts.py::test_what_is_kept_or_goes_is_not_restricted",
    ),
    Mutant(
        "lease-is-live",
        V + "leases.py",
        ", lease.c.until > at)",
        ")",
        T + "destroy_races.py::test_a_reader_who_takes_longer_than_the_lease_gets_nothing_of_what_went",
    ),
    Mutant(
        "lease-is-given-back",
        V + "leases.py",
        "delete(lease).where(lease.c.lease_id == lease_id).returning",
        "delete(lease).where(lease.c.lease_id == '').returning",
        T + "disclose.py::test_a_look_leaves_no_lease_behind_even_if_it_fails",
    ),
)
