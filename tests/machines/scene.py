"""A world with its model and its story: acts are done here, cut by the power or not, and compared after each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, NoReturn, TypeVar

from sqlalchemy import func, select

from pipeline.core.approval import Approval, Params, params_digest
from pipeline.core.chain import Walk
from pipeline.core.decision import Severity
from pipeline.core.errors import KeyDestroyedError, TransitionError, WatchkeepError
from pipeline.custody.desk import Agreed
from pipeline.vault import tables
from pipeline.vault.audit import creation
from pipeline.vault.cases import Cases
from pipeline.vault.marks import clock_mark
from pipeline.vault.tables_keeping import tick
from tests.machines.model import Kept, Model
from tests.machines.world import APPROVERS, LAW, PRIVACY, Backup, World
from tests.unit.vault.power import PowerCutError

T = TypeVar("T")
PURPOSE = "DETECT"


class AnyGrant:
    """Leave to open everything: what the law would, and no command does."""

    def __init__(self, purpose: str = PURPOSE) -> None:
        self.purpose = purpose

    def refusal(self, severity: Severity, *, restricted: bool) -> str:
        return ""


@dataclass(kw_only=True)
class Act(Generic[T]):
    """Something that is done: how, how to find out after a power cut whether it was, and what it means then."""

    words: str
    call: Callable[[], T]
    happened: Callable[[], T | None]
    apply: Callable[[T], None]
    verbs: tuple[str, ...] = ()
    """Of these one has to be in the chain afterwards (I5)."""
    refusals: tuple[type[Exception], ...] = ()
    """That it may be refused so is no surprise; nothing has happened then."""


@dataclass
class Scene:
    """One example of a machine."""

    world: World
    model: Model = field(default_factory=Model)
    story: list[str] = field(default_factory=list)
    backups: list[tuple[Backup, Model, int, set[str]]] = field(default_factory=list)
    opened: int = 0
    approvals: int = 0
    laid_over: bool = False
    """An old copy of the vault lies over the new one until the next sweep."""
    failed: bool = False
    cut: bool = False
    """The power was cut since the doctor looked."""
    walk: Walk = field(init=False)

    def __post_init__(self) -> None:
        self.model.mark = self.mark()
        self.model.variant = self.world.variant
        self.begin_walk()

    def begin_walk(self) -> None:
        self.walk = Walk(creation(self.world.vault.parts.head))

    @property
    def now(self) -> datetime:
        """Trusted time: never before the mark."""
        at = self.world.clock.at
        return max(at, self.model.mark or at)

    def tell(self, words: str) -> None:
        self.story.append(f"{self.world.clock.at:%Y-%m-%d %H:%M:%S.%f}  {words}")

    def fail(self, invariant: str, words: str) -> NoReturn:
        self.failed = True
        raise AssertionError(f"{invariant}: {words}\n\nwhat happened:\n  " + "\n  ".join(self.story))

    def run(self, act: Act[T]) -> T | None:
        """Do something; what it gave, or None if it was refused or cut off before it counted."""
        self.tell(act.words)
        first = self.entries()
        try:
            done: T | None = act.call()
        except PowerCutError:
            self.cut = True
            self.world.reopen()
            self.world.begin_run()
            done = act.happened()
            self.tell("    the power was cut: " + ("it had happened" if done is not None else "it had not happened"))
        except act.refusals as error:
            self.tell(f"    refused: {error}")
            return None
        except WatchkeepError as error:
            self.fail("unexpected", f"{act.words}: {type(error).__name__}: {error}")
        if done is None:
            return None
        with self.world.fuse.held():
            act.apply(done)
        if act.verbs and not (said := self.verbs(first)) & set(act.verbs):
            self.fail("I5", f"no entry of {act.words}: {sorted(said)}")
        return done

    def agreed(self, act: str, params: Params, *, approvers: tuple[str, ...] = APPROVERS) -> Agreed:
        """Ada asked, two others approved, and the last of them carries it out."""
        self.approvals += 1
        at = self.world.clock.at
        approval = Approval(
            approval_id=f"a-{self.approvals}",
            act=act,
            digest=params_digest(act, params),
            requested_by=LAW.person_id,
            approved_by=approvers,
            requested_at=at,
            expires_at=at + timedelta(days=1),
        )
        return Agreed(approval=approval, by=PRIVACY)

    def not_as_asked(self, kept: Kept) -> tuple[type[Exception], ...]:
        """How an agreed act is refused if its clock stands before what was recorded: that was not known when asked."""
        return (TransitionError,) if any(at >= self.world.clock.at for at in kept.known.values()) else ()

    # -- what lies in the stores ---------------------------------------------------------------------------------

    def rows(self, query: Any) -> list[Any]:
        with self.world.vault.parts.catalog.read() as tx:
            return list(tx.execute(query))

    def mark(self) -> datetime:
        with self.world.vault.parts.catalog.read() as tx:
            return clock_mark(tx)

    def clock_refused(self) -> bool:
        ticks = self.rows(select(tick.c.accepted).order_by(tick.c.number.desc()).limit(1))
        return bool(ticks) and not ticks[0].accepted

    def entries(self) -> int:
        return int(self.rows(select(func.max(tables.audit_event.c.sequence)))[0][0])

    def verbs(self, after: int) -> set[str]:
        t = tables.audit_event
        return {row.verb for row in self.rows(select(t.c.verb).where(t.c.sequence > after))}

    def alive(self, key_id: str) -> bool:
        try:
            return self.world.keys.exists(key_id)
        except KeyDestroyedError:
            return False

    def read(self, record_id: str, purpose: str = PURPOSE) -> bytes:
        """The plaintext of a record, on record."""
        body = self.world.vault.open_evidence(record_id, actor="machine", reason="to look", grant=AnyGrant(purpose))
        self.opened += 1
        return body

    def learn(self, kept: Kept) -> None:
        """What the catalog says of times and rows that the model cannot know: when, and under which ids."""
        case = Cases(self.world.vault.parts).one(kept.incident_id)
        kept.sealed_at, kept.decided_at = case.sealed_at, case.decided_at
        kept.overrides = [(o.rule, o.until, o.at) for o in case.overrides if o.at]
        kept.orders = [(o.order.value, o.at) for o in case.orders]
        for event in case.events:
            place = (event.kind, event.at)
            kept.known[place] = min(event.recorded_at, kept.known.get(place, event.recorded_at))

    def written_floors(self, kept: Kept) -> set[tuple[str, datetime]]:
        case = Cases(self.world.vault.parts).one(kept.incident_id)
        return {(f.rule, f.until) for f in case.floors}
