"""Rules of the machine: evidence comes in, people judge it, and things happen to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from pipeline.core.clock import utc_text
from pipeline.core.decision import Review, Severity
from pipeline.core.errors import ApprovalError, KeyDestroyedError, TransitionError, WatchkeepError
from pipeline.core.evidence import Kind
from pipeline.custody import decisions, events, floors
from pipeline.vault.cases import Cases
from pipeline.vault.decisions import Decisions
from pipeline.vault.events import Events
from tests.machines import invariants
from tests.machines.base import Base
from tests.machines.model import COUNTERPART, SUBJECT, Kept, canary
from tests.machines.rulebook import CATEGORIES
from tests.machines.scene import Act
from tests.machines.sealing import POLICY, body, pairs, recording
from tests.machines.world import LAW, PRIVACY

ACCOUNTS = ("acct-ann-7f3c9b", "acct-bob-51d0e2", "acct-cyd-c8a614")
PICK = st.integers(0, 30)
KINDS = ("notified", "referred", "suspected_minor", "ncmec_submitted", "nca_reported", "appeal_received")
KINDS += ("appeal_decided",)


class EvidenceRules(Base):
    """Sealing, deciding, events, floors."""

    @rule(
        who=st.permutations(ACCOUNTS),
        categories=st.sampled_from(
            [("nudity",), ("minor_sexual_content",), ("threat", "nudity"), ("nudity", "threat")]
        ),
        basis=st.sampled_from(["LEGIT_INTEREST", "CONSENT"]),
        jurisdiction=st.sampled_from(["US", "NL"]),
    )
    def scan(self, who: list[str], categories: tuple[str, ...], basis: str, jurisdiction: str) -> None:
        self.seal(who, categories, basis, jurisdiction)

    def seal(self, who: list[str], categories: tuple[str, ...], basis: str, jurisdiction: str) -> None:
        self.model.sealings += 1
        number = self.model.sealings
        names = {c: f"i{number}{letter}" for c, letter in zip(categories, "ab", strict=False)}
        self.sources[number] = (who[0], who[1], basis, jurisdiction, names)
        self.conclude(number, f"c{number}")

    @precondition(lambda self: self.model.sealings)
    @rule(n=PICK)
    def rescan(self, n: int) -> None:
        """The same recording again: nothing is sealed twice, and nothing that went comes back."""
        number = n % self.model.sealings + 1
        self.rescans += 1
        self.conclude(number, f"c{number}-again{self.rescans}")

    def conclude(self, number: int, conclusion_id: str) -> None:
        account, other, basis, jurisdiction, names = self.sources[number]
        of = recording(number, account, other, basis=basis, jurisdiction=jurisdiction)
        vault = self.world.vault
        with self.world.fuse.held():
            run_id = self.world.begin_run()
        self.scene.run(
            Act(
                words=f"seal {', '.join(names.values())} of {account} with {other}, {jurisdiction}, {basis}",
                call=lambda: vault.conclude(conclusion_id, run_id, of, list(pairs(of, names)), policy=POLICY),
                happened=lambda: self.world.vault.concluded(conclusion_id),
                apply=lambda ids: self.sealed(number, ids),
                verbs=("recording.conclude",),
            )
        )

    def sealed(self, number: int, ids: tuple[str, ...]) -> None:
        account, other, basis, jurisdiction, names = self.sources[number]
        of = recording(number, account, other, basis=basis, jurisdiction=jurisdiction)
        for incident, _ in pairs(of, names):
            name = names[incident.category]
            known = self.model.incidents.get(name)
            invariants.i8_withdrawal(self.scene, account, basis, incident.incident_id in ids)
            if incident.incident_id not in ids:
                continue
            fresh = known is None
            kept = known or Kept(
                name=name,
                incident_id=incident.incident_id,
                recording=of.recording_id,
                accounts={SUBJECT: account, COUNTERPART: other},
                basis=basis,
                jurisdiction=jurisdiction,
                category=incident.category,
                severity=incident.severity,
                retention_class="UNCONFIRMED_FLAG",
                sealed_at=self.world.clock.at,
                ever_severe=incident.severity >= Severity.SEVERE,
            )
            self.model.incidents[name] = kept
            self.expect_records(kept, closed=not fresh and (not kept.alive or kept.review is not Review.OPEN))
            if fresh:
                self.first_look(kept)

    def expect_records(self, kept: Kept, *, closed: bool) -> None:
        """What of an incident has to be sealed now: of nobody who withdrew or was erased, and once."""
        expected = {SUBJECT: (Kind.FRAME, Kind.CONNECTION), COUNTERPART: (Kind.FRAME,)}
        view = self.world.vault.incident(kept.incident_id)
        there = {(r.party.value, r.kind): r for r in view.records}
        for party, kinds in expected.items():
            withdrew = kept.basis == "CONSENT" and any(
                r.account == kept.accounts[party] and r.withdraws for r in self.model.requests
            )
            for kind in kinds:
                before = any(p == party for p, _ in kept.records.values())
                wanted = before or not (withdrew or closed or party in kept.gone)
                record = there.get((party, kind))
                if wanted != (record is not None):
                    self.scene.fail("I8, I10", f"{kind.value} of {kept.name} ({party}): sealed is {record is not None}")
                if record is not None:
                    kept.records[record.record_id] = (party, body(kept.name, kind.value, party))
                    kept.keys[party] = record.key_id

    def first_look(self, kept: Kept) -> None:
        view = self.world.vault.incident(kept.incident_id)
        kept.terms = (view.legal_basis, view.jurisdiction, view.origin, view.opened_at, view.identity.value)
        self.scene.learn(kept)
        asked = any(r.account in kept.accounts.values() and r.restricts for r in self.model.requests)
        if view.restricted != asked and kept.review is Review.OPEN:
            self.scene.fail("R4", f"{kept.name} was sealed with restricted={view.restricted}, and a request is {asked}")

    @precondition(lambda self: self.scans())
    @rule(n=PICK, upheld=st.booleans(), category=st.sampled_from(sorted(CATEGORIES)))
    def decide(self, n: int, upheld: bool, category: str) -> None:
        self.judge(self.pick(self.scans(), n), Review.UPHELD if upheld else Review.DISMISSED, category)

    def judge(self, kept: Kept, outcome: Review, category: str) -> None:
        """One person, or two where it takes two."""
        upheld = outcome is Review.UPHELD
        note = canary(f"note {kept.name}").hex()
        before = len(Decisions(self.world.vault.parts).of(kept.incident_id))

        def call() -> str:
            desk = self.world.desk
            second = decisions.second_needed(desk, kept.incident_id, outcome, category=category, note=note, by=LAW)
            less = not upheld or CATEGORIES[category].severity < Severity.SEVERE
            if kept.alive and (second is not None) != (kept.ever_severe and less):
                self.scene.fail("severe", f"{kept.name}: a second person is needed: {second is not None}")
            try:
                done = decisions.decide(desk, kept.incident_id, outcome=outcome, category=category, note=note, by=LAW)
            except ApprovalError:
                assert second is not None, f"{kept.name} takes two people, and nobody said so"
                agreed = self.scene.agreed(decisions.DISMISS_SEVERE, second, approvers=("p-eve",))
                return decisions.make_less(desk, second, agreed)
            if second is not None:
                self.scene.fail("severe", f"one person made less of {kept.name}")
            return done

        def happened() -> str | None:
            made = Decisions(self.world.vault.parts).of(kept.incident_id)
            return made[-1].decision_id if len(made) > before else None

        def apply(_: str) -> None:
            judged = CATEGORIES[category]
            kept.review, kept.category, kept.severity = outcome, category, judged.severity
            kept.ever_severe |= judged.severity >= Severity.SEVERE
            kept.retention_class = judged.retention_class if upheld else "DISMISSED"
            self.floors_begin(kept)

        words = f"decide {kept.name}: {outcome.value} as {category}"
        lesser = replace(kept, review=outcome, severity=CATEGORIES[category].severity)
        waits = kept.ever_severe and upheld and kept.report_open() and not lesser.report_open()
        act = Act(words=words, call=call, happened=happened, apply=apply, verbs=("decision.make",))
        self.on_living(kept, replace(act, refusals=(TransitionError,)) if waits else act)

    @precondition(lambda self: self.model.incidents)
    @rule(n=PICK, kind=st.sampled_from(KINDS), days_ago=st.integers(0, 3))
    def event(self, n: int, kind: str, days_ago: int) -> None:
        self.record(self.pick(list(self.model.incidents.values()), n), kind, days_ago)

    def record(self, kept: Kept, kind: str, days_ago: int) -> None:
        """As long ago as can be: nobody knew of it before it was sealed, nor of a decision before it was made."""
        now, decided = self.world.clock.at, kept.decided_at
        at = max(now - timedelta(days=days_ago), min(kept.sealed_at, now))
        if kind == "notified" and decided is not None:
            at = max(at, min(decided, now))
        early = kind == "notified" and (decided is None or at < decided)
        self.happens(kept, kind, lambda: events.record(
            self.world.desk, kept.incident_id, kind, at=at, reference="receipt", by=LAW
        ), (WatchkeepError,) if early else ())  # fmt: skip

    @precondition(lambda self: any(k.report_open() for k in self.model.living()))
    @rule(n=PICK)
    def close_report(self, n: int) -> None:
        kept = self.pick([k for k in self.model.living() if k.report_open()], n)
        ground = "nobody is under age"
        agreed = self.scene.agreed(events.CLOSE, {"incident": kept.incident_id, "ground": ground})
        self.happens(kept, "report_closed", lambda: events.close_report(
            self.world.desk, kept.incident_id, ground=ground, agreed=agreed
        ), self.scene.not_as_asked(kept))  # fmt: skip

    def happens(
        self, kept: Kept, kind: str, call: Callable[[], str], refusals: tuple[type[Exception], ...] = ()
    ) -> None:
        def happened() -> str | None:
            told = Events(self.world.vault.parts).of(kept.incident_id)
            return told[-1].event_id if len(told) > len(kept.events) else None

        def apply(_: str) -> None:
            kept.events = [(e.kind, e.at) for e in Cases(self.world.vault.parts).one(kept.incident_id).events]
            if kept.events[-1][0] != kind:
                self.scene.fail("I5", f"the last event of {kept.name} is {kept.events[-1][0]} and not {kind}")
            self.floors_begin(kept)

        words = f"{kept.name}: {kind}"
        verbs = ("event.record",)
        act = Act(words=words, call=call, happened=happened, apply=apply, verbs=verbs, refusals=refusals)
        self.on_living(kept, act)

    @precondition(lambda self: any(k.floors for k in self.model.living()))
    @rule(n=PICK, days=st.sampled_from([-400, -1, 30, 2000]), again=st.booleans())
    def override(self, n: int, days: int, again: bool) -> None:
        """Two people move a floor, down or up; what happens `again` after that starts one of its own."""
        kept = self.pick([k for k in self.model.living() if k.floors], n)
        floor = self.pick(kept.floors, n)
        self.move(kept, floor.rule, days)
        if again and floor.trigger in KINDS:
            self.record(kept, floor.trigger, 0)

    def move(self, kept: Kept, moved: str, days: int) -> None:
        until = self.world.clock.at + timedelta(days=days)
        desk = self.world.desk
        params = floors.override_params(desk, kept.incident_id, rule=moved, until=until, ground="counsel", by=PRIVACY)
        agreed = self.scene.agreed(floors.OVERRIDE, params)
        before = len(kept.overrides)

        def happened() -> bool | None:
            return True if len(Cases(self.world.vault.parts).one(kept.incident_id).overrides) > before else None

        self.scene.run(
            Act(
                words=f"two people move {moved} of {kept.name} to {utc_text(until)[:10]}",
                call=lambda: floors.override(desk, params, agreed) or True,  # type: ignore[func-returns-value]
                happened=happened,
                apply=lambda _: self.scene.learn(kept),
                verbs=("floor.override",),
                refusals=self.scene.not_as_asked(kept),
            )
        )

    def floors_begin(self, kept: Kept) -> None:
        """Times as the catalog has them, and the floors that now have to be written down."""
        self.scene.learn(kept)
        self.model.write_floors(kept, self.world.variant)

    def on_living(self, kept: Kept, act: Act[str]) -> None:
        """I6: of what is gone nothing is written down any more, and it is said."""
        if kept.alive:
            self.scene.run(act)
            return
        act.refusals += (KeyDestroyedError,)
        if self.scene.run(act) is not None:
            self.scene.fail("I6", f"{act.words}: done although it is gone")
