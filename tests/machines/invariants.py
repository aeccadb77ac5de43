"""The invariants of evidence, each by its number: what has to be true after every step of a machine."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from pipeline.core.clock import utc_text
from pipeline.core.decision import Review, Severity
from pipeline.core.errors import DisclosureError, IntegrityError, KeyDestroyedError
from pipeline.vault import tables
from pipeline.vault.audit import entries
from pipeline.vault.involved import person_of
from pipeline.vault.tables_keeping import conflict, destruction, unlinked
from tests.machines.model import COUNTERPART, Kept, canary
from tests.machines.scene import Scene
from tests.machines.world import INSTALLATION_KEY


def after_every_step(scene: Scene) -> None:
    """Whatever was done."""
    what_went(scene)
    i1_durability(scene)
    i4_monotone_floors(scene)
    i5_audit(scene)
    i9_no_orphan(scene)
    i13_unlinked(scene)
    i14_no_other_way_out(scene)


def deeply(scene: Scene) -> None:
    """After sweeps, crashes and restores, and at the end."""
    i1_durability(scene, deep=True)
    i3_bounded_erasure(scene)
    i7_terms(scene)
    i12_no_plaintext(scene)


def what_went(scene: Scene) -> None:
    """Which keys the key store lost since, and whether that was allowed: I1, I6 and I16 in one look."""
    now, variant = scene.now, scene.world.variant
    for kept in scene.model.living():
        for party, key_id in kept.keys.items():
            if party in kept.gone or scene.alive(key_id):
                continue
            i6_hold_wins(scene, kept, now)
            i16_no_open_case(scene, kept, now)
            if why := scene.model.kept_because(kept, now, variant):
                scene.fail("I1", f"{kept.name} ({party}) was destroyed although {why}")
            asked = any(r.tried and r.account == kept.accounts.get(party) for r in scene.model.requests)
            wanted = scene.model.wanted_gone(kept, now, variant)
            if not (wanted or (party == COUNTERPART and asked)):
                scene.fail("I1", f"{kept.name} ({party}) was destroyed and nothing asked for it")
            scene.tell(f"    gone: {kept.name} ({party}), by {wanted or 'a request'}")
            kept.gone.add(party)
        if not kept.alive:
            kept.gone |= set(kept.keys)


def i1_durability(scene: Scene, *, deep: bool = False) -> None:
    """What was committed and nothing let go can be read, byte for byte."""
    r, f = tables.evidence_record, tables.evidence_file
    query = select(r.c.record_id, r.c.key_id, f.c.name).join(f, f.c.file_id == r.c.file_id)
    rows = {row.record_id: row for row in scene.rows(query)}
    names, keys = set(scene.world.blobs.names()), set(scene.world.keys.ids())
    for kept in scene.model.living():
        for record_id, (party, body) in kept.records.items():
            if party in kept.gone:
                continue
            row = rows.get(record_id)
            if row is None or row.key_id not in keys or row.name not in names:
                scene.fail("I1", f"a record of {kept.name} ({party}) lost its row, its key or its file")
            if deep and scene.read(record_id) != body:
                scene.fail("I1", f"a record of {kept.name} ({party}) holds other bytes than were sealed")


def i2_separation(scene: Scene, before: dict[str, bytes], after: dict[str, bytes]) -> None:
    """Ordinary deletion leaves every byte of catalog, vault and keys as it was."""
    if changed := [n for n in {*before, *after} if before.get(n) != after.get(n)]:
        scene.fail("I2", f"ordinary deletion changed {sorted(changed)}")


def i3_bounded_erasure(scene: Scene) -> None:
    """Of what is gone no key opens anything, no record is given, and nothing it was found by is left."""
    known = {row.key_id for row in scene.rows(select(destruction.c.key_id))}
    for kept in scene.model.incidents.values():
        for party in kept.gone:
            if party in kept.keys and scene.alive(kept.keys[party]):
                scene.fail("I3", f"the key of {kept.name} ({party}) came back")
            if not scene.cut and party in kept.keys and kept.keys[party] not in known:
                scene.fail("I3", f"the end of {kept.name} ({party}) is not on record")
        for record_id in {party: i for i, (party, _) in kept.records.items() if party in kept.gone}.values():
            party = kept.records[record_id][0]
            try:
                scene.read(record_id)
            except (KeyDestroyedError, IntegrityError):
                scene.opened += 1  # the entry is committed before anything is tried
            else:
                scene.fail("I3", f"a record of {kept.name} ({party}) opens although its key is gone")


def i3_nothing_overdue(scene: Scene, now: datetime) -> None:
    """After a sweep nothing is there that something wants gone and nothing keeps; no unlinked file lies there."""
    for kept in scene.model.living():
        wanted = scene.model.wanted_gone(kept, now, scene.world.variant)
        if wanted and not scene.model.kept_because(kept, now, scene.world.variant):
            scene.fail("I3", f"{kept.name} is still there after a sweep although {wanted} wants it gone")
    f = tables.evidence_file
    dead = {row.name for row in scene.rows(select(f.c.name).join(unlinked, unlinked.c.file_id == f.c.file_id))}
    if back := dead & set(scene.world.blobs.names()):
        scene.fail("I3", f"unlinked files lie there after a sweep: {sorted(back)}")


def i4_monotone_floors(scene: Scene) -> None:
    """The floor that the catalog keeps by is the model's, and never earlier but where two people moved it."""
    t = tables.incident
    rows = {row.incident_id: row.floor_at for row in scene.rows(select(t.c.incident_id, t.c.floor_at))}
    for kept in scene.model.living():
        floor, says = scene.model.floor(kept), rows[kept.incident_id]
        if says != (utc_text(floor) if floor else ""):
            scene.fail("I4", f"the floor of {kept.name} is {says or 'none'}, and should be {floor or 'none'}")
        if says < kept.floor_seen and not kept.overrides:
            scene.fail("I4", f"the floor of {kept.name} went down from {kept.floor_seen} to {says}")
        kept.floor_seen = says


