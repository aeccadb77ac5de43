"""The rules in force: the first are taken, others take two people, and none is forgotten."""

from __future__ import annotations

import hashlib

import pytest

from pipeline.core.approval import Approval
from pipeline.core.errors import ApprovalError, TransitionError
from pipeline.vault.rule_sets import RuleSets
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import BY, agreed

OLD, NEW = "classes: {}\n", "classes: {A: 1}\n"


def asked(body: str, name: str = "a-1") -> Approval:
    said = {"sha256": hashlib.sha256(body.encode()).hexdigest(), "name": "retention.yaml", "body": body}
    return agreed("rules.change", said, name=name)


def test_the_first_rules_are_taken_once(vault: Vault) -> None:
    rules = RuleSets(vault.parts)
    assert rules.current() is None
    first = rules.take_first("retention.yaml", OLD, by=BY)
    assert rules.take_first("other.yaml", NEW, by=BY) == first == rules.current()
    assert (first.body, first.sha256) == (OLD, hashlib.sha256(OLD.encode()).hexdigest())
    assert vault.verify().problems == ()


def test_other_rules_take_two_people_and_the_old_ones_stay_on_record(vault: Vault) -> None:
    rules = RuleSets(vault.parts)
    with pytest.raises(TransitionError, match="no rules are in force yet"):
        rules.change("retention.yaml", NEW, approval=asked(NEW), by=BY)
    rules.take_first("retention.yaml", OLD, by=BY)
    with pytest.raises(ApprovalError, match="other parameters"):
        rules.change("retention.yaml", NEW, approval=asked(OLD), by=BY)
    changed = rules.change("retention.yaml", NEW, approval=asked(NEW), by=BY)
    assert rules.current() == changed and [r.body for r in rules.history()] == [OLD, NEW]
    assert changed.approval_id == "a-1"


def test_rules_that_are_in_force_are_not_changed_into_themselves(vault: Vault) -> None:
    rules = RuleSets(vault.parts)
    rules.take_first("retention.yaml", OLD, by=BY)
    with pytest.raises(TransitionError, match="in force already"):
        rules.change("retention.yaml", OLD, approval=asked(OLD), by=BY)
