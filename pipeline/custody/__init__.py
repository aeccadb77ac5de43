"""Floor 4: keeping and giving up. Holds, preservation, events, requests, erasure and sweeps as people ask for them.

Services over vault, retention and recordings; every permission is checked here. Refuses to know who calls: a command or
a page.
"""
