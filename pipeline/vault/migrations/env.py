"""Alembic's entry: runs the steps on the connection, and inside the transaction, that `catalog.py` hands over."""

from __future__ import annotations

from alembic import context

from pipeline.vault.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
