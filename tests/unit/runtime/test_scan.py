"""The driver: nothing is lost when workers die, nothing concluded before the canary spoke, and all get their row."""

from collections import deque
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.core.errors import FencedError, IntegrityError
from pipeline.core.media import NS
from pipeline.core.recording import Part, Recording
from pipeline.recordings.ledger import Ledger
from pipeline.runtime.job import Job
from pipeline.runtime.pool import ThreadPool
from pipeline.runtime.report import Outcome, Report, Row
from pipeline.runtime.scan import TRIES, Scan
from pipeline.runtime.signals import unpack
from pipeline.runtime.tasks import (
    SOUND_SHARE,
    Act,
    Answer,
    ChunkDone,
    Concluded,
    Failed,
    Inspection,
    PartFacts,
    Tally,
    Task,
    cut,
    weight,
)

LONG = PartFacts(has_video=True, has_audio=True, duration_ns=1500 * NS, cuts=(10, 20))


class ScriptedPool:
    """A pool that answers at once: by a script for a task's act, or as a healthy worker would."""

    def __init__(self, **script: list[Answer]) -> None:
        self.capacity = 2
        self.seen: list[Task] = []
        self.same: set[int] = set()
        self._script = {act: deque(answers) for act, answers in script.items()}
        self._waiting: deque[Task] = deque()

    def submit(self, task: Task) -> None:
        self._waiting.append(task)

    def next(self, timeout_s: float) -> tuple[Task, Answer] | None:
        task = self._waiting.popleft()
        self.seen.append(task)
        scripted = self._script.get(task.act.value)
        return task, scripted.popleft() if scripted else self._healthy(task)

    def close(self) -> None:
        pass

    def _healthy(self, task: Task) -> Answer:
        match task.act:
            case Act.CANARY:
                return "ok"
            case Act.INSPECT:
                name = "same" if task.position in self.same else f"r{task.position}"
                return Inspection(position=task.position, recording_id=name, sha256=name, parts=(LONG,))
            case Act.SCORE:
                return ChunkDone(tally=Tally(frames_sampled=1))
            case Act.CONCLUDE:
                return Concluded(row=Row(outcome=Outcome.SCANNED, recording_id=task.recording_id, duration_s=1.0))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    found = Ledger.open(tmp_path / "recordings", b"k" * 32)
    found.begin_run("run", at=datetime.now(UTC), actor="test", command="scan")
    return found


def scan(
    ledger: Ledger,
    pool: ScriptedPool,
    count: int = 2,
    closed: dict[int, Row] | None = None,
    sizes: list[int] | None = None,
) -> Report:
    recordings = [Recording(parts=(Part(uri=f"{i}.mp4"),)) for i in range(count)]
    job = Job(
        run_id="run",
        recordings=recordings,
        sizes=sizes or [1] * count,
        closed=closed or {},
        terms="terms",
        chunk_terms="chunks",
    )
    driver = Scan(job, ledger, lambda _: None)
    return driver.run(pool)


def test_every_recording_gets_a_row_in_the_order_in_which_it_was_named(ledger: Ledger) -> None:
    report = scan(ledger, ScriptedPool(), count=5, closed={2: Row(outcome=Outcome.NOT_PERMITTED, reason="rule")})
    assert [r.uri for r in report.rows] == [f"{i}.mp4" for i in range(5)]
    assert [r.outcome for r in report.rows].count(Outcome.SCANNED) == 4
    assert [r["uri"] for r in ledger.run_recordings("run")] == [f"{i}.mp4" for i in range(5)]


def test_nothing_is_concluded_before_the_canary_spoke(ledger: Ledger) -> None:
    pool = ScriptedPool()
    scan(ledger, pool, count=3)
    acts = [t.act for t in pool.seen]
    assert acts.index(Act.CANARY) < acts.index(Act.CONCLUDE)


def test_the_largest_recordings_are_scanned_first(ledger: Ledger) -> None:
    pool = ScriptedPool()
    scan(ledger, pool, count=12, sizes=[5, 1, 9, 2, 7, 11, 3, 12, 4, 10, 6, 8])
    inspected = [t.position for t in pool.seen if t.act is Act.INSPECT]
    assert inspected == [7, 5, 9, 2, 11, 4, 10, 0, 8, 6, 3, 1]


def test_a_recording_is_concluded_once_after_all_its_chunks(ledger: Ledger) -> None:
    pool = ScriptedPool()
    scan(ledger, pool, count=1)
    assert [t.act for t in pool.seen if t.act in (Act.SCORE, Act.CONCLUDE)] == [Act.SCORE] * 4 + [Act.CONCLUDE]


