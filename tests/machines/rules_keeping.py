"""Rules of the machine: orders of authorities, and what people ask about their own data."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from pipeline.core.decision import Review, Severity
from pipeline.core.errors import KeyDestroyedError, TransitionError
from pipeline.core.media import NS
from pipeline.core.recording import Connection, Part, Participant, Recording
from pipeline.core.retention import RequestKind
from pipeline.custody import holds, requests
from pipeline.custody.holds import Ordered, Placed
from pipeline.recordings.held import Wanted
from pipeline.vault.holds import Holds, HoldView
from pipeline.vault.requests import Requests, RequestView
from tests.machines import invariants
from tests.machines.base import Base
from tests.machines.model import SUBJECT, Asked, Kept, Order, canary
from tests.machines.rules_evidence import ACCOUNTS, PICK
from tests.machines.scene import Act
from tests.machines.world import LAW, PRIVACY

KINDS = st.sampled_from(["US_2703F", "LITIGATION"])
ASKS = st.sampled_from([RequestKind.WITHDRAWAL, RequestKind.ERASURE, RequestKind.UNDER_13, RequestKind.RESTRICTION])


class KeepingRules(Base):
    """Holds, preservation, requests, orders to destroy, and ordinary deletion beside them."""

    def ordered(self, name: str, kind: str, confidential: bool, days: int | None) -> Ordered:
        secret = canary(f"hold {name}").hex()
        at = self.world.clock.now()
        until = at + timedelta(days=days) if days else None
        return Ordered(
            kind=kind,
            authority=secret,
            reference=secret,
            reason=secret,
            received_at=at,
            until=until,
            confidential=confidential,
        )

    @precondition(lambda self: self.model.incidents)
    @rule(
        ns=st.sets(PICK, min_size=1, max_size=3),
        kind=KINDS,
        confidential=st.booleans(),
        days=st.sampled_from([None, 3, 40]),
    )
    def place_hold(self, ns: set[int], kind: str, confidential: bool, days: int | None) -> None:
        among = list(self.model.incidents.values())
        named = list({k.name: k for k in (self.pick(among, n) for n in sorted(ns))}.values())
        name = f"h{len(self.model.holds) + 1}"
        ordered = self.ordered(name, kind, confidential, days)
        act = Act(
            words=f"hold {name} ({kind}, {'secret, ' if confidential else ''}{days} days) on {[k.name for k in named]}",
            call=lambda: holds.place(self.world.desk, ordered, [k.incident_id for k in named], by=LAW),
            happened=self.found_hold,
            apply=lambda placed: self.placed(name, placed, confidential),
            verbs=("hold.place", "sealed.act"),
        )
        if all(k.alive for k in named):
            self.scene.run(act)
            return
        act.refusals = (KeyDestroyedError,)
        if self.scene.run(act) is not None:
            self.scene.fail("I6", f"hold {name} is said to keep what is gone")

    def found_hold(self) -> Placed | None:
        known = {h.hold_id for h in self.model.holds.values()}
        fresh = [v for v in Holds(self.world.vault.parts).all(legal=True) if v.hold_id not in known]
        if not fresh:
            return None
        (view,) = fresh
        return Placed(
            hold_id=view.hold_id, incidents=view.incidents, preserved=(), gone=(), missing=(), until=view.until
        )

    def placed(self, name: str, placed: Placed, confidential: bool) -> None:
        names = {k.incident_id: k.name for k in self.model.incidents.values()}
        self.model.holds[name] = Order(
            name=name,
            hold_id=placed.hold_id,
            incidents=[names[i] for i in (*placed.incidents, *placed.preserved)],
            until=placed.until,
            confidential=confidential,
        )
        for kept in self.model.living():
            if kept.name in self.model.holds[name].incidents:
                self.scene.learn(kept)

    @precondition(
        lambda self: any(h.until and h.released is None and h.active(self.scene.now) for h in self.model.holds.values())
    )
    @rule(n=PICK, days=st.sampled_from([1, 90, 300]))
    def renew(self, n: int, days: int) -> None:
        hold = self.pick(
            [h for h in self.model.holds.values() if h.until and h.released is None and h.active(self.scene.now)], n
        )
        assert hold.until is not None
        later = hold.until + timedelta(days=days)
        gone = [i for i in hold.incidents if not self.model.incidents[i].alive]

        def happened() -> object:
            view = next(v for v in Holds(self.world.vault.parts).all(legal=True) if v.hold_id == hold.hold_id)
            return later if view.until == later else None

        def apply(_: object) -> None:
            hold.until = later

        self.scene.run(
            Act(
                words=f"renew {hold.name} to {later:%Y-%m-%d}",
                call=lambda: holds.renew(self.world.desk, hold.hold_id, until=later, reference="again", by=LAW),
                happened=happened,
                apply=apply,
                verbs=("hold.renew", "sealed.act"),
                refusals=(KeyDestroyedError,) if gone else (),
            )
        )

    @precondition(lambda self: any(h.released is None for h in self.model.holds.values()))
    @rule(n=PICK)
    def release(self, n: int) -> None:
        hold = self.pick([h for h in self.model.holds.values() if h.released is None], n)
        reason = canary(f"hold {hold.name}").hex()

        def call() -> tuple[str, ...]:
            act, params = holds.ask_release(self.world.desk, hold.hold_id, reason=reason, by=LAW)
            agreed = self.scene.agreed(act, params)
            return holds.release(self.world.desk, hold.hold_id, reason=str(params["reason"]), agreed=agreed)

        def view() -> HoldView:
            return next(v for v in Holds(self.world.vault.parts).all(legal=True) if v.hold_id == hold.hold_id)

        def apply(_: object) -> None:
            hold.released = view().released_at

        ahead = any(change.at >= self.world.clock.at for change in view().changes)
        self.scene.run(
            Act(
                words=f"two people release {hold.name}",
                call=call,
                happened=lambda: view().released_at and (),
                apply=apply,
                verbs=("hold.release", "sealed.act"),
                refusals=(TransitionError,) if ahead else (),
            )
        )

    # -- ordinary content ----------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.model.uploads) < 4)
    @rule(account=st.sampled_from(ACCOUNTS))
    def upload(self, account: str) -> None:
        """The platform stores something ordinarily, and a scan registers it."""
        name = f"f{len(self.sources) + 100 + self.uploads}"
        self.uploads += 1
        path = self.world.platform / name
        body = canary(f"{name} original {SUBJECT}")
        path.write_bytes(body)
        digest = hashlib.sha256(body).hexdigest()
        person = Participant(handle=f"handle-{account}", account=account, connection=Connection(ip="203.0.113.9"))
        recording = Recording(
            parts=(Part(uri=str(path)),),
            recording_id=canary(name).hex()[:32],
            sha256=digest,
            session_id=f"secret-session-{name}",
            stream_id=f"secret-stream-{name}",
            participants=(person,),
            started_at=self.world.clock.at,
            jurisdiction="US",
            legal_basis="LEGIT_INTEREST",
            managed=True,
        )
        at = self.world.clock.now()
        run_id = f"scan-{self.uploads}"
        self.world.ledger.begin_run(run_id, at=at, actor="os:machine(1)", command="scan")
        self.world.ledger.register(recording, sha256=[digest], facts={"duration_ns": [NS]}, run_id=run_id, at=at)
        self.model.uploads[name] = account
        self.scene.tell(f"{account} uploads {name}")

    @precondition(lambda self: self.model.uploads)
    @rule(n=PICK)
    def ordinary_delete(self, n: int) -> None:
        self.delete_ordinarily(self.pick(sorted(set(self.model.uploads.values())), n))

    def delete_ordinarily(self, account: str) -> None:
        """I2: whatever evidence there is, it goes, and evidence stays."""
        self.scene.tell(f"ordinary deletion of {account}")
        before = self.world.digest()
        self.world.ledger.ordinary.delete(Wanted(account=account), now=self.world.clock.at)
        invariants.i2_separation(self.scene, before, self.world.digest())
        for name in [n for n, whose in self.model.uploads.items() if whose == account]:
            if (self.world.platform / name).exists():
                self.scene.fail("I2", f"{name} of {account} is still there after its ordinary deletion")
            del self.model.uploads[name]

    @rule(account=st.sampled_from(ACCOUNTS), confidential=st.booleans(), days=st.sampled_from([None, 3, 40]))
    def preserve(self, account: str, confidential: bool, days: int | None) -> None:
        """A letter names a person: their incidents are held and what is stored of them is copied in, before the yes."""
        name = f"h{len(self.model.holds) + 1}"
        ordered = self.ordered(name, "LITIGATION", confidential, days)
        known = holds.incidents_of_person(self.world.desk, account=account, participant="")

        def call(hold_id: str = "") -> Placed:
            scoped = list(self.world.ledger.ordinary.in_scope(begin=None, end=None, account=account))
            return holds.preserve(
                self.world.desk,
                ordered,
                scope={"account": account},
                known=known,
                ordinary=[(s.recording, account) for s in scoped],
                by=LAW,
                hold_id=hold_id,
            )

        def happened() -> Placed | None:
            found = self.found_hold()
            return call(found.hold_id) if found else None

        def apply(placed: Placed) -> None:
            files = sorted(n for n, whose in self.model.uploads.items() if whose == account)
            if len(placed.preserved) != len(files) or placed.missing:
                self.scene.fail("preservation", f"{files} are stored of {account}, and {placed} was copied")
            for incident_id in placed.preserved:
                self.preserved(f"{name}-{incident_id[:6]}", incident_id, account)
            self.placed(name, placed, confidential)

        self.scene.run(
            Act(
                words=f"preserve all of {account} under {name} ({'secret, ' if confidential else ''}{days} days)",
                call=call,
                happened=happened,
                apply=apply,
                verbs=("hold.place", "sealed.act"),
            )
        )

    def preserved(self, name: str, incident_id: str, account: str) -> None:
        view = self.world.vault.incident(incident_id)
        kept = Kept(
            name=name,
            incident_id=incident_id,
            recording=view.recording_id,
            accounts={SUBJECT: account},
            basis=view.legal_basis,
            jurisdiction=view.jurisdiction,
            category=view.category,
            severity=Severity.LOW,
            retention_class="PRESERVATION",
            sealed_at=self.world.clock.at,
            review=Review.NOT_NEEDED,
        )
        kept.terms = (view.legal_basis, view.jurisdiction, view.origin, view.opened_at, view.identity.value)
        self.model.incidents[name] = kept
        for record in view.records:
            kept.keys[record.party.value] = record.key_id
            kept.records[record.record_id] = (record.party.value, self.scene.read(record.record_id))
        bodies = {body for _, body in kept.records.values()}
        if not any(canary(f"{n} original {SUBJECT}") in bodies for n in self.model.uploads):
            self.scene.fail("preservation", f"{name} holds nothing of what was uploaded")

    # -- requests ------------------------------------------------------------------------------------------------

    @precondition(lambda self: len([r for r in self.model.requests if r.state != "done"]) < 3)
    @rule(kind=ASKS, account=st.sampled_from(ACCOUNTS))
    def ask(self, kind: RequestKind, account: str) -> None:
        self.receive(kind, account)

    def receive(self, kind: RequestKind, account: str) -> Asked | None:
        """Somebody asks; None if the power failed first."""
        at = self.world.clock.now()
        known = {r.request_id for r in self.model.requests}

        def happened() -> RequestView | None:
            return next((v for v in Requests(self.world.vault.parts).all() if v.request_id not in known), None)

        done = self.scene.run(
            Act(
                words=f"{account} asks for {kind.value}",
                call=lambda: requests.add(self.world.desk, kind, account, received_at=at, by=PRIVACY),
                happened=happened,
                apply=lambda v: self.model.requests.append(
                    Asked(request_id=v.request_id, kind=kind.value, account=account)
                ),
                verbs=("request.add",),
            )
        )
        return self.model.requests[-1] if done is not None else None
