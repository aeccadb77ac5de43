"""The recovery kit as text: read back however it was typed, and every misread digit named by its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.core.errors import ConfigError
from pipeline.vault.epoch import Epoch
from pipeline.vault.kit import Kit, kit_text, read_kit
from pipeline.vault.ledger import EMPTY, LedgerHead

WHOLE = Kit(
    root=bytes(range(32)),
    epoch=Epoch(number=12, chain=bytes(range(100, 132))),
    head=LedgerHead(number=3, digest="ab" * 32),
)
APART = Kit(root=None, epoch=Epoch(number=0, chain=bytes(32)), head=EMPTY)


def typed(tmp_path: Path, text: str) -> Path:
    (tmp_path / "kit.txt").write_text(text, encoding="utf-8")
    return tmp_path / "kit.txt"


@pytest.mark.parametrize("kit", [WHOLE, APART], ids=["with master key", "without"])
def test_a_kit_is_read_back_however_it_was_typed(tmp_path: Path, kit: Kit) -> None:
    text = kit_text(kit)
    lines = [line for line in text.splitlines() if " / " in line]
    for version in (text, text.upper(), text.replace(" ", "  "), "\n".join(reversed(lines)), "\r\n".join(lines)):
        assert read_kit(typed(tmp_path, version)) == kit


def test_every_misread_character_of_a_line_is_found_and_its_line_named(tmp_path: Path) -> None:
    lines = kit_text(WHOLE).splitlines()
    for number, line in enumerate(lines):
        if " / " not in line:
            continue
        for spot in range(10, len(line)):
            if line[spot] in " /":
                continue
            wrong = line[:spot] + ("8" if line[spot] != "8" else "3") + line[spot + 1 :]
            text = "\n".join([*lines[:number], wrong, *lines[number + 1 :]])
            with pytest.raises(ConfigError, match=rf"kit\.txt:{number + 1} {line.split()[0]}: a digit"):
                read_kit(typed(tmp_path, text))


def test_all_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    lines = [line for line in kit_text(WHOLE).splitlines() if not line.startswith(("chain-2", "digest-1"))]
    text = "\n".join(lines).replace("root-1    0001", "root-1    0007")
    with pytest.raises(ConfigError) as refused:
        read_kit(typed(tmp_path, text))
    said = refused.value.problems
    assert len(said) == 3
    assert "root-1: a digit" in said[0] and "chain-2 is missing" in said[1] and "digest-1 is missing" in said[2]


def test_what_is_no_kit_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="epoch is missing"):
        read_kit(typed(tmp_path, "my secret diary"))
    with pytest.raises(ConfigError, match="cannot be read: no such file"):
        read_kit(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_kit(tmp_path)
    (tmp_path / "kit.txt").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(ConfigError, match="epoch is missing"):
        read_kit(tmp_path / "kit.txt")


def test_its_text_in_memory_shows_no_secret() -> None:
    assert "00010203" not in repr(WHOLE) and "\\x00" not in repr(WHOLE)