def test_the_task_of_a_worker_that_died_is_handed_out_again(ledger: Ledger) -> None:
    died = Failed(fault="died", reason="killed")
    report = scan(ledger, ScriptedPool(score=[died], inspect=[died], conclude=[died]))
    assert {r.outcome for r in report.rows} == {Outcome.SCANNED}


def test_a_chunk_that_kills_every_worker_is_named_and_left_for_the_next_run(ledger: Ledger) -> None:
    pool = ScriptedPool()
    died = Failed(fault="died", reason="killed")
    killer = "video:0:0-10"

    def healthy(task: Task, usual=pool._healthy) -> Answer:  # type: ignore[no-untyped-def]
        return died if task.chunk is not None and task.chunk.name == killer else usual(task)

    pool._healthy = healthy  # type: ignore[method-assign]
    scan(ledger, pool, count=1)
    assert sum(t.chunk is not None and t.chunk.name == killer for t in pool.seen) == TRIES
    blob = ledger.done("r0", killer, "chunks", run_id="run")
    assert blob is not None
    lost, views = unpack(blob)
    assert "died" in lost.broken and lost.degraded == ("decoder",) and not views
    assert ledger.done("r0", killer, "chunks", run_id="another run") is None


def test_the_same_content_under_two_names_is_scanned_once_and_said_so(ledger: Ledger) -> None:
    pool = ScriptedPool()
    pool.same = {0, 1, 2, 4}
    report = scan(ledger, pool, count=5)
    assert sum(t.act is Act.CONCLUDE for t in pool.seen) == 2
    assert {r.outcome for r in report.rows} == {Outcome.SCANNED}
    assert sum("same content" in w for r in report.rows for w in r.warnings) == 3
    assert report.totals()["duration_s"] == 2.0, "it counts once"


def test_a_recording_still_being_written_is_skipped_and_an_unreadable_one_named(ledger: Ledger) -> None:
    growing = Inspection(
        position=0, recording_id="g", sha256="g", parts=(PartFacts(reason="still being written", retry=True),)
    )
    empty = Inspection(position=1, recording_id="e", sha256="e", parts=(PartFacts(reason="zero bytes"),))
    report = scan(ledger, ScriptedPool(inspect=[growing, empty]))
    assert [(r.outcome, r.reason) for r in report.rows] == [
        (Outcome.SKIPPED, "still being written"),
        (Outcome.UNREADABLE, "zero bytes"),
    ]
    assert report.scored_nothing


def test_a_run_that_was_overtaken_or_finds_broken_integrity_stops(ledger: Ledger) -> None:
    for fault, error in (("fenced", FencedError), ("integrity", IntegrityError)):
        with pytest.raises(error):
            scan(ledger, ScriptedPool(conclude=[Failed(fault=fault, reason="no")]), count=1)


def test_the_longest_chunks_go_first(ledger: Ledger) -> None:
    pool = ScriptedPool()
    scan(ledger, pool, count=1)
    weights = [t.weight for t in pool.seen if t.act is Act.SCORE]
    assert weights == sorted(weights, reverse=True)


def test_a_recording_with_a_part_still_being_written_waits_until_it_is_whole(ledger: Ledger) -> None:
    growing = PartFacts(reason="still being written", retry=True)
    found = Inspection(position=0, recording_id="half", sha256="h", parts=(LONG, growing))
    pool = ScriptedPool(inspect=[found])
    report = scan(ledger, pool, count=1)
    assert [(r.outcome, r.reason) for r in report.rows] == [(Outcome.SKIPPED, "still being written")]
    assert not any(t.act in (Act.SCORE, Act.CONCLUDE) for t in pool.seen), "its id changes with the part"


def test_a_part_that_begins_late_weighs_what_it_holds() -> None:
    late = replace(LONG, offset_ns=3600 * NS, cuts=(70, 80))
    weights = {chunk.name: weight(late, chunk) for chunk in cut(1, late)}
    assert weights == pytest.approx(
        {
            "video:1:0-70": 600 * (1 - SOUND_SHARE),
            "video:1:70-80": 600 * (1 - SOUND_SHARE),
            "video:1:80-end": 300 * (1 - SOUND_SHARE),
            "audio:1:0-end": 1500 * SOUND_SHARE,
        }
    )


def test_a_worker_that_breaks_its_word_and_raises_is_one_that_died() -> None:
    class Broken:
        def run(self, task: Task) -> Answer:
            raise RuntimeError("the other end is gone")

    pool = ThreadPool([Broken])
    for _ in range(2):
        pool.submit(Task(act=Act.CANARY))
        assert pool.next(10) == (Task(act=Act.CANARY), Failed(fault="died", reason="the other end is gone"))
    pool.close()
