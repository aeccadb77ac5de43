"""Reads the taxonomy file: all categories, or all that is wrong with it."""

from __future__ import annotations

from pathlib import Path

from pipeline.config.marks import Problems, Section, did_you_mean, read_digested
from pipeline.core.decision import Severity
from pipeline.decide.outside import OUTSIDE
from pipeline.decide.taxonomy import RETENTION_CLASSES, UNCONFIRMED, Category, Taxonomy

_SEVERITIES = {s.name.lower(): s for s in Severity}


def load_taxonomy(path: Path) -> Taxonomy:
    """The taxonomy at `path`. Raises ConfigError with every problem, each with file and line."""
    problems = Problems()
    top, digest = read_digested(path, problems=problems)
    version = top.text("version")
    section = top.section("categories", required=True)
    if section.empty and "categories" in top:
        top.problem("categories", "lists no category")
    categories = {name: _category(name, section.section(name)) for name in section}
    top.close()
    problems.refuse()
    found = {name: category for name, category in categories.items() if category is not None}
    return Taxonomy(version=version, sha256=digest, categories=found)


def _category(name: str, section: Section) -> Category | None:
    before = len(section.problems)
    if not name.isascii() or not name.replace("_", "").isalnum() or name != name.lower():
        section.problem("", "a category's name is made of small letters, digits and _")
    title, definition = section.text("title"), section.text("definition")
    severity = section.text("severity", known=_SEVERITIES)
    retention = section.text("retention_class", known=sorted(RETENTION_CLASSES - {UNCONFIRMED}))
    codes = section.section("outside")
    outside = {}
    for system in codes:
        if system in OUTSIDE:
            outside[system] = codes.text(system, known=OUTSIDE[system])
        else:
            codes.problem(system, f"no such code system; {did_you_mean(system, OUTSIDE)}")
    section.close()
    if len(section.problems) > before:
        return None
    return Category(
        id=name,
        title=title,
        definition=definition,
        severity=_SEVERITIES[severity],
        retention_class=retention,
        outside=outside,
    )
