"""The rules of keeping: a rule file checked, the rules in force shown, two rule files compared and simulated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.app.compose import Installation
from pipeline.app.desk import in_production
from pipeline.app.home import Home
from pipeline.app.look import open_vault, untouched
from pipeline.config.retention_file import check_taxonomy, load_rules, parse_rules
from pipeline.config.settings import Mode, load_settings
from pipeline.config.taxonomy_file import load_taxonomy
from pipeline.core.errors import ConfigError
from pipeline.retention import diff as difference
from pipeline.retention.listing import Line, lines, unverified
from pipeline.retention.patterns import Upheld, find
from pipeline.retention.rules import Rules
from pipeline.retention.simulate import Simulation, simulate
from pipeline.retention.words import seen
from pipeline.vault.cases import Cases
from pipeline.vault.holds import Holds
from pipeline.vault.rule_sets import RuleSet, RuleSets

IN_FORCE = "current"
"""Instead of a file: the rules in force."""


def check(home: Home, file: Path | None = None) -> dict[str, Any]:
    """Read a rule file (the configured one unless given) whole; every problem, and how many rules nobody verified."""
    settings = load_settings(home.root)
    path = file or settings.files.retention
    found: dict[str, Any] = {"file": str(path), "name": "", "sha256": "", "rules": {}, "unverified": {}, "problems": []}
    try:
        rules = load_rules(path, production=settings.mode is Mode.PRODUCTION)
        check_taxonomy(rules, load_taxonomy(settings.files.taxonomy))
    except ConfigError as error:
        return {**found, "problems": list(error.problems)}
    return {
        **found,
        "name": rules.name,
        "sha256": rules.sha256,
        "rules": _counted(lines(rules)),
        "unverified": _counted(unverified(rules)),
    }


def show(home: Home) -> dict[str, Any]:
    """The rules in force, every one with its source; where no vault took any yet, those of the configured file."""
    installation = Installation.open(home)
    taken = _taken(installation)
    rules = _in_force(installation, taken)
    return {
        "name": rules.name,
        "sha256": rules.sha256,
        "file": "" if taken else str(installation.settings.files.retention),
        "taken_at": taken.taken_at if taken else "unknown",
        "approval_id": taken.approval_id if taken else "",
        "rules": [
            {"kind": line.kind, "name": line.name, "says": line.says, "cite": line.cite, "verified": line.verified}
            for line in lines(rules)
        ],
    }


def diff(home: Home, old: str, new: str) -> dict[str, Any]:
    """What `new` changes against `old` (each a file, or `current`), and what that would do to the incidents there are.

    Confidential holds are not looked at: what would be destroyed goes unless something keeps it.
    """
    installation = Installation.open(home)
    before, after = (_named(installation, name) for name in (old, new))
    simulation = _simulated(installation, before, after)
    return {
        "old": {"name": before.name, "sha256": before.sha256},
        "new": {"name": after.name, "sha256": after.sha256},
        "changes": [
            {"what": c.what, "old": c.old, "new": c.new, "effect": c.effect} for c in difference.diff(before, after)
        ],
        "simulation": {
            "incidents": simulation.incidents,
            "verdicts": [
                {"old": was.value, "new": will.value, "incidents": count}
                for (was, will), count in sorted(simulation.verdicts.items())
            ],
            "earlier": dict(sorted(simulation.earlier.items())),
            "later": dict(sorted(simulation.later.items())),
            "going": list(simulation.going),
        },
    }


def _counted(found: tuple[Line, ...]) -> dict[str, int]:
    kinds = dict.fromkeys(line.kind for line in found if line.cite)
    return {kind: sum(line.kind == kind for line in found) for kind in kinds}


def _named(installation: Installation, name: str) -> Rules:
    if name == IN_FORCE:
        return _in_force(installation, _taken(installation))
    return load_rules(Path(name), production=in_production(installation))


def _in_force(installation: Installation, taken: RuleSet | None) -> Rules:
    production = in_production(installation)
    if taken is None:
        return load_rules(installation.settings.files.retention, production=production)
    return parse_rules(taken.body, taken.name, production=production)


def _taken(installation: Installation) -> RuleSet | None:
    """The rules that the vault holds; looking takes none."""
    if untouched(installation):
        return None
    with open_vault(installation) as vault:
        return RuleSets(vault.parts).current()


def _simulated(installation: Installation, old: Rules, new: Rules) -> Simulation:
    if untouched(installation):
        return Simulation()
    now = installation.clock.now()
    with open_vault(installation) as vault:
        cases, hidden = Cases(vault.parts), Holds(vault.parts).hidden()
        return simulate(
            (seen(case, legal=False) for case in cases.all() if case.incident_id not in hidden),
            old,
            new,
            now,
            production=in_production(installation),
            promoted=(_promoted(cases, old, now), _promoted(cases, new, now)),
        )


def _promoted(cases: Cases, rules: Rules, now: datetime) -> Mapping[str, datetime]:
    return {p.person: p.last_upheld_at for p in find(_upheld(cases), rules, now) if p.confirmed}


def _upheld(cases: Cases) -> Iterator[Upheld]:
    return (Upheld(**one._asdict()) for one in cases.upheld())
