"""The lines that guard what is found: hostile files, what people wrote, models, deciding."""

from __future__ import annotations

from .mutant import Mutant

FINDING = (
    # Hostile files
    Mutant(
        "symlink-looked-at",
        "pipeline/ingest/regular.py",
        "_check(os.lstat(path))",
        "_check(os.stat(path))",
        "tests/unit/ingest/test_opener.py",
    ),
    Mutant(
        "symlink-not-followed",
        "pipeline/ingest/regular.py",
        "os.O_NOFOLLOW | ",
        "",
        "tests/unit/ingest/test_opener.py",
    ),
    Mutant(
        "regular-after-opening",
        "pipeline/ingest/regular.py",
        "_check(os.fstat(descriptor))",
        "pass",
        "tests/unit/ingest/test_opener.py",
    ),
    Mutant(
        "protocol-whitelist",
        "pipeline/ingest/opener.py",
        '        "protocol_whitelist": "fd",\n',
        "",
        "tests/unit/ingest/test_opener.py",
    ),
    Mutant(
        "format-whitelist",
        "pipeline/ingest/opener.py",
        '        "format_whitelist": _FORMATS,\n',
        "",
        "tests/unit/ingest/test_opener.py tests/unit/ingest/test_probe.py",
    ),
    Mutant(
        "stream-bound",
        "pipeline/ingest/opener.py",
        "if len(streams) > params.max_streams:",
        "if False:",
        "tests/unit/ingest/test_opener.py",
    ),
    # What people wrote
    Mutant(
        "naive-time-in-manifest",
        "pipeline/ingest/manifest_fields.py",
        "if at is not None and at.utcoffset() is not None:",
        "if at is not None:",
        "tests/unit/ingest/test_manifest.py",
    ),
    Mutant(
        "naive-time-in-recording",
        "pipeline/core/recording.py",
        "if self.started_at is not None and self.started_at.utcoffset() is None:",
        "if False:",
        "tests/unit/core/test_values.py",
    ),
    Mutant(
        "unknown-field-in-manifest",
        "pipeline/ingest/manifest_fields.py",
        "        if name not in names:\n",
        "        if False:\n",
        "tests/unit/ingest/test_manifest.py",
    ),
    Mutant(
        "unknown-key",
        "pipeline/config/section.py",
        "if key not in self._known:",
        "if False:",
        "tests/unit/config",
    ),
    Mutant(
        "duplicate-key",
        "pipeline/config/marks.py",
        "if key.value in first:",
        "if False:",
        "tests/unit/config/test_marks.py",
    ),
    Mutant(
        "alias",
        "pipeline/config/marks.py",
        "if isinstance(event, yaml.AliasEvent):",
        "if False:",
        "tests/unit/config/test_marks.py",
    ),
    # Models
    Mutant(
        "model-digest",
        "pipeline/score/files.py",
        "if (found := hashlib.sha256(body).hexdigest()) != member.sha256:",
        "if (found := hashlib.sha256(body).hexdigest()) == '':",
        "tests/unit/score/test_store.py",
    ),
    Mutant(
        "provider",
        "pipeline/score/session.py",
        "if session.get_providers()[0] != name:",
        "if False:",
        "tests/unit/score/test_session.py",
    ),
    Mutant(
        "provider-offered",
        "pipeline/score/session.py",
        "if name not in (offered := onnxruntime.get_available_providers()):",
        "offered = ['']\n    if False:",
        "tests/unit/score/test_session.py",
    ),
    Mutant(
        "model-labels",
        "pipeline/score/session.py",
        "entry.output.tensor, (None, len(stored.labels)))",
        "entry.output.tensor, (None, None))",
        "tests/unit/score/test_session.py",
    ),
    Mutant(
        "carrier-hash",
        "pipeline/score/fetch.py",
        " --hash=sha256:{carrier.sha256}",
        "",
        "tests/unit/score/test_fetch.py",
    ),
    # Deciding
    Mutant(
        "repeats-are-no-votes",
        "pipeline/decide/evaluate.py",
        "if v.repeats is None or rule.repeats_count]",
        "]",
        "tests/unit/decide/test_evaluate.py",
    ),
    Mutant(
        "single-frame-severe-rule",
        "pipeline/decide/policy.py",
        "if self.severe and self.one_frame_decides and not self.single_frame_ok:",
        "if False:",
        "tests/unit/decide/test_evaluate.py",
    ),
    Mutant(
        "single-frame-severe-file",
        "pipeline/config/policy_file.py",
        "if severe and not single_frame_ok and (votes < 2 or alone is not None or repeats_count):",
        "if False:",
        "tests/unit/config/test_policy_file.py",
    ),
    Mutant(
        "degraded-is-named",
        "pipeline/decide/evaluate.py",
        "degraded=tuple(sorted(set(degraded))),",
        "degraded=(),",
        "tests/unit/decide/test_evaluate.py",
    ),
    Mutant(
        "identity-weakens",
        "pipeline/incident/fold.py",
        "return Action.REVIEW if action.automatic and identity is not Identity.VERIFIED else action",
        "return action",
        "tests/unit/incident/test_fold.py",
    ),
    Mutant(
        "unknown-is-strictest",
        "pipeline/decide/permit.py",
        "return place == UNKNOWN or any",
        "return any",
        "tests/unit/decide/test_permit.py",
    ),
    Mutant(
        "gate-restarts-at-lines",
        "pipeline/sample/gate.py",
        "if (frame.line, (width, height)) != (self._line, self._size):",
        "if (width, height) != self._size:",
        "tests/unit/sample/test_gate.py",
    ),
    Mutant(
        "repeat-is-no-reference",
        "pipeline/sample/gate.py",
        "        if within.any():\n            return self._spans[int(np.flatnonzero(within)[-1])]\n",
        "        if within.any():\n            self._remembered[np.flatnonzero(within)[-1]] = found\n"
        "            return self._spans[int(np.flatnonzero(within)[-1])]\n",
        "tests/unit/sample/test_gate.py",
    ),
)
