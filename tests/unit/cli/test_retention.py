"""`watchkeep retention`: a rule file is refused whole, shown as people read it, and compared before it counts."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli.retention import app
from pipeline.config.shipped import shipped

RULES = shipped("configs/retention.yaml").read_text(encoding="utf-8")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def run(home: Path, *args: str) -> Result:
    return CliRunner().invoke(app, [*args, "--home", str(home)])


def told(home: Path, *args: str) -> Any:
    return json.loads(run(home, *args, "--json").stdout)


def written(home: Path, body: str, name: str = "rules.yaml") -> str:
    path = home.parent / name
    path.write_text(body, encoding="utf-8")
    return str(path)


def test_the_shipped_rules_are_sound_and_nobody_has_verified_them(home: Path) -> None:
    found = told(home, "check")
    assert found["problems"] == []
    assert found["unverified"] == found["rules"]  # ships empty
    assert {"class", "floor", "ceiling", "hold"} <= set(found["rules"])
    result = run(home, "check")
    assert result.exit_code == 0
    assert "such a ceiling destroys nothing" in result.stderr


def test_every_error_of_a_rule_file_is_named_at_once(home: Path) -> None:
    broken = written(home, RULES.replace("max: P30D", "max: soon").replace("on: nca_reported", "on: nca_repotted"))
    result = run(home, "check", broken)
    assert result.exit_code == 1
    assert "soon" in result.stderr
    assert result.stderr.count("nca_repotted") == 2
    assert all(line.startswith(f"{broken}:") for line in result.stderr.splitlines())


def test_a_class_that_the_taxonomy_needs_may_not_be_missing(home: Path) -> None:
    found = told(home, "check", written(home, RULES.replace("TERROR_TCO", "TERROR")))
    assert any("terrorism" in problem and "TERROR_TCO" in problem for problem in found["problems"])


def test_a_verified_rule_counts_as_one(home: Path) -> None:
    checked = RULES.replace(
        'cite: "18 USC 2258A(h)(1), (h)(5)"\n    verified: {}',
        'cite: "18 USC 2258A(h)(1), (h)(5)"\n    verified: {by: "counsel", at: "2026-11-20"}',
    )
    found = told(home, "check", written(home, checked))
    assert found["problems"] == []
    assert found["rules"]["class"] - found["unverified"]["class"] == 1


def test_show_names_each_rule_with_its_source_and_takes_none_into_force(home: Path) -> None:
    found = told(home, "show")
    assert found["taken_at"] == "unknown"
    assert found["file"].endswith("retention.yaml")
    lines = {(r["kind"], r["name"]): r for r in found["rules"]}
    assert lines["class", "DISMISSED"]["says"].startswith("at most 7 days from when somebody decided on it")
    assert lines["class", "CSAM_US"]["says"].startswith("exactly 1 year from when NCMEC acknowledged the report")
    assert lines["floor", "UK_OSA_REF"]["says"].endswith("binds the record alone")
    assert all(r["cite"] for r in found["rules"] if r["kind"] != "setting")
    assert list(home.iterdir()) == []
    assert "unverified" in run(home, "show").stdout


def test_diff_says_what_changes_and_what_it_does(home: Path) -> None:
    new = written(home, RULES.replace("max: P30D", "max: P14D").replace("shipped-2026-11", "mine-1"))
    found = told(home, "diff", "current", new)
    assert (found["old"]["name"], found["new"]["name"]) == ("shipped-2026-11", "mine-1")
    (change,) = found["changes"]
    assert change == {
        "what": "class UNCONFIRMED_FLAG max",
        "old": "30 days",
        "new": "14 days",
        "effect": "shorter ceiling: what is here goes earlier too",
    }
    assert found["simulation"]["incidents"] == 0
    assert "simulated on 0 incidents" in run(home, "diff", "current", new).stdout


def test_a_file_that_is_not_there_is_refused_in_a_sentence(home: Path) -> None:
    result = run(home, "diff", "current", str(home / "nothing.yaml"))
    assert result.exit_code == 1
    assert str(home / "nothing.yaml") in str(result.exception)
