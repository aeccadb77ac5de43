"""Where a person is, as codes: ISO 3166 countries and parts of countries, and groups of countries."""

from __future__ import annotations

import re

from pipeline.core.recording import UNKNOWN

_EU = """
    AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK
"""
EU = frozenset(_EU.split())

GROUPS = {"EU": EU, "EEA": EU | {"IS", "LI", "NO"}}
"""Groups that a rule, or a person's jurisdiction, may name instead of one country."""

_CODE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?\Z")
_ALIASES = {"UK": "GB", "EL": "GR"}


def is_jurisdiction(text: str) -> bool:
    """True for "NL", "US-CA", "EU", "EEA": a code in capitals that a rule can cover."""
    return text in GROUPS or _CODE.match(text) is not None


def normal(text: str) -> str:
    """The code in its usual spelling ("uk" is "GB"), or UNKNOWN for what is no code."""
    country, dash, part = text.strip().upper().partition("-")
    code = _ALIASES.get(country, country) + dash + part
    return code if is_jurisdiction(code) else UNKNOWN


def may_share(one: str, other: str) -> bool:
    """True if somebody may be in both: either may be the wider of the two ("EU" and "NL", "US" and "US-CA")."""
    if not _countries(one) & _countries(other):
        return False
    return "-" not in one or "-" not in other or one == other


def _countries(code: str) -> frozenset[str]:
    return GROUPS.get(code, frozenset({code[:2]}))
