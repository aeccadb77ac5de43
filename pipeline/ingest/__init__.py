"""Floor 2: from files that may be hostile to frames and sound, in order of media time.

One door to local files (`regular`), one to libav (`opener`). Refuses to know models, policies and where results go.
"""
