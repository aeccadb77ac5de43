"""Rules of the machine that go a longer way at one step: what hardly comes about by chance, and ordinarily happens."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from pipeline.core.decision import Review
from pipeline.core.retention import RequestKind
from tests.machines.rules_evidence import ACCOUNTS, EvidenceRules
from tests.machines.rules_keeping import ASKS
from tests.machines.rules_requests import RequestRules

OUTCOMES = {
    "dismissed": (("nudity",), False, ()),
    "severe, dismissed": (("minor_sexual_content",), False, ()),
    "violation": (("nudity",), True, ("notified",)),
    "violation, nobody told": (("nudity", "threat"), True, ()),
    "referral": (("threat",), True, ("referred",)),
    "reported": (("minor_sexual_content",), True, ("ncmec_submitted",)),
    "reported twice": (
        ("minor_sexual_content", "nudity"),
        True,
        ("suspected_minor", "ncmec_submitted", "nca_reported"),
    ),
    "not reported": (("minor_sexual_content",), True, ("suspected_minor",)),
    "neighbours": (("threat", "nudity"), False, ()),
    "appealed": (("nudity",), True, ("notified", "appeal_received")),
    "open": (("nudity", "minor_sexual_content"), None, ()),
}
LIVES = st.tuples(
    st.sampled_from(sorted(OUTCOMES)),
    st.permutations(ACCOUNTS),
    st.sampled_from(["LEGIT_INTEREST", "CONSENT"]),
    st.sampled_from(["US", "NL"]),
)
Life = tuple[str, list[str], str, str]


class LifeRules(EvidenceRules, RequestRules):
    """Whole lives of incidents and requests."""

    @initialize(lives=st.lists(LIVES, min_size=1, max_size=3))
    def lives_before(self, lives: list[Life]) -> None:
        for life in lives:
            self.live(life)

    @rule(life=LIVES)
    def a_life(self, life: Life) -> None:
        self.live(life)

    def live(self, life: Life) -> None:
        outcome, who, basis, jurisdiction = life
        categories, upheld, events = OUTCOMES[outcome]
        self.seal(who, categories, basis, jurisdiction)
        names = self.sources[self.model.sealings][4]
        for category, name in names.items():
            kept = self.model.incidents.get(name)
            if kept is None or upheld is None:
                continue
            self.judge(kept, Review.UPHELD if upheld else Review.DISMISSED, category)
            for kind in events:
                self.record(kept, kind, 0)

    @rule(days=st.sampled_from([1, 4, 9, 35, 100, 200, 400]))
    def days_pass_and_a_sweep(self, days: int) -> None:
        self.pass_days(days)
        self.sweep_once(again=False)

    @rule(kind=ASKS, account=st.sampled_from(ACCOUNTS))
    def a_request_runs_its_course(self, kind: RequestKind, account: str) -> None:
        asked = self.receive(kind, account)
        for _ in range(3):
            if asked is not None and asked.state != "done":
                self.go_on(asked, accept=True)
