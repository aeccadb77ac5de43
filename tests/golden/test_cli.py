"""What the command says, word for word: help, refusals, and the shapes of its JSON.

The golden files lie beside this one. After a wanted change: WATCHKEEP_GOLDEN=write python -m pytest tests/golden, then
read the difference.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from pipeline.cli.main import app
from pipeline.config.shipped import shipped
from tests.command import command
from tests.home import TestHome

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def _golden(name: str, found: str) -> None:
    path = HERE / name
    if os.environ.get("WATCHKEEP_GOLDEN") == "write":
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8"), f"see the head of {__file__} for how to accept a change"


def _commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, inner in sorted(getattr(group, "commands", {}).items()):
        yield from _commands(inner, (*path, name))


def test_help_of_every_command() -> None:
    told = []
    for path in _commands(typer.main.get_command(app)):
        shown = CliRunner().invoke(app, [*path, "--help"], prog_name="watchkeep", terminal_width=80)
        assert shown.exit_code == 0
        # How typer decorates names and types differs between its versions; the words are ours.
        words = re.sub(r"<[^>]*>|[\[\]{}]", "", shown.output)
        told.append(f"$ watchkeep {' '.join([*path, '--help'])}\n" + re.sub(r"\s+", " ", words).strip() + "\n")
    _golden("cli_help.txt", "\n".join(told))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> TestHome:
    """A home in which one session of the samples and a broken file were scanned."""
    home = TestHome(tmp_path_factory.mktemp("golden"))
    samples = shipped("configs/samples")
    report = home.json(
        "scan", str(samples / "cut-off.mp4"), "--manifest", str(samples / "samples.jsonl"), "--ray", "off"
    )
    (home.root.parent / "report.json").write_text(json.dumps(report))
    return home


def _shape(value: Any) -> Any:
    """Keys and types; a list has the one shape that fits all its entries."""
    if isinstance(value, dict):
        return {key: _shape(value[key]) for key in value}
    if isinstance(value, list):
        return [reduce(_both, map(_shape, value))] if value else []
    return type(value).__name__


def _both(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: _both(one.get(key, "absent"), other.get(key, "absent")) for key in {**one, **other}}
    if isinstance(one, list) and isinstance(other, list):
        return [_both(*one, *other)] if one and other else one or other
    return one if one == other else f"{one} or {other}"


def test_shapes_of_the_json_of_every_command(home: TestHome) -> None:
    report = json.loads((home.root.parent / "report.json").read_text())
    incident = command("incidents", "list", "--json", home=home.root).json()["incidents"][0]["incident_id"]
    shapes = {"scan": _shape(report)}
    for args in (
        ("runs", "list"),
        ("runs", "show", "last"),
        ("incidents", "list"),
        ("incidents", "show", incident),
        ("evidence", "verify"),
        ("models", "list"),
        ("models", "verify", "opennsfw"),
        ("models", "fetch", "opennsfw"),
        ("config", "check"),
        ("config", "show"),
        ("doctor",),
        ("sweep",),
        ("explain", "--incident", incident),
        ("explain", "--account", "demo-account-0002"),
        ("hold", "list"),
        ("event", "list", "--incident", incident),
        ("requests", "list"),
        ("recordings", "list"),
        ("recordings", "delete", "--account", "demo-account-0001"),
        ("retention", "check"),
        ("retention", "show"),
        ("vault", "stats"),
        ("audit", "verify"),
        ("audit", "checkpoint"),
        ("users", "list"),
    ):
        told = command(*args, "--json", home=home.root)
        assert told.status == 0, told.err
        shapes[" ".join(a for a in args[:2] if a != incident)] = _shape(told.json())
    _golden("cli_shapes.json", json.dumps(shapes, indent=1) + "\n")


def test_every_field_of_the_scan_report_is_documented(home: TestHome) -> None:
    report = json.loads((home.root.parent / "report.json").read_text())
    page = (ROOT / "docs" / "scan-report.md").read_text(encoding="utf-8")
    fields = {*report["recordings"][0], *report["totals"], *report["totals"]["outcomes"], *report["totals"]["seconds"]}
    assert not sorted(f for f in fields if f"`{f}`" not in page)


def _refusals(home: TestHome, fresh: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    (fresh.parent / "empty").mkdir()
    for args in (
        ("incidents", "show", ""),
        ("incidents", "show", "nope"),
        ("runs", "show", ""),
        ("runs", "show", "nope"),
        ("evidence", "open", "nope", "--reason", "test"),
        ("models", "verify", "nope"),
        ("scan", "nowhere"),
        ("scan", str(fresh.parent / "empty")),
        ("scan", "--manifest", "nowhere.jsonl"),
        ("scan", str(shipped("configs/samples/photo.jpg")), "--policy", "nowhere.yaml"),
        ("scan", str(shipped("configs/samples/photo.jpg")), "--ray", "10.0.0.1:6379"),
        ("sweep", "--as-of", "2020-01-01"),
        ("sweep", "--apply", "--as-of", "2099-01-01"),
        ("sweep", "--as-of", "soon"),
        ("explain", "--incident", "nope"),
        ("certificate", "--incident", "nope"),
        ("requests", "show", "nope"),
        ("erase", "--request", "nope"),
        ("hold", "list", "--as", "nobody"),
        ("incidents", "decide", "nope", "--outcome", "upheld", "--note", "seen", "--as", "nobody"),
        ("recordings", "delete"),
        ("retention", "check", "nowhere.yaml"),
        ("audit", "export", "--to", "pyproject.toml"),
        ("restore", "nowhere"),
    ):
        yield home.root, args
    for args in (
        ("incidents", "list"),
        ("incidents", "show", "nope"),
        ("runs", "list"),
        ("runs", "show", "last"),
        ("evidence", "verify"),
        ("evidence", "open", "nope", "--reason", "test"),
        ("models", "verify"),
    ):
        yield fresh, args
    for number, text in enumerate(
        (
            "frobnicate: 1\nrun:\n  workers: 0\n",
            "run: [\n",
            "mode: production\n",
            "run: {ray: maybe}\n",
            "models: {frames: [nope]}\n",
        )
    ):
        wrong = fresh.parent / f"wrong{number}"
        wrong.mkdir()
        (wrong / "config.yaml").write_text(text, encoding="utf-8")
        yield wrong, ("incidents", "list")
    (fresh.parent / "file").touch()
    yield fresh.parent / "file", ("doctor",)
    yield fresh.parent / "file" / "under", ("models", "fetch")
    halved = fresh.parent / "halved"
    shutil.copytree(home.root, halved, symlinks=True)
    yield halved, ("incidents", "list")


def test_refusals_are_one_sentence_and_leave_nothing_behind(home: TestHome, tmp_path: Path) -> None:
    told = []
    for place, args in _refusals(home, tmp_path / "fresh"):
        said = command(*args, home=place)
        words = said.err.replace(str(ROOT), "CHECKOUT").replace(str(place), "HOME").replace(str(tmp_path), "TMP")
        shown = " ".join(a.replace(str(ROOT), "CHECKOUT").replace(str(tmp_path), "TMP") or "''" for a in args)
        told.append(f"$ watchkeep {shown}\n{words}exit {said.status}\n")
        assert "Traceback" not in said.err
    _golden("cli_refusals.txt", "\n".join(told))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "file", "halved", *(f"wrong{n}" for n in range(5))]


@pytest.mark.parametrize(
    "args",
    [
        ("nonsense",),
        ("scan",),
        ("scan", "x", "--workers", "0"),
        ("scan", "x", "--workers", "99999"),
        ("scan", "x", "--home", ""),
        ("scan", "--bogus"),
        ("incidents", "show"),
        ("evidence", "open", "x"),
        ("evidence", "open", "x", "--reason", "y", "--json"),
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_2_and_says_where_help_is(args: tuple[str, ...], tmp_path: Path) -> None:
    told = command(*args, home=tmp_path / "fresh")
    assert told.status == 2 and told.out == ""
    assert "Usage: watchkeep" in told.err and "--help" in told.err
    assert not (tmp_path / "fresh").exists()
