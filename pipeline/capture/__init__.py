"""Floor 2: cutting evidence out of a source at an incident's spans.

Everything stays in memory, the same source and incident give the same bytes, and nothing here knows how media are
opened or where evidence goes: readers are handed in, drafts are handed on.
"""
