"""One act of keeping on a vault made for it, timed in a process of its own: `python retention_acts.py ACT HOME`.

Prints one JSON object: `seconds` (importing and opening left out), `peak_mb` (resident memory of the process at most),
and what else the act has to say. What is to be compared with it (raw reading, bare hashing, bare waiting for the disk)
are acts like the others.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from benchmarks.retention_vault import ACTOR, TODAY, account, catalog_of, desk_at, living
from pipeline.core.approval import Approval, params_digest
from pipeline.core.chain import AuditEntry
from pipeline.core.person import Person, Role
from pipeline.core.retention import RequestKind
from pipeline.custody import holds, requests, sweep
from pipeline.custody.desk import Agreed, Desk
from pipeline.custody.explain import explain
from pipeline.custody.holds import Ordered
from pipeline.vault.log import Log

Told = dict[str, float]

ADA, PIET = (
    Person(person_id=f"p-{name}", name=name, roles=frozenset({Role.LEGAL, Role.PRIVACY_OFFICER}))
    for name in ("ada", "piet")
)
EXPLAINED = 50
SYNCS = 200
_TABLES = ("event", "hold_item", "floor", "floor_override", "destroy_order")


def plan(home: Path) -> Told:
    """What a sweep would do, the whole of it."""
    with desk_at(home) as desk:
        began = time.perf_counter()
        found = sweep.preview(desk).plan.real
        seconds = time.perf_counter() - began
        with desk.parts.catalog.read() as tx:  # tombstones are read and judged, too
            incidents = tx.exec_driver_sql("SELECT count(*) FROM incident").scalar_one()
        return {"seconds": seconds, "incidents": incidents, "due": len(found.going), "held": len(found.held)}


def judge(home: Path) -> Told:
    """Every incident judged in a stream, nothing kept of it."""
    with desk_at(home) as desk:
        now, began = desk.now(), time.perf_counter()
        incidents = sum(1 for _ in desk.judged(now))
        return {"seconds": time.perf_counter() - began, "incidents": incidents}


def read(home: Path) -> Told:
    """The rows that a plan needs, read by the driver alone and in the same order."""
    catalog = catalog_of(home)
    began = time.perf_counter()
    query = "SELECT i.*, v.person FROM incident i LEFT JOIN involved v USING (incident_id)"
    rows = sum(1 for _ in catalog.execute(f"{query} WHERE v.party = 'subject' ORDER BY i.incident_id"))
    for name in _TABLES:
        rows += sum(1 for _ in catalog.execute(f"SELECT * FROM {name} ORDER BY incident_id"))  # noqa: S608
    return {"seconds": time.perf_counter() - began, "rows": rows}


def verify(home: Path) -> Told:
    """The audit chain followed from its first entry to its signed head, with its tree."""
    with desk_at(home) as desk:
        began = time.perf_counter()
        found = Log(desk.parts).check(())
        assert not found.problems, found.problems
        return {"seconds": time.perf_counter() - began, "entries": found.entries}


def digest(home: Path) -> Told:
    """The bytes of every audit entry through sha256, and nothing else."""
    seconds, size = 0.0, 0
    cursor = catalog_of(home).execute("SELECT * FROM audit_event ORDER BY sequence")
    while rows := cursor.fetchmany(10_000):
        bodies = [AuditEntry._make(row).body() for row in rows]
        began = time.perf_counter()
        for body in bodies:
            hashlib.sha256(body).digest()
        seconds += time.perf_counter() - began
        size += sum(map(len, bodies))
    return {"seconds": seconds, "bytes": size}


def destroy(home: Path) -> Told:
    """A sweep that two people agreed to, applied: planned, claimed, keys and rows gone, files purged, keys renewed."""
    sync, syncs = os.fsync, 0

    def counted(handle: int) -> None:
        nonlocal syncs
        syncs += 1
        sync(handle)

    with desk_at(home) as desk:
        agreed = _agreed(desk)
        os.fsync = counted
        began = time.perf_counter()
        done = sweep.sweep(desk, actor=ACTOR, agreed=agreed)
        seconds = time.perf_counter() - began
        os.fsync = sync
        assert done.applied and not done.passed_by, (done.pauses, done.passed_by[:3])
        return {"seconds": seconds, "incidents": len(done.destroyed), "files": done.files, "syncs": syncs}


def _agreed(desk: Desk) -> Agreed | None:
    """What two people have to say to a sweep that is larger than usual; None for a small one."""
    found = sweep.preview(desk).pauses
    if not found:
        return None
    pause, now = found[0], desk.now()
    approval = Approval(
        approval_id="a-1",
        act=pause.act,
        digest=params_digest(pause.act, pause.params),
        requested_by="p-eve",
        approved_by=("p-ada", "p-bob"),
        requested_at=now,
        expires_at=now + timedelta(days=1),
    )
    return Agreed(approval=approval, by=ADA)


def sync(home: Path) -> Told:
    """The waiting for one write of 128 bytes to be on the disk of this home, many times over."""
    with tempfile.NamedTemporaryFile(dir=home) as file:
        began = time.perf_counter()
        for _ in range(SYNCS):
            os.write(file.fileno(), bytes(128))
            os.fsync(file.fileno())
        return {"seconds": (time.perf_counter() - began) / SYNCS}


def hold(home: Path) -> Told:
    """One hold on everything in the vault that is whole."""
    with desk_at(home) as desk:
        ids = living(desk.vault, 10_000)
        letter = Ordered(kind="US_2703F", authority="A", reference="R", reason="a letter", received_at=TODAY)
        began = time.perf_counter()
        holds.place(desk, letter, ids, by=ADA)
        return {"seconds": time.perf_counter() - began, "incidents": len(ids)}


def explained(home: Path) -> Told:
    """Why one incident is still here: the first answer of a process, and those that follow."""
    with desk_at(home) as desk:
        ids = living(desk.vault, EXPLAINED)
        began = time.perf_counter()
        explain(desk, ids[0], by=ADA)
        first = time.perf_counter() - began
        for one in ids[1:]:
            explain(desk, one, by=ADA)
        later = (time.perf_counter() - began - first) / (len(ids) - 1)
        return {"seconds": first, "later": later}


def erase(home: Path) -> Told:
    """A request for erasure from its receipt to its end: received, verified, accepted, carried out."""
    with desk_at(home) as desk:
        began = time.perf_counter()
        view = requests.add(desk, RequestKind.ERASURE, account(1), received_at=TODAY, by=ADA)
        requests.verify_identity(desk, view.request_id, by=ADA)
        view = requests.decide(desk, view.request_id, "accepted", ground="GDPR art 17(1)(b)", by=ADA)
        done = requests.carry_out(desk, view, by=PIET)
        return {"seconds": time.perf_counter() - began, "items": len(done.items), "destroyed": len(done.destroyed)}


ACTS: dict[str, Callable[[Path], Told]] = {
    act.__name__: act for act in (plan, judge, read, verify, digest, destroy, sync, hold, explained, erase)
}


def peak_mb() -> float:
    """The most resident memory that this process has had, in 10^6 bytes."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


if __name__ == "__main__":
    told = ACTS[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps(told | {"peak_mb": peak_mb()}))
