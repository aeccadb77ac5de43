"""From an incident to its evidence."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from pipeline.capture.capture import Captured, capture
from pipeline.capture.media import Digests, Sources, bytes_of, sha256_of
from pipeline.capture.params import Params
from pipeline.core.decision import Incident
from pipeline.core.errors import SourceError
from pipeline.core.evidence import Draft, Kind, Party
from pipeline.core.media import NS, Frame
from pipeline.core.recording import Connection, Part, Participant, Recording
from tests.unit.capture.conftest import POLICY, incident, make_clip, number_of, recorded, seconds

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def captured(sources: Sources, case: Incident, mine: Recording, theirs: Recording | None = None) -> Captured:
    return capture(case, mine, theirs, policy=POLICY, sources=sources, params=Params())


def of(result: Captured, kind: Kind, party: Party = Party.SUBJECT) -> list[Draft]:
    return [d for d in result.drafts if d.kind is kind and d.party is party]


def shown(draft: Draft) -> int:
    return number_of(cv2.imdecode(np.frombuffer(draft.body, np.uint8), cv2.IMREAD_COLOR))


def test_flagged_frames_and_their_neighbours_are_the_real_frames_of_those_times(sources: Sources, clip: Path) -> None:
    result = captured(sources, incident(3.0, 4.0), recorded(clip))
    frames = of(result, Kind.FRAME)
    assert [(shown(f), f.facts["role"]) for f in frames] == [
        (20, "before"),
        (25, "before"),
        (30, "flagged"),
        (40, "flagged"),
        (45, "after"),
        (50, "after"),
    ]
    assert [f.span.start_ns for f in frames] == [int(n * NS / 10) for n in (20, 25, 30, 40, 45, 50)]
    assert (frames[0].facts["width"], frames[0].facts["height"]) == (160, 120)
    assert result.notes == ()


def test_every_frame_has_a_blurred_derivative_of_the_same_position(sources: Sources, clip: Path) -> None:
    result = captured(sources, incident(3.0), recorded(clip))
    frames, small = of(result, Kind.FRAME), of(result, Kind.DERIVATIVE)
    assert [d.position for d in small] == [f.position for f in frames]
    assert not {d.body for d in small} & {f.body for f in frames}


def test_sound_and_original_packets_cover_the_span_with_its_padding(sources: Sources, clip: Path) -> None:
    result = captured(sources, incident(3.0, 4.0), recorded(clip))
    (sound,), (packets,) = of(result, Kind.AUDIO), of(result, Kind.PACKETS)
    assert sound.span.start_ns == NS
    assert abs(sound.span.end_ns - 6.1 * NS) < NS / 1000
    assert packets.span.start_ns <= 1 * NS
    assert packets.span.end_ns >= 6 * NS
    assert (sound.media_type, packets.media_type) == ("audio/flac", "video/x-matroska")


def test_the_same_source_and_incident_give_the_same_bytes(sources: Sources, clip: Path) -> None:
    case = incident(3.0, 4.0)
    first = captured(sources, case, recorded(clip), recorded(clip, handle="ben"))
    rescanned = replace(case, opened_at=case.opened_at + timedelta(days=9), revision=2)
    assert captured(sources, rescanned, recorded(clip), recorded(clip, handle="ben")) == first
    assert len({(d.kind, d.party, d.stream, d.position) for d in first.drafts}) == len(first.drafts)


def test_connection_data_say_unknown_where_nothing_was_given(sources: Sources, clip: Path) -> None:
    known = Participant(
        handle="anna",
        account="anna@example.org",
        connection=Connection(ip="192.0.2.7", port=4711),
        purposes=frozenset({"b", "a"}),
    )
    mine = recorded(clip, participants=(known,), started_at=T0, clock_uncertainty_ms=20)
    result = captured(sources, incident(3.0), mine, recorded(clip, handle="ben", participants=()))
    (subject,), (other,) = of(result, Kind.CONNECTION), of(result, Kind.CONNECTION, Party.COUNTERPART)
    told, untold = json.loads(subject.body), json.loads(other.body)
    assert told["participant"]["account"] == "anna@example.org"
    assert (told["participant"]["ip"], told["participant"]["port"]) == ("192.0.2.7", 4711)
    assert told["participant"]["purposes"] == ["a", "b"]
    assert told["participant"]["age_class"] == "unknown"
    assert told["recording"]["started_at"] == "2026-11-22T12:00:00.000000Z"
    assert {name for name, value in untold["participant"].items() if value != "unknown"} == {"regions"}
    assert untold["recording"]["clock_uncertainty_ms"] == untold["recording"]["started_at"] == "unknown"


def test_others_in_the_subjects_picture_are_counterparts(sources: Sources, clip: Path) -> None:
    both = (Participant(handle="anna"), Participant(handle="ben"))
    result = captured(sources, incident(3.0), recorded(clip, participants=both))
    assert [json.loads(d.body)["participant"]["handle"] for d in of(result, Kind.CONNECTION)] == ["anna"]
    others = of(result, Kind.CONNECTION, Party.COUNTERPART)
    assert [json.loads(d.body)["participant"]["handle"] for d in others] == ["ben"]


def test_the_findings_name_rules_scores_models_policy_and_source(sources: Sources, clip: Path) -> None:
    result = captured(sources, incident(3.0, values=(0.97,)), recorded(clip, sha256=sha256_of(str(clip))))
    (draft,) = of(result, Kind.FINDINGS)
    body = json.loads(draft.body)
    (signal,) = body["findings"][0]["signals"]
    assert (signal["label"], signal["score"], signal["model"]["sha256"]) == ("opennsfw.nsfw", 0.97, "ab" * 32)
    assert body["policy"]["sha256"] == "cd" * 32
    assert body["incident"]["identity"] == "verified"
    assert body["sources"] == [{"uri": str(clip), "offset_ns": 0, "sha256": sha256_of(str(clip))}]


def test_a_source_that_changed_since_the_scan_is_said(sources: Sources, clip: Path) -> None:
    result = captured(sources, incident(3.0), recorded(clip, sha256="0" * 64))
    assert any("changed between scan and capture" in note for note in result.notes)
    assert json.loads(of(result, Kind.FINDINGS)[0].body)["notes"] == list(result.notes)


def test_the_counterpart_is_cut_at_the_same_wall_time_widened_by_both_clocks(sources: Sources, clip: Path) -> None:
    mine = recorded(clip, started_at=T0, clock_uncertainty_ms=100)
    theirs = recorded(clip, handle="ben", started_at=T0 + timedelta(seconds=1), clock_uncertainty_ms=150)
    result = captured(sources, incident(5.0), mine, theirs)
    frames = of(result, Kind.FRAME, Party.COUNTERPART)
    # 5.0 - 2 s of padding - 1 s later start - 0.25 s of uncertainty = 1.75 s on their clock, then one a second.
    assert [round(f.span.start_ns / NS, 1) for f in frames] == [1.7, 2.7, 3.7, 4.7, 5.7]
    assert {f.facts["role"] for f in frames} == {"counterpart"}
    for draft in result.drafts:
        if draft.party is Party.COUNTERPART and draft.kind is not Kind.CONNECTION:
            assert (draft.facts["alignment"], draft.facts["clock_uncertainty_ms"]) == ("started_at", 250)
    assert len(of(result, Kind.AUDIO, Party.COUNTERPART)) == len(of(result, Kind.PACKETS, Party.COUNTERPART)) == 1


def test_without_start_times_the_alignment_is_assumed_and_says_so(sources: Sources, clip: Path) -> None:
    result = captured(sources, incident(5.0), recorded(clip), recorded(clip, handle="ben", started_at=T0))
    (sound,) = of(result, Kind.AUDIO, Party.COUNTERPART)
    assert sound.facts["alignment"] == "assumed"
    assert sound.span.start_ns == 3 * NS


def test_a_counterpart_who_came_later_or_cannot_be_read_stops_nothing(sources: Sources, clip: Path) -> None:
    late = recorded(clip, handle="ben", started_at=T0 + timedelta(hours=1))
    result = captured(sources, incident(3.0), recorded(clip, started_at=T0), late)
    assert result.notes == ("the counterpart's recording began after this span",)
    assert of(result, Kind.CONNECTION, Party.COUNTERPART)
    gone = captured(sources, incident(3.0), recorded(clip), recorded(clip.with_name("gone.mp4"), handle="ben"))
    assert any(note.startswith("counterpart part 0: cannot be read") for note in gone.notes)
    assert len(of(gone, Kind.FRAME)) == 5


def test_parts_are_cut_at_their_offsets_each_for_what_it_holds(sources: Sources, clip: Path, tmp_path: Path) -> None:
    second = make_clip(tmp_path / "after-reconnect.mkv", 3)
    both = Recording(parts=(Part(uri=str(clip)), Part(uri=str(second), offset_ns=10 * NS)), stream_id="s")
    result = captured(sources, incident(6.5, 11.0), both)
    assert [(f.facts["part"], shown(f)) for f in of(result, Kind.FRAME)] == [
        *((0, 55), (0, 60), (0, 65), (0, 70), (0, 75)),
        *((1, 0), (1, 5), (1, 10), (1, 15), (1, 20)),
    ]
    assert [d.facts["part"] for d in of(result, Kind.PACKETS)] == [0, 1]
    assert [d.span.start_ns / NS for d in of(result, Kind.AUDIO)] == [4.5, 10.0]


def test_a_still_image_is_kept_whole_beside_its_frame(tmp_path: Path, sources: Sources) -> None:
    photo = tmp_path / "photo.png"
    pixels = np.full((30, 40, 3), 200, np.uint8)
    cv2.imwrite(str(photo), pixels)
    still = replace(
        sources, frames=lambda path, span, offset_ns: iter([Frame(stream_id="s", span=seconds(0, 1), pixels=pixels)])
    )
    result = captured(still, incident(0.0), recorded(photo))
    (packets,) = of(result, Kind.PACKETS)
    assert (packets.media_type, packets.body) == ("image/png", photo.read_bytes())
    assert len(of(result, Kind.FRAME)) == len(of(result, Kind.DERIVATIVE)) == 1
    assert of(result, Kind.AUDIO) == []


def test_an_image_too_long_for_a_jpeg_is_kept_as_it_is(tmp_path: Path, sources: Sources) -> None:
    long = tmp_path / "long.png"
    pixels = np.full((3, 70_000, 3), 200, np.uint8)
    cv2.imwrite(str(long), pixels)
    still = replace(
        sources, frames=lambda path, span, offset_ns: iter([Frame(stream_id="s", span=seconds(0, 1), pixels=pixels)])
    )
    result = captured(still, incident(0.0), recorded(long))
    (packets,) = of(result, Kind.PACKETS)
    assert packets.body == long.read_bytes()
    assert any("cannot be written as JPEG" in note for note in result.notes)


def test_a_source_that_is_gone_leaves_findings_and_people_and_says_why(sources: Sources, tmp_path: Path) -> None:
    result = captured(sources, incident(3.0), recorded(tmp_path / "gone.mp4"))
    assert {d.kind for d in result.drafts} == {Kind.CONNECTION, Kind.FINDINGS}
    assert any("cannot be read" in note for note in result.notes)
    assert not any(str(tmp_path) in note for note in result.notes)


def test_loud_sound_is_kept_with_its_gain(sources: Sources, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "loud.mkv", 4, loud=2.0)
    (sound,) = of(captured(sources, incident(2.0), recorded(clip)), Kind.AUDIO)
    assert sound.facts["gain"] == pytest.approx(0.5, rel=0.02)
    with av.open(io.BytesIO(sound.body)) as container:
        peak = max(abs(f.to_ndarray().astype(int)).max() for f in container.decode(audio=0))
    assert peak == 32767


def test_a_disk_that_gives_up_is_the_sources_fault_and_not_the_vaults() -> None:
    unreadable = Path("/sys/class/net/lo/speed")
    if not unreadable.is_file():
        pytest.skip("needs the kernel's network files: reading the speed of the loopback interface fails")
    for read in (sha256_of, Digests(), lambda path: bytes_of(path, 16)):
        with pytest.raises(SourceError, match=r"^cannot be read: "):
            read(str(unreadable))
