"""Policies and taxonomies are read whole, or refused with everything that is wrong."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipeline.config.policy_file import load_policy
from pipeline.config.shipped import shipped
from pipeline.config.taxonomy_file import load_taxonomy
from pipeline.core.decision import Severity
from pipeline.core.errors import ConfigError
from pipeline.decide.taxonomy import Taxonomy

GOLDEN = Path(__file__).parents[2] / "golden"
DETECTORS = {"opennsfw": ("sfw", "nsfw"), "yamnet": ("Gunshot, gunfire", "Fireworks")}
GOOD = """\
name: p
version: "1"
rules:
  - {id: r, category: nudity, detector: opennsfw, labels: [nsfw], at_least: 0.8, action: review}
scanning: {permitted: true, citation: c}
"""


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy(shipped("configs/taxonomy.yaml"))


def test_a_wrong_policy_is_refused_with_every_error_its_line_and_what_would_be_right(
    taxonomy: Taxonomy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(GOLDEN)
    with pytest.raises(ConfigError) as refusal:
        load_policy(Path("policy_refused.yaml"), taxonomy, detectors=DETECTORS)
    assert list(refusal.value.problems) == Path("policy_refused.txt").read_text().splitlines()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("category: nudity", "category: terrorism"), "one frame would decide a severe action (terrorism, review)"),
        (("action: review", "action: interrupt"), "one frame would decide a severe action (nudity, interrupt)"),
        (("action: review", "action: escalate, votes: 2, repeats_count: true"), "one frame would decide"),
        (("action: review", "action: escalate, votes: 2, alone_at_least: 0.9"), "one frame would decide"),
    ],
)
def test_no_single_frame_decides_a_severe_action_unless_that_is_said(
    taxonomy: Taxonomy, tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(GOOD.replace(*change))
    with pytest.raises(ConfigError) as refusal:
        load_policy(path, taxonomy)
    assert len(refusal.value.problems) == 1
    assert message in str(refusal.value)
    path.write_text(GOOD.replace(*change).replace("at_least: 0.8", "at_least: 0.8, single_frame_ok: true"))
    assert load_policy(path, taxonomy).rules[0].single_frame_ok


def test_two_different_frames_may_decide_a_severe_action(taxonomy: Taxonomy, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(GOOD.replace("category: nudity", "category: terrorism").replace("at_least", "votes: 2, at_least"))
    assert load_policy(path, taxonomy).rules[0].severity is Severity.SEVERE


def test_a_policy_is_named_by_the_sha256_of_its_bytes(taxonomy: Taxonomy, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    ref = load_policy(path, taxonomy).ref
    assert (ref.name, ref.version, ref.sha256) == ("p", "1", hashlib.sha256(path.read_bytes()).hexdigest())


def test_labels_that_are_not_known_yet_are_not_checked(taxonomy: Taxonomy, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(GOOD.replace("nsfw]", "anything]"))
    assert load_policy(path, taxonomy, detectors={"opennsfw": None}).labels == {"opennsfw.anything"}


def test_a_wrong_taxonomy_is_refused_with_every_error(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(
        'version: "1"\n'
        "categories:\n"
        "  Nudity!: {title: N, definition: d, severity: grave, retention_class: UNCONFIRMED_FLAG}\n"
        "  hate:\n"
        "    title: H\n"
        "    severity: high\n"
        "    retention_class: POLICY_VIOLATION\n"
        "    outside: {dsa_keyword: KEYWORD_HATE, dsa_keywords: x}\n"
    )
    with pytest.raises(ConfigError) as refusal:
        load_taxonomy(path)
    problems = [p.removeprefix(str(path)) for p in refusal.value.problems]
    assert problems == [
        ":3 categories.Nudity!: a category's name is made of small letters, digits and _",
        ":3 categories.Nudity!.severity: 'grave' is not known; known: high, low, medium, severe",
        ":3 categories.Nudity!.retention_class: 'UNCONFIRMED_FLAG' is not known; known: "
        "CRIMINAL_REFERRAL, CSAM_EU_NIICS, CSAM_US, DISMISSED, PATTERN, POLICY_VIOLATION, TERROR_TCO, "
        "UNDER13_NONCONSENT",
        ":4 categories.hate.definition: is missing",
        ":8 categories.hate.outside.dsa_keyword: 'KEYWORD_HATE' is not known; did you mean KEYWORD_HATE_SPEECH?",
        ":8 categories.hate.outside.dsa_keywords: no such code system; did you mean dsa_keyword?",
    ]


def test_the_shipped_taxonomy_covers_what_a_video_chat_needs(taxonomy: Taxonomy) -> None:
    severe = {c.id for c in taxonomy.categories.values() if c.severity is Severity.SEVERE}
    assert severe == {"minor_sexual_content", "grooming", "terrorism", "exploitation"}
    minor = taxonomy.categories["minor_sexual_content"]
    assert minor.retention_class == "CSAM_US"
    assert minor.outside["dsa_keyword"] == "KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL"
    assert all(c.definition and "dsa_category" in c.outside for c in taxonomy.categories.values())
