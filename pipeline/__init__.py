"""Watchkeep: content moderation and abuse retention for video chat.

docs/architecture.md draws the floors; each package's docstring says what its room is for and what it refuses to know.
"""

__version__ = "0.1.0"
