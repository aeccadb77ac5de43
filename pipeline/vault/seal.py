"""Sealing: drafts of evidence become rows of an evidence file, one at a time, and what the catalog will say of them.

Every (incident, party) has a key of its own in the key store and, in each file, a fresh data key that is wrapped at
once. Refuses to know where the file goes and when it counts.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.core.decision import Incident
from pipeline.core.errors import KeyDestroyedError, SealError
from pipeline.core.evidence import Draft, Party
from pipeline.core.ids import content_mac, keyed_id
from pipeline.core.ports import KeyStore
from pipeline.vault.attach import Standing, same_incident
from pipeline.vault.catalog_rows import Conclusion
from pipeline.vault.envelope import Content, seal
from pipeline.vault.involved import accounts
from pipeline.vault.master import KEY_BYTES
from pipeline.vault.provenance import CAPTURE_TOOL, facts, models_of, pseudonym, score_bucket, signals_of, terms
from pipeline.vault.schema import SCHEMA_VERSION, EvidenceRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What the catalog held of a recording when sealing began."""

    standings: tuple[Standing, ...]
    records: frozenset[str]
    keys: Mapping[tuple[str, str], str]
    """Key ids by (incident, party)."""
    erased: frozenset[tuple[str, str]] = frozenset()
    """The (incident, party) whose key was destroyed: nothing is sealed for them any more."""
    withdrawn: frozenset[str] = frozenset()
    """Accounts whose data rest on a consent that was withdrawn: nothing new is sealed of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A newly folded incident, and the id and standing of the one it is; `standing` is None if it is a new one."""

    incident: Incident
    incident_id: str
    standing: Standing | None


class Sealing:
    """A conclusion on its way into a file: what it tells of itself is complete once `rows` has ended.

    `refused` are the incidents of which nothing is sealed, because their subject withdrew the consent they rest on.
    """

    def __init__(
        self, said: Conclusion, *, keys: KeyStore, before: Before, merge_gap_ns: int, file_id: str, at: str
    ) -> None:
        self._said = said
        self._keys = keys
        self._installation_key = said.installation_key
        self._recording = said.recording
        self._before = before
        self._merge_gap_ns = merge_gap_ns
        self._file_id = file_id
        self._at = at
        self._data_keys: dict[tuple[str, str], tuple[str, bytes, bytes]] = {}
        self._sealed = set(before.records)
        self.arrivals: list[Arrival] = []
        self.refused: list[str] = []
        self.records: list[dict[str, object]] = []
        self.new_keys: list[dict[str, str]] = []

    def rows(self, incidents: Iterable[tuple[Incident, Iterable[Draft]]]) -> Iterator[EvidenceRow]:
        """A row for every draft that was not sealed before and whose incident and party are still open.

        Raises SealError if a key is destroyed meanwhile.
        """
        for incident, drafts in incidents:
            stream = pseudonym(self._installation_key, "stream", incident.stream_id)
            standing = same_incident(incident, stream, self._before.standings, self._merge_gap_ns)
            incident_id = standing.incident_id if standing else incident.incident_id
            withdrew = self._withdrew(incident)
            if Party.SUBJECT in withdrew:
                self.refused.append(incident_id)
                continue
            self.arrivals.append(Arrival(incident=incident, incident_id=incident_id, standing=standing))
            if standing and standing.closed:
                continue
            for draft in drafts:
                record_id = self._record_id(incident_id, draft)
                if draft.party in withdrew:
                    continue
                if (incident_id, draft.party.value) in self._before.erased:
                    continue
                if record_id not in self._sealed:
                    self._sealed.add(record_id)
                    yield self._row(incident, incident_id, record_id, draft)

    def _withdrew(self, incident: Incident) -> frozenset[Party]:
        if not self._before.withdrawn:
            return frozenset()
        people = accounts(incident, self._recording, self._said.counterpart)
        return frozenset(party for party, named in people.items() if named & self._before.withdrawn)

    def _record_id(self, incident_id: str, draft: Draft) -> str:
        place = (incident_id, draft.kind.value, draft.party.value, draft.stream, draft.position)
        return keyed_id(self._installation_key, "record", *place)

    def _row(self, incident: Incident, incident_id: str, record_id: str, draft: Draft) -> EvidenceRow:
        key_id, data_key, wrapped = self._data_key(incident_id, draft.party.value)
        body = seal(data_key, record_id, incident_id, Content.BODY, draft.body)
        cipher, plain = hashlib.sha256(body), hashlib.sha256(draft.body)
        said = facts(incident, self._recording, draft, plain.hexdigest(), self._at)
        self.records.append(
            {
                "record_id": record_id,
                "incident_id": incident_id,
                "file_id": self._file_id,
                "row": len(self.records),
                "kind": draft.kind.value,
                "party": draft.party.value,
                "start_ns": draft.span.start_ns,
                "end_ns": draft.span.end_ns,
                "media_type": draft.media_type,
                "size": len(draft.body),
                "sha256": cipher.hexdigest(),
                "content_mac": content_mac(self._installation_key, plain.digest()),
                "key_id": key_id,
                "retention_class": self._said.retention_class,
                "sealed_at": self._at,
            }
        )
        signals = signals_of(incident.findings)
        return EvidenceRow(
            schema_version=SCHEMA_VERSION,
            record_id=bytes.fromhex(record_id),
            incident_id=bytes.fromhex(incident_id),
            kind=draft.kind.value,
            party=draft.party.value,
            origin=self._said.origin,
            category=incident.category,
            severity=int(incident.severity),
            rules=sorted({f.rule for f in incident.findings}),
            models=models_of(signals),
            score_bucket=score_bucket(signals),
            policy_name=self._said.policy.name,
            policy_version=self._said.policy.version,
            policy_sha256=self._said.policy.sha256,
            initial_class=self._said.retention_class,
            media_type=draft.media_type,
            media_len=len(draft.body),
            media_sha256_cipher=cipher.digest(),
            body=body,
            key_id=key_id,
            wrapped_data_key=wrapped,
            alg="EVB1/AES-256-GCM",
            capture_tool=CAPTURE_TOOL,
            facts=seal(data_key, record_id, incident_id, Content.FACTS, said),
            **terms(incident, self._recording, draft.party),
        )

    def _data_key(self, incident_id: str, party: str) -> tuple[str, bytes, bytes]:
        place = (incident_id, party)
        if place not in self._data_keys:
            key_id = self._before.keys.get(place)
            if key_id is None:
                # Not made from the incident alone: an orphan key can be destroyed, and the incident still be sealed.
                key_id = f"incident-{secrets.token_hex(16)}"
                self._keys.create(key_id)
                self.new_keys.append({"key_id": key_id, "owner": incident_id, "party": party})
            data_key = secrets.token_bytes(KEY_BYTES)
            try:
                self._data_keys[place] = (key_id, data_key, self._keys.wrap(key_id, data_key))
            except KeyDestroyedError as error:
                raise SealError(f"{error}; it happened while it was added to: conclude it again") from error
        return self._data_keys[place]
