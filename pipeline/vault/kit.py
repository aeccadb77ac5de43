"""The recovery kit: what the master folder holds, as lines that a person can print and type in again.

Because the chain of epochs goes one way, a kit opens the keys of its own epoch and of all later ones. It names nobody
and holds no evidence key: without a copy of the keys folder it opens nothing. Refuses to know where copies of it lie.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from pipeline.core.errors import ConfigError
from pipeline.vault.disk import locked, shred, supersede, write_once, writing
from pipeline.vault.epoch import Epoch, MasterEpoch
from pipeline.vault.ledger import KeptHead, LedgerHead
from pipeline.vault.master import KEY_BYTES

TITLE = "WATCHKEEP RECOVERY KIT 1"
_LINE = re.compile(r"\s*(root-[12]|epoch|chain-[12]|lines|digest-[12])\s+([^/]*)/\s*(\S*)\s*", re.I)
_PROSE = """
This sheet stands for the master folder of one installation, should that be lost. With a copy of the keys folder
made in epoch {epoch} or later it opens the evidence, whatever was destroyed since that copy was made; without one it
opens nothing. So keep it away from the keys folder and all copies of it: on paper, or in a safe. When you print a
newer one, destroy this one.

To prove it:          watchkeep keys test-kit FILE
To recover with it:   watchkeep keys restore-kit FILE
FILE holds the lines below, typed or scanned. Spaces and capitals do not matter; other lines are passed over.
"""
_APART = "The master key is not on this sheet: give it as WATCHKEEP_MASTER_KEY.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """Master key (None if it is kept elsewhere), epoch and least ledger; its text shows no secret."""

    root: bytes | None = field(repr=False)
    epoch: Epoch
    head: LedgerHead


def kit_text(kit: Kit) -> str:
    """What is printed. Every line of it ends with the first four digits of a sha256 of its own."""
    lines = [f"{label:<9} {_grouped(value):<39} / {_check(label, value)}\n" for label, value in _values(kit)]
    apart = _APART if kit.root is None else ""
    return f"{TITLE}\n{_PROSE.format(epoch=kit.epoch.number)}{apart}\n{''.join(lines)}"


def read_kit(path: Path) -> Kit:
    """The kit in a file; ConfigError names every line that is misread or missing."""
    try:
        body = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
    problems: list[str] = []
    found: dict[str, str] = {}
    for number, line in enumerate(body.decode("utf-8", errors="replace").splitlines(), 1):
        if said := _LINE.fullmatch(line):
            label, value = said[1].lower(), re.sub(r"\s", "", said[2]).lower()
            if said[3].lower() != _check(label, value):
                problems.append(f"{path}:{number} {label}: a digit of this line is misread, compare it with the sheet")
            found[label] = value
    problems += [f"{path}: the line {label} is missing" for label in _needed(found) if label not in found]
    if problems:
        raise ConfigError(tuple(problems))
    try:
        return _kit(found)
    except ValueError as error:
        raise ConfigError(f"{path} is no recovery kit: write a new one with `watchkeep keys kit`") from error


def kit_of(epoch: MasterEpoch, root: bytes | None) -> Kit:
    """The kit of today; `root` None if the master key is kept elsewhere."""
    return Kit(root=root, epoch=epoch.read(), head=KeptHead(epoch).read())


def first_kit(epoch: MasterEpoch, root: bytes | None) -> None:
    """Write the kit into the master folder, where it follows every epoch until it is taken away; once."""
    with locked(epoch.lock_file), suppress(FileExistsError):
        write_once(epoch.kit_file, writing(kit_text(kit_of(epoch, root)).encode()))


def renew_kit(epoch: MasterEpoch, head: LedgerHead) -> None:
    """Bring the kit that lies in the master folder, if one does, to the epoch of now. Under the key store's lock.

    One from before would open an old copy of the keys; one that cannot be read is overwritten and removed.
    """
    path = epoch.kit_file
    if not path.exists():
        return
    now = epoch.read()
    try:
        kit = read_kit(path)
    except ConfigError:
        shred(path)
        return
    if kit.epoch.number < now.number:
        supersede(path, kit_text(Kit(root=kit.root, epoch=now, head=head)).encode())


def _values(kit: Kit) -> Iterator[tuple[str, str]]:
    if kit.root is not None:
        yield from _halves("root", kit.root.hex())
    yield "epoch", str(kit.epoch.number)
    yield from _halves("chain", kit.epoch.chain.hex())
    yield "lines", str(kit.head.number)
    if kit.head.number:
        yield from _halves("digest", kit.head.digest)


def _halves(label: str, digits: str) -> Iterator[tuple[str, str]]:
    yield f"{label}-1", digits[:KEY_BYTES]
    yield f"{label}-2", digits[KEY_BYTES:]


def _needed(found: dict[str, str]) -> Iterator[str]:
    if "root-1" in found or "root-2" in found:
        yield from ("root-1", "root-2")
    yield from ("epoch", "chain-1", "chain-2", "lines")
    if found.get("lines") != "0":
        yield from ("digest-1", "digest-2")


def _kit(found: dict[str, str]) -> Kit:
    root = bytes.fromhex(found["root-1"] + found["root-2"]) if "root-1" in found else None
    if root is not None and len(root) != KEY_BYTES:
        raise ValueError("not a master key")
    return Kit(
        root=root,
        epoch=Epoch(number=int(found["epoch"]), chain=bytes.fromhex(found["chain-1"] + found["chain-2"])),
        head=LedgerHead(number=int(found["lines"]), digest=found.get("digest-1", "") + found.get("digest-2", "")),
    )


def _grouped(value: str) -> str:
    return " ".join(value[i : i + 4] for i in range(0, len(value), 4))


def _check(label: str, value: str) -> str:
    return sha256(f"watchkeep kit 1/{label}/{value}".encode()).hexdigest()[:4]
