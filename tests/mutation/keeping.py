"""The lines that guard what is kept: sealing, keys, conclusions, audit, the one way out, the ledger."""

from __future__ import annotations

from .mutant import Mutant

V, T = "pipeline/vault/", "tests/unit/vault/"
KEEPING = (
    # Sealed bytes
    Mutant("envelope-aad", V + "envelope.py", 'header + i.to_bytes(4, "big") +', "bytes() +", T + "test_envelope.py"),
    Mutant("envelope-last-chunk", V + "envelope.py", "bytes([i == count - 1])", "bytes([0])", T + "test_documented.py"),
    Mutant(
        "envelope-of-its-record",
        V + "envelope.py",
        "if (record.hex(), incident.hex(), flags) != (record_id, incident_id, content):",
        "if False:",
        T + "test_envelope.py",
    ),
    Mutant(
        "file-aad",
        V + "parquet.py",
        'f"{DATASET}|{file_id}|{SCHEMA_VERSION}".encode()',
        'b"evidence"',
        T + "test_documented.py",
    ),
    Mutant(
        "file-encrypted",
        V + "parquet.py",
        "        encryption_properties=properties,\n",
        "",
        T + "test_parquet.py",
    ),
    Mutant("file-digest", V + "verify_file.py", "if not same:", "if False:", T + "test_verify.py"),
    Mutant(
        "ciphertext-digest",
        V + "verify_file.py",
        '        "ciphertext": (hashlib.sha256(row.body).hexdigest(), record.sha256),\n',
        "",
        T + "test_destroyed.py",
    ),
    Mutant("row-chain", V + "verify_file.py", "if named != previous:", "if False:", T + "test_verify.py"),
    Mutant(
        "row-root", V + "verify_file.py", "previous.hex() == opened.root ==", "opened.root ==", T + "test_forged.py"
    ),
    Mutant(
        "key-of-party", V + "seal.py", "place = (incident_id, party)", 'place = (incident_id, "")', T + "test_vault.py"
    ),
    Mutant(
        "counterpart-facts",
        V + "provenance.py",
        "if draft.party is Party.SUBJECT:",
        "if True:",
        T + "test_documented.py",
    ),
    Mutant(
        "counterpart-sources",
        "pipeline/capture/capture.py",
        "connections(incident, counterpart, Party.COUNTERPART, sources=cut)",
        "connections(incident, counterpart, Party.COUNTERPART, sources=mine.parts)",
        "tests/unit/runtime/test_rescan.py",
    ),
    Mutant(
        "pseudonyms",
        V + "provenance.py",
        'return UNKNOWN if name == UNKNOWN else keyed_id(installation_key, f"pseudonym/{kind}", name)',
        "return name",
        T + "test_vault.py",
    ),
    Mutant(
        "codes-only", V + "provenance.py", "text if _CODE.fullmatch(text) else UNKNOWN", "text", T + "test_vault.py"
    ),
    # Durable files
    Mutant(
        "write-once",
        V + "disk.py",
        "os.link(part, path)  # refuses a name that exists, unlike rename",
        "os.replace(part, path)\n        part.touch()",
        T + "test_disk.py",
    ),
    Mutant(
        "file-synced-before-its-name",
        V + "disk.py",
        "            out.flush()\n            os.fsync(out.fileno())\n",
        "            out.flush()\n",
        T + "test_disk.py",
    ),
    Mutant(
        "folder-synced",
        V + "disk.py",
        "        part.unlink()\n    sync_folder(path.parent)\n",
        "        part.unlink()\n",
        T + "test_disk.py",
    ),
    # Destroyed keys
    Mutant("erased-stays-closed", V + "attach.py", "return self.erased or ", "return ", T + "test_destroyed.py"),
    Mutant(
        "erased-party",
        V + "seal.py",
        "if (incident_id, draft.party.value) in self._before.erased:",
        "if False:",
        T + "test_destroyed.py",
    ),
    Mutant(
        "destroyed-in-custody",
        V + "verify_keys.py",
        'if given_up or row.party not in (*_PARTIES, "file"):',
        "if True:",
        T + "test_destroyed.py",
    ),
    # Conclusions
    Mutant(
        "vault-fence",
        V + "commit.py",
        "    check_fence(act.tx, said.run_id)\n",
        "",
        T + "test_vault.py " + T + "test_crash.py",
    ),
    Mutant(
        "changed-meanwhile",
        V + "commit.py",
        "if now != was:",
        "if False:",
        T + "test_vault.py",
    ),
    Mutant("nothing-sealed-twice", V + "seal.py", "if record_id not in self._sealed:", "if True:", T + "test_vault.py"),
    Mutant(
        "closed-is-not-sealed",
        V + "seal.py",
        "            if standing and standing.closed:\n                continue\n",
        "",
        T + "test_vault.py",
    ),
    Mutant(
        "closed-is-not-reopened",
        V + "commit.py",
        "**({} if standing.closed else changes)",
        "**changes",
        T + "test_vault.py",
    ),
    Mutant(
        "attached-in-its-stream",
        V + "attach.py",
        "(s.stream, s.category) == (stream, incident.category)",
        "s.category == incident.category",
        T + "test_vault.py",
    ),
    Mutant(
        "grown-span-is-kept",
        "pipeline/capture/side.py",
        'f"{number}.{made.span.start_ns}-{made.span.end_ns}"',
        'f"{number}.{made.span.start_ns}"',
        "tests/unit/runtime/test_rescan.py",
    ),
    # The one way out
    Mutant(
        "reason-demanded",
        V + "disclose.py",
        "if not reason.strip() or not actor.strip():",
        "if not actor.strip():",
        T + "test_disclose.py",
    ),
    Mutant("grant-mode", V + "disclose.py", "if self.mode != DEVELOPMENT:", "if False:", T + "test_disclose.py"),
    Mutant("grant-severity", V + "disclose.py", "if severity is Severity.SEVERE:", "if False:", T + "test_disclose.py"),
    Mutant(
        "grant-restricted", V + "disclose.py", "        if restricted:\n", "        if False:\n", T + "test_disclose.py"
    ),
    Mutant(
        "severity-not-from-edited-rows",
        V + "disclose.py",
        "if state_of(tx, subject) != last_state(tx, subject):",
        "if False:",
        T + "test_disclose.py",
    ),
    Mutant(
        "audit-before-open",
        V + "disclose.py",
        "            refusal = grant.refusal(severity, restricted=restricted)\n",
        "            refusal = grant.refusal(severity, restricted=restricted)\n"
        "            self._open(record, file, grant.purpose)\n",
        T + "test_disclose.py",
    ),
    Mutant(
        "look-on-record",
        V + "disclose.py",
        '            act.record(verb, f"record:{record_id}", reason=reason.strip())\n',
        "",
        T + "test_disclose.py",
    ),
    # Ordinary data
    Mutant(
        "ledger-fence",
        "pipeline/recordings/database.py",
        "if current != run_id.encode():",
        "if False:",
        "tests/unit/recordings/test_ledger.py",
    ),
    Mutant(
        "ledger-place",
        "pipeline/recordings/cipher.py",
        ", _place(place))",
        ", b'')",
        "tests/unit/recordings",
    ),
    Mutant(
        "one-writer",
        "pipeline/recordings/lock.py",
        "fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "pass",
        "tests/unit/recordings/test_lock.py",
    ),
)
