"""A report that is outstanding: opened by what people know, ended by a receipt, not by a word that was overtaken."""

from __future__ import annotations

import pytest

from pipeline.core.decision import Review, Severity
from pipeline.core.retention import appeal_open, report_open

SEVERE, UPHELD = Severity.SEVERE, Review.UPHELD


@pytest.mark.parametrize(
    ("review", "retention_class", "decided_at", "events", "waits"),
    [
        (Review.OPEN, "UNCONFIRMED_FLAG", None, [], False),
        (Review.OPEN, "UNCONFIRMED_FLAG", None, [("suspected_minor", "1")], True),
        (Review.OPEN, "UNCONFIRMED_FLAG", None, [("escalated", "1"), ("ncmec_submitted", "2")], False),
        (Review.OPEN, "UNCONFIRMED_FLAG", None, [("ncmec_submitted", "1"), ("suspected_minor", "2")], True),
        (Review.OPEN, "UNCONFIRMED_FLAG", None, [("suspected_minor", "1"), ("ncmec_submit_unknown", "2")], True),
        (Review.OPEN, "UNCONFIRMED_FLAG", None, [("suspected_minor", "1"), ("referred", "2")], True),
        (Review.DISMISSED, "DISMISSED", "3", [("suspected_minor", "1"), ("report_closed", "2")], False),
        (UPHELD, "CSAM_US", "3", [], True),
        (UPHELD, "CSAM_US", "3", [("ncmec_submitted", "2")], False),
        (UPHELD, "CSAM_US", "3", [("referred", "4")], True),
        (UPHELD, "TERROR_TCO", "3", [("referred", "4")], False),
        (UPHELD, "CSAM_US", "3", [("report_closed", "4")], False),
        (UPHELD, "CSAM_US", "3", [("suspected_minor", "1"), ("report_closed", "2")], True),
        (UPHELD, "CSAM_US", "3", [("ncmec_submitted", "1"), ("report_closed", "2")], False),
    ],
)
def test_a_report_is_outstanding_until_a_receipt_or_two_people_who_knew_all(
    review: Review, retention_class: str, decided_at: str | None, events: list[tuple[str, str]], waits: bool
) -> None:
    assert report_open(review, SEVERE, retention_class, decided_at, events) is waits


def test_what_is_not_severe_waits_only_if_somebody_opened_it() -> None:
    assert not report_open(UPHELD, Severity.HIGH, "POLICY_VIOLATION", "3", [])
    assert report_open(UPHELD, Severity.HIGH, "POLICY_VIOLATION", "3", [("escalated", "1")])


def test_an_appeal_is_open_until_it_is_answered() -> None:
    assert [appeal_open(kinds) for kinds in ([], ["appeal_received"], ["appeal_received", "appeal_decided"])] == [
        False, True, False
    ]  # fmt: skip
    assert appeal_open(["appeal_received", "appeal_decided", "appeal_received"])
