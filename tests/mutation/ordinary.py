"""The lines that guard ordinary deletion: whose files go, which stay, and that nothing else is touched."""

from __future__ import annotations

from .mutant import Mutant

R, T = "pipeline/recordings/", "tests/unit/recordings/test_"
ORDINARY, ORIGINALS, HOLDINGS, SCOPE = R + "ordinary.py", R + "originals.py", R + "holdings.py", R + "scope.py"
ORDINARY_T = T + "ordinary.py " + T + "ordinary_traces.py"
FILES_T = T + "originals.py"
CHANGED = T + "ordinary.py::test_a_file_that_was_changed_replaced_or_led_elsewhere_is_told_and_stays"
ORDINARY_DATA = (
    # A file is removed if it is what was scanned
    Mutant(
        "same-content", ORIGINALS, 'hashlib.file_digest(body, "sha256").hexdigest() == original.sha256', "True", CHANGED
    ),
    Mutant("same-size", ORIGINALS, "    if found.st_size != original.size:\n        return False\n", "", FILES_T),
    Mutant(
        "untouched-where-unread", ORIGINALS, "return found.st_mtime_ns == original.mtime_ns", "return True", CHANGED
    ),
    Mutant("regular-when-removed", ORIGINALS, "if not stat.S_ISREG(before.st_mode):", "if False:", CHANGED),
    Mutant(
        "folder-not-followed",
        ORIGINALS,
        "os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle",
        "os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=handle",
        CHANGED,
    ),
    Mutant("same-file-before-and-after", ORIGINALS, "if _identity(after) != _identity(before):", "if False:", FILES_T),
    Mutant("same-file-that-was-read", ORIGINALS, "return opened and hashlib", "return hashlib", FILES_T),
    Mutant("removal-synced", ORIGINALS, "        os.fsync(listing)\n", "", FILES_T),
    # Whose file it is
    Mutant("managed-only", ORDINARY, "elif found.recording.managed:", "elif True:", ORDINARY_T),
    Mutant(
        "shared-stays", ORDINARY, "if self._holdings.sharing(connection, original) - gone:", "if False:", ORDINARY_T
    ),
    Mutant(
        "anew-stays",
        ORDINARY,
        "return (Removal.LEFT, ANEW) if anew else remove(original)",
        "return remove(original)",
        ORDINARY_T,
    ),
    Mutant("chat-is-told", ORDINARY, "        if found.recording.chat:\n", "        if False:\n", ORDINARY_T),
    Mutant("waits-for-its-disk", ORDINARY, "if outcome is Removal.LATER:", "if False:", ORDINARY_T),
    # What goes with it
    Mutant(
        "written-down-before-removed",
        ORDINARY,
        "                connection.execute(insert(leaving).values(row))\n",
        "",
        ORDINARY_T,
    ),
    Mutant("straggler-overtaken", ORDINARY, "        self._overtake()\n", "", ORDINARY_T),
    Mutant("roll-goes", ORDINARY, "            connection.execute(delete(enlisted))\n", "", ORDINARY_T),
    Mutant("log-emptied-of-the-deleted", ORDINARY, "emptied=self._db.forget_deleted(),", "emptied=True,", ORDINARY_T),
    Mutant(
        "told-is-forgotten",
        ORDINARY,
        "connection.execute(delete(told).where(told.c.told_at < utc_text(now - TOLD_KEPT)))",
        "pass",
        ORDINARY_T,
    ),
    Mutant(
        "reports-go", ORDINARY, "        self._holdings.drop_reports(connection, found.recording)\n", "", ORDINARY_T
    ),
    Mutant(
        "look-ups-go",
        HOLDINGS,
        "        connection.execute(delete(found_by).where(_is(key, found_by)))\n        if not",
        "        if not",
        ORDINARY_T,
    ),
    Mutant(
        "results-go",
        HOLDINGS,
        "                connection.execute(delete(table).where(table.c.recording_id == key[0]))\n",
        "                pass\n",
        ORDINARY_T,
    ),
    Mutant(
        "results-of-the-same-content-stay",
        HOLDINGS,
        "if not connection.scalar(select(exists().where(held.c.recording_id == key[0]))):",
        "if True:",
        ORDINARY_T,
    ),
    Mutant("deadline-not-ahead", HOLDINGS, "min(recording.started_at, first)", "recording.started_at", ORDINARY_T),
    Mutant("registered-once", HOLDINGS, "first = at if known is None else utc_parse(known)", "first = at", ORDINARY_T),
    Mutant("unread-pushes-nothing-out", HOLDINGS, "and Read(row.read) in _REPLACES[read]:", "and True:", FILES_T),
    Mutant("by-all-that-is-given", HOLDINGS, "found_by.c.mac == self._cipher.blind(kind, text))", "True)", ORDINARY_T),
    Mutant(
        "age-to-the-moment",
        HOLDINGS,
        "held.c.counts_from <= utc_text(wanted.before)",
        "held.c.counts_from < utc_text(wanted.before)",
        ORDINARY_T,
    ),
    Mutant("deleted-is-overwritten", R + "database.py", '"secure_delete = ON"', '"secure_delete = OFF"', ORDINARY_T),
    # What an order to preserve has to copy
    Mutant(
        "scope-names-somebody",
        ORDINARY,
        "        if not account and not participant:\n",
        "        if False:\n",
        T + "scope.py",
    ),
    Mutant(
        "scope-by-uncertain-clock",
        SCOPE,
        "timedelta(milliseconds=recording.clock_uncertainty_ms or 0)",
        "timedelta(0)",
        T + "scope.py",
    ),
    Mutant("scope-in-doubt", SCOPE, "(length or LONGEST)", "(length or timedelta(0))", T + "scope.py"),
    Mutant("scope-doubt-is-said", SCOPE, "            doubt = UNKNOWN_LENGTH\n", "            pass\n", T + "scope.py"),
)
