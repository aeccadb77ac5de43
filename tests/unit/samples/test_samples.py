"""The shipped samples: small, and each with its source and licence."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path

import pytest

SAMPLES = Path(__file__).resolve().parents[3] / "configs" / "samples"
FILES = sorted(p for p in SAMPLES.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
MEDIA = [p for p in FILES if p.suffix not in {".md", ".py", ".jsonl", ""}]


def test_the_samples_are_under_five_megabytes_and_the_canary_under_thirty_kilobytes() -> None:
    assert sum(p.stat().st_size for p in FILES) < 5_000_000
    assert (SAMPLES / "canary.mkv").stat().st_size < 30_000


@pytest.mark.parametrize("path", MEDIA, ids=lambda p: p.name)
def test_every_sample_has_a_notice(path: Path) -> None:
    assert path.relative_to(SAMPLES).as_posix() in (SAMPLES / "NOTICE").read_text(encoding="utf-8")
    assert path.name in (SAMPLES / "README.md").read_text(encoding="utf-8")


def test_the_manifest_names_files_that_are_here_and_addresses_that_are_nobodys() -> None:
    reserved = [ipaddress.ip_network(n) for n in ("192.0.2.0/24", "2001:db8::/32")]
    lines = [json.loads(line) for line in (SAMPLES / "samples.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len({line["session_id"] for line in lines}) == 1
    for line in lines:
        assert (SAMPLES / line["uri"]).is_file()
        for person in line["participants"]:
            assert any(ipaddress.ip_address(person["ip"]) in network for network in reserved)
