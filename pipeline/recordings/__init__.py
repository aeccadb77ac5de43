"""Floor 3: what the platform stores ordinarily, and the job ledger of the scans.

Everything here may be forgotten by ordinary deletion, so it lies in a folder and under a key of its own. It knows
nothing of evidence: no path leads from here to the vault, nor back.
"""
