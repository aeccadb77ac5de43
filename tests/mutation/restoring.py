"""The lines that guard backups and restores: whole or refused, nothing destroyed comes back, and a pause follows."""

from __future__ import annotations

from .mutant import Mutant

V, T = "pipeline/vault/", "tests/unit/vault/test_"
BACKUP, RESTORE, REPLACING, HEAD = V + "backup.py", V + "restore.py", V + "replacing.py", V + "head.py"
MANIFEST_T = T + "backup.py::test_a_manifest_of_which_a_byte_was_changed_is_refused"
DAMAGED_T = T + "restore.py::test_a_backup_of_which_a_file_was_changed_or_lost_proves_nothing"
PAUSE_T = T + "restore.py::test_nothing_is_destroyed_until_two_people_confirmed_the_holds"
GONE_T = T + "restore.py::test_what_was_destroyed_since_stays_destroyed_and_its_file_goes_again"
WHOLE_T = T + "restore.py::test_a_home_that_is_whole_is_not_replaced_unless_somebody_insists"
RESTORING = (
    Mutant(
        "manifest-signed",
        BACKUP,
        "        signer.prove(form, canonical(said), signature)\n",
        "        pass\n",
        MANIFEST_T,
    ),
    Mutant("manifest-of-all-lines", BACKUP, "    if not whole:\n", "    if False:\n", MANIFEST_T),
    Mutant(
        "manifest-last",
        BACKUP,
        "    if not path.is_file():\n",
        "    if False:\n",
        T + "backup.py::test_a_backup_without_its_manifest_is_unfinished",
    ),
    Mutant(
        "backup-into-a-fresh-folder",
        BACKUP,
        "if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):",
        "if False:",
        T + "backup.py::test_a_folder_that_is_not_empty_is_refused_and_nothing_is_entered",
    ),
    Mutant(
        "backup-of-what-was-sealed",
        BACKUP,
        "        if sha256 != file.sha256:\n",
        "        if False:\n",
        T + "backup.py::test_a_file_that_is_not_what_was_sealed_is_named_and_the_others_are_copied",
    ),
    Mutant(
        "copy-of-keys-is-no-backup",
        BACKUP,
        "    if form != _HOME:\n",
        "    if False:\n",
        T + "backup.py::test_a_copy_of_the_keys_is_no_backup",
    ),
    Mutant("restored-as-listed", RESTORE, "        if copied != (sha256, size):\n", "        if False:\n", DAMAGED_T),
    Mutant(
        "restore-pauses",
        RESTORE,
        '    Marks(parts).pause(f"{pause}; confirm',
        '    (lambda *_, **__: None)(f"{pause}; confirm',
        PAUSE_T,
    ),
    Mutant(
        "restore-follows-the-ledger",
        RESTORE,
        "    done = resume(parts, actor=by)\n",
        "    from pipeline.vault.reconcile import Resumed\n\n    done = Resumed()\n",
        GONE_T,
    ),
    Mutant(
        "restore-replaces-nothing-whole",
        RESTORE,
        "            self._refuse_older(read_manifest(backup, self._living.head))\n",
        "            pass\n",
        WHOLE_T,
    ),
    Mutant(
        "restore-of-what-is-whole",
        RESTORE,
        "if found.found.problems and not damaged:",
        "if False:",
        T + "restore.py::test_a_backup_that_is_not_whole_is_restored_only_if_somebody_insists",
    ),
    Mutant(
        "restore-loses-nothing-new",
        RESTORE,
        "        if head.read() != (back if fork in head.forks() else lost):\n",
        "        if False:\n",
        T + "restore.py::test_what_was_written_while_it_was_prepared_is_not_lost",
    ),
    Mutant(
        "restore-while-nobody-is-there",
        REPLACING,
        "            let_go(there)\n",
        "            pass\n",
        T + "restore.py::test_what_is_open_in_another_process_is_not_moved",
    ),
    Mutant(
        "old-state-moved-aside",
        REPLACING,
        "                old.rename(_unused(aside / name))\n",
        "                shutil.rmtree(old)\n",
        T + "restore.py::test_a_broken_catalog_is_replaced_and_moved_aside_never_deleted",
    ),
    Mutant(
        "restore-says-what-was-lost",
        RESTORE,
        "        reason = restored(manifest.at, lost.first, lost.last, lost.head.digest)\n",
        "        pass\n",
        T + "restore_chain.py",
    ),
    Mutant(
        "restores-are-signed",
        HEAD,
        '        self._signer.public_key().verify(bytes.fromhex(held["signature"]), _signed_fork(fork))\n',
        "",
        T + "restore_chain.py",
    ),
)
