"""Floor 3: people who work with evidence: accounts, roles, passphrases, and acts that take more than one of them.

Refuses to know what the acts do.
"""
