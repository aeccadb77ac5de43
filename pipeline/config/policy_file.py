"""Reads a policy file: the whole policy, or all that is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from pipeline.config.marks import Problems, Section, did_you_mean, read_digested
from pipeline.core.decision import Action, PolicyRef, Severity
from pipeline.core.jurisdiction import is_jurisdiction
from pipeline.core.media import NS
from pipeline.decide.policy import Combine, Policy, Rule, Scanning, ScanRule, Unless
from pipeline.decide.taxonomy import Taxonomy

Detectors = Mapping[str, Collection[str] | None]
"""Detector name -> the labels that it gives, without its name before them; None while they are not known."""


def load_policy(path: Path, taxonomy: Taxonomy, *, detectors: Detectors | None = None) -> Policy:
    """The policy at `path`. Raises ConfigError with every problem, each with file and line.

    Detectors and labels are checked against `detectors` where that is given.
    """
    problems = Problems()
    top, digest = read_digested(path, problems=problems)
    name, version = top.text("name"), top.text("version")
    merge_gap_s = top.duration_ns("merge_gap", "30s") / NS
    entries = top.sections("rules", required=True)
    rules = [_rule(s, taxonomy, detectors) for s in entries]
    if not rules and "rules" in top:
        top.problem("rules", "is empty: a policy without a rule finds nothing")
    _refuse_twice(entries)
    scanning = _scanning(top.section("scanning", required=True))
    top.close()
    problems.refuse()
    return Policy(
        ref=PolicyRef(name=name, version=version, sha256=digest),
        rules=tuple(r for r in rules if r is not None),
        scanning=scanning,
        merge_gap_s=merge_gap_s,
    )


def _rule(section: Section, taxonomy: Taxonomy, detectors: Detectors | None) -> Rule | None:
    before = len(section.problems)
    rule_id = section.text("id")
    category = section.text("category", known=taxonomy.categories)
    detector = section.text("detector", known=detectors)
    given = detectors.get(detector) if detectors else None
    labels = _labels(section, detector, given)
    combine = section.choice("combine", Combine, Combine.MAX)
    at_least = _threshold(section, "at_least")
    alone = _threshold(section, "alone_at_least") if "alone_at_least" in section else None
    if alone is not None and alone < at_least:
        section.problem("alone_at_least", f"{alone:g} is below at_least ({at_least:g}), so no other vote would count")
    unless = _unless(section.section("unless"), detector, given) if "unless" in section else None
    votes = section.whole("votes", 1, low=1, high=10_000)
    within_ns = section.duration_ns("within", "10s")
    if within_ns <= 0:
        section.problem("within", "no time at all; write for how long votes count together, such as 10s")
    repeats_count = section.flag("repeats_count", False)
    single_frame_ok = section.flag("single_frame_ok", False)
    action = section.choice("action", Action)
    section.close()
    severity = taxonomy.categories[category].severity if category in taxonomy.categories else Severity.LOW
    severe = severity is Severity.SEVERE or action in (Action.ESCALATE, Action.INTERRUPT)
    if severe and not single_frame_ok and (votes < 2 or alone is not None or repeats_count):
        section.problem(
            "votes",
            f"one frame would decide a severe action ({category}, {action}); ask for 2 votes or more without "
            "alone_at_least and repeats_count, or say single_frame_ok: true",
        )
    if len(section.problems) > before:
        return None
    return Rule(
        id=rule_id,
        category=category,
        severity=severity,
        action=action,
        detector=detector,
        labels=labels,
        combine=combine,
        at_least=at_least,
        alone_at_least=alone,
        unless=unless,
        votes=votes,
        within_ns=within_ns,
        repeats_count=repeats_count,
        single_frame_ok=single_frame_ok,
    )


def _unless(section: Section, detector: str, given: Collection[str] | None) -> Unless:
    labels = _labels(section, detector, given)
    combine = section.choice("combine", Combine, Combine.MAX)
    at_least = _threshold(section, "at_least")
    section.close()
    return Unless(labels=labels, combine=combine, at_least=at_least)


def _labels(section: Section, detector: str, given: Collection[str] | None) -> frozenset[str]:
    labels = section.texts("labels")
    if not labels and "labels" in section:
        section.problem("labels", "names no label")
    for i, label in enumerate(labels):
        if label in labels[:i]:
            section.problem("labels", f"{label!r} is listed twice")
        if given is not None and label not in given:
            section.problem("labels", f"{detector} has no label {label!r}; {did_you_mean(label, given)}")
    return frozenset(f"{detector}.{label}" for label in labels)


def _threshold(section: Section, key: str) -> float:
    before = len(section.problems)
    value = section.number(key, low=0, high=1, noun="a probability")
    if value == 0 and len(section.problems) == before:
        section.problem(key, "0 would make every frame a vote; write a probability above 0")
    return value


def _scanning(section: Section) -> Scanning:
    otherwise = ScanRule(
        id="otherwise",
        jurisdictions=frozenset(),
        permitted=section.flag("permitted"),
        needs_purposes=frozenset(section.texts("needs_purposes", ())),
        citation=section.text("citation"),
    )
    entries = section.sections("rules")
    rules = tuple(_scan_rule(s) for s in entries)
    _refuse_twice(entries, taken="otherwise")
    section.close()
    return Scanning(rules=rules, otherwise=otherwise)


def _scan_rule(section: Section) -> ScanRule:
    places = section.texts("jurisdictions")
    for place in places:
        if not is_jurisdiction(place):
            section.problem("jurisdictions", f"{place!r} is not a code such as NL, US-CA, EU or EEA")
    if not places and "jurisdictions" in section:
        section.problem("jurisdictions", "names no jurisdiction")
    rule = ScanRule(
        id=section.text("id"),
        jurisdictions=frozenset(places),
        permitted=section.flag("permitted"),
        needs_purposes=frozenset(section.texts("needs_purposes", ())),
        citation=section.text("citation"),
    )
    section.text("note", "none")
    section.close()
    return rule


def _refuse_twice(entries: Sequence[Section], taken: str = "") -> None:
    seen = {taken}
    for entry in entries:
        if "id" not in entry:
            continue
        name = entry.text("id")
        if name in seen:
            entry.problem("id", f"{name!r} is taken already; ids are unique")
        seen.add(name)
