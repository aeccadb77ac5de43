"""An entry's bytes are the canonical ones, by whichever way they are made, and whatever people write into it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.canonical import canonical, leaf_hash
from pipeline.core.chain import AuditEntry, read_line
from pipeline.vault.audit import creation, entries, first_break
from tests.unit.vault.conftest import Place
from tests.unit.vault.tampered import place_of_two, tampering, template

__all__ = ["place_of_two", "template"]

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
ODD = st.one_of(TEXTS, st.text(), st.binary(), st.none(), st.booleans(), st.floats(), st.integers())


def fields(entry: AuditEntry) -> dict[str, object]:
    return {name: value for name, value in entry._asdict().items() if name != "digest"}


@given(st.integers(), st.lists(TEXTS, min_size=7, max_size=7))
def test_the_fast_bytes_of_an_entry_are_the_canonical_ones(sequence: int, texts: list[str]) -> None:
    bare = AuditEntry(sequence, *texts, digest="")
    assert bare.body() == canonical(fields(bare))
    entry = bare._replace(digest=leaf_hash(bare.body()))
    assert entry.sound()
    assert read_line(entry.line()) == entry


@given(ODD, st.lists(ODD, min_size=7, max_size=7))
def test_a_value_of_another_kind_has_bytes_in_neither_way(sequence: object, values: list[object]) -> None:
    entry = AuditEntry(sequence, *values, digest="")  # type: ignore[arg-type]
    try:
        known = canonical(fields(entry))
    except (TypeError, UnicodeEncodeError):
        known = b""
    if type(sequence) is int and all(type(value) is str for value in values) and known:
        assert entry.body() == known
    else:
        assert not entry.sound()
        with pytest.raises((TypeError, UnicodeEncodeError)):
            entry.body()


@given(st.data())
def test_no_other_line_is_read_as_an_entry(data: st.DataObject) -> None:
    bare = AuditEntry(7, "t", 'an "actor" é\u2028', "verb", "incident:1", "why\\", "", "0" * 64, "")
    line = bare._replace(digest=leaf_hash(bare.body())).line()
    at = data.draw(st.integers(0, len(line) - 1))
    changed = line[:at] + bytes([line[at] ^ data.draw(st.integers(1, 255))]) + line[at + 1 :]
    try:
        found = read_line(changed)
    except ValueError:
        return
    assert not found.sound()


@pytest.mark.parametrize(
    ("was", "becomes"),
    [(b'","', b'", "'), (b"test", b"\\u0074est"), (b'{"actor"', b'{"actor":"","actor"'), (b'"}', b'"}\n')],
)
def test_an_entry_has_one_form_only(was: bytes, becomes: bytes) -> None:
    bare = AuditEntry(7, "t", "os:test(1)", "verb", "incident:1", "", "", "0" * 64, "")
    line = bare._replace(digest=leaf_hash(bare.body())).line()
    assert read_line(line).sound() and was in line
    with pytest.raises(ValueError, match="one form"):
        read_line(line.replace(was, becomes))


@pytest.mark.parametrize("line", [b"", b"[]", b"[" * 100_000, b'{"a":1}', b"1" * 5000, b"\xff"])
def test_what_is_no_entry_at_all_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="not an entry"):
        read_line(line)


@pytest.mark.parametrize("name", ["os:a\udcffda(1000)", "Zoë \U0001f98a\u202e", "a\x00b\n\x7f"])
def test_whatever_an_actor_is_called_the_chain_holds(place: Place, name: str) -> None:
    with place.open() as vault:
        with vault.parts.journal.act(name) as act:
            act.record("test.act", "thing:1", reason=name)
        with vault.parts.catalog.read() as tx:
            assert first_break(tx, creation(vault.parts.head)) == ""
            *_, last = entries(tx)
    assert last.actor == last.reason == name.encode("utf-8", "backslashreplace").decode()


def test_an_entry_whose_text_is_none_is_found(place_of_two: Place) -> None:
    with tampering(place_of_two) as db:
        db.execute("UPDATE audit_event SET reason = CAST(X'FF' AS TEXT) WHERE sequence = 4")
    with place_of_two.open() as vault, vault.parts.catalog.read() as tx:
        assert "cannot be read" in first_break(tx, creation(vault.parts.head))
