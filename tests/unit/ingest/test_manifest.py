"""What a manifest may say of recordings and people, and how a wrong one is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.core.errors import ConfigError
from pipeline.core.recording import UNKNOWN, AgeClass, Identity, Layout, ProvisionMode
from pipeline.ingest.manifest import COLUMNS, Defaults, read_manifest

NOTHING = Defaults()


def lines(tmp_path: Path, *entries: object) -> Path:
    path = tmp_path / "m.jsonl"
    path.write_text("".join((e if isinstance(e, str) else json.dumps(e)) + "\n" for e in entries))
    return path


def refused(path: Path, defaults: Defaults = NOTHING) -> list[str]:
    with pytest.raises(ConfigError) as refusal:
        read_manifest(path, defaults)
    return [p.removeprefix(str(path)) for p in refusal.value.problems]


def test_only_a_uri_is_required_and_the_rest_is_unknown_never_invented(tmp_path: Path) -> None:
    (recording,) = read_manifest(lines(tmp_path, {"uri": "a.mp4"}), NOTHING)
    assert recording.uri == str(tmp_path / "a.mp4")
    assert recording.session_id == recording.clock_source == recording.jurisdiction == recording.legal_basis == UNKNOWN
    assert recording.participants == ()
    assert recording.started_at is None and recording.clock_uncertainty_ms is None


def test_defaults_of_the_home_hold_where_an_entry_does_not_say(tmp_path: Path) -> None:
    home = Defaults(policy_version="2026-03", jurisdiction="NL", legal_basis="6(1)(f)")
    path = lines(tmp_path, {"uri": "a"}, {"uri": "b", "jurisdiction": "uk"}, {"uri": "c", "jurisdiction": "unknown"})
    first, second, third = read_manifest(path, home)
    assert (first.policy_version, first.jurisdiction, first.legal_basis) == ("2026-03", "NL", "6(1)(f)")
    assert second.jurisdiction == "GB"
    assert third.jurisdiction == "NL"


def test_a_composite_recording_of_two_people_in_two_parts(tmp_path: Path) -> None:
    entry = {
        "session_id": "s1",
        "stream_id": "v1",
        "layout": "composite",
        "parts": [{"uri": "v.webm"}, {"uri": "/abs/v2.webm", "offset_ms": 61500.5}],
        "started_at": "2026-11-22T10:15:00+01:00",
        "clock_source": "sfu",
        "clock_uncertainty_ms": 40,
        "participants": [
            {
                "handle": "left",
                "account": "u-1",
                "identity": "verified",
                "ip": "2001:db8::7",
                "port": 50123,
                "device": "phone",
                "client": "web/4",
                "language": "nl",
                "jurisdiction": "NL",
                "jurisdiction_source": "account",
                "age_class": "adult",
                "parental_consent": "not_needed",
                "policy_version": "2026-03",
                "provision_mode": "automatic",
                "purposes": ["DETECT"],
            },
            {"handle": "right"},
        ],
        "regions": [
            {"handle": "left", "x": 0, "y": 0, "width": 0.5, "height": 1},
            {"handle": "right", "x": 0.5, "y": 0, "width": 0.5, "height": 1},
        ],
    }
    (recording,) = read_manifest(lines(tmp_path, entry), NOTHING)
    left, right = recording.participants
    assert recording.layout is Layout.COMPOSITE and len(recording.regions) == 2
    assert [(p.uri, p.offset_ns) for p in recording.parts] == [
        (str(tmp_path / "v.webm"), 0),
        ("/abs/v2.webm", 61_500_500_000),
    ]
    assert recording.started_at == datetime(2026, 11, 22, 9, 15, tzinfo=UTC)
    assert left.identity is Identity.VERIFIED and left.age_class is AgeClass.ADULT
    assert left.provision_mode is ProvisionMode.AUTOMATIC and left.purposes == frozenset({"DETECT"})
    assert left.connection.ip == "2001:db8::7" and left.connection.port == 50123
    assert right.identity is Identity.UNKNOWN and right.purposes is None and right.connection.ip == UNKNOWN


def test_every_problem_is_told_at_once_with_its_line_and_field(tmp_path: Path) -> None:
    path = lines(
        tmp_path,
        {"uri": "a", "started_at": "2026-11-22T10:15:00", "sesion_id": "x"},
        "",
        {"parts": [{"uri": "b", "offset": 3}, {}], "clock_uncertainty_ms": -1},
        {"uri": "c", "participants": [{"ip": "300.1.1.1", "port": 70000, "age_class": "old"}, {"handle": "h"}, 7]},
        {"uri": "https://example.org/x.mp4", "started_at": "yesterday", "layout": "composite"},
        {"uri": "d", "session_id": "s", "stream_id": "1"},
        {"uri": "e", "session_id": "s", "stream_id": "1"},
        "{not json",
        '{"uri": "f", "uri": "g"}',
        "[1]",
    )
    assert refused(path) == [
        ":1 started_at: '2026-11-22T10:15:00' has no time zone; "
        "write 2026-11-22T10:15:00+01:00 or 2026-11-22T09:15:00Z",
        ":1 sesion_id: unknown field; did you mean session_id?",
        ":3 parts[0].offset: unknown field; did you mean offset_ms?",
        ":3 parts[1].uri: is missing",
        ":3 clock_uncertainty_ms: -1 is not a whole number, 0 or more",
        ":4 participants[2]: 7 is not an object",
        ":4 participants[0].handle: is missing; a participant has a handle or an account",
        ":4 participants[0].ip: '300.1.1.1' is not an IP address such as 203.0.113.7 or 2001:db8::7",
        ":4 participants[0].port: 70000 is not a whole number, 0 to 65535",
        ":4 participants[0].age_class: 'old' is not one of adult, 13_17, u13, unknown",
        ":5 uri: 'https://example.org/x.mp4' is no local file; write its path",
        ":5 regions: is missing: of a composite picture it says who is where",
        ":5 started_at: 'yesterday' is not a time such as 2026-11-22T10:15:00+01:00",
        ":7 stream_id: '1' of session 's' is on line 6 already; give further files of one stream as parts of one entry",
        ":8: not a JSON object on one line: Expecting property name enclosed in double quotes at column 2",
        ":9: not a JSON object on one line: given twice: uri",
        ':10: not a JSON object; an entry is {"uri": ...}',
    ]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"uri": "a", "participants": [{"handle": "h"}, {"handle": "h"}]}, "participants: 'h' is listed twice"),
        ({"uri": "a", "regions": [{"handle": "h"}]}, "regions[0]: is not a handle with x, y, width and height"),
        ({"uri": "a", "parts": [{"uri": "b"}]}, "parts: stands in place of uri and offset_ms"),
        ({"uri": 7}, "uri: 7 is not text"),
        ({"uri": ""}, "uri: '' is not text"),
        ({"uri": "a\0b"}, "uri: 'a\\x00b' is not valid Unicode"),
        ({"uri": "a", "offset_ms": "NaN"}, "offset_ms: 'NaN' is not a number"),
        ({"uri": "a", "offset_ms": True}, "offset_ms: True is not a number"),
        ({"uri": "a", "managed": "yes"}, "managed: 'yes' is not true or false"),
        ({"uri": "a", "managed": 1}, "managed: 1 is not true or false"),
        ({"uri": "a", "managed": []}, "managed: [] is not true or false"),
        ({"uri": "a", "chat": "https://example.org/chat"}, "chat: 'https://example.org/chat' is no local file"),
        ({"uri": "a", "chat": 7}, "chat: 7 is not text"),
        ({"uri": "a", "jurisdiction": "Holland"}, "jurisdiction: 'Holland' is not a jurisdiction such as NL"),
        ({"uri": "a", "client\n\u202eid": 1}, "'client\\n\\u202eid': unknown field"),
        ({"uri": "a", "session_id": "\ud800"}, "session_id: '\\ud800' is not valid Unicode"),
        ({"uri": "a", "started_at": 1732270500}, "started_at: 1732270500 is not a time"),
        ("[" * 100_000, "is nested too deeply"),
        ('{"uri": "a", "offset_ms": NaN}', "NaN is not a number"),
    ],
)
def test_a_wrong_entry_is_refused(tmp_path: Path, entry: object, message: str) -> None:
    assert any(message in p for p in refused(lines(tmp_path, entry)))


def test_file_names_are_data(tmp_path: Path) -> None:
    names = ["a b.mp4", "new\nline", "=cmd|' /C calc'!A0", "\u202egpj.exe", "'\"", "unknown", "\udcff.mp4", "x;1,2"]
    recordings = read_manifest(lines(tmp_path, *({"uri": n, "chat": n} for n in names)), NOTHING)
    assert [r.uri for r in recordings] == [f"{tmp_path}/{n}" for n in names] == [r.chat for r in recordings]


def test_originals_are_ours_to_delete_only_where_the_manifest_says_so(tmp_path: Path) -> None:
    entries = ({"uri": "a"}, {"uri": "b", "managed": True}, {"uri": "c", "managed": "false", "chat": "/srv/chat.jsonl"})
    recordings = read_manifest(lines(tmp_path, *entries), NOTHING)
    assert [(r.managed, r.chat) for r in recordings] == [(False, ""), (True, ""), (False, "/srv/chat.jsonl")]


def test_one_file_is_one_entry_where_no_stream_tells_two_apart(tmp_path: Path) -> None:
    assert refused(lines(tmp_path, {"uri": "a"}, {"uri": "b"}, {"uri": "a", "managed": True})) == [
        f":3 uri: '{tmp_path}/a' is on line 1 already; one recording is one entry"
    ]


def test_csv_says_the_same_as_json_lines(tmp_path: Path) -> None:
    cells = {
        "uri": "a b.mp4",
        "offset_ms": "500",
        "session_id": "s",
        "started_at": "2026-11-22T09:15:00Z",
        "clock_uncertainty_ms": "20",
        "participant_handle": "h",
        "participant_port": "443",
        "participant_purposes": "DETECT PREVENT_RECURRENCE",
        "participant_ip": "203.0.113.7",
        "participant_language": "",
        "managed": "true",
        "chat": "chat/s.jsonl",
    }
    table = tmp_path / "m.csv"
    table.write_text(",".join(cells) + "\n" + ",".join(cells.values()) + "\n")
    person = {n.removeprefix("participant_"): c for n, c in cells.items() if n.startswith("participant_") and c}
    entry = {n: c for n, c in cells.items() if not n.startswith("participant_")}
    entry |= {"participants": [person | {"purposes": ["DETECT", "PREVENT_RECURRENCE"]}]}
    assert read_manifest(table, NOTHING) == read_manifest(lines(tmp_path, entry), NOTHING)


def test_a_wrong_csv_is_refused_with_its_lines(tmp_path: Path) -> None:
    table = tmp_path / "m.csv"
    table.write_text("uri,sesion_id,uri\nx,y,z\n")
    assert refused(table) == [":1 sesion_id: unknown field; did you mean session_id?", ":1 uri: is a column twice"]
    table.write_text('uri,started_at,participant_ip\n"a\nb",2026-11-22,\nc,,x\nd\n')
    assert refused(table) == [
        ":2 started_at: '2026-11-22' has no time zone; write 2026-11-22T10:15:00+01:00 or 2026-11-22T09:15:00Z",
        ":4 participants[0].handle: is missing; a participant has a handle or an account",
        ":4 participants[0].ip: 'x' is not an IP address such as 203.0.113.7 or 2001:db8::7",
        ":5: has 1 cells for 3 columns; quote cells with commas",
    ]
    table.write_text("session_id\ns\n")
    assert refused(table) == [":1 uri: is missing; the first line names the columns"]
    table.write_text('uri\n"a\n')
    assert "not CSV" in refused(table)[0]


def test_a_file_that_is_no_manifest_is_refused_in_one_sentence(tmp_path: Path) -> None:
    assert "name it .jsonl or .csv" in refused(tmp_path / "m.txt")[0]
    assert "cannot be read" in refused(tmp_path / "gone.csv")[0]
    latin = tmp_path / "m.jsonl"
    latin.write_bytes(b'{"uri": "\xe9"}\n')
    assert "not a JSON object on one line: 'utf-8' codec can't decode" in refused(latin)[0]


def test_a_flood_of_problems_is_counted_not_printed(tmp_path: Path) -> None:
    problems = refused(lines(tmp_path, *({"uri": "a", "nothing": 1} for _ in range(500))))
    assert len(problems) == 201
    assert problems[-1] == ": and 300 more problems"


def test_the_documented_columns_are_the_ones_that_are_read() -> None:
    text = (Path(__file__).parents[3] / "docs" / "manifest.md").read_text()
    missing = [c for c in COLUMNS if f"`{c}`" not in text and f"`{c.removeprefix('participant_')}`" not in text]
    assert missing == []
