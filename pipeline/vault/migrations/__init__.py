"""Alembic's folder: every step from an empty catalog to `tables.py`, run when a vault opens."""
