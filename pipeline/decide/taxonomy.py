"""The categories of abuse: the one list that rules, incidents, retention and reports refer to.

A category says what people mean by a word; which signals suggest it is the policy's affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.core.decision import Severity

UNCONFIRMED = "UNCONFIRMED_FLAG"
"""The retention class of everything when it is sealed; the reviewer's category sets the later one."""

RETENTION_CLASSES = frozenset(
    {
        UNCONFIRMED,
        "DISMISSED",
        "POLICY_VIOLATION",
        "PATTERN",
        "CRIMINAL_REFERRAL",
        "CSAM_US",
        "CSAM_EU_NIICS",
        "TERROR_TCO",
        "UNDER13_NONCONSENT",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One kind of abuse. `retention_class` holds once a person upheld it; `outside` maps code systems to their code."""

    id: str
    title: str
    definition: str
    severity: Severity
    retention_class: str
    outside: Mapping[str, str]

    def __post_init__(self) -> None:
        if self.retention_class not in RETENTION_CLASSES - {UNCONFIRMED}:
            raise ValueError(f"{self.id}: {self.retention_class} is no class of reviewed evidence")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxonomy:
    """All categories by id; `sha256` is of the file's bytes."""

    version: str
    sha256: str
    categories: Mapping[str, Category]
