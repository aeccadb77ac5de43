"""What the shipped policy makes of the development set's recorded scores."""

from __future__ import annotations

import csv

import pytest

from pipeline.config.policy_file import load_policy
from pipeline.config.shipped import shipped
from pipeline.config.taxonomy_file import load_taxonomy
from pipeline.core.decision import Action, Severity
from pipeline.core.media import NS, Span
from pipeline.core.recording import Part, Recording
from pipeline.core.signal import ModelRef, Score
from pipeline.decide.evaluate import decide
from pipeline.decide.permit import permit
from pipeline.decide.policy import Policy
from tests.devset import devset


@pytest.fixture(scope="module")
def policy() -> Policy:
    taxonomy = load_taxonomy(shipped("configs/taxonomy.yaml"))
    return load_policy(shipped("configs/policies/video-chat.yaml"), taxonomy)


def scores(at_s: float, model: str, **values: float) -> list[Score]:
    ref = ModelRef(name=model, version="1", sha256="0" * 64)
    span = Span(start_ns=round(at_s * NS), end_ns=round((at_s + 1) * NS))
    return [Score(span=span, label=f"{model}.{label}", value=value, model=ref) for label, value in values.items()]


def categories(policy: Policy, found: list[Score]) -> list[str]:
    return [f.category for f in decide(found, policy, stream_id="s").findings]


def test_gunshot_and_explosion_are_found_and_everything_else_stays_silent(policy: Policy) -> None:
    found = {}
    with devset("audio", "yamnet_reference.csv").open() as text:
        for row in csv.DictReader(text):
            heard = {"Gunshot, gunfire": "gunshot", "Explosion": "explosion", "Screaming": "scream", "Speech": "speech"}
            values = {label: float(row[f"max_{column}"]) for label, column in heard.items()}
            found[row["path"]] = (row["label"], categories(policy, scores(0, "yamnet", **values)))
    assert len(found) == 15
    for path, (label, flagged) in found.items():
        expected = ["gunfire_or_explosion"] if label in ("gunshot", "explosion") else []
        assert flagged == expected, path


def test_fireworks_that_are_likelier_than_shots_are_not_flagged(policy: Policy) -> None:
    assert categories(policy, scores(0, "yamnet", Explosion=0.4, Fireworks=0.9)) == []
    assert categories(policy, scores(0, "yamnet", Explosion=0.4, Fireworks=0.3)) == ["gunfire_or_explosion"]


def test_one_ordinary_or_skin_coloured_picture_is_not_flagged_and_clear_nudity_is(policy: Policy) -> None:
    for value, flagged in ((0.08, False), (0.53, False), (0.9, False), (0.96, True)):
        assert bool(categories(policy, scores(0, "opennsfw", nsfw=value))) is flagged
    assert categories(policy, scores(0, "opennsfw", nsfw=0.85) + scores(8, "opennsfw", nsfw=0.85)) == ["nudity"]
    assert categories(policy, scores(0, "opennsfw", nsfw=0.85) + scores(20, "opennsfw", nsfw=0.85)) == []


def test_no_shipped_rule_acts_on_a_person_or_calls_a_single_frame_severe(policy: Policy) -> None:
    assert all(r.action in (Action.RECORD, Action.REVIEW) and r.severity < Severity.SEVERE for r in policy.rules)
    assert not any(r.single_frame_ok or r.repeats_count for r in policy.rules)


def test_the_shipped_defaults_permit_scanning_and_name_what_was_asked(policy: Policy) -> None:
    answer = permit([Recording(parts=(Part(uri="x"),))], policy)
    assert answer.permitted
    assert "2021/1232" in answer.citation and "not reviewed by counsel" in answer.citation
