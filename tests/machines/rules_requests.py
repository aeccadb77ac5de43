"""Rules of the machine: requests on their way, and orders to destroy."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from pipeline.core.retention import RequestKind
from pipeline.custody import floors, requests
from pipeline.custody.requests import Done
from pipeline.vault.cases import Cases
from pipeline.vault.requests import Requests, RequestView
from tests.machines.model import Asked
from tests.machines.rules_evidence import PICK
from tests.machines.rules_keeping import KeepingRules
from tests.machines.rules_time import TimeRules
from tests.machines.scene import Act
from tests.machines.world import LAW, PRIVACY


class RequestRules(KeepingRules, TimeRules):
    """Verify, decide, carry out."""

    def waiting(self) -> list[Asked]:
        return [r for r in self.model.requests if r.state != "done"]

    def view(self, asked: Asked) -> RequestView:
        return Requests(self.world.vault.parts).get(asked.request_id)

    @precondition(lambda self: self.waiting())
    @rule(n=PICK, accept=st.sampled_from([True, True, True, False]))
    def go_on_with_a_request(self, n: int, accept: bool) -> None:
        self.go_on(self.pick(self.waiting(), n), accept=accept)

    def go_on(self, asked: Asked, *, accept: bool) -> None:
        """One step further."""
        if asked.state == "received":
            self.step(asked, "verified", "verify", lambda: requests.verify_identity(
                self.world.desk, asked.request_id, by=PRIVACY
            ))  # fmt: skip
        elif asked.state == "verified":
            decision = "accepted" if accept else "refused"
            self.step(asked, "decided", decision, lambda: requests.decide(
                self.world.desk, asked.request_id, decision, ground="the law", by=PRIVACY
            ))  # fmt: skip
        elif asked.decision == "accepted":
            self.carry_out(asked)
        else:
            self.step(asked, "done", "close", lambda: self.close(asked))

    def close(self, asked: Asked) -> RequestView:
        Requests(self.world.vault.parts).close(asked.request_id, by=PRIVACY.actor)
        return self.view(asked)

    def step(self, asked: Asked, state: str, words: str, call: object) -> None:
        def happened() -> RequestView | None:
            view = self.view(asked)
            return view if view.state == state else None

        def apply(view: RequestView) -> None:
            asked.state, asked.decision = view.state, view.decision

        self.scene.run(
            Act(
                words=f"{asked.kind} of {asked.account}: {words}",
                call=call,  # type: ignore[arg-type]
                happened=happened,
                apply=apply,
                verbs=("request.verify", "request.decide", "request.close"),
            )
        )

    def carry_out(self, asked: Asked) -> None:
        """Erase what may go; what is ordinary goes first, as the command does it."""
        asked.tried = True
        if RequestKind(asked.kind) in requests.ERASES_ORDINARY:
            self.delete_ordinarily(asked.account)

        def call() -> Done:
            desk = self.world.desk
            return requests.carry_out(desk, requests.accepted(desk, asked.request_id), by=LAW)

        def happened() -> Done | None:
            self.learned()
            view = self.view(asked)
            asked.state = view.state
            return call() if view.state == "decided" else None

        def apply(done: Done) -> None:
            self.learned()
            asked.state = self.view(asked).state
            for item in done.items:
                if item.outcome.value == "restricted":
                    view = self.world.vault.incident(item.incident_id)
                    if not view.restricted:
                        self.scene.fail("I8", f"{item.incident_id} was to be restricted and is not")
            self.scene.tell(
                f"    {[(i.incident_id[:6], i.party.value, i.outcome.value) for i in done.items]}, passed by "
                f"{done.passed_by}"
            )

        self.scene.run(
            Act(
                words=f"carry out {asked.kind} of {asked.account}",
                call=call,
                happened=happened,
                apply=apply,
                verbs=("request.note", "request.close", "sweep"),
            )
        )

    def learned(self) -> None:
        """Orders, and for under-13 the day of discovery: as they were written down; and the clock, which ticked."""
        self.look_at_clock()
        for kept in self.model.incidents.values():
            case = Cases(self.world.vault.parts).one(kept.incident_id)
            fresh = [(e.kind, e.at) for e in case.events[len(kept.events) :]]
            kept.events += fresh
            self.scene.learn(kept)
            if fresh and kept.alive:
                self.model.write_floors(kept, self.world.variant)

    @precondition(lambda self: self.model.living())
    @rule(n=PICK)
    def order_to_destroy(self, n: int) -> None:
        """18 USC 2258B(c): waives floors, never holds."""
        kept = self.pick(self.model.living(), n)
        params = {"incidents": [kept.incident_id], "authority": "police", "reference": f"r{self.scene.approvals}"}
        agreed = self.scene.agreed(floors.DESTROY, params)
        before = len(kept.orders)

        def happened() -> bool | None:
            return True if len(Cases(self.world.vault.parts).one(kept.incident_id).orders) > before else None

        self.scene.run(
            Act(
                words=f"an authority orders that {kept.name} is destroyed",
                call=lambda: floors.order(self.world.desk, params, agreed) or True,  # type: ignore[func-returns-value]
                happened=happened,
                apply=lambda _: self.scene.learn(kept),
                verbs=("order.destroy",),
                refusals=self.scene.not_as_asked(kept),
            )
        )
