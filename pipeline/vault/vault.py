"""The vault: the one object through which evidence is sealed, listed, verified and opened.

Refuses to know what found the evidence. Everything that writes is an act with its audit entry; a file lies there, whole
and durable, before a row speaks of it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from sqlalchemy import insert, select

from pipeline.core.clock import utc_text
from pipeline.core.decision import Incident, PolicyRef
from pipeline.core.errors import ConfigError, FencedError, IntegrityError, SealError, TransitionError, WatchkeepError
from pipeline.core.evidence import Draft
from pipeline.core.ports import BlobStore, Clock, KeyStore
from pipeline.core.recording import Recording
from pipeline.vault import tables
from pipeline.vault.audit import SYSTEM, Journal
from pipeline.vault.blobs import FileStore
from pipeline.vault.cases import SEVERAL
from pipeline.vault.catalog import Catalog
from pipeline.vault.catalog_rows import Conclusion
from pipeline.vault.commit import before, check_fence, commit, concluded
from pipeline.vault.disclose import Disclosure, Grant
from pipeline.vault.disk import locked
from pipeline.vault.epoch import MasterEpoch, master_epoch_beside
from pipeline.vault.head import SignedHead
from pipeline.vault.keys import open_keys
from pipeline.vault.marks import open_pauses
from pipeline.vault.master import check_key
from pipeline.vault.orphans import PRESERVING, Orphans, find_orphans, fresh_file_id, newer_than_catalog
from pipeline.vault.parts import Parts
from pipeline.vault.provenance import pseudonym
from pipeline.vault.replacing import refuse_unfinished
from pipeline.vault.seal import Sealing
from pipeline.vault.states import state_of
from pipeline.vault.store import store_file
from pipeline.vault.verify import Progress, Verification, Verifier
from pipeline.vault.views import IncidentView, incident_views


class Vault:
    """An open vault; for one thread at a time, while other processes may hold the same one. Close it after use."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        blobs: BlobStore,
        keys: KeyStore,
        head: SignedHead,
        installation_key: bytes,
        clock: Clock,
    ) -> None:
        check_key(installation_key, "installation key")
        self._catalog = catalog
        self._blobs = blobs
        self._keys = keys
        self._head = head
        self._installation_key = installation_key
        self._clock = clock
        self._journal = Journal(catalog, head, clock)

    @property
    def parts(self) -> Parts:
        """What this vault is made of, for the acts beside this class: holds, events, decisions, destruction."""
        return Parts(
            catalog=self._catalog,
            blobs=self._blobs,
            keys=self._keys,
            head=self._head,
            journal=self._journal,
            installation_key=self._installation_key,
            clock=self._clock,
        )

    @classmethod
    def open(
        cls,
        home: Path,
        keys: Path,
        *,
        master: bytes,
        installation_key: bytes,
        clock: Clock,
        epoch: MasterEpoch | None = None,
    ) -> Self:
        """The vault in `home`/catalog and `home`/vault with its keys under `keys`, made if this is the first time.

        `master` locks the keys, `installation_key` makes ids and pseudonyms (32 bytes each); `epoch` is of the same
        master, and lies beside `keys` unless given. Raises ConfigError for a wrong master or while a restore is not
        finished, IntegrityError if home and keys are not of one installation, or the keys are an old copy.
        """
        refuse_unfinished(home)
        catalog = Catalog(home / "catalog")
        try:
            refuse_unfinished(home)  # again: what moves it waits until nobody has it open
        except ConfigError:
            catalog.close()
            raise
        return cls(
            keys=open_keys(keys, epoch or master_epoch_beside(keys, master)),
            catalog=catalog,
            blobs=FileStore(home / "vault"),
            head=SignedHead(keys / "audit", master),
            installation_key=installation_key,
            clock=clock,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the catalog."""
        self._catalog.close()

    def begin_run(self, run_id: str, actor: str) -> None:
        """From now on only `run_id` may conclude; a run that began earlier is fenced off. Beginning twice is once."""
        with self._journal.act(actor) as act:
            f = tables.fence
            ids = act.tx.execute(select(f.c.run_id).order_by(f.c.number.desc())).scalars().all()
            if ids and ids[0] == run_id:
                return
            if run_id in ids:
                raise FencedError(f"run {run_id} may not begin again: another run began since")
            act.tx.execute(insert(f), {"run_id": run_id, "actor": actor, "begun_at": act.at})
            act.record("run.begin", f"run:{run_id}", after=state_of(act.tx, f"run:{run_id}"))

    def conclude(
        self,
        conclusion_id: str,
        run_id: str,
        recording: Recording,
        incidents: Iterable[tuple[Incident, Sequence[Draft]]],
        *,
        policy: PolicyRef,
        degraded: tuple[str, ...] = (),
        merge_gap_ns: int = 0,
        counterpart: Recording | None = None,
    ) -> tuple[str, ...]:
        """Seal the drafts of each incident and commit all of it once; the ids of the incidents as they stand, in order.

        Pairs are taken one by one as they are sealed. An incident of the same recording and category that overlaps
        within `merge_gap_ns` is the existing one: it gains findings and a revision. Doing it twice is doing it once.
        `counterpart` is the other side's recording. What rests on a withdrawn consent is refused and not sealed.
        Raises FencedError if another run began, SealError if nothing was sealed and it may be tried again.
        """
        said = Conclusion(
            conclusion_id=conclusion_id,
            run_id=run_id,
            recording=recording,
            counterpart=counterpart,
            policy=policy,
            degraded=degraded,
            installation_key=self._installation_key,
        )
        with self._catalog.read() as tx:
            if (done := concluded(tx, conclusion_id)) is not None:
                return done
            actor = check_fence(tx, run_id)
            was = before(tx, said, self._keys)
        at = utc_text(self._clock.now())
        file_id = fresh_file_id(self._installation_key, run_id)
        sealing = Sealing(said, keys=self._keys, before=was, merge_gap_ns=merge_gap_ns, file_id=file_id, at=at)
        file = store_file(self._blobs, self._keys, sealing.rows(incidents), said, file_id=file_id, at=at)
        with self._journal.act(actor) as act:
            return commit(act, said, sealing, was, file, self._keys)

    def concluded(self, conclusion_id: str) -> tuple[str, ...] | None:
        """Ids of the incidents of a conclusion, or None if it was never committed."""
        with self._catalog.read() as tx:
            return concluded(tx, conclusion_id)

    def incidents(self) -> tuple[IncidentView, ...]:
        """All incidents in the order in which they were opened; nothing is unsealed."""
        with self._catalog.read() as tx:
            return incident_views(tx)

    def incident(self, incident_id: str) -> IncidentView:
        """One incident; WatchkeepError if there is none with this id."""
        with self._catalog.read() as tx:
            found = incident_views(tx, incident_id)
        if not found:
            raise WatchkeepError(f"there is no incident {incident_id}: see watchkeep incidents list")
        return found[0]

    def showing(self, handle: str) -> tuple[str, ...]:
        """Ids of the incidents that show the participant of this handle, in order; destroyed ones name nobody."""
        named = pseudonym(self._installation_key, "participant", handle)
        t = tables.incident
        with self._catalog.read() as tx:
            found = tx.execute(select(t.c.incident_id).where(t.c.participant == named).order_by(t.c.incident_id))
            return tuple(found.scalars())

    def records_beginning(self, prefix: str) -> tuple[tuple[str, str], ...]:
        """Ids of the records that begin so, each with that of its incident, the first few of them in order."""
        t = tables.evidence_record.c
        query = select(t.record_id, t.incident_id).where(t.record_id >= prefix, t.record_id < prefix + "\U0010ffff")
        with self._catalog.read() as tx:
            rows = tx.execute(query.order_by(t.record_id).limit(SEVERAL))
            return tuple((row.record_id, row.incident_id) for row in rows)

    def open_evidence(self, record_id: str, *, actor: str, reason: str, grant: Grant) -> bytes:
        """The plaintext of one record: the only way out, see `Disclosure.open_evidence`."""
        return Disclosure(
            catalog=self._catalog,
            blobs=self._blobs,
            keys=self._keys,
            journal=self._journal,
            installation_key=self._installation_key,
        ).open_evidence(record_id, actor=actor, reason=reason, grant=grant)

    def verify(self, progress: Progress = lambda _: None, *, actor: str = SYSTEM) -> Verification:
        """Look at every key, file, row, entry and the head, and name the first wrong place of each."""
        verifier = Verifier(
            catalog=self._catalog,
            blobs=self._blobs,
            keys=self._keys,
            head=self._head,
            installation_key=self._installation_key,
        )
        try:
            with self._journal.act(actor) as act:
                act.record("vault.verify", "vault")
        except IntegrityError:
            progress("nothing can be added to the audit chain")  # why is among the problems
        except SealError as error:
            progress(f"nothing can be added to the audit chain: {error}")  # a full disk keeps nobody from looking
        return verifier.verify(progress)

    def orphans(self) -> Orphans:
        """What a crash left behind, and what a conclusion under way has not committed yet."""
        with self._catalog.read() as tx:
            return find_orphans(tx, self._blobs, self._keys, self._installation_key)

    def remove_orphans(self, *, actor: str = SYSTEM) -> Orphans:
        """Remove what `orphans` finds. A run that is under way is fenced off first, so begin a run after this.

        Raises IntegrityError, and removes nothing, if the vault holds files of runs that this catalog does not know:
        they are no leftovers, and their keys would be lost for ever. Raises TransitionError while destruction is
        paused.
        """
        found = self.orphans()
        if found.newer:
            raise IntegrityError(f"{newer_than_catalog(found)}; nothing was removed")
        if not found:
            return found
        with locked(self._catalog.path.parent / PRESERVING):  # no run fences a preservation off
            return self._remove_orphans(actor)

    def _remove_orphans(self, actor: str) -> Orphans:
        self.begin_run(f"orphans-{secrets.token_hex(8)}", actor)
        with self._journal.act(actor) as act:
            if paused := open_pauses(act.tx):
                raise TransitionError(
                    f"destruction is paused since {paused[0].at} ({paused[0].reason}): leftovers stay until it goes on"
                )
            orphans = find_orphans(act.tx, self._blobs, self._keys, self._installation_key)
            for name in orphans.files:
                act.record("orphan.remove", f"orphan-file:{name}", reason="no conclusion owns it")
            for key_id in orphans.keys:
                act.record("orphan.remove", f"orphan-key:{key_id}", reason="no conclusion owns it")
        for name in orphans.files:
            self._blobs.remove(name)
        for key_id in orphans.keys:
            self._keys.destroy(key_id)
        return orphans
