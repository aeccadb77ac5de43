"""The lines that guard what can be proven: the chain, its head, its tree, checkpoints, exports, certificates."""

from __future__ import annotations

from .mutant import Mutant

V, T = "pipeline/vault/", "tests/unit/vault/"
CHAIN, CHECK = "pipeline/core/chain.py", T + "test_verify_chain.py"
MERKLE, TREE = "pipeline/core/merkle.py", "tests/unit/core/test_merkle.py"
LOG, PLACE, LOG_T = V + "log.py", V + "second_place.py", T + "test_log.py"
NOTE, VERIFIER = "pipeline/core/checkpoint.py", "pipeline/export/verifier.py"
EXPORT_T, PROOF_T = "tests/unit/export/test_audit_log.py", "tests/unit/export/test_certificate.py"
PROVING = (
    # The chain and its head
    Mutant("chain-entry", CHAIN, "if not entry.sound():", "if False:", CHECK),
    Mutant("chain-gap", CHAIN, "if entry.sequence != expected:", "if False:", CHECK),
    Mutant("chain-follows", CHAIN, "if entry.previous != self.digest:", "if False:", CHECK + " " + LOG_T),
    Mutant(
        "chain-of-this-key",
        CHAIN,
        "if expected == 1 and (entry.verb, entry.subject) != (CREATE, self._subject):",
        "if False:",
        CHECK + " " + EXPORT_T,
    ),
    Mutant("entry-has-one-form", CHAIN, "if entry.line() == line:", "if True:", T + "test_audit_entries.py"),
    Mutant(
        "chain-reaches-its-head",
        V + "audit.py",
        "if problem := behind(tx, head, tip):",
        "if (problem := behind(tx, head, tip)) and False:",
        CHECK,
    ),
    Mutant("head-length", V + "audit.py", "if tip.sequence < head.sequence:", "if False:", CHECK),
    Mutant("head-digest", V + "audit.py", "if at_head.digest != head.digest:", "if False:", CHECK),
    Mutant(
        "head-signature",
        V + "head.py",
        'self._signer.public_key().verify(bytes.fromhex(held["signature"]), _signed(head))',
        "bytes.fromhex(held['signature'])",
        CHECK,
    ),
    Mutant(
        "rows-as-their-act-left-them",
        V + "verify.py",
        "elif states.get(owner) != left[subject]:",
        "elif False:",
        T + "test_verify.py",
    ),
    Mutant("rows-with-an-act", V + "verify.py", "if subject not in left:", "if False:", T + "test_verify.py"),
    Mutant(
        "acts-with-their-rows",
        V + "verify.py",
        "for owner in sorted(set(ids) - there(tx, kind, ids)):",
        "for owner in ():",
        T + "test_verify.py",
    ),
    # The tree (RFC 6962)
    Mutant("node-prefix", MERKLE, 'b"\\1" + left + right', "left + right", TREE),
    Mutant("leaf-prefix", "pipeline/core/canonical.py", 'b"\\0" + ', "", LOG_T),
    Mutant("inclusion-root", MERKLE, "if not sound or last or digest != root:", "if not sound or last:", TREE),
    Mutant("inclusion-length", MERKLE, "if not sound or last or digest", "if not sound or digest", TREE),
    Mutant("inclusion-range", MERKLE, "sound = 0 <= index < size", "sound = True", TREE),
    Mutant("consistency-older", MERKLE, "return not last and old == older_root and", "return not last and", TREE),
    Mutant("consistency-newer", MERKLE, "old == older_root and new == root", "old == older_root", TREE),
    Mutant("consistency-length", MERKLE, "return not last and old", "return old", TREE),
    # Checkpoints and the second place
    Mutant("note-has-one-form", NOTE, "if checkpoint.note(signed[4:]) != note or len(root)", "if len(root)", LOG_T),
    Mutant("published-has-one-form", NOTE, "if found.text() != text:", "if False:", LOG_T),
    Mutant(
        "note-signature",
        V + "head.py",
        "            self._signer.public_key().verify(signature, checkpoint.text())\n",
        "",
        LOG_T,
    ),
    Mutant("checkpoint-in-its-file", PLACE, "if path != self._path(checkpoint.size):", "if False:", LOG_T),
    Mutant(
        "checkpoint-taken-away",
        PLACE,
        "for size in sorted(older.keys() - kept.keys() - {0}):",
        "for size in ():",
        LOG_T,
    ),
    Mutant("chain-anew", LOG, "if walk.tree.root() != following.checkpoint.root:", "if False:", LOG_T),
    Mutant("chain-cut-off", LOG, "        if following is not None:\n", "        if False:\n", LOG_T),
    Mutant(
        "nothing-signed-over-damage", LOG, "            raise IntegrityError(problems[0])", "            pass", LOG_T
    ),
    Mutant(
        "lost-entries-only",
        CHAIN,
        "return self.first <= size <= self.last and at < self.at",
        "return True",
        T + "test_restore_chain.py",
    ),
    # The offline verifier
    Mutant(
        "export-signature",
        VERIFIER,
        "        Ed25519PublicKey.from_public_bytes(key).verify(signature, checkpoint.text())\n",
        "        Ed25519PublicKey.from_public_bytes(key)\n",
        EXPORT_T,
    ),
    Mutant(
        "export-root", VERIFIER, "if (signed.size, signed.root) != (size, walk.tree.root()):", "if False:", EXPORT_T
    ),
    Mutant("export-end", VERIFIER, "    if file.read(1):\n", "    if False:\n", EXPORT_T),
    Mutant("export-header", VERIFIER, " and header_line(key, size) == line", "", EXPORT_T),
    Mutant("export-and-checkpoint", VERIFIER, "and other.root != walk.tree.root():", "and False:", EXPORT_T),
    Mutant("export-cut-off", VERIFIER, "if other.size > size and other.at <= signed.at", "if False", EXPORT_T),
    Mutant(
        "checkpoints-go-on",
        VERIFIER,
        "            verify_consistency(older.size, size, text.proof, older.root, known[size].root)\n",
        "            pass\n",
        LOG_T,
    ),
    Mutant(
        "checkpoint-gone",
        VERIFIER,
        "if (older := known.get(text.older)) is None:",
        "if (older := known.get(text.older)) is None and False:",
        LOG_T,
    ),
    Mutant(
        "certificate-statement",
        VERIFIER,
        "(issued.verb, issued.subject, issued.after) != (ISSUE, subject_of(incident_id), digest)",
        "(issued.verb, issued.subject) != (ISSUE, subject_of(incident_id))",
        PROOF_T,
    ),
    Mutant("certificate-acts", VERIFIER, "if untold or [", "if [", PROOF_T),
    Mutant(
        "certificate-entries", VERIFIER, "if untold or [e.sequence for e in acts] != numbers:", "if untold:", PROOF_T
    ),
    Mutant("certificate-entry-sound", VERIFIER, "if not entry.sound() or item.keys()", "if item.keys()", PROOF_T),
    Mutant(
        "certificate-in-the-log",
        VERIFIER,
        "        verify_inclusion(bytes",
        "        (lambda *_: None)(bytes",
        PROOF_T,
    ),
    Mutant(
        "certificate-form",
        VERIFIER,
        " and certificate_bytes(document) == body",
        "",
        PROOF_T,
    ),
)