def i5_audit(scene: Scene) -> None:
    """Entries follow each other without a gap, and the signed head is one of them."""
    head = scene.world.vault.parts.head.read()
    with scene.world.vault.parts.catalog.read() as tx:
        try:
            for entry in entries(tx, after=scene.walk.sequence):
                scene.walk.take(entry)
        except IntegrityError as error:
            scene.fail("I5", str(error))
    if head.sequence > scene.walk.sequence:
        scene.fail("I5", f"the head is at {head.sequence} and the chain ends at {scene.walk.sequence}")
    if head.sequence == scene.walk.sequence and head.digest != scene.walk.digest:
        scene.fail("I5", "the head was signed on another chain")
    if head.sequence < scene.walk.sequence and not scene.cut:
        scene.fail("I5", f"the head stayed at {head.sequence}, the chain ends at {scene.walk.sequence}")


def i6_hold_wins(scene: Scene, kept: Kept, now: datetime) -> None:
    """What a hold protects is not destroyed."""
    if held := scene.model.holding(kept, now):
        scene.fail("I6", f"{kept.name} was destroyed under hold {held[0].name}")


def i7_terms(scene: Scene) -> None:
    """The terms under which evidence came never change, and it is opened for no other purpose."""
    for kept in scene.model.living():
        view = scene.world.vault.incident(kept.incident_id)
        terms = (view.legal_basis, view.jurisdiction, view.origin, view.opened_at, view.identity.value)
        if terms != kept.terms or not view.legal_basis:
            scene.fail("I7", f"the terms of {kept.name} were {kept.terms} and are {terms}")
    kept = next((k for k in scene.model.living() if k.records and k.review is not Review.NOT_NEEDED), None)
    if kept is None:
        return
    record_id = next(i for i, (party, _) in kept.records.items() if party not in kept.gone)
    try:
        scene.read(record_id, purpose="ADVERTISING")
    except DisclosureError:
        scene.opened += 1
    else:
        scene.fail("I7", f"{kept.name} was opened for a purpose it was not collected for")


def i8_withdrawal(scene: Scene, account: str, basis: str, sealed: bool) -> None:
    """Nothing is sealed on a consent that was withdrawn."""
    withdrew = any(r.account == account and r.withdraws for r in scene.model.requests)
    if sealed == (withdrew and basis == "CONSENT"):
        what = "was sealed although its consent was withdrawn" if sealed else "was not sealed although nothing forbids"
        scene.fail("I8", f"evidence of {account} on basis {basis} {what}")


