"""The lines that guard verification: every place where files, rows and keys may differ from what was sealed."""

from __future__ import annotations

from .mutant import Mutant

V, T = "pipeline/vault/", "tests/unit/vault/test_"
FILE, KEYS, ALL = V + "verify_file.py", V + "verify_keys.py", V + "verify.py"
FLIPPED = T + "verify.py::test_verification_names_a_file_with_a_flipped_bit_once"
EDITED = T + "verify.py::test_every_edited_catalog_row_is_found"
REWRITTEN = T + "verify.py::test_a_file_rewritten_with_its_own_key_is_found_and_the_row_named"
VERIFYING = (
    Mutant(
        "row-and-record-agree",
        FILE,
        "        if held != said:\n",
        "        if False:\n",
        T + "verify.py " + T + "destroyed.py",
    ),
    Mutant(
        "rows-and-records-are-as-many", FILE, "if pair is None or record is None:", "if False:", T + "verify_places.py"
    ),
    Mutant(
        "facts-and-body-agree",
        FILE,
        'if (facts["sha256"], facts["size"]) != (sha256.hexdigest(), size):',
        "if False:",
        T + "verify_places.py",
    ),
    Mutant(
        "content-and-catalog-agree",
        FILE,
        "if (record.content_mac, record.size) != (content_mac(",
        "if False and (record.content_mac, record.size) != (content_mac(",
        T + "verify_places.py",
    ),
    Mutant(
        "row-count",
        FILE,
        "if not (count == file.row_count and previous",
        "if not (previous",
        T + "verify_places.py",
    ),
    Mutant(
        "database-whole",
        ALL,
        '        if said != "ok":\n',
        "        if False:\n",
        T + "verify_places.py",
    ),
    Mutant(
        "rows-point-somewhere",
        ALL,
        'for row in tx.exec_driver_sql("PRAGMA foreign_key_check"):',
        "for row in ():",
        T + "verify_places.py",
    ),
    Mutant("chain-verified", ALL, "        if problem:\n            yield problem\n", "", T + "verify_chain.py"),
    Mutant(
        "newer-than-the-catalog",
        ALL,
        "            if orphans.newer:\n",
        "            if False:\n",
        T + "verify.py::test_a_file_of_a_run_that_an_old_catalog_does_not_know_is_no_leftover",
    ),
    Mutant(
        "strange-files",
        ALL,
        "for name in names if not is_ours(name)]",
        "for name in ()]",
        T + "verify.py::test_missing_foreign_and_uncommitted_files_are_told_apart",
    ),
    Mutant(
        "key-missing",
        KEYS,
        '    if state == "missing":\n',
        "    if False:\n",
        T + "verify.py::test_a_missing_or_exchanged_key_is_found",
    ),
    Mutant(
        "key-of-nobody",
        KEYS,
        "for row in tx.execute(select(key_ref).where(key_ref.c.owner.not_in(known))):",
        "for row in ():",
        T + "verify.py",
    ),
    Mutant(
        "key-of-an-unlinked-file",
        KEYS,
        "    if row.unlinked_at:\n",
        "    if False:\n",
        T + "destroy_races.py::test_after_a_crash_between_file_and_its_key_the_key_goes",
    ),
    Mutant(
        "destroyed-not-written-down",
        KEYS,
        '    if given_up or row.party not in (*_PARTIES, "file"):\n',
        "    if True:\n",
        T + "destroyed.py::test_a_destruction_that_no_row_tells_of_is_a_problem",
    ),
)
