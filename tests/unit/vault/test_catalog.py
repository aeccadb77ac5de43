"""The catalog's database: migrated when opened, append-only where it says so, safe among processes."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import exc, text

import pipeline.vault
from pipeline.core.errors import ConfigError, IntegrityError
from pipeline.vault import tables, tables_keeping
from pipeline.vault.canonical import canonical
from pipeline.vault.catalog import REVISION, Catalog
from pipeline.vault.vault import Vault
from tests.unit.vault.conftest import Place, drafts, incident, recording, seal_one, span


def test_the_migrations_end_at_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "100% catalog")
    with catalog.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx), tables_keeping.metadata) == []
        kept = tx.execute(text("SELECT DISTINCT tbl_name FROM sqlite_master WHERE type = 'trigger'")).scalars()
        assert sorted(kept) == sorted((*tables.IMMUTABLE, "hold", "incident"))
        pragmas = {
            name: tx.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}
    config = Config()
    config.set_main_option("script_location", f"{pipeline.vault.__path__[0]}/migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]
    catalog.close()


def test_a_catalog_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    with catalog.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    catalog.close()
    with pytest.raises(ConfigError, match="newer watchkeep"):
        Catalog(tmp_path)


def test_what_is_no_database_is_an_integrity_error(tmp_path: Path) -> None:
    (tmp_path / "catalog.db").write_bytes(b"not a database, but long enough to look into" * 100)
    with pytest.raises(IntegrityError, match="damaged"):
        Catalog(tmp_path)


@pytest.mark.parametrize("table", tables.IMMUTABLE)
def test_written_rows_can_neither_be_changed_nor_deleted(sealed: Vault, table: str) -> None:
    column = tables.metadata.tables[table].primary_key.columns[0].name
    with sealed._catalog.read() as tx:
        there = set(tx.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars())
        filled = tx.execute(text(f"SELECT 1 FROM {table}")).first()  # noqa: S608
    assert {f"{table}_no_update", f"{table}_no_delete"} <= there
    if not filled:
        return
    for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):  # noqa: S608
        with pytest.raises(exc.IntegrityError, match="append-only"), sealed._catalog.write() as tx:
            tx.execute(text(statement))


def test_a_failed_act_leaves_neither_rows_nor_entries(sealed: Vault) -> None:
    entries = sealed.verify().entries
    with pytest.raises(RuntimeError), sealed._journal.act("os:ada(1000)") as act:
        act.record("test.act", "nothing")
        raise RuntimeError("stopped half-way")
    assert sealed.verify().entries == entries + 1  # the verification's own


def test_an_entry_holds_any_name_that_a_command_line_can(sealed: Vault) -> None:
    with sealed._journal.act("os:\udcff(0)") as act:
        act.record("test.act", "nothing", reason='"quotes" and \udcfe and ü')
    assert sealed.verify().problems == ()


def test_canonical_bytes_are_sorted_and_of_strings_and_whole_numbers_only() -> None:
    assert canonical({"b": 1, "a": ["ü", 2]}) == '{"a":["ü",2],"b":1}'.encode()
    for value in (1.5, None, True, {1: "a"}, b"x"):
        with pytest.raises(TypeError):
            canonical({"a": value})


def _work(root: Path, worker: int) -> None:
    with Place(root).open() as vault:
        for i in range(4):
            of = recording(worker * 10 + i)
            pairs = [(incident(of, span(1, 2)), drafts(span(1, 2)))]
            seal_one(vault, of, pairs, conclusion=f"c-{worker}-{i}")


def test_several_workers_seal_at_once_into_one_gapless_chain(vault: Vault, place: Place) -> None:
    processes = multiprocessing.get_context("spawn")
    workers = [processes.Process(target=_work, args=(place.root, w)) for w in range(2)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert [w.exitcode for w in workers] == [0, 0]
    found = vault.verify()
    assert (found.problems, found.incidents, found.files) == ((), 8, 8)
    assert not found.orphans


def _open(root: Path) -> None:
    Place(root).open().close()


def test_several_processes_make_one_vault_when_they_all_come_first(tmp_path: Path) -> None:
    processes = multiprocessing.get_context("spawn")
    workers = [processes.Process(target=_open, args=(tmp_path,)) for _ in range(3)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert [w.exitcode for w in workers] == [0, 0, 0]
    with Place(tmp_path).open() as vault:
        assert vault.verify().problems == ()
