"""Floor 1: the values every stage speaks in, the errors, the ids and the seams.

Imports nothing of ours and does no IO. A value that exists is right: invariants are checked at birth.
"""