def i9_no_orphan(scene: Scene) -> None:
    """Every row has its file and every file its row; else it is known as what a crash left."""
    f = tables.evidence_file
    query = select(f.c.name, unlinked.c.at).outerjoin(unlinked, unlinked.c.file_id == f.c.file_id)
    owned = {row.name: row.at for row in scene.rows(query)}
    lying = set(scene.world.blobs.names())
    if lost := [name for name, at in owned.items() if not at and name not in lying]:
        scene.fail("I9", f"rows without their files: {lost}")
    stray = lying - set(owned)
    found = scene.world.vault.orphans()
    if stray - set(found.files):
        scene.fail("I9", f"files that are nobody's: {sorted(stray - set(found.files))}")
    if found and not scene.cut and not scene.laid_over:
        scene.fail("I9", f"orphans without a crash: {found}")
    if back := [name for name, at in owned.items() if at and name in lying and not (scene.cut or scene.laid_over)]:
        scene.fail("I9", f"unlinked files that lie there: {back}")


def i10_twice_is_once(scene: Scene, destroyed: tuple[str, ...], before: object, after: object) -> None:
    """The same job again does nothing."""
    if destroyed or before != after:
        scene.fail("I10", f"a second sweep destroyed {destroyed} or changed rows")


def i11_fail_safe(scene: Scene, gone_before: int) -> None:
    """While the clock is not trusted nothing goes."""
    gone = sum(len(k.gone) for k in scene.model.incidents.values())
    if gone != gone_before:
        scene.fail("I11", "something was destroyed while the clock was refused")


def i12_no_plaintext(scene: Scene) -> None:
    """No byte of evidence and nobody's name lies in the clear in home, keys, journal or free pages."""
    needles = {body: f"evidence of {k.name}" for k in scene.model.incidents.values() for _, body in k.records.values()}
    needles |= {a.encode(): f"account {a}" for k in scene.model.incidents.values() for a in k.accounts.values() if a}
    needles |= {canary(f"note {k.name}").hex().encode(): "a note" for k in scene.model.incidents.values()}
    needles |= {canary(f"hold {h.name}").hex().encode(): "a hold" for h in scene.model.holds.values()}
    if found := scene.world.grep(needles):
        scene.fail("I12", "; ".join(found))


def i13_unlinked(scene: Scene) -> None:
    """A row leads from an account to its person only as long as evidence or a request needs it."""
    accounts = {a for k in scene.model.incidents.values() for a in k.accounts.values()}
    accounts |= {r.account for r in scene.model.requests}
    with scene.world.vault.parts.catalog.read() as tx:
        linked = {a for a in accounts if a and person_of(tx, INSTALLATION_KEY, a, False) != "unknown"}
    for account in sorted(linked):
        if not scene.cut and not scene.model.needed(account):
            scene.fail("I13", f"account {account} is still linked to a person, and nothing needs that")


def i14_no_other_way_out(scene: Scene) -> None:
    """Every look at plaintext, given or refused, has its entry; there are no others."""
    t = tables.audit_event
    looks = len(scene.rows(select(t.c.sequence).where(t.c.verb == "evidence.open")))
    if looks < scene.opened or (looks > scene.opened and not scene.cut):
        scene.fail("I14", f"{scene.opened} looks, and {looks} entries of them")
    scene.opened = looks


def i15_conflict_is_visible(scene: Scene, now: datetime) -> None:
    """A floor above a ceiling is an open row and restricted access, and keeps."""
    open_rows = {row.incident_id for row in scene.rows(select(conflict.c.incident_id).where(conflict.c.ended_at == ""))}
    for kept in scene.model.living():
        floor = scene.model.floor(kept)
        ceiling = min(scene.model.ceilings(kept, scene.world.variant).values(), default=None)
        if floor and ceiling and now < floor > ceiling and not scene.model.waived(kept, now):
            if kept.incident_id not in open_rows:
                scene.fail("I15", f"{kept.name} has floor {floor} above ceiling {ceiling}, and no open conflict")
            if not scene.world.vault.incident(kept.incident_id).restricted:
                scene.fail("I15", f"{kept.name} is in conflict and not restricted")


def i16_no_open_case(scene: Scene, kept: Kept, now: datetime) -> None:
    """An open review or an unfiled report is never destroyed by its own rules."""
    if kept.report_open():
        scene.fail("I16", f"{kept.name} was destroyed while its report was open")
    if kept.review in (Review.OPEN, Review.UNDER_REVIEW):
        allowed = scene.world.variant.unreviewed == "expire" and kept.severity < Severity.SEVERE
        if not allowed:
            scene.fail("I16", f"{kept.name} was destroyed before anybody decided")
