"""The lines that guard who may do what: accounts, log-in, lock-out, appointments, and acts that take several people."""

from __future__ import annotations

from .mutant import Mutant

P, T = "pipeline/people/", "tests/unit/people/test_"
APPROVAL, STANDING, APPROVALS = "pipeline/core/approval.py", P + "standing.py", P + "approvals.py"
ACCOUNTS, CHANGES, APPOINTING = P + "accounts.py", P + "changes.py", P + "appointing.py"
LOCKOUT, PASSPHRASES, NAMES = P + "lockout.py", P + "passphrases.py", P + "account.py"
SPENT = "pipeline/vault/approved.py"
CHECK_T, HOLDS_T = "tests/unit/core/test_approval.py", "tests/unit/vault/test_holds.py"
APPROVALS_T = T + "approvals.py " + T + "approvals_entered.py"
ACCOUNTS_T, LOCKOUT_T = T + "accounts.py", T + "lockout.py"
PEOPLE = (
    # An approval
    Mutant("approval-digest", APPROVAL, " or self.digest != params_digest(act, params):", ":", CHECK_T),
    Mutant("approval-act", APPROVAL, "self.act != act or ", "", CHECK_T),
    Mutant("approval-expires", APPROVAL, "<= now < self.expires_at:", "<= now:", CHECK_T),
    Mutant("approval-begins", APPROVAL, "if not self.requested_at <= now <", "if not now <", CHECK_T),
    Mutant(
        "approvers-are-two",
        APPROVAL,
        "len(set(self.approved_by) - {self.requested_by})",
        "len([a for a in self.approved_by if a != self.requested_by])",
        CHECK_T,
    ),
    Mutant("approver-is-not-who-asked", APPROVAL, " - {self.requested_by}) <", ") <", CHECK_T),
    Mutant(
        "approval-checked",
        SPENT,
        "    approval.check(name, params, now=utc_parse(act.at), approvers=approvers)\n",
        "",
        HOLDS_T,
    ),
    Mutant(
        "approval-used-once",
        SPENT,
        "            act.tx.execute(insert(approval_used), row)\n",
        "            pass\n",
        HOLDS_T,
    ),
    # Whose word counts
    Mutant(
        "not-who-asked", STANDING, '"they asked for it": account.person_id == request.requested_by,', "", APPROVALS_T
    ),
    Mutant(
        "not-whom-it-is-about",
        STANDING,
        '"it is about them": account.person_id == request.params.get("person"),',
        "",
        APPROVALS_T,
    ),
    Mutant(
        "not-who-is-disabled",
        STANDING,
        '"their account is disabled": account.disabled_at is not None,',
        "",
        APPROVALS_T,
    ),
    Mutant(
        "not-who-was-changed",
        STANDING,
        "            != self.audited(subject_of(account.person_id)),\n",
        "            == 0,\n",
        APPROVALS_T,
    ),
    Mutant("role-needed", STANDING, "        if not suitable:\n", "        if False:\n", APPROVALS_T),
    Mutant("approver-waits", STANDING, "        if now < free_at:\n", "        if False:\n", APPROVALS_T),
    Mutant("wait-to-the-moment", STANDING, "if now < free_at:", "if now <= free_at:", APPROVALS_T),
    Mutant("reset-waits-anew", NAMES, "max(self.grants[role], self.renewed_at)", "self.grants[role]", APPROVALS_T),
    Mutant("oldest-role-counts", STANDING, "free_at = min(", "free_at = max(", APPROVALS_T),
    Mutant(
        "request-expires", STANDING, "elif not bare.requested_at <= now < bare.expires_at:", "elif False:", APPROVALS_T
    ),
    Mutant(
        "words-that-count",
        STANDING,
        "sum(v.counts for v in votes) >= bare.needed",
        "len(votes) >= bare.needed",
        APPROVALS_T,
    ),
    Mutant("refused-for-good", STANDING, "    elif refused_at:\n", "    elif False:\n", APPROVALS_T),
    Mutant("carried-out-once", STANDING, "    if spent_at:\n", "    if False:\n", APPROVALS_T),
    Mutant("closed-is-closed", APPROVALS, "        if found.state in closed:\n", "        if False:\n", APPROVALS_T),
    Mutant(
        "one-word-each", APPROVALS, "if by.person_id in (v.person_id for v in found.votes):", "if False:", APPROVALS_T
    ),
    Mutant(
        "hindrance-asked",
        APPROVALS,
        "if why := self._terms.hindrance(account, found, now):",
        "if why := '':",
        APPROVALS_T,
    ),
    Mutant("ready-when-approved", APPROVALS, "if found.state is not State.APPROVED:", "if False:", APPROVALS_T),
    Mutant(
        "approved-by-whose-word-counts",
        APPROVALS,
        "for v in found.votes if v.counts)",
        "for v in found.votes)",
        APPROVALS_T,
    ),
    Mutant("refusal-takes-a-role", APPROVALS, " or found.roles.isdisjoint(account.grants):", ":", APPROVALS_T),
    Mutant("refusal-says-why", APPROVALS, "if not why.strip():", "if False:", APPROVALS_T),
    Mutant(
        "request-as-entered",
        APPROVALS,
        "        if problem := self._problem(tx, request_id):\n",
        "        if problem := '':\n",
        APPROVALS_T,
    ),
    Mutant(
        "digest-of-the-params", APPROVALS, "digest=params_digest(found.act, found.params),", 'digest="",', APPROVALS_T
    ),
    Mutant("release-not-named", APPROVALS, '"" if discreet else act', "act", APPROVALS_T),
    Mutant("votes-in-the-digest", STANDING, ', *(f"{v.person_id} {v.at}" for v in votes)]', "]", APPROVALS_T),
    # Accounts
    Mutant(
        "passphrase-matches",
        ACCOUNTS,
        "if not self._passphrases.matches(account.passphrase, passphrase):",
        "if False:",
        ACCOUNTS_T,
    ),
    Mutant(
        "disabled-is-refused",
        ACCOUNTS,
        "        if account.disabled_at is not None:\n            raise LogInRefused",
        "        if False:\n            raise LogInRefused",
        ACCOUNTS_T,
    ),
    Mutant(
        "account-as-entered",
        ACCOUNTS,
        "        if problem := self.problem(account):\n",
        "        if problem := '':\n",
        ACCOUNTS_T,
    ),
    Mutant(
        "name-once",
        ACCOUNTS,
        "if (taken := rows.account_named(tx, name)) is not None:",
        "if (taken := rows.account_named(tx, name)) and False:",
        ACCOUNTS_T,
    ),
    Mutant("names-fold", NAMES, 'unicodedata.normalize("NFKC", name).casefold()', "name", ACCOUNTS_T),
    Mutant("name-as-it-is-seen", NAMES, 'if any(unicodedata.category(char)[0] == "C" or', "if any(", ACCOUNTS_T),
    Mutant(
        "proposed-as-agreed",
        ACCOUNTS,
        " or hashlib.sha256(row.passphrase.encode()).hexdigest() != digest:",
        ":",
        ACCOUNTS_T,
    ),
    Mutant("changed-meanwhile-not-rehashed", ACCOUNTS, "if account.passphrase != was:", "if False:", ACCOUNTS_T),
    Mutant(
        "entered-before-made",
        CHANGES,
        "            enter(change)\n            with self._database.write() as tx:\n"
        "                self._make(tx, account, approval_id)\n",
        "            with self._database.write() as tx:\n                self._make(tx, account, approval_id)\n"
        "            enter(change)\n            with self._database.write() as tx:\n",
        ACCOUNTS_T,
    ),
    Mutant(
        "made-if-entered",
        CHANGES,
        "if self._audited(subject_of(account.person_id)) == account.digest():",
        "if True:",
        ACCOUNTS_T,
    ),
    Mutant("settled-at-opening", ACCOUNTS, "        self._changes.settle()\n", "", ACCOUNTS_T),
    Mutant(
        "no-change-over-damage",
        CHANGES,
        "                    raise IntegrityError(problem)\n",
        "                    pass\n",
        ACCOUNTS_T,
    ),
    Mutant("spent-with-the-change", CHANGES, "    if row is None or row.spent_at:\n", "    if False:\n", APPROVALS_T),
    Mutant("officers-stay", APPOINTING, "    elif founding(will_be):\n", "    elif False:\n", ACCOUNTS_T),
    Mutant(
        "administrator-stays",
        APPOINTING,
        "elif _administrators(known) and not _administrators(will_be):",
        "elif False:",
        ACCOUNTS_T,
    ),
    Mutant(
        "administrator-before-founding-ends",
        APPOINTING,
        "if not founding(will_be) and not _administrators(will_be):",
        "if False:",
        ACCOUNTS_T,
    ),
    Mutant(
        "dismissed-officers-count",
        APPOINTING,
        "sum(not OFFICERS.isdisjoint(a.grants) for a in accounts)",
        "sum(a.disabled_at is None and not OFFICERS.isdisjoint(a.grants) for a in accounts)",
        ACCOUNTS_T + " tests/unit/app/test_people.py::test_nobody_founds_a_home_again_by_removing_its_people",
    ),
    # Lock-out and passphrases
    Mutant(
        "lock-out",
        LOCKOUT,
        "if row.locked_until and now < (until := utc_parse(row.locked_until)):",
        "if False:",
        LOCKOUT_T,
    ),
    Mutant(
        "attempt-counts-before-it-is-looked-at",
        ACCOUNTS,
        "        locked_until = self._attempts.begin(slot, self._clock.now())\n",
        "        locked_until = None\n",
        LOCKOUT_T,
    ),
    Mutant(
        "wait-doubles", LOCKOUT, "FIRST_DELAY * (1 << min(failures - FREE_FAILURES - 1, 16))", "FIRST_DELAY", LOCKOUT_T
    ),
    Mutant(
        "failures-are-forgotten",
        LOCKOUT,
        "if row is not None and now - utc_parse(row.last_at) < FORGOTTEN_AFTER:",
        "if row is not None:",
        LOCKOUT_T,
    ),
    Mutant(
        "unknown-names-wait",
        LOCKOUT,
        ".hexdigest()[:4]",
        '.hexdigest()[:4] + str(__import__("time").time_ns())',
        LOCKOUT_T,
    ),
    Mutant(
        "same-words-for-unknown",
        ACCOUNTS,
        '            raise wrong("", locked_until)\n',
        '            raise LogInRefused(f"there is nobody called {name}")\n',
        ACCOUNTS_T,
    ),
    Mutant("least-characters", PASSPHRASES, "if len(plain) < LEAST_CHARACTERS:", "if False:", T + "passphrases.py"),
    Mutant("commonest-refused", PASSPHRASES, "if said in COMMON or", "if", T + "passphrases.py"),
    Mutant(
        "own-name-refused",
        PASSPHRASES,
        ' or said.replace(_normal(name).casefold(), "").strip() == "":',
        ":",
        T + "passphrases.py",
    ),
    Mutant("cost-of-a-guess", PASSPHRASES, "memory_cost=cost.memory_kib", "memory_cost=8", T + "passphrases.py"),
    # Appointing, through the command
    Mutant(
        "grave-role-by-two",
        "pipeline/app/users.py",
        "return self.founding or not protected",
        "return True",
        "tests/unit/app/test_people.py::test_a_role_that_reaches_what_is_grave_takes_two_officers",
    ),
    Mutant(
        "administrator-appoints",
        "pipeline/app/users.py",
        "        self.person.need(act, Role.ADMIN, *(OFFICERS if protected else ()))\n",
        "",
        "tests/unit/app/test_people.py::test_only_an_administrator_adds_people",
    ),
    Mutant(
        "founding-by-the-owner",
        "pipeline/app/users.py",
        "            if not self.founding:\n",
        "            if False:\n",
        "tests/unit/app/test_people.py::test_whoever_owns_the_home_founds_it_and_nobody_after_that",
    ),
    Mutant(
        "appointment-spent-in-the-vault",
        "pipeline/app/people.py",
        "            spend(act, approval, USER_GRANT, params, approvers=required(USER_GRANT).needed)\n",
        "",
        "tests/unit/app/test_people.py::test_an_approval_is_used_once_even_if_the_people_forget_that_it_was",
    ),
    Mutant(
        "requests-of-others",
        "pipeline/app/people.py",
        " if s.requested_by == person.person_id or s.roles & person.roles]",
        "]",
        "tests/unit/app/test_people.py::test_nobody_learns_of_a_request_that_is_not_theirs_and_a_refusal_is_for_good",
    ),
)
