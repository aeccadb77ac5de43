"""Rule files for the machines: the shipped one with some periods longer or shorter, and their numbers for the model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipeline.config.retention_file import parse_rules
from pipeline.core.decision import Severity
from pipeline.custody.desk import Judged
from pipeline.retention.period import Period
from pipeline.retention.rules import Rules

SHIPPED = (Path(__file__).resolve().parents[2] / "configs" / "retention.yaml").read_text(encoding="utf-8")

CATEGORIES = {
    "nudity": Judged(severity=Severity.HIGH, retention_class="POLICY_VIOLATION"),
    "threat": Judged(severity=Severity.HIGH, retention_class="CRIMINAL_REFERRAL"),
    "minor_sexual_content": Judged(severity=Severity.SEVERE, retention_class="CSAM_US"),
}

STARTS = {
    "UNCONFIRMED_FLAG": ("sealed",),
    "DISMISSED": ("decided",),
    "POLICY_VIOLATION": ("notified",),
    "CRIMINAL_REFERRAL": ("referred",),
    "CSAM_US": ("ncmec_submitted", "nca_reported", "report_closed"),
    "PRESERVATION": ("holds_ended",),
}
"""What starts the clock of a class; later ones only where the earlier never came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One rule file, as the few numbers in which it differs."""

    name: str
    unconfirmed: str = "P30D"
    dismissed: str = "P7D"
    violation: tuple[str, str] = ("P6M", "P12M")
    referral: tuple[str, str] = ("P12M", "P36M")
    csam: str = "P1Y"
    us_floor: str = "P1Y"
    unreviewed: str = "keep"
    ignore_below: int = 25
    at_once: int = 1000

    def span(self, retention_class: str) -> tuple[Period | None, Period | None]:
        """(floor, ceiling) of a class."""
        spans = {
            "UNCONFIRMED_FLAG": (None, self.unconfirmed),
            "DISMISSED": (None, self.dismissed),
            "POLICY_VIOLATION": self.violation,
            "CRIMINAL_REFERRAL": self.referral,
            "CSAM_US": (self.csam, self.csam),
            "PRESERVATION": (None, "P0D"),
        }
        low, high = spans[retention_class]
        return (Period.parse(low) if low else None), (Period.parse(high) if high else None)

    def text(self) -> str:
        low, high = self.violation
        changes = [
            ("{start: sealed, max: P30D", f"{{start: sealed, max: {self.unconfirmed}"),
            ("media_max: P7D", f"media_max: {self.dismissed}"),
            ("start: notified\n    min: P6M\n    max: P12M", f"start: notified\n    min: {low}\n    max: {high}"),
            (
                "start: referred\n    min: P12M\n    max: P36M",
                f"start: referred\n    min: {self.referral[0]}\n    max: {self.referral[1]}",
            ),
            ("    min: P1Y\n    max: P1Y", f"    min: {self.csam}\n    max: {self.csam}"),
            ("on: ncmec_submitted, period: P1Y", f"on: ncmec_submitted, period: {self.us_floor}"),
            ("unreviewed: keep\n", f"unreviewed: {self.unreviewed}\n"),
            ("ignore_below: 25", f"ignore_below: {self.ignore_below}"),
            ("at_once: 1000", f"at_once: {self.at_once}"),
            ("name: shipped-2026-11", f"name: {self.name}"),
        ]
        text = SHIPPED
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        return text

    def rules(self) -> Rules:
        return _parsed(self)


VARIANTS = (
    Variant(name="as-shipped"),
    Variant(name="shorter", unconfirmed="P7D", violation=("P1M", "P2M"), referral=("P3M", "P6M"), us_floor="P6M"),
    Variant(name="longer", dismissed="P30D", violation=("P12M", "P24M"), csam="P2Y", us_floor="P2Y"),
    Variant(name="expires", unconfirmed="P2D", unreviewed="expire"),
    Variant(name="cautious", ignore_below=0, at_once=1),
)


@lru_cache
def _parsed(variant: Variant) -> Rules:
    return parse_rules(variant.text(), variant.name)
